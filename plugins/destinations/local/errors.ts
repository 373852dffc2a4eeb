import { AppError, throwIfCancelled, toAppError } from "../../../src/base/errors.ts";

/** Runs `action`, refused when already cancelled, with errors that name the destination. */
export async function named<T>(
  destination: string,
  task: string,
  signal: AbortSignal,
  action: () => Promise<T>,
): Promise<T> {
  try {
    throwIfCancelled(signal);
    return await action();
  } catch (error) {
    throw withName(destination, task, error);
  }
}

/** `error` as one of this destination: its code and hint stay, its sentence begins with the name. */
export function withName(destination: string, task: string, error: unknown): AppError {
  const known = toAppError(error);
  // The body may come out of another destination, whose name the sentence holds already.
  if (known.origin === "destination") return known;
  // Sentences of our own say what could not be done; those of strangers ("boom") do not.
  const sentence = known === error || known.code === "cancelled"
    ? known.message
    : `cannot ${task}: ${known.message}`;
  return new AppError(known.code, `destination "${destination}": ${sentence}`, {
    cause: error,
    origin: "destination",
    ...(known.hint === undefined ? {} : { hint: known.hint }),
    ...(known.retryAfter === undefined ? {} : { retryAfter: known.retryAfter }),
  });
}
