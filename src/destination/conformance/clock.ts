import { cancellation } from "../../base/errors.ts";
import type { Clock } from "../../base/world.ts";

/** A signal that is never aborted. */
export const never = new AbortController().signal;

/** A clock on which everything lasts `times` as short as it says: silences and pauses are waited for in no time. */
export function hurried(times: number): Clock {
  return {
    now: () => new Date(),
    monotonic: () => performance.now() * times,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(cancellation(signal));
        const stop = () => {
          clearTimeout(timer);
          reject(cancellation(signal));
        };
        const timer = setTimeout(() => {
          signal.removeEventListener("abort", stop);
          resolve();
        }, ms / times);
        signal.addEventListener("abort", stop, { once: true });
      }),
  };
}
