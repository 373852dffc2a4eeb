import { streamFrom } from "../base/bytes.ts";
import { AppError } from "../base/errors.ts";
import { quoted } from "../base/safe_names.ts";
import type { Clock } from "../base/world.ts";
import { counted } from "./body.ts";
import type { ByteRange, Capabilities, Destination, PutOptions, Resendable, Stored } from "./contract.ts";
import { named, withName } from "./errors.ts";
import { Watchdog, watched, watchedStream } from "./watchdog.ts";

/**
 * Milliseconds without any byte after which a destination is given up whatever it is: a share that is gone hangs in the
 * operating system, where nothing else ends it. Every plugin that speaks to a service is more impatient by itself.
 */
export const LAST_RESORT = 10 * 60_000;

/** Opens a destination none of whose calls hangs for ever, its opening neither. */
export async function openWatched(
  name: string,
  open: (signal: AbortSignal) => Promise<Destination>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Destination> {
  const inner = await named(
    { name },
    "open it",
    signal,
    () => watched({ clock, signal, silence: LAST_RESORT }, open),
  );
  return new WatchedDestination(inner, clock);
}

/**
 * A destination every call of which ends when nothing has moved for {@linkcode LAST_RESORT}. What has hung once is not
 * waited for again.
 */
class WatchedDestination implements Destination {
  readonly name: string;
  readonly can: Capabilities;
  #dead: AppError | undefined;

  constructor(readonly inner: Destination, readonly clock: Clock) {
    this.name = inner.name;
    this.can = inner.can;
  }

  put(key: string, body: Resendable, signal: AbortSignal, options?: PutOptions): Promise<Stored> {
    return this.#watched(`store ${quoted(key)}`, signal, (until, progress) => {
      const heard = { ...body, open: () => counted(body.open(), progress) };
      return this.inner.put(key, heard, until, options);
    });
  }

  get(key: string, range: ByteRange | undefined, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const task = `read ${quoted(key)}`;
    return named(this, task, signal, async () => {
      const dog = this.#dog(signal);
      try {
        const stream = await dog.guard(this.inner.get(key, range, dog.signal));
        return streamFrom(watchedStream(stream, dog).getReader(), (error) => withName(this, task, error));
      } catch (error) {
        dog[Symbol.dispose]();
        throw error;
      }
    });
  }

  stat(key: string, signal: AbortSignal): Promise<Stored> {
    return this.#watched(`look at ${quoted(key)}`, signal, (until) => this.inner.stat(key, until));
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<Stored> {
    const task = `list ${quoted(prefix)}`;
    using dog = await named(this, task, signal, () => Promise.resolve(this.#dog(signal)));
    const all = this.inner.list(prefix, dog.signal)[Symbol.asyncIterator]();
    let ended = false;
    try {
      for (;;) {
        dog.progress();
        const { done, value } = await named(this, task, signal, () => dog.guard(all.next()));
        dog.rest();
        ended = done === true;
        if (done) return;
        yield value;
      }
    } finally {
      // One that hangs is not waited for.
      if (!ended) void all.return?.().catch(() => {});
    }
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return this.#watched(`remove ${quoted(key)}`, signal, (until) => this.inner.remove(key, until));
  }

  discard(key: string, signal: AbortSignal): Promise<void> {
    return this.#watched(`clean up after ${quoted(key)}`, signal, (until) => this.inner.discard(key, until));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.inner[Symbol.asyncDispose]());
  }

  #dog(signal: AbortSignal): Watchdog {
    if (this.#dead) throw this.#dead;
    const dog = new Watchdog({ clock: this.clock, signal, silence: LAST_RESORT });
    dog.signal.addEventListener("abort", () => {
      const { reason } = dog.signal;
      if (!signal.aborted && reason instanceof AppError) this.#dead = reason;
    }, { once: true });
    return dog;
  }

  #watched<T>(
    task: string,
    signal: AbortSignal,
    work: (signal: AbortSignal, progress: () => void) => Promise<T>,
  ): Promise<T> {
    return named(this, task, signal, async () => {
      using dog = this.#dog(signal);
      return await dog.guard(work(dog.signal, () => dog.progress()));
    });
  }
}
