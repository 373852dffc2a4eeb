import { type AppError, toAppError } from "../../base/errors.ts";
import { catalog, type Cataloged } from "./catalog.ts";
import type { JobContext } from "../context.ts";
import { destinationNames, openDestination, trustedSigners } from "../open.ts";

/** One archive, wherever it lies. */
export interface Listed extends Omit<Cataloged, "size"> {
  /** Destinations that hold it, in config order. */
  at: string[];
  size: number | undefined;
}

export interface Listing {
  /** Oldest first. */
  archives: Listed[];
  /** Destinations that could not be asked. */
  failures: { destination: string; error: AppError }[];
}

/** The archives of a job at all its destinations, or at the one named `from`. */
export async function list(context: JobContext, from: string | undefined): Promise<Listing> {
  const trusted = await trustedSigners(context);
  const names = destinationNames(context, from);
  const archives = new Map<string, Listed>();
  const failures: Listing["failures"] = [];
  for (const name of names) {
    try {
      const destination = await openDestination(context, name);
      await using _ = destination;
      for (const one of await catalog(context, destination, trusted)) {
        const known = archives.get(one.name);
        if (!known) archives.set(one.name, { ...one, at: one.size === undefined ? [] : [name] });
        else {
          if (one.size !== undefined) known.at.push(name);
          known.size ??= one.size;
          known.entry ??= one.entry;
          // A copy that is in doubt anywhere is told; "verify" says where and why.
          known.problem ??= one.problem;
        }
      }
    } catch (error) {
      const known = toAppError(error);
      if (known.code === "cancelled") throw known;
      failures.push({ destination: name, error: known });
    }
  }
  return { archives: [...archives.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), failures };
}
