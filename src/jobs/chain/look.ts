import { AppError, isAppError, toAppError } from "../../base/errors.ts";
import { headOf, type SignedManifest, type Unread } from "../../archive/chain.ts";
import { decodeManifest, manifestHash, type Place } from "../../archive/manifest.ts";
import type { SignerKey } from "../../archive/signature.ts";
import type { Destination } from "../../destination/contract.ts";
import type { JobState } from "../../host/state.ts";
import { archiveParts, recordParts } from "../../model/archive_name.ts";
import { namesOf, sizesAt } from "../catalog/catalog.ts";
import { readEntries, settleTrust } from "../catalog/entries.ts";
import type { JobContext } from "../context.ts";
import { openDestination } from "../open.ts";
import { Sightings } from "./sightings.ts";

/** What lies at the destinations beside what this state knows. */
export interface Sighted {
  /** Entries that a trusted key has signed. */
  entries: SignedManifest[];
  /** Where others' chains stand that nobody trusts, with their key. */
  strangers: Stranger[];
  /** Where chains were seen, and how old they say they are. */
  sightings: Sightings;
  /** Destinations that could not be asked. */
  failures: { destination: string; error: AppError; opened: boolean }[];
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
  const sighted: Sighted = { entries: [], strangers: [], sightings: new Sightings(), failures: [] };
  const known = new Set<string>();
  await Promise.all(context.job.destinations.map(async ({ name }) => {
    let opened = false;
    try {
      const destination = await openDestination(context, name, "read");
      await using _ = destination;
      opened = true;
      if (!destination.can.list || !destination.can.read) return; // create-only: it shows nothing to this host
      const shown = await unknownAt(context, destination, state);
      const { entries } = settleTrust(shown, trusted);
      for (const [file, entry] of entries) {
        const one = shown.get(file)!;
        if (one instanceof AppError) continue; // another destination may show it whole
        const strangers = isAppError(entry, "untrusted") ? strangersOf(one) : [];
        const { sightings } = sighted;
        for (const { place } of strangers) sightings.note(name, place.chain);
        if (!(entry instanceof AppError)) {
          sightings.note(name, entry.manifest.chain, new Date(entry.manifest.time));
        }
        // One entry at several destinations is one; two under the same name are two.
        const key = `${strangers.length} ${file} ${manifestHash(one.bytes)}`;
        if (known.has(key)) continue;
        known.add(key);
        if (!(entry instanceof AppError)) sighted.entries.push(entry);
        else sighted.strangers.push(...strangers);
      }
    } catch (error) {
      const known = toAppError(error);
      if (context.signal.aborted || known.code === "cancelled") throw known;
      sighted.failures.push({ destination: name, error: known, opened });
    }
  }));
  return sighted;
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
function strangersOf(unread: Unread): Stranger[] {
  const { bytes, key } = unread;
  try {
    const manifest = decodeManifest(bytes);
    if (manifest.signer !== key.fingerprint) return [];
    const place = { ...headOf({ ...unread, manifest }), signer: key.fingerprint };
    return [{ place, key }];
  } catch (error) {
    if (isAppError(error, "corrupt", "unsupported")) return [];
    throw error;
  }
}
