import { AppError, isAppError, toAppError } from "../../base/errors.ts";
import { fromUtf8 } from "../../base/bytes.ts";
import { digestOf, Sha256 } from "../../base/hash.ts";
import { retry } from "../../base/retry.ts";
import { isArchive, manifestHash } from "../../archive/manifest.ts";
import { checkArchive } from "../../archive/read.ts";
import type { Destination } from "../../destination/contract.ts";
import { JobState } from "../../host/state.ts";
import { archiveParts, parseArchiveName } from "../../model/archive_name.ts";
import type { Counts } from "../../model/counts.ts";
import { catalog, type Cataloged, doubtOf, newerInDoubt, pick } from "./catalog.ts";
import { type JobContext, stateOf } from "../context.ts";
import { checksumLine, readSmall } from "../backup/deliver.ts";
import { destinationNames, openDestination, trustedSigners } from "../open.ts";
import { whoCanOpen } from "./who_can_open.ts";

export interface VerifyOptions {
  /** One destination, or all of the job's. */
  from: string | undefined;
  /** A name, `latest` or `all`. */
  archive: string;
  /** Opens each archive and checks every entry in it, where given. */
  identities: readonly string[] | undefined;
}

/** What was found out about one copy. */
export interface Verified {
  destination: string;
  archive: string;
  /** Undefined when the copy is what its host signed. */
  problem: AppError | undefined;
  time: Date;
  size: number | undefined;
  sequence: number | undefined;
  outcome: string | undefined;
  /** What an opened archive holds. */
  opened: Counts | undefined;
}

export interface Verification {
  copies: Verified[];
  /** Destinations that could not be asked. */
  failures: { destination: string; error: AppError }[];
}

/**
 * Checks copies of a job's archives: signature, name, size, SHA-256, checksum file, links of the chain, and with
 * identities the whole of the contents. Changes nothing.
 */
export async function verify(context: JobContext, options: VerifyOptions): Promise<Verification> {
  const trusted = await trustedSigners(context);
  const state = await JobState.load(context.world, stateOf(context));
  const names = destinationNames(context, options.from);
  const verification: Verification = { copies: [], failures: [] };
  for (const name of names) {
    try {
      const destination = await openDestination(context, name);
      await using _ = destination;
      const cataloged = await catalog(context, destination, trusted);
      const broken = brokenLinks(cataloged);
      for (const one of wanted(cataloged, options.archive)) {
        const problem = doubtOf(one) ?? broken.get(one.name);
        verification.copies.push(
          await verifyCopy(context, destination, { ...one, problem }, options.identities),
        );
      }
      verification.copies.push(...await lost(state, name, cataloged, options.archive));
    } catch (error) {
      const known = toAppError(error);
      if (context.signal.aborted || isAppError(known, "cancelled")) throw known;
      verification.failures.push({ destination: name, error: known });
    }
  }
  return verification;
}

function wanted(cataloged: readonly Cataloged[], archive: string): readonly Cataloged[] {
  if (archive === "all") return cataloged;
  const picked = pick(cataloged, archive);
  if (picked) return archive === "latest" ? [picked, ...newerInDoubt(cataloged, picked)] : [picked];
  // "latest" when nothing can be trusted: the newest one tells why.
  return archive === "latest" ? cataloged.slice(-1) : [];
}

async function verifyCopy(
  context: JobContext,
  destination: Destination,
  one: Cataloged,
  identities: readonly string[] | undefined,
): Promise<Verified> {
  const manifest = one.entry?.manifest;
  const verified: Verified = {
    destination: destination.name,
    archive: one.name,
    problem: one.problem,
    time: one.time,
    size: one.size,
    sequence: manifest?.sequence,
    outcome: manifest?.outcome,
    opened: undefined,
  };
  if (!one.entry || verified.problem) return verified;
  try {
    verified.opened = await checkCopy(context, destination, one, identities);
  } catch (error) {
    const problem = toAppError(error);
    if (!isAppError(problem, "corrupt", "not-found", "unsupported", "wrong-identity")) throw problem;
    verified.problem = problem;
  }
  return verified;
}

