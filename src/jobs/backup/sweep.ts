import { isAppError, toAppError } from "../../base/errors.ts";
import { exists } from "../../base/durable_file.ts";
import type { World } from "../../base/world.ts";
import { spoolPartial } from "../../archive/spool.ts";
import { removeSignerLeftovers } from "../../custody/signer.ts";
import type { Journal, Undertaking } from "../../host/journal.ts";
import type { JobState } from "../../host/state.ts";
import { type JobContext, spoolOf, stateOf } from "../context.ts";
import { removeStaleFetches } from "../restore/fetch.ts";
import { destinationConfig, openDestination } from "../open.ts";

/**
 * Removes what an interrupted run of this host left behind: exactly what the journal says was begun and never
 * finished. What cannot be swept now (a destination that is down) stays in the journal for the next run.
 */
export async function sweep(context: JobContext, journal: Journal, state: JobState): Promise<void> {
  for (const undertaking of journal.unfinished()) {
    if (undertaking.what === "folder") continue; // wiped by `sweepFolders`, or kept in the journal with a warning
    try {
      // Signed, but killed before the journal knew: the chain owns this archive, and it is still to be delivered.
      const signed = undertaking.what === "spool" && await state.entryNamed(undertaking.name) !== undefined;
      if (!signed) await sweepOne(context, undertaking);
      await journal.end(undertaking);
    } catch (error) {
      const { message } = toAppError(error);
      context.emit({
        event: "warning",
        job: context.job.name,
        code: "leftover",
        message: `what an interrupted run left could not be swept, the next run tries again: ${message}`,
      });
    }
  }
  await removeTemporaries(context.world, stateOf(context));
  await removeTemporaries(context.world, `${stateOf(context)}/chain`);
  await sweepSigner(context);
  await removeStaleFetches(context);
}

/** A second copy of the private key is of no use to anybody; that it stays is no reason not to back up. */
async function sweepSigner(context: JobContext): Promise<void> {
  try {
    await removeSignerLeftovers(context.world, context.state);
  } catch (error) {
    const message = `what a killed run left of the signing key could not be removed: ${
      toAppError(error).message
    }`;
    context.emit({ event: "warning", job: context.job.name, code: "leftover", message });
  }
}

const TEMPORARY = /^(journal\.jsonl|(receipts|runs|sent|token)\.json|\d{8,}\.json)\.[0-9a-f]{8}\.tmp$/;

/** Removes what `writeDurably` left when it was killed; the lock of the folder must be held. */
export async function removeTemporaries({ files }: World, folder: string): Promise<void> {
  if (!await exists(files, folder)) return;
  for (const name of await files.names(folder)) {
    if (TEMPORARY.test(name)) await files.remove(`${folder}/${name}`);
  }
}

async function sweepOne(
  context: JobContext,
  undertaking: Exclude<Undertaking, { what: "folder" }>,
): Promise<void> {
  if (undertaking.what === "put") {
    // A destination that has left the config is out of reach, and its hidden leftovers harm nothing.
    if (!context.job.destinations.some((one) => one.name === undertaking.destination)) return;
    return await discard(context, undertaking.destination, undertaking.key);
  }
  // Begun and not signed: no chain knows this archive, so neither its beginning nor the whole of it is of use.
  const path = `${spoolOf(context)}/${undertaking.name}`;
  for (const leftover of [spoolPartial(path), path]) {
    try {
      await context.world.files.remove(leftover);
    } catch (error) {
      if (!isAppError(error, "not-found")) throw error;
    }
  }
}

async function discard(context: JobContext, name: string, key: string): Promise<void> {
  const { prune } = destinationConfig(context, name);
  const destination = await openDestination(context, name, prune === undefined ? "write" : "prune");
  await using _ = destination;
  try {
    await destination.discard(key, context.signal);
  } catch (error) {
    // Credentials that may only create can do it tomorrow no more than today: told once, and left to the service.
    if (destination.can.remove || !isAppError(error, "denied")) throw error;
    context.emit({
      event: "warning",
      job: context.job.name,
      code: "leftover",
      message: `what an interrupted run may have left is left to the service: ${error.message}`,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}
