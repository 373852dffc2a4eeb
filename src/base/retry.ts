import { isAppError, throwIfCancelled } from "./errors.ts";
import type { Clock } from "./world.ts";

/** How often and how patiently {@linkcode retry} tries again. */
export interface RetryOptions {
  clock: Clock;
  signal: AbortSignal;
  /** Tries in all. */
  tries?: number;
  /** Milliseconds before the second try; doubles from there, up to 30 s. */
  firstDelay?: number;
}

/**
 * Calls `action` until it succeeds, throws anything but `transient`, or has been tried often enough.
 * A `retryAfter` of the error lengthens the pause; one above two minutes ends the tries, because a caller
 * that must wait so long should say so instead of hanging.
 */
export async function retry<T>(action: () => Promise<T>, options: RetryOptions): Promise<T> {
  const tries = options.tries ?? 4;
  let delay = options.firstDelay ?? 500;
  for (let attempt = 1;; attempt++) {
    throwIfCancelled(options.signal);
    try {
      return await action();
    } catch (error) {
      if (!isAppError(error, "transient") || attempt >= tries) throw error;
      const asked = (error.retryAfter ?? 0) * 1000;
      if (asked > 120_000) throw error;
      await options.clock.sleep(Math.max(asked, delay), options.signal);
      delay = Math.min(delay * 2, 30_000);
    }
  }
}
