import { type AppError, toAppError } from "../../base/errors.ts";
import type { SignerKey } from "../../archive/signature.ts";
import { type Cataloged, type CatalogedRecord, readCatalog } from "../catalog/catalog.ts";
import type { JobContext } from "../context.ts";
import { openDestination } from "../open.ts";

/** What one destination shows of a job's archives. */
export interface Place {
  destination: string;
  /** By name; undefined where its credentials let nobody look. */
  archives: ReadonlyMap<string, Cataloged> | undefined;
  /** By name, likewise. */
  records: ReadonlyMap<string, CatalogedRecord> | undefined;
}

export interface Survey {
  /** In config order. */
  places: Place[];
  /** Destinations that could not be asked: nothing is sent there, and nothing taken from there. */
  failures: { destination: string; error: AppError }[];
}

/** Looks at all destinations of the job at once. */
export async function survey(context: JobContext, trusted: readonly SignerKey[]): Promise<Survey> {
  const found: Survey = { places: [], failures: [] };
  const names = context.job.destinations.map(({ name }) => name);
  const looked = await Promise.all(names.map(async (name) => {
    try {
      return { place: await look(context, name, trusted) };
    } catch (error) {
      return { failure: { destination: name, error: toAppError(error) } };
    }
  }));
  if (context.signal.aborted) throw toAppError(context.signal.reason, "cancelled");
  for (const { place, failure } of looked) {
    if (place) found.places.push(place);
    if (failure) found.failures.push(failure);
  }
  return found;
}

async function look(context: JobContext, name: string, trusted: readonly SignerKey[]): Promise<Place> {
  const destination = await openDestination(context, name, "read");
  await using _ = destination;
  if (!destination.can.list) return { destination: name, archives: undefined, records: undefined };
  const { archives, records } = await readCatalog(context, destination, trusted);
  return {
    destination: name,
    archives: new Map(archives.map((one) => [one.name, one])),
    records: new Map(records.map((one) => [one.name, one])),
  };
}
