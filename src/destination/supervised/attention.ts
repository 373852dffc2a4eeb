import { AppError, cancellation } from "../../base/errors.ts";
import type { Clock } from "../../base/world.ts";
import type { Watchdog } from "../watchdog.ts";

/** Milliseconds for a stranger's code to end by itself and clean up, once its signal is aborted. */
const GRACE = 1500;

/**
 * What `work` gives. Once `signal` is aborted it has a moment to end by itself; then nobody waits for it any longer,
 * whatever it does.
 */
export function orGivenUp<T>(work: Promise<T>, signal: AbortSignal, clock: Clock): Promise<T> {
  const over = new AbortController();
  const givenUp = Promise.withResolvers<never>();
  const stop = () => {
    clock.sleep(GRACE, over.signal).then(() => givenUp.reject(cancellation(signal)), () => {});
  };
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  return Promise.race([work, givenUp.promise]).finally(() => {
    over.abort();
    signal.removeEventListener("abort", stop);
  });
}

/** `inner` with every piece looked at, and an end to waiting for it. Nobody is waited for while our own reader rests. */
export function attended(
  inner: ReadableStream<unknown>,
  dog: Watchdog,
): ReadableStream<Uint8Array> {
  const reader = inner.getReader();
  const close = () => {
    dog[Symbol.dispose]();
    reader.cancel().catch(() => {}); // a stream of a stranger may fail at that too
  };
  dog.pause();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        dog.progress();
        const { done, value } = await dog.guard(reader.read());
        dog.pause();
        if (!done) return controller.enqueue(bytesIn(value));
        dog[Symbol.dispose]();
        controller.close();
      } catch (error) {
        close();
        throw error;
      }
    },
    cancel: close,
  }, { highWaterMark: 0 });
}

function bytesIn(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new AppError("unknown", `its stream gave a value of type ${typeof value} instead of a Uint8Array`);
}
