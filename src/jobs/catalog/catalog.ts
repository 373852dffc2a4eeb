import { AppError, isAppError, toAppError } from "../../base/errors.ts";
import { fromUtf8 } from "../../base/bytes.ts";
import { retry } from "../../base/retry.ts";
import { openEntry, type SignedManifest } from "../../archive/chain.ts";
import { MANIFEST_LIMIT } from "../../archive/manifest.ts";
import type { SignerKey } from "../../archive/signature.ts";
import type { Destination } from "../../destination/contract.ts";
import { archiveParts, parseArchiveName } from "../../model/archive_name.ts";
import type { JobContext } from "../context.ts";
import { readSmall } from "../backup/deliver.ts";

/** One archive as a destination shows it. */
export interface Cataloged {
  name: string;
  /** From the name; the manifest's own time is what counts once it is verified. */
  time: Date;
  /** Bytes of the archive as stored; undefined when only its manifest is there. */
  size: number | undefined;
  /** Present when it is signed by a trusted signer. */
  entry: SignedManifest | undefined;
  /** Why there is no entry. */
  problem: AppError | undefined;
}

/** Manifests read at the same time. */
const AT_ONCE = 8;

/**
 * Every archive of the job at `destination`, oldest first. Names that are not ours are passed over.
 *
 * @throws when the destination cannot be listed: an error is never an empty list.
 */
export async function catalog(
  context: JobContext,
  destination: Destination,
  trusted: readonly SignerKey[],
): Promise<Cataloged[]> {
  const { job, signal, world } = context;
  const sizes = await retry(async () => {
    const found = new Map<string, number>();
    const prefix = `${job.name}/`;
    for await (const { key, size } of destination.list(prefix, signal)) {
      found.set(key.slice(prefix.length), size);
    }
    return found;
  }, { clock: world.clock, signal });
  const names = new Set<string>();
  for (const stored of sizes.keys()) {
    const name = stored.replace(/(\.sha256|\.manifest\.json(\.sig)?)$/, "");
    if (parseArchiveName(name)?.job === job.name) names.add(name);
  }
  const all = [...names].sort();
  const cataloged: Cataloged[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE) {
    cataloged.push(
      ...await Promise.all(
        all.slice(at, at + AT_ONCE).map((name) => describe(context, destination, trusted, name, sizes)),
      ),
    );
  }
  return cataloged;
}

async function describe(
  context: JobContext,
  destination: Destination,
  trusted: readonly SignerKey[],
  name: string,
  sizes: ReadonlyMap<string, number>,
): Promise<Cataloged> {
  const parts = archiveParts(name);
  const base = { name, time: parseArchiveName(name)!.time, size: sizes.get(parts.archive) };
  try {
    for (const part of [parts.manifest, parts.signature]) {
      if (!sizes.has(part)) throw new AppError("untrusted", `unsigned: "${part}" is missing`);
    }
    const read = (part: string) =>
      retry(() => readSmall(destination, `${context.job.name}/${part}`, MANIFEST_LIMIT, context.signal), {
        clock: context.world.clock,
        signal: context.signal,
      });
    const entry = await openEntry(
      await read(parts.manifest),
      fromUtf8(await read(parts.signature), "the signature"),
      trusted,
    );
    if (entry.manifest.archive.name !== name) {
      throw new AppError("corrupt", `renamed: its manifest is that of "${entry.manifest.archive.name}"`);
    }
    return { ...base, entry, problem: undefined };
  } catch (error) {
    const problem = toAppError(error);
    // Only what is wrong with this archive is a property of it; a destination that fails has told nothing.
    if (!isAppError(problem, "corrupt", "untrusted", "unsupported", "not-found")) throw problem;
    return { ...base, entry: undefined, problem };
  }
}

/**
 * The archive that `restore` and `verify` mean by `latest`: the highest sequence of a trusted chain (of several
 * chains the one with the newest archive), a complete one where there is any.
 */
export function latestOf(cataloged: readonly Cataloged[]): Cataloged | undefined {
  const usable = cataloged.filter((one) => one.entry && one.size !== undefined);
  const complete = usable.filter((one) => one.entry!.manifest.outcome === "complete");
  const heads = new Map<string, Cataloged>();
  for (const one of complete.length > 0 ? complete : usable) {
    const { chain, sequence } = one.entry!.manifest;
    const head = heads.get(chain);
    if (!head || head.entry!.manifest.sequence < sequence) heads.set(chain, one);
  }
  return [...heads.values()].sort((a, b) => timeOf(a) - timeOf(b)).at(-1);
}

/**
 * Archives that are newer than `picked` and cannot be used: damaged, unsigned, or with nothing but their manifest
 * left. Whoever asked for the latest must hear of them; an older one is not what was meant.
 */
export function newerInDoubt(cataloged: readonly Cataloged[], picked: Cataloged): Cataloged[] {
  return cataloged.filter((one) =>
    one.time > picked.time && (one.problem !== undefined || one.size === undefined)
  );
}

/** Why an archive that is listed cannot be used. */
export function doubtOf(one: Cataloged): AppError | undefined {
  if (one.problem) return one.problem;
  return one.size === undefined ? new AppError("corrupt", "missing: only its manifest is there") : undefined;
}

function timeOf(one: Cataloged): number {
  return Date.parse(one.entry!.manifest.time);
}

/** The archive that a person named: `latest`, or its file name with or without an ending. */
export function pick(cataloged: readonly Cataloged[], wanted: string): Cataloged | undefined {
  if (wanted === "latest") return latestOf(cataloged);
  return cataloged.find((one) =>
    one.name === wanted || one.name.replace(/\.tar\.(zst|gz)\.age$/, "") === wanted
  );
}
