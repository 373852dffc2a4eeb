import { AppError, cancellation, throwIfCancelled } from "../base/errors.ts";
import { Sha256 } from "../base/hash.ts";
import { quoted } from "../base/safe_names.ts";
import type { Resendable } from "./contract.ts";

/** Writes all of `body`; throws `corrupt` when it is not as long as it says or has another hash. */
export async function pour(
  key: string,
  body: Resendable,
  write: (bytes: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const source = new CheckedBody(key, body, signal);
  try {
    for (let bytes = await source.read(); bytes; bytes = await source.read()) {
      const writing = write(bytes);
      source.check(bytes); // while the system writes
      await orCancelled(writing, signal);
    }
    source.checkEnd();
  } finally {
    source.close();
  }
}

/**
 * `body` as one stream; it errors with `corrupt` where {@linkcode pour} would throw it. Its last piece comes when all of
 * it has been checked, so that a server that was told the length never gets the whole of a body that is not what it says.
 */
export function streamed(key: string, body: Resendable, signal: AbortSignal): ReadableStream<Uint8Array> {
  const source = new CheckedBody(key, body, signal);
  let held: Uint8Array | undefined;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        for (let bytes = await source.read(); bytes; bytes = await source.read()) {
          source.check(bytes);
          const before = held;
          // A piece of nothing must not let the last one go.
          if (bytes.length > 0) held = bytes;
          if (bytes.length > 0 && before) return controller.enqueue(before);
        }
        source.checkEnd();
        source.close();
        if (held) controller.enqueue(held);
        controller.close();
      } catch (error) {
        source.close();
        throw error;
      }
    },
    cancel: () => source.close(),
  }, { highWaterMark: 0 });
}

/** A part of a body. */
export interface Block {
  /** Not used again by us. */
  bytes: Uint8Array;
  /** Where it begins in the body. */
  start: number;
  /** The body ends with it, and was all that it said it was. */
  last: boolean;
}

/**
 * `body` in blocks of exactly `size` bytes, the last one shorter (of nothing, where the body holds nothing). Throws
 * `corrupt` in place of the last one where the body is not what it says: nothing wrong is ever completed.
 */
export async function* blocksOf(
  key: string,
  body: Resendable,
  size: number,
  signal: AbortSignal,
): AsyncGenerator<Block, void> {
  const source = new CheckedBody(key, body, signal);
  try {
    let block = new Uint8Array(Math.min(size, body.size)), start = 0, filled = 0;
    for (let bytes = await source.read(); bytes; bytes = await source.read()) {
      source.check(bytes);
      for (let at = 0; at < bytes.length;) {
        if (filled === block.length) {
          yield { bytes: block, start, last: false };
          start += filled;
          filled = 0;
          block = new Uint8Array(Math.min(size, body.size - start));
        }
        const part = bytes.subarray(at, at + block.length - filled);
        block.set(part, filled);
        filled += part.length;
        at += part.length;
      }
    }
    source.checkEnd();
    yield { bytes: block.subarray(0, filled), start, last: true };
  } finally {
    source.close();
  }
}

/** What `work` gives, or `cancelled` as soon as `signal` is aborted; nobody waits for a disk or library that hangs. */
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
  what: string,
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
          throw new AppError("corrupt", `${quoted(what)} lost its last ${left} bytes while it was read`);
        }
        if (done) {
          forget();
          controller.close();
          return;
        }
        left -= value.length;
        if (left < 0) throw new AppError("corrupt", `${quoted(what)} grew while it was read`);
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

/** `stream`, with every piece of it told to `tell` when its reader takes it; keeps nothing. */
export function counted(
  stream: ReadableStream<Uint8Array>,
  tell: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      tell(value.length);
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/** A body that is compared with what it says of itself while it is read. */
class CheckedBody {
  readonly #hash = new Sha256();
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #forget: () => void;

  constructor(readonly key: string, readonly body: Resendable, readonly signal: AbortSignal) {
    throwIfCancelled(signal);
    this.#reader = body.open().getReader();
    // Ends a pending read at once, also that of a stream that hangs and whose cancel hangs.
    const stop = () => void this.#reader.cancel(cancellation(signal)).catch(() => {});
    signal.addEventListener("abort", stop, { once: true });
    this.#forget = () => signal.removeEventListener("abort", stop);
  }

  /** The next bytes; undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#reader.read();
    throwIfCancelled(this.signal);
    if (done) return undefined;
    if (this.#hash.size + value.length > this.body.size) {
      throw new AppError("corrupt", `${this.#what} is longer than its ${this.body.size} bytes`);
    }
    return value;
  }

  check(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  checkEnd(): void {
    const { size, sha256 } = this.body;
    if (this.#hash.size < size) {
      throw new AppError("corrupt", `${this.#what} ended after ${this.#hash.size} of its ${size} bytes`);
    }
    if (this.#hash.hex() !== sha256) {
      throw new AppError("corrupt", `${this.#what} does not have the SHA-256 it should have`);
    }
  }

  close(): void {
    this.#forget();
    this.#reader.cancel().catch(() => {});
  }

  get #what(): string {
    return `the body of ${quoted(this.key)}`;
  }
}
