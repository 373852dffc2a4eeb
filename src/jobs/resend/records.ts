import { AppError } from "../../base/errors.ts";
import type { SignedRecord } from "../../archive/chain.ts";
import { manifestHash } from "../../archive/manifest.ts";
import type { CatalogedRecord } from "../catalog/catalog.ts";
import type { Ledger } from "../deliver/ledger.ts";
import type { Doubt } from "./errands.ts";
import type { Place } from "./survey.ts";

/** A record that is missing somewhere. */
export interface RecordErrand {
  entry: SignedRecord;
  /** Whether this host has signed it, and so keeps receipts of it. */
  own: boolean;
  /** The destination that shows it; undefined where this host's state has it. */
  from: string | undefined;
  /** Destinations that lack it, in config order. */
  to: string[];
}

/**
 * The records that destinations lack, oldest first: whoever reads the archives there learns from them which keys count,
 * who was accepted and what was pruned. They are this host's own, and those of trusted keys that another place shows.
 */
export function recordErrandsOf(
  places: readonly Place[],
  ledger: Ledger,
): { errands: RecordErrand[]; doubts: Doubt[] } {
  const errands: RecordErrand[] = [], doubts: Doubt[] = [];
  for (const known of knownRecords(places, ledger)) {
    const to: string[] = [];
    for (const { destination, records } of places) {
      const one = records?.get(known.entry.manifest.record);
      const verdict = judge(known, one, records !== undefined, ledger.knows(destination, known.entry));
      if (verdict === "lacks") to.push(destination);
      else if (verdict instanceof AppError) {
        doubts.push({ archive: known.entry.manifest.record, destination, error: verdict });
      }
    }
    if (to.length > 0) errands.push({ ...known, to });
  }
  return { errands, doubts };
}

function knownRecords(places: readonly Place[], { state }: Ledger): Omit<RecordErrand, "to">[] {
  const known = new Map<string, Omit<RecordErrand, "to">>();
  for (const entry of state.records) {
    known.set(entry.manifest.record, { entry, own: true, from: undefined });
  }
  for (const { destination, records } of places) {
    for (const { name, entry } of records?.values() ?? []) {
      if (entry && !known.has(name)) known.set(name, { entry, own: false, from: destination });
    }
  }
  return [...known].sort(([a], [b]) => a < b ? -1 : 1).map(([, one]) => one);
}

function judge(
  { entry, own }: Omit<RecordErrand, "to">,
  one: CatalogedRecord | undefined,
  shows: boolean,
  noted: unknown,
): "has" | "lacks" | AppError {
  const unnoted = own && !noted;
  if (!shows) return unnoted ? "lacks" : "has";
  // Begun and not finished: what is there is compared, and the rest added.
  if (!one || one.problem?.message.startsWith("unsigned: ")) return "lacks";
  if (one.problem) return one.problem;
  if (one.entry && manifestHash(one.entry.bytes) === manifestHash(entry.bytes)) {
    return unnoted ? "lacks" : "has";
  }
  return new AppError("corrupt", "another record of that name is there");
}
