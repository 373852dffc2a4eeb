import { AppError, toAppError } from "../../base/errors.ts";
import type { JobContext } from "../context.ts";
import { destinationConfig, openDestination } from "../open.ts";
import type { Ledger } from "./ledger.ts";
import { refuseWithoutLocks } from "./locks.ts";

/** A destination that cannot be opened as things are. */
export interface Closed {
  destination: string;
  error: AppError;
}

/**
 * Opens every destination, and closes it again: a key that is not where the config says, or a share that is not mounted,
 * is to be known before the export and not after it. What is wrong is told.
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

/**
 * Throws where no destination can be opened and none has ever had an archive of this job: that is a config which was
 * never right, and nothing is lost by mending it first. Where one has had some, the backup is made nevertheless and
 * waits on this host, encrypted.
 */
export function refuseHopeless({ job }: JobContext, ledger: Ledger, closed: readonly Closed[]): void {
  const [first] = closed;
  if (!first || closed.length < job.destinations.length || ledger.hasAny) return;
  throw new AppError(
    first.error.code,
    `no destination of job "${job.name}" can be opened, and none ever was`,
    {
      hint: "mend what the warnings above say; nothing was read or written",
      origin: "destination",
      cause: first.error,
    },
  );
}

async function open(context: JobContext, name: string): Promise<void> {
  await using destination = await openDestination(context, name, "write");
  if (destinationConfig(context, name).immutableFor !== undefined) refuseWithoutLocks(destination);
}
