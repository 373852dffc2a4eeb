import { AppError } from "../../base/errors.ts";
import { knownAs, parseRecipients } from "../../custody/recipients.ts";
import type { JobContext } from "../context.ts";

/** A wrong key is easier to replace when one knows which keys would do. */
export function whoCanOpen(error: AppError, context: JobContext, fingerprints: readonly string[]): AppError {
  if (error.code !== "wrong-identity") return error;
  return new AppError("wrong-identity", error.message, {
    hint: `it opens with the key of one of: ${
      knownAs(fingerprints, parseRecipients(context.job.recipients)).join(", ")
    }`,
    cause: error,
  });
}
