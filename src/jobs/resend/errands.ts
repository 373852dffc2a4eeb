import { AppError } from "../../base/errors.ts";
import { quoted } from "../../base/safe_names.ts";
import type { SignedArchive } from "../../archive/chain.ts";
import { manifestHash } from "../../archive/manifest.ts";
import { type Cataloged, pick } from "../catalog/catalog.ts";
import type { Ended } from "../deliver/ledger.ts";
import type { Place } from "./survey.ts";

/** An archive that is missing somewhere, and where it can be had. */
export interface Errand {
  entry: SignedArchive;
  /** Whether this host has signed it, and so keeps receipts of it. */
  own: boolean;
  /** Whether the spool still has it. */
  spooled: boolean;
  /** Destinations that show a whole copy, in config order; whether it is one is seen when it is read. */
  from: string[];
  /** Destinations that lack it, or were never seen to give it back. */
  to: string[];
}

/** A copy that is not as it should be, and that nothing is done about. */
export interface Doubt {
  archive: string;
  destination: string;
  error: AppError;
}

/** What {@linkcode errandsOf} decides by. */
export interface Situation {
  places: readonly Place[];
  /** What this host has signed and the spool still has, by name. */
  spooled: ReadonlyMap<string, SignedArchive>;
  /** Whether this host has signed an entry. */
  isOwn(entry: SignedArchive): boolean;
  /** What this host knows of the copy of an entry of its own. */
  knows(destination: string, entry: SignedArchive): Ended | undefined;
}

/**
 * What is to be sent where, oldest first. Of an archive that somebody has removed from a destination (its signed
 * manifest stays there) no new copy is made, unless it was asked for by its name: retention may have wanted it so.
 *
 * @throws `not-found` where there is no archive of the name that was asked for
 */
export function errandsOf(situation: Situation, wanted: string): { errands: Errand[]; doubts: Doubt[] } {
  const names = namesOf(situation, wanted);
  const errands: Errand[] = [], doubts: Doubt[] = [];
  for (const name of names) {
    const seen = situation.places.flatMap(({ destination, archives }) => {
      const one = archives?.get(name);
      return one ? [{ destination, one }] : [];
    });
    const entry = situation.spooled.get(name) ?? seen.find(({ one }) => one.entry)?.one.entry;
    if (!entry) {
      for (const { destination, one } of seen) {
        if (one.problem) doubts.push({ archive: name, destination, error: one.problem });
      }
      continue;
    }
    const from = seen.filter(({ one }) => isWhole(one, entry)).map(({ destination }) => destination);
    const spooled = situation.spooled.has(name);
    if (!spooled && from.length === 0) {
      const lost = seen.filter(({ one }) => one.size !== undefined);
      doubts.push(...lost.map(({ destination, one }) => doubtOf(one, destination, entry)));
      if (lost.length === 0 && wanted === name) throw nowhere(name);
      continue;
    }
    const to: string[] = [];
    for (const place of situation.places) {
      const one = place.archives?.get(name);
      const verdict = judge(situation, place, one, entry, wanted === name);
      if (verdict === "doubt") doubts.push(doubtOf(one!, place.destination, entry));
      else if (verdict === "lacks") to.push(place.destination);
    }
    if (to.length > 0) errands.push({ entry, own: situation.isOwn(entry), spooled, from, to });
  }
  return { errands, doubts };
}

/** Names of what is meant, oldest first. */
function namesOf({ places, spooled }: Situation, wanted: string): string[] {
  const all = new Map<string, Cataloged>();
  for (const { archives } of places) {
    for (const [name, one] of archives ?? []) {
      const known = all.get(name);
      // A copy that can be used stands for the archive, whatever the others look like.
      if (!known?.entry || known.size === undefined) all.set(name, one);
    }
  }
  for (const [name, entry] of spooled) {
    const { time, archive } = entry.manifest;
    all.set(name, {
      name,
      time: new Date(time),
      size: archive.size,
      entry,
      problem: undefined,
      checksum: true,
      pruned: false,
    });
  }
  const sorted = [...all.keys()].sort();
  if (wanted === "all") return sorted;
  const picked = pick([...all.values()].sort((a, b) => a.name < b.name ? -1 : 1), wanted);
  if (picked) return [picked.name];
  if (wanted === "latest") return sorted.slice(-1); // nothing can be trusted: the newest one tells why
  throw new AppError("not-found", `there is no archive ${quoted(wanted)}`, {
    hint: '"vaultferry list" shows what there is',
  });
}

function judge(
  { isOwn, knows }: Situation,
  { destination, archives }: Place,
  one: Cataloged | undefined,
  entry: SignedArchive,
  named: boolean,
): "has" | "lacks" | "doubt" {
  const own = isOwn(entry);
  const known = own ? knows(destination, entry) : undefined;
  // Where nobody may look, what this host has noted is all there is; of what others have sent there is nothing.
  if (!archives) return own && !known ? "lacks" : "has";
  if (!one) return "lacks";
  if (isWhole(one, entry)) return own && !known ? "lacks" : "has";
  if (one.size === undefined && one.entry) return named ? "lacks" : "has";
  // Begun and not finished, most likely: what is there is compared, and the rest added.
  const unsigned = one.problem?.code === "untrusted" && /^unsigned: /.test(one.problem.message);
  return one.entry || !unsigned || (one.size ?? entry.manifest.archive.size) !== entry.manifest.archive.size
    ? "doubt"
    : "lacks";
}

function isWhole(one: Cataloged, entry: SignedArchive): boolean {
  return one.entry !== undefined && one.size === entry.manifest.archive.size &&
    isSame(one.entry, entry);
}

/** Whether two are one entry, byte by byte. */
export function isSame(one: SignedArchive, other: SignedArchive): boolean {
  return manifestHash(one.bytes) === manifestHash(other.bytes);
}

function doubtOf(one: Cataloged, destination: string, { manifest }: SignedArchive): Doubt {
  const { archive: { name, size } } = manifest;
  const error = one.problem ?? new AppError(
    "corrupt",
    one.size === size ? "another signed manifest is there" : `${one.size} bytes are there instead of ${size}`,
  );
  return { archive: name, destination, error };
}

function nowhere(name: string): AppError {
  return new AppError("not-found", `no copy of ${quoted(name)} is left, only its manifest`);
}
