import { AppError, isAppError, toAppError } from "../../base/errors.ts";
import { fromUtf8 } from "../../base/bytes.ts";
import { retry } from "../../base/retry.ts";
import { checkSignature, readTrusted, type SignedManifest, type Unread } from "../../archive/chain.ts";
import { isArchive, MANIFEST_LIMIT, nameOf } from "../../archive/manifest.ts";
import { parseSignerKey, type SignerKey } from "../../archive/signature.ts";
import type { Destination } from "../../destination/contract.ts";
import type { JobContext } from "../context.ts";
import { readSmall } from "../deliver/parts.ts";

/** An entry by the names of its files. */
export interface Shown {
  /** Of the archive, or of the record. */
  name: string;
  manifest: string;
  signature: string;
}

/** Manifests read at the same time. */
const AT_ONCE = 8;

/**
 * Reads entries with their signatures, as far as they fit.
 *
 * @returns by name what can be read, or why not.
 * @throws when the destination fails: then it has told nothing.
 */
export async function readEntries(
  context: JobContext,
  destination: Destination,
  wanted: readonly Shown[],
  stored: ReadonlyMap<string, number>,
): Promise<Map<string, Unread | AppError>> {
  const found = new Map<string, Unread | AppError>();
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const some = wanted.slice(at, at + AT_ONCE);
    const read = await Promise.all(some.map((one) => readEntry(context, destination, one, stored)));
    some.forEach(({ name }, index) => found.set(name, read[index]!));
  }
  return found;
}

async function readEntry(
  context: JobContext,
  destination: Destination,
  { manifest, signature }: Shown,
  stored: ReadonlyMap<string, number>,
): Promise<Unread | AppError> {
  const read = (part: string) =>
    retry(() => readSmall(destination, `${context.job.name}/${part}`, MANIFEST_LIMIT, context.signal), {
      clock: context.world.clock,
      signal: context.signal,
    });
  try {
    for (const part of [manifest, signature]) {
      if (!stored.has(part)) throw new AppError("untrusted", `unsigned: "${part}" is missing`);
    }
    return await checkSignature(await read(manifest), fromUtf8(await read(signature), "the signature"));
  } catch (error) {
    return propertyOf(error);
  }
}

/** Only what is wrong with this entry is a property of it; a destination that fails has told nothing. */
function propertyOf(error: unknown): AppError {
  const problem = toAppError(error);
  if (!isAppError(problem, "corrupt", "untrusted", "unsupported", "not-found")) throw problem;
  return problem;
}

/**
 * Reads what trusted keys have signed. A trusted key may name others in a record: the one that follows it
 * (`keys-rotate`), or one that it trusts (`keys-trust`); so this goes on until no key is new.
 */
export function settleTrust(
  shown: ReadonlyMap<string, Unread | AppError>,
  given: readonly SignerKey[],
): { trusted: SignerKey[]; entries: Map<string, SignedManifest | AppError> } {
  const trusted = [...given];
  const entries = new Map<string, SignedManifest | AppError>();
  let before: number;
  do {
    before = trusted.length;
    for (const [name, one] of shown) {
      if (isSigned(entries.get(name))) continue;
      const entry = one instanceof AppError ? one : openAs(name, one, trusted);
      entries.set(name, entry);
      for (const key of isSigned(entry) ? namedBy(entry) : []) {
        if (!trusted.some((known) => known.fingerprint === key.fingerprint)) trusted.push(key);
      }
    }
  } while (trusted.length > before);
  return { trusted, entries };
}

function isSigned(entry: SignedManifest | AppError | undefined): entry is SignedManifest {
  return entry !== undefined && !(entry instanceof AppError);
}

function openAs(name: string, unread: Unread, trusted: readonly SignerKey[]): SignedManifest | AppError {
  try {
    const entry = readTrusted(unread, trusted);
    const own = nameOf(entry.manifest);
    if (own === name) return entry;
    const whose = isArchive(entry.manifest)
      ? `its manifest is that of "${own}"`
      : `it is the record "${own}"`;
    return new AppError("corrupt", `renamed: ${whose}`);
  } catch (error) {
    return propertyOf(error);
  }
}

/** The keys that an entry makes trusted. */
export function namedBy({ manifest }: SignedManifest): SignerKey[] {
  if (manifest.kind === "keys-rotate") return [parseSignerKey(manifest.newSigner)];
  if (manifest.kind === "keys-trust") return manifest.signers.map(parseSignerKey);
  return [];
}
