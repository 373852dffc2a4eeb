import { type AppError, toAppError } from "../../base/errors.ts";
import { type Cataloged, type CatalogedRecord, readCatalog } from "./catalog.ts";
import type { JobContext } from "../context.ts";
import { destinationNames, openDestination, trustedSigners } from "../open.ts";

/** One archive, wherever it lies. */
export interface Listed extends Omit<Cataloged, "size"> {
  /** Destinations that hold it, in config order. */
  at: string[];
  size: number | undefined;
}

/** One entry without an archive, wherever it lies. */
export interface ListedRecord extends CatalogedRecord {
  /** Destinations that hold it, in config order. */
  at: string[];
}

export interface Listing {
  /** Oldest first. */
  archives: Listed[];
  records: ListedRecord[];
  /** Destinations that could not be asked. */
  failures: { destination: string; error: AppError }[];
}

/** The archives of a job at all its destinations, or at the one named `from`. */
export async function list(context: JobContext, from: string | undefined): Promise<Listing> {
  const trusted = await trustedSigners(context);
  const names = destinationNames(context, from);
  const archives = new Map<string, Listed>();
  const records = new Map<string, ListedRecord>();
  const failures: Listing["failures"] = [];
  for (const name of names) {
    try {
      const destination = await openDestination(context, name, "read");
      await using _ = destination;
      const catalog = await readCatalog(context, destination, trusted);
      for (const one of catalog.archives) {
        const known = archives.get(one.name);
        if (!known) archives.set(one.name, { ...one, at: one.size === undefined ? [] : [name] });
        else {
          if (one.size !== undefined) known.at.push(name);
          known.size ??= one.size;
          known.entry ??= one.entry;
          // A copy that is in doubt anywhere is told; "verify" says where and why.
          known.problem ??= one.problem;
          known.pruned ||= one.pruned;
        }
      }
      for (const one of catalog.records) {
        const known = records.get(one.name);
        if (!known) records.set(one.name, { ...one, at: [name] });
        else {
          known.at.push(name);
          known.entry ??= one.entry;
          known.problem ??= one.problem;
        }
      }
    } catch (error) {
      const known = toAppError(error);
      if (known.code === "cancelled") throw known;
      failures.push({ destination: name, error: known });
    }
  }
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  return {
    archives: [...archives.values()].sort(byName),
    records: [...records.values()].sort(byName),
    failures,
  };
}
