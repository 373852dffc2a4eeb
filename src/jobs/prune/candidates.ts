import type { JobState } from "../../host/state.ts";
import { runOf } from "../../model/archive_name.ts";
import type { Candidate } from "../../policy/retention.ts";
import type { Catalog, Cataloged } from "../catalog/catalog.ts";

/** An archive at a destination, as pruning sees it. */
export interface Prunable extends Candidate {
  cataloged: Cataloged;
  /** Why it is not known to be ours and whole; undefined where it is. */
  doubt: string | undefined;
  /** Whether this destination has given it back unharmed once. */
  readBack: boolean;
}

/**
 * Every archive whose body lies at the destination. Only what a trusted key has signed, in the size that was signed,
 * counts for anything, and nothing that was found damaged.
 */
export function candidatesOf(
  catalog: Catalog,
  destination: string,
  state: JobState,
  damaged: ReadonlySet<string>,
): Prunable[] {
  const accepted = acceptedIn(catalog, state);
  const receipts = receiptsOf(catalog, destination, state);
  return catalog.archives.filter(({ size }) => size !== undefined).map((cataloged) => {
    const { name, size, entry, problem } = cataloged;
    const manifest = entry?.manifest;
    const doubt = !manifest
      ? problem?.message ?? "unsigned"
      : manifest.archive.size !== size
      ? `it has ${size} of its ${manifest.archive.size} bytes`
      : damaged.has(name)
      ? "it was damaged when it was last verified"
      : undefined;
    // Accepting a loss does not fill the gaps beside it.
    const whole = manifest?.outcome === "complete" ||
      (manifest?.outcome === "suspicious" && manifest.counts.gaps === 0 && accepted.has(runOf(name)));
    return {
      name,
      time: manifest ? new Date(manifest.time) : cataloged.time,
      sequence: manifest?.sequence ?? 0,
      standing: doubt !== undefined ? "strange" : whole ? "whole" : "lacking",
      cataloged,
      doubt,
      readBack: manifest !== undefined && receipts.has(`${manifest.chain} ${manifest.sequence}`),
    };
  });
}

/** Runs that somebody has accepted, here or on another host whose key is trusted. */
export function acceptedIn({ records }: Catalog, state: JobState): Set<string> {
  const there = records.flatMap(({ entry }) =>
    entry?.manifest.kind === "accept" ? [runOf(entry.manifest.run)] : []
  );
  return new Set([...state.accepted(), ...there]);
}

/** What this destination has given back unharmed, by chain and number, as far as this host or a signed entry says so. */
function receiptsOf({ archives, records }: Catalog, destination: string, state: JobState): Set<string> {
  const found = new Set<string>();
  const add = (chain: string, receipts: Record<string, readonly (readonly [number, number])[]>) => {
    // A destination may be called "constructor".
    const ranges = Object.hasOwn(receipts, destination) ? receipts[destination]! : [];
    for (const [first, last] of ranges) for (let at = first; at <= last; at++) found.add(`${chain} ${at}`);
  };
  for (const { entry } of [...archives, ...records]) {
    if (entry) add(entry.manifest.chain, entry.manifest.receipts);
  }
  if (state.head) add(state.head.chain, state.receipts());
  return found;
}
