import { AppError, type ErrorCode, type ErrorDetails } from "../../../src/base/errors.ts";

/** An error of this source. */
export function sourceError(code: ErrorCode, message: string, details: ErrorDetails = {}): AppError {
  return new AppError(code, message, { ...details, origin: "source" });
}

/** What to do about an export that is no use. */
export const EXPORT_AGAIN =
  "make the export again in the 1Password app (File > Export) and copy the whole file";
