import { type AppError, toAppError } from "../../base/errors.ts";
import type { JobContext } from "../context.ts";
import { destinationConfig, openDestination } from "../open.ts";
import { refuseWithoutLocks } from "./locks.ts";

/** A destination that cannot be opened as things are. */
export interface Closed {
  destination: string;
  error: AppError;
}

/**
 * Opens every destination, and closes it again: a key that is not where the config says, or a share that is not mounted,
 * is to be known before the export and not after it. What is wrong is told, and the backup is made nevertheless: it waits
 * on this host, encrypted, until one of them is there again.
 */
export async function rehearse(context: JobContext): Promise<Closed[]> {
  const tried = await Promise.all(context.job.destinations.map(async ({ name }): Promise<Closed[]> => {
    try {
      await open(context, name);
      return [];
    } catch (error) {
      return [{ destination: name, error: toAppError(error) }];
    }
  }));
  if (context.signal.aborted) throw toAppError(context.signal.reason, "cancelled");
  const closed = tried.flat();
  for (const { destination, error } of closed) {
    context.emit({
      event: "warning",
      job: context.job.name,
      code: error.code,
      message: `"${destination}" cannot be opened: ${error.message}`,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
  return closed;
}

async function open(context: JobContext, name: string): Promise<void> {
  await using destination = await openDestination(context, name, "write");
  if (destinationConfig(context, name).immutableFor !== undefined) refuseWithoutLocks(destination);
}
