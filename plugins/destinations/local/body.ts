import { AppError, cancellation, throwIfCancelled } from "../../../src/base/errors.ts";
import { Sha256 } from "../../../src/base/hash.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Resendable } from "../../../src/destination/contract.ts";

/** Writes all of `body`; throws `corrupt` when it is not as long as it says or has another hash. */
export async function pour(
  key: string,
  body: Resendable,
  write: (bytes: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  throwIfCancelled(signal);
  const reader = body.open().getReader();
  // Ends a pending read at once, also that of a stream that hangs and whose cancel hangs.
  const stop = () => void reader.cancel(cancellation(signal)).catch(() => {});
  signal.addEventListener("abort", stop, { once: true });
  const hash = new Sha256();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      throwIfCancelled(signal);
      if (done) break;
      if (hash.size + value.length > body.size) {
        throw new AppError("corrupt", `the body of ${quoted(key)} is longer than its ${body.size} bytes`);
      }
      const writing = write(value);
      hash.update(value); // while the system writes
      await orCancelled(writing, signal);
    }
    if (hash.size < body.size) {
      throw new AppError(
        "corrupt",
        `the body of ${quoted(key)} ended after ${hash.size} of its ${body.size} bytes`,
      );
    }
    if (hash.hex() !== body.sha256) {
      throw new AppError("corrupt", `the body of ${quoted(key)} does not have the SHA-256 it should have`);
    }
  } finally {
    signal.removeEventListener("abort", stop);
    reader.cancel().catch(() => {});
  }
}

/** What `work` gives, or `cancelled` as soon as `signal` is aborted; nobody waits for a disk that hangs. */
export function orCancelled<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(cancellation(signal));
    const settle = () => signal.removeEventListener("abort", stop);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(settle);
  });
}

/**
 * `inner` with its length checked and the signal heeded: a file that was cut while it was read fails instead
 * of ending early. `translate` gives each error its final form.
 */
export function guarded(
  inner: ReadableStream<Uint8Array>,
  path: string,
  length: number,
  signal: AbortSignal,
  translate: (error: unknown) => unknown,
): ReadableStream<Uint8Array> {
  const reader = inner.getReader();
  let left = length;
  let forget = () => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const stop = () => {
        controller.error(translate(cancellation(signal)));
        reader.cancel().catch(() => {});
      };
      forget = () => signal.removeEventListener("abort", stop);
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (signal.aborted) return; // `stop` has told it already
        if (done && left > 0) {
          throw new AppError("corrupt", `${quoted(path)} lost its last ${left} bytes while it was read`);
        }
        if (done) {
          forget();
          controller.close();
          return;
        }
        left -= value.length;
        controller.enqueue(value);
      } catch (error) {
        forget();
        reader.cancel().catch(() => {});
        throw translate(error);
      }
    },
    cancel(reason) {
      forget();
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
