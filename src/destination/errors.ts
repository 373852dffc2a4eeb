import { AppError, throwIfCancelled, toAppError } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import { inOurVoice, scrubbed } from "./scrub.ts";

/** Whose errors they are: a destination, with the secrets that none of its sentences may hold. */
export interface Speaker {
  readonly name: string;
  readonly secrets?: readonly Secret[];
}

/**
 * Runs `action`, refused when already cancelled, with errors that name the destination. Every call of a plugin goes
 * through this, `open` too.
 */
export async function named<T>(
  destination: Speaker,
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

/**
 * `error` as one of this destination: its code and hint stay, its sentence begins with the name. An error that is no
 * AppError becomes `unknown`, which is never retried: translate what is known before.
 */
export function withName({ name, secrets }: Speaker, task: string, error: unknown): AppError {
  const known = toAppError(error);
  // The body may come out of another destination, whose name the sentence holds already.
  if (known.origin === "destination") return known;
  // Sentences of our own say what could not be done; those of strangers ("boom") do not.
  const sentence = known === error || known.code === "cancelled"
    ? scrubbed(known.message, secrets)
    : `cannot ${task}: ${inOurVoice(scrubbed(known.message, secrets))}`;
  return new AppError(known.code, `destination "${name}": ${sentence}`, {
    cause: error,
    origin: "destination",
    ...(known.hint === undefined ? {} : { hint: scrubbed(known.hint, secrets) }),
    ...(known.retryAfter === undefined ? {} : { retryAfter: known.retryAfter }),
  });
}

/** The AppError that a library has wrapped into errors of its own; undefined where there is none. */
export function wrappedError(error: unknown): AppError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at instanceof AppError) return at;
  }
  return undefined;
}
