import { AppError, cancellation, type ErrorCode } from "../../base/errors.ts";
import type { Secret } from "../../base/secret.ts";
import { withName } from "../errors.ts";
import { inOurVoice, scrubbed } from "../scrub.ts";

/** Who is judged: a destination whose code is not ours. */
export interface Supervised {
  readonly name: string;
  /** What none of its sentences may hold. */
  readonly secrets: readonly Secret[];
}

/** The codes that the contract knows for a destination; what else it says means nothing to anybody. */
const CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "not-found",
  "misconfigured",
  "denied",
  "already-exists",
  "quota",
  "unsupported",
  "corrupt",
  "transient",
]);

/** What a call was about, as far as it decides what an error of it may mean. */
export interface Task {
  /** Such as `store "acme/x"`. */
  what: string;
  /** Whether the call can end with "this key is absent": only reading can. */
  absence: boolean;
  /** The signal of the call. */
  signal: AbortSignal;
}

/**
 * Anything that stranger's code has thrown, as an error of the contract: with a code that a destination may have, in the
 * house's voice, without a secret, and never as something that it cannot mean.
 */
export function judged(error: unknown, by: Supervised, { what, absence, signal }: Task): AppError {
  // What fails after an abort fails because of it.
  if (signal.aborted) return withName(by, what, cancellation(signal));
  if (!(error instanceof AppError)) {
    return withName(by, what, new Error(textOf(error), { cause: error }));
  }
  // Without its origin, which would spare it the name and the scrubbing.
  const { hint, retryAfter } = error;
  const plain = new AppError(codeOf(error, absence), inOurVoice(scrubbed(textOf(error), by.secrets)), {
    cause: error,
    ...(typeof hint === "string" ? { hint: inOurVoice(scrubbed(hint, by.secrets)) } : {}),
    ...(isDelay(retryAfter) ? { retryAfter } : {}),
  });
  return withName(by, what, plain);
}

function codeOf({ code }: AppError, absence: boolean): ErrorCode {
  if (!CODES.has(code)) return "unknown";
  // A missing program, a missing folder of its own: anything but an absent key, and never an empty place.
  if (code === "not-found" && !absence) return "misconfigured";
  return code;
}

function isDelay(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/** A text of whatever was thrown, even where that throws again when it is looked at. */
export function textOf(thrown: unknown): string {
  try {
    if (typeof thrown === "string") return thrown || "it failed without a word";
    if (thrown instanceof Error) return String(thrown.message) || thrown.name;
    return `it threw ${thrown === null ? "null" : `a value of type ${typeof thrown}`} in place of an error`;
  } catch {
    return "it threw something that cannot be read"; // a getter that throws
  }
}
