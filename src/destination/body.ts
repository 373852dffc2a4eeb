import { AppError, cancellation, throwIfCancelled } from "../base/errors.ts";
import { Sha256 } from "../base/hash.ts";
import { PartsAhead } from "../base/parts.ts";
import { relayed } from "../base/relay.ts";
import { quoted } from "../base/safe_names.ts";
import type { Resendable } from "./contract.ts";

/**
 * Writes all of `body`; throws `corrupt` when it is not as long as it says or has another hash. What `write` is given
 * is good until it has returned.
 */
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
 * Each piece is good until the next one is asked for.
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
          held = bytes;
          if (before) return controller.enqueue(before);
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
  /** Not used again by us before {@linkcode release}. */
  bytes: Uint8Array;
  /** Where it begins in the body. */
  start: number;
  /** The body ends with it, and was all that it said it was. */
  last: boolean;
  /** Nobody uses the bytes any more: another block is read into their place, which spares a new one. */
  release(): void;
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
  const source = new CheckedBody(key, body, signal), free: Uint8Array[] = [];
  const taken = () => free.pop() ?? new Uint8Array(Math.min(size, body.size));
  const block = (array: Uint8Array, start: number, filled: number, last: boolean): Block => {
    let held = true;
    const release = () => {
      if (held) free.push(array);
      held = false;
    };
    return { bytes: array.subarray(0, filled), start, last, release };
  };
  try {
    let array = taken(), start = 0, filled = 0;
    for (let bytes = await source.read(); bytes; bytes = await source.read()) {
      source.check(bytes);
      for (let at = 0; at < bytes.length;) {
        if (filled === array.length) {
          yield block(array, start, filled, false);
          start += filled;
          filled = 0;
          array = taken();
        }
        const part = bytes.subarray(at, at + array.length - filled);
        array.set(part, filled);
        filled += part.length;
        at += part.length;
      }
    }
    source.checkEnd();
    yield block(array, start, filled, true);
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
  let left = length;
  return relayed(inner, {
    signal,
    translate,
    piece(bytes) {
      left -= bytes.length;
      if (left < 0) throw new AppError("corrupt", `${quoted(what)} grew while it was read`);
    },
    end() {
      if (left > 0) {
        throw new AppError("corrupt", `${quoted(what)} lost its last ${left} bytes while it was read`);
      }
    },
  });
}

/** `stream`, with every piece of it told to `tell` when its reader takes it; keeps nothing. */
export function counted(
  stream: ReadableStream<Uint8Array>,
  tell: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  return relayed(stream, { piece: ({ length }) => tell(length) });
}

/**
 * A body that is compared with what it says of itself while it is read. Its next piece is read while those before are
 * used; each is good until the next but one is asked for.
 */
class CheckedBody {
  readonly #hash = new Sha256();
  readonly #parts: PartsAhead;
  readonly #forget: () => void;

  constructor(readonly key: string, readonly body: Resendable, readonly signal: AbortSignal) {
    throwIfCancelled(signal);
    this.#parts = new PartsAhead(body.open());
    // Ends a pending read at once, also that of a stream that hangs and whose cancel hangs.
    const stop = () => void this.#parts.cancel(cancellation(signal)).catch(() => {});
    signal.addEventListener("abort", stop, { once: true });
    this.#forget = () => signal.removeEventListener("abort", stop);
  }

  /** The next bytes; undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    const bytes = await this.#parts.next();
    throwIfCancelled(this.signal);
    if (bytes && this.#hash.size + bytes.length > this.body.size) {
      throw new AppError("corrupt", `${this.#what} is longer than its ${this.body.size} bytes`);
    }
    return bytes;
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
    this.#parts.cancel(undefined).catch(() => {});
  }

  get #what(): string {
    return `the body of ${quoted(this.key)}`;
  }
}
