/**
 * The one error type that crosses rooms. Plugins translate at their edge, so that everything above them
 * can decide by `code` alone: what to retry, what to report, which exit code to give.
 */

/** What went wrong, as far as the caller can act on it. Only `transient` is ever retried. */
export type ErrorCode =
  | "not-found"
  | "already-exists"
  | "denied"
  | "misconfigured"
  | "transient"
  | "unsupported"
  | "corrupt"
  | "cancelled"
  | "quota"
  | "locked"
  | "wrong-identity"
  | "untrusted"
  | "unknown";

/** Details of an {@linkcode AppError} beyond its sentence. */
export interface ErrorDetails {
  /** One sentence that says what to do next. */
  hint?: string;
  /** What was caught, for tests and debuggers; never printed. */
  cause?: unknown;
  /** Set by source plugins: a `denied` from here means that 1Password refused the sign-in (exit 13). */
  origin?: "source" | "destination";
  /** For `quota` and `transient`: seconds after which another try makes sense. */
  retryAfter?: number;
}

/**
 * An error with a sentence for people.
 *
 * The voice: no capital at the start, no full stop, values in double quotes, no stack, no secret
 * (`cannot reach "azure": connection refused`).
 */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly origin: "source" | "destination" | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.hint = details.hint;
    this.origin = details.origin;
    this.retryAfter = details.retryAfter;
  }
}

/** Whether `error` is an {@linkcode AppError}, with one of `codes` where any are given. */
export function isAppError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  ...codes: Code[]
): error is AppError & { readonly code: Code } {
  return error instanceof AppError && (codes.length === 0 || (codes as ErrorCode[]).includes(error.code));
}

/** Makes an {@linkcode AppError} of anything thrown; an abort becomes `cancelled`. */
export function toAppError(error: unknown, code: ErrorCode = "unknown"): AppError {
  if (error instanceof AppError) return error;
  // Closing something failed too, after the error that ended the work and is the one to tell.
  if (error instanceof SuppressedError) return toAppError(error.suppressed, code);
  if (error instanceof DOMException && error.name === "AbortError") {
    return new AppError("cancelled", "cancelled", { cause: error });
  }
  return new AppError(code, error instanceof Error ? error.message : String(error), { cause: error });
}

/** Throws `cancelled` (or the {@linkcode AppError} given as the reason) when `signal` is aborted. */
export function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw cancellation(signal);
}

/** The error that an aborted `signal` stands for. */
export function cancellation(signal: AbortSignal): AppError {
  return signal.reason instanceof AppError ? signal.reason : new AppError("cancelled", "cancelled");
}
