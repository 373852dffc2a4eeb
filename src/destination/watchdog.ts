import { AppError, cancellation, throwIfCancelled } from "../base/errors.ts";
import type { Clock } from "../base/world.ts";
import { orCancelled } from "./body.ts";

/** Milliseconds without any byte after which a transfer is given up. */
export const SILENCE = 120_000;

export interface WatchdogOptions {
  clock: Clock;
  /** The caller's own signal. */
  signal: AbortSignal;
  /** Milliseconds; {@linkcode SILENCE} where left out. */
  silence?: number | undefined;
}

/**
 * Ends what hangs. Its `signal` is aborted with the caller's own, and with a `transient` error as soon as nothing has
 * moved for too long. No library's timeout is trusted: they count the time until the head of an answer, or nothing.
 */
export class Watchdog implements Disposable {
  readonly #stop = new AbortController();
  readonly #options: WatchdogOptions;
  #last: number;
  #resting = false;
  #watching = false;
  #nap = new AbortController();
  readonly #over = new AbortController();

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#last = options.clock.monotonic();
    const { signal } = options;
    if (signal.aborted) this.#stop.abort(cancellation(signal));
    else {
      signal.addEventListener("abort", () => this.#stop.abort(cancellation(signal)), {
        once: true,
        signal: this.#over.signal,
      });
    }
    this.#watch();
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Something has moved, or it is the other side's turn again. */
  progress(): void {
    this.#last = this.#options.clock.monotonic();
    this.#resting = false;
    if (!this.#watching) this.#watch();
  }

  /** Nobody waits for the other side until the next {@linkcode progress}: our own reader takes its time. */
  rest(): void {
    this.#resting = true;
  }

  /** As {@linkcode rest}, without even a timer: perhaps nobody will ever come back. */
  pause(): void {
    this.rest();
    this.#nap.abort();
  }

  /** What `work` gives, unless the signal is aborted first; also of a library that heeds no signal. */
  async guard<T>(work: Promise<T>): Promise<T> {
    return await orCancelled(work, this.signal);
  }

  [Symbol.dispose](): void {
    this.#over.abort();
    this.#nap.abort();
  }

  /** One timer at a time, however often something moves. */
  async #watch(): Promise<void> {
    const { clock, silence = SILENCE } = this.#options;
    this.#watching = true;
    this.#nap = new AbortController();
    try {
      while (!this.#stop.signal.aborted && !this.#over.signal.aborted && !this.#resting) {
        const quiet = clock.monotonic() - this.#last;
        if (quiet >= silence) {
          this.#stop.abort(
            new AppError("transient", `nothing moved for ${Math.round(silence / 1000)} seconds`),
          );
        } else await clock.sleep(silence - quiet, this.#nap.signal);
      }
    } catch {
      // woken up: it is over, or paused
    } finally {
      this.#watching = false;
    }
  }
}

/**
 * Runs `work` under a watchdog: it is given a signal for the library and says `progress()` whenever a byte has moved.
 * Ends within the silence even where `work` heeds no signal; what it does afterwards is nobody's business any more, so
 * `work` must not publish anything once its signal is aborted.
 */
export async function watched<T>(
  options: WatchdogOptions,
  work: (signal: AbortSignal, progress: () => void) => Promise<T>,
): Promise<T> {
  throwIfCancelled(options.signal);
  using dog = new Watchdog(options);
  return await dog.guard(work(dog.signal, () => dog.progress()));
}

/** `stream` under the watchdog, which counts only while somebody reads and is disposed of with the stream. */
export function watchedStream(stream: ReadableStream<Uint8Array>, dog: Watchdog): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  dog.pause();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        dog.progress();
        const { done, value } = await dog.guard(reader.read());
        dog.rest();
        if (!done) return controller.enqueue(value);
        dog[Symbol.dispose]();
        controller.close();
      } catch (error) {
        dog[Symbol.dispose]();
        reader.cancel().catch(() => {});
        throw error;
      }
    },
    cancel(reason) {
      dog[Symbol.dispose]();
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
