import type { SignedManifest } from "../../archive/chain.ts";
import type { JobContext } from "../context.ts";

/**
 * The archives that an entry says were removed at a destination. Where it names one that the config does not have (any
 * more), it speaks of that which shows it, unless that one had a name of its own when the entry was signed.
 *
 * @param shown whether the entry lies at this destination
 */
export function removedAt(
  { job }: JobContext,
  destination: string,
  { manifest }: SignedManifest,
  shown: boolean,
): string[] {
  if (manifest.kind !== "prune") return [];
  const renamed = shown && !job.destinations.some(({ name }) => name === manifest.destination) &&
    !Object.hasOwn(manifest.receipts, destination);
  if (manifest.destination !== destination && !renamed) return [];
  return manifest.removes.map(({ archive }) => archive);
}
