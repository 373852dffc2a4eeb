import { AppError, cancellation, isAppError, throwIfCancelled } from "../base/errors.ts";
import { quoted } from "../base/safe_names.ts";
import type { Clock } from "../base/world.ts";
import { orCancelled } from "./body.ts";
import type { ByteRange } from "./contract.ts";
import { withinSize } from "./keys.ts";

/** What one request gave. */
export interface Piece {
  body: ReadableStream<Uint8Array>;
  /** Where the body really begins: a service that ignores ranges begins at 0. */
  start: number;
  /** Bytes of the whole object. */
  size: number;
  /** What changes when the object does (an etag, a generation); undefined where the service has no such thing. */
  version: string | undefined;
}

export interface ResumableGet {
  key: string;
  range: ByteRange | undefined;
  signal: AbortSignal;
  clock: Clock;
  /**
   * Asks for the bytes from `start` on, to `end` (exclusive) where it is given. With `start` 0 and no `end`, ask for
   * the whole object without a range: of an empty one there is no range.
   */
  ask(start: number, end: number | undefined, signal: AbortSignal): Promise<Piece>;
  /** Gives each error of the stream its final form. */
  translate(error: unknown): unknown;
}

/** Tries in a row that bring less than {@linkcode WORTHWHILE}. */
const TRIES = 5;
/** Bytes after which a connection has done something: a line that is cut every minute still brings its file home. */
const WORTHWHILE = 1024 * 1024;

/**
 * A download that goes on where it was cut off. Its stream ends only after exactly the bytes of the range; fewer, more,
 * or those of an object that has changed meanwhile are an error. Rejects by itself when the first request fails.
 */
export async function resumableGet(get: ResumableGet): Promise<ReadableStream<Uint8Array>> {
  const download = new Download(get);
  await download.begin();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const bytes = await download.next();
        if (bytes) controller.enqueue(bytes);
        else controller.close();
      } catch (error) {
        download.stop();
        throw get.translate(error);
      }
    },
    cancel: () => download.stop(),
  }, { highWaterMark: 0 });
}

class Download {
  readonly #stopped = new AbortController();
  readonly #signal: AbortSignal;
  #first: Piece | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** The next byte that is needed, and the one past the last. */
  #at = 0;
  #end = 0;
  #failed = 0;
  #since = 0;
  #delay = 500;

  constructor(readonly get: ResumableGet) {
    this.#signal = AbortSignal.any([get.signal, this.#stopped.signal]);
    this.#at = get.range?.start ?? 0;
  }

  async begin(): Promise<void> {
    for (;;) {
      try {
        return await this.#ask();
      } catch (error) {
        await this.#pause(error);
      }
    }
  }

  /** The next bytes; undefined after the last. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      try {
        if (!this.#reader) await this.#ask();
        const bytes = await this.#read();
        if (bytes === undefined || bytes.length > 0) return bytes;
      } catch (error) {
        this.#letGo();
        await this.#pause(error);
      }
    }
  }

  stop(): void {
    this.#letGo();
    this.#stopped.abort();
  }

  async #read(): Promise<Uint8Array | undefined> {
    const { done, value } = await orCancelled(this.#reader!.read(), this.#signal);
    const left = this.#end - this.#at;
    if (done && left > 0) throw new AppError("transient", `${this.#what} ended ${left} bytes early`);
    if (done) {
      this.stop();
      return undefined;
    }
    if (value.length > left) {
      throw new AppError("corrupt", `${this.#what} is longer than the ${this.#end} bytes it should have`);
    }
    this.#at += value.length;
    this.#since += value.length;
    return value;
  }

  async #ask(): Promise<void> {
    const { range, ask, key } = this.get;
    throwIfCancelled(this.#signal);
    const piece = await orCancelled(
      ask(this.#at, this.#first ? this.#end : range?.end, this.#signal),
      this.#signal,
    );
    try {
      this.#first ??= piece;
      if (piece.size !== this.#first.size || piece.version !== this.#first.version) {
        throw new AppError("corrupt", `${quoted(key)} was changed while it was read`);
      }
      this.#end = withinSize(piece.size, range, key).end;
      if (piece.start !== this.#at) {
        throw new AppError(
          "unsupported",
          `the service gave ${quoted(key)} from byte ${piece.start} instead of ${this.#at}`,
        );
      }
    } catch (error) {
      piece.body.cancel().catch(() => {});
      throw error;
    }
    this.#reader = piece.body.getReader();
  }

  /** Returns when another try is worth it. */
  async #pause(error: unknown): Promise<void> {
    if (this.get.signal.aborted) throw cancellation(this.get.signal);
    if (!isAppError(error, "transient")) throw error;
    if (this.#since >= WORTHWHILE) {
      this.#failed = 0;
      this.#delay = 500;
    }
    this.#since = 0;
    const asked = (error.retryAfter ?? 0) * 1000;
    if (++this.#failed >= TRIES || asked > 120_000) throw error;
    await this.get.clock.sleep(Math.max(asked, this.#delay), this.#signal);
    this.#delay = Math.min(this.#delay * 2, 30_000);
  }

  #letGo(): void {
    this.#reader?.cancel().catch(() => {});
    this.#reader = undefined;
  }

  get #what(): string {
    return quoted(this.get.key);
  }
}
