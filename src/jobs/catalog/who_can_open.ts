import { AppError, isAppError } from "../../base/errors.ts";
import { readRecipients } from "../../custody/recipient_files.ts";
import { knownAs, type Recipient } from "../../custody/recipients.ts";
import type { JobContext } from "../context.ts";

/** A wrong key is easier to replace when one knows which keys would do. */
export async function whoCanOpen(
  error: AppError,
  context: JobContext,
  fingerprints: readonly string[],
): Promise<AppError> {
  if (error.code !== "wrong-identity") return error;
  return new AppError("wrong-identity", error.message, {
    hint: `it opens with the key of one of: ${knownAs(fingerprints, await known(context)).join(", ")}`,
    cause: error,
  });
}

/** Where the config's recipients cannot be read, their fingerprints still tell something. */
async function known({ world, job }: JobContext): Promise<Recipient[]> {
  try {
    return await readRecipients(world, job.recipients);
  } catch (error) {
    if (!isAppError(error, "misconfigured")) throw error;
    return [];
  }
}