async function checkCopy(
  context: JobContext,
  destination: Destination,
  one: Cataloged,
  identities: readonly string[] | undefined,
): Promise<Counts | undefined> {
  const { name, size, sha256 } = one.entry!.manifest.archive;
  if (one.size !== undefined && one.size !== size) {
    throw new AppError(
      "corrupt",
      `${one.size < size ? "truncated" : "too long"}: ${one.size} of ${size} bytes`,
    );
  }
  const parts = archiveParts(name);
  const key = (part: string) => `${context.job.name}/${part}`;
  const line = fromUtf8(
    await readSmall(destination, key(parts.checksum), 1024, context.signal),
    parts.checksum,
  );
  if (line !== checksumLine(sha256, name)) {
    throw new AppError("corrupt", `"${parts.checksum}" says something else`);
  }
  const open = () => destination.get(key(parts.archive), undefined, context.signal);
  if (!identities) {
    const found = await retry(async () => await digestOf(await open()), {
      clock: context.world.clock,
      signal: context.signal,
    });
    compare(found, { size, sha256 });
    return undefined;
  }
  // One pass does both: what is opened is what is hashed.
  const hash = new Sha256();
  const hashed = async () =>
    (await open()).pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(bytes, controller) {
          hash.update(bytes);
          controller.enqueue(bytes);
        },
      }),
    );
  const { compression } = parseArchiveName(name)!;
  const { contents } = await checkArchive({ open: hashed, compression, identities }, {
    progress: (bytes) => context.emit({ event: "progress", job: context.job.name, phase: "check", bytes }),
  }).catch(async (error) => {
    if (!isAppError(error, "wrong-identity")) throw error;
    // A damaged head reads as one that was sealed to somebody else: only of the signed bytes is that true.
    compare(await digestOf(await open()), { size, sha256 });
    throw await whoCanOpen(error, context, one.entry!.manifest.recipients);
  });
  compare({ size: hash.size, sha256: hash.hex() }, { size, sha256 });
  return contents.counts;
}

function compare(found: { size: number; sha256: string }, promised: { size: number; sha256: string }): void {
  if (found.size !== promised.size) {
    throw new AppError("corrupt", `truncated: it gives ${found.size} of ${promised.size} bytes`);
  }
  if (found.sha256 !== promised.sha256) {
    throw new AppError("corrupt", "damaged: its SHA-256 is not the signed one");
  }
}

/** Archives whose signed place in the chain does not fit their neighbours, by name. */
function brokenLinks(cataloged: readonly Cataloged[]): Map<string, AppError> {
  const broken = new Map<string, AppError>();
  const bySequence = new Map<string, Cataloged>();
  for (const one of cataloged) {
    if (!one.entry) continue;
    const { chain, sequence } = one.entry.manifest;
    const other = bySequence.get(`${chain} ${sequence}`);
    if (other) {
      const fork = new AppError(
        "untrusted",
        `fork: "${other.name}" has the same place ${sequence} in the chain`,
      );
      broken.set(one.name, fork);
    }
    bySequence.set(`${chain} ${sequence}`, one);
  }
  for (const one of bySequence.values()) {
    const { chain, sequence, previous } = one.entry!.manifest;
    const before = bySequence.get(`${chain} ${sequence - 1}`);
    if (before?.entry && previous !== manifestHash(before.entry.bytes)) {
      broken.set(one.name, new AppError("untrusted", `it does not follow "${before.name}" in the chain`));
    }
  }
  return broken;
}

/** Archives that this host's receipts promise and the destination does not show. */
async function lost(
  state: JobState,
  destination: string,
  cataloged: readonly Cataloged[],
  archive: string,
): Promise<Verified[]> {
  const promised = state.sequences.filter((sequence) => state.hasReceipt(destination, sequence));
  // One archive was asked for by name: the others are not the question.
  const asked = archive === "all" ? promised : archive === "latest" ? promised.slice(-1) : [];
  const missing: Verified[] = [];
  for (const sequence of asked) {
    const { manifest } = await state.entry(sequence);
    if (!isArchive(manifest)) continue;
    const { name } = manifest.archive;
    if (cataloged.some((one) => one.name === name)) continue;
    missing.push({
      destination,
      archive: name,
      problem: new AppError("corrupt", "missing: it was read back here once"),
      time: new Date(manifest.time),
      size: undefined,
      sequence,
      outcome: manifest.outcome,
      opened: undefined,
    });
  }
  return missing;
}
