import { AppError } from "../../base/errors.ts";
import type { Known, KnownEntries, Shelf } from "./known_entries.ts";

/** An entry that a destination had once and does not show. */
export interface Missing {
  destination: string;
  /** The archive's or record's file name; its place where nobody shows even its manifest. */
  name: string;
  chain: string;
  sequence: number;
  entry: Known["entry"] | undefined;
  problem: AppError;
}

/** By destination, then by chain: the numbers that were read back there. */
export type Promises = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<number>>>;

type Ranges = Readonly<Record<string, readonly (readonly [number, number])[]>>;

/** What all entries of trusted keys, and this host's own receipts, say was read back where. */
export function promisesOf(
  known: KnownEntries,
  own: { chain: string; sequence: number; receipts: Ranges } | undefined,
): Promises {
  const promises = new Map<string, Map<string, Set<number>>>();
  // No entry can promise what came after it.
  const note = (chain: string, receipts: Ranges, upTo: number) => {
    for (const [destination, ranges] of Object.entries(receipts)) {
      const chains = promises.get(destination) ?? new Map<string, Set<number>>();
      promises.set(destination, chains);
      const sequences = chains.get(chain) ?? new Set<number>();
      chains.set(chain, sequences);
      for (const [first, last] of ranges) {
        for (let at = first; at <= Math.min(last, upTo); at++) sequences.add(at);
      }
    }
  };
  // Receipts only grow, so the newest of each chain says it all; branches have a newest one each.
  const followed = new Set(known.all().map(({ entry }) => entry.manifest.previous));
  for (const { entry: { manifest }, hash } of known.all()) {
    if (!followed.has(hash)) note(manifest.chain, manifest.receipts, manifest.sequence);
  }
  if (own) note(own.chain, own.receipts, own.sequence);
  return promises;
}

/** What was promised and is not there; what was pruned, by a signed record, is not missed. */
export function missingAt(
  { destination, catalog, pruned }: Shelf,
  known: KnownEntries,
  promises: Promises,
): Missing[] {
  const shown = new Set([...catalog.archives, ...catalog.records].map(({ name }) => name));
  const missing: Missing[] = [];
  for (const [chain, sequences] of promises.get(destination) ?? []) {
    const highest = highestAt(destination, chain, known);
    for (const sequence of sequences) {
      const there = known.at(chain, sequence);
      // What lies there damaged or unsigned is told as that.
      if (there.some(({ name }) => shown.has(name) || pruned.has(name))) continue;
      const [entry] = there;
      missing.push({
        destination,
        name: entry?.name ?? `no. ${sequence} of chain ${chain}`,
        chain,
        sequence,
        entry: entry?.entry,
        problem: new AppError(
          "corrupt",
          highest > 0 && sequence > highest
            ? `missing: it was read back here once; rolled back: nothing newer than no. ${highest} is shown`
            : "missing: it was read back here once",
        ),
      });
    }
  }
  return missing.sort((a, b) => a.sequence - b.sequence);
}

function highestAt(destination: string, chain: string, known: KnownEntries): number {
  return known.all().filter(({ at, entry }) => at.has(destination) && entry.manifest.chain === chain)
    .reduce((highest, { entry }) => Math.max(highest, entry.manifest.sequence), 0);
}

/** Archives that exist somewhere, never came to this destination and were never pruned there. */
export function neverSentTo(
  { destination, catalog, pruned }: Shelf,
  shelves: readonly Shelf[],
  promises: Promises,
): string[] {
  const here = new Set(catalog.archives.map(({ name }) => name));
  const names = new Set<string>();
  for (const other of shelves) {
    for (const { name, size, entry } of other.catalog.archives) {
      if (size === undefined || !entry || here.has(name) || pruned.has(name)) continue;
      const { chain, sequence } = entry.manifest;
      if (!promises.get(destination)?.get(chain)?.has(sequence)) names.add(name);
    }
  }
  return [...names].sort();
}
