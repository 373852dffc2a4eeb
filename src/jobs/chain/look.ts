import { AppError, isAppError, toAppError } from "../../base/errors.ts";
import { headOf, type SignedManifest, type Unread } from "../../archive/chain.ts";
import { decodeManifest, type Place } from "../../archive/manifest.ts";
import type { SignerKey } from "../../archive/signature.ts";
import type { Destination } from "../../destination/contract.ts";
import type { JobState } from "../../host/state.ts";
import { archiveParts, recordParts } from "../../model/archive_name.ts";
import { namesOf, sizesAt } from "../catalog/catalog.ts";
import { readEntries, settleTrust } from "../catalog/entries.ts";
import type { JobContext } from "../context.ts";
import { openDestination } from "../open.ts";

/** What lies at the destinations beside what this state knows. */
export interface Sighted {
  /** Entries that a trusted key has signed. */
  entries: SignedManifest[];
  /** Where others' chains stand that nobody trusts, with their key. */
  strangers: Stranger[];
  /** Destinations that could not be asked. */
  failures: { destination: string; error: AppError }[];
}

/** A chain that is signed by a key which nobody trusts here. */
export interface Stranger {
  place: Place;
  key: SignerKey;
}

/**
 * Looks at every destination for entries that this state does not know: those of another host, of a state that was
 * lost, of this chain from after the state was restored. Damaged and unsigned ones are for `verify` to tell.
 */
export async function lookAround(
  context: JobContext,
  state: JobState,
  trusted: readonly SignerKey[],
): Promise<Sighted> {
  const sighted: Sighted = { entries: [], strangers: [], failures: [] };
  const known = new Set<string>();
  await Promise.all(context.job.destinations.map(async ({ name }) => {
    try {
      const destination = await openDestination(context, name, "read");
      await using _ = destination;
      if (!destination.can.list || !destination.can.read) return; // create-only: it shows nothing to this host
      const shown = await unknownAt(context, destination, state);
      const { entries } = settleTrust(shown, trusted);
      for (const [name, entry] of entries) {
        const key = hashKey(name, entry, shown);
        if (known.has(key)) continue;
        known.add(key);
        if (!(entry instanceof AppError)) sighted.entries.push(entry);
        else if (isAppError(entry, "untrusted")) sighted.strangers.push(...strangersOf(shown.get(name)!));
      }
    } catch (error) {
      const known = toAppError(error);
      if (context.signal.aborted || known.code === "cancelled") throw known;
      sighted.failures.push({ destination: name, error: known });
    }
  }));
  return sighted;
}

/** One entry at several destinations is one; two under the same name are two. */
function hashKey(
  name: string,
  entry: SignedManifest | AppError,
  shown: ReadonlyMap<string, Unread | AppError>,
): string {
  const one = shown.get(name)!;
  return one instanceof AppError || entry instanceof AppError ? name : `${name} ${headOf(entry).hash}`;
}

async function unknownAt(context: JobContext, destination: Destination, state: JobState) {
  const sizes = await sizesAt(context, destination);
  const { archives, records } = namesOf(context, sizes);
  const unknown = (name: string) => state.sequenceOf(name) === undefined;
  return await readEntries(context, destination, [
    ...archives.filter(unknown).map((name) => {
      const { manifest, signature } = archiveParts(name);
      return { name, manifest, signature };
    }),
    ...records.filter(unknown).map((name) => {
      const { record, signature } = recordParts(name);
      return { name, manifest: record, signature };
    }),
  ], sizes);
}

/** A stranger's words are read for one thing only: which chain they claim to be of. */
function strangersOf(unread: Unread | AppError): Stranger[] {
  if (unread instanceof AppError) return []; // unsigned
  const { bytes, key } = unread;
  try {
    const manifest = decodeManifest(bytes);
    if (manifest.signer !== key.fingerprint) return [];
    return [{ place: { ...headOf({ ...unread, manifest }), signer: key.fingerprint }, key }];
  } catch (error) {
    if (isAppError(error, "corrupt", "unsupported")) return [];
    throw error;
  }
}
