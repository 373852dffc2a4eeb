import { headOf, placeOf, type SignedManifest, signerAfter } from "../../archive/chain.ts";
import type { Place } from "../../archive/manifest.ts";
import { isAppError } from "../../base/errors.ts";
import type { JobState } from "../../host/state.ts";

/** Entries of this chain that this state does not have. */
export interface Newer {
  /** Those that follow the head, in order. */
  follow: SignedManifest[];
  /** The newest entries of other branches: numbers that were used twice. */
  branches: Place[];
  /** Those beyond the head whose predecessors are nowhere, ascending. */
  beyond: SignedManifest[];
}

/** Puts entries of the state's own chain, which the state does not know, into their places. */
export async function sortOwn(state: JobState, entries: readonly SignedManifest[]): Promise<Newer> {
  const own = entries.filter(({ manifest }) => manifest.chain === state.head?.chain)
    .sort((a, b) => a.manifest.sequence - b.manifest.sequence);
  const newer: Newer = { follow: [], branches: [], beyond: [] };
  let [head, signer] = [state.head, state.nextSigner];
  const others: SignedManifest[] = [];
  for (const entry of own) {
    const { sequence, previous } = entry.manifest;
    if (!head || await isOwn(state, entry)) continue;
    const follows = sequence === head.sequence + 1 && previous === head.hash;
    if (follows && entry.key.fingerprint === signer) {
      newer.follow.push(entry);
      [head, signer] = [headOf(entry), signerAfter(entry).fingerprint];
    } else others.push(entry);
  }
  if (!head) return newer;
  const { sequence } = head;
  // What leads on over a gap belongs to this branch, as far as anybody can tell, if it is signed like it.
  const leads = (entry: SignedManifest): boolean =>
    entry.manifest.sequence > sequence + 1 && entry.key.fingerprint === signer &&
    !others.some((one) => headOf(one).hash === entry.manifest.previous && !leads(one));
  newer.beyond = others.filter(leads);
  newer.branches = tipsOf(others.filter((entry) => !newer.beyond.includes(entry)));
  return newer;
}

/** Where each of several chains stands: its newest entry. */
export function newestOf(places: readonly Place[]): Place[] {
  const newest = new Map<string, Place>();
  for (const place of places) {
    const known = newest.get(place.chain);
    if (!known || known.sequence < place.sequence) newest.set(place.chain, place);
  }
  return [...newest.values()];
}

/** The entries that no other one follows. */
function tipsOf(entries: readonly SignedManifest[]): Place[] {
  const followed = new Set(entries.map(({ manifest }) => manifest.previous));
  return entries.map(placeOf).filter(({ hash }) => !followed.has(hash));
}

/** Whether the state has this very entry, if only as what a later one follows: the file itself may be damaged. */
async function isOwn(state: JobState, entry: SignedManifest): Promise<boolean> {
  const { sequence, hash } = headOf(entry);
  for (const at of [sequence, sequence + 1]) {
    if (!state.sequences.includes(at)) continue;
    try {
      const known = await state.entry(at);
      return (at === sequence ? headOf(known).hash : known.manifest.previous) === hash;
    } catch (error) {
      if (!isAppError(error, "corrupt", "unsupported")) throw error;
    }
  }
  return false;
}
