import { AppError } from "../../base/errors.ts";
import { Parts } from "../../base/parts.ts";
import type { Compression } from "../../model/archive_name.ts";
import type { FromWorker, ToWorker } from "./worker.ts";

/** An age file on its way. */
export interface Sealed {
  ciphertext: ReadableStream<Uint8Array>;
  /** The hash of all of it, once it has been read to its end; absent where it was not made on the way. */
  sha256?: () => string;
}

/** Bytes of plaintext that are sent at once: small tar pieces one by one would cost more than the encryption. */
const PIECE = 256 * 1024;

/** Pieces that are under way at once, in each direction: enough that neither side waits, little enough for memory. */
const AHEAD = 8;

/**
 * Compresses and encrypts a payload, and hashes the whole age file, on a thread of its own: with 1Password and tar on
 * this one, both cores of a small host are busy. The thread starts while `beginning` makes what stands before
 * the payload, and its key.
 */
export async function sealOnThread(
  plain: ReadableStream<Uint8Array>,
  beginning: () => Promise<{ head: Uint8Array<ArrayBuffer>; key: Uint8Array }>,
  compression: Compression | undefined,
): Promise<Sealed> {
  const thread = new SealingThread();
  const { head, key } = await beginning().catch((error) => {
    thread.end(error);
    throw error;
  });
  const parts = new Parts(plain);
  thread.post({ key, head, compression, ahead: AHEAD });
  key.fill(0);
  feed(parts, thread).catch((error) => thread.end(error));
  return {
    ciphertext: new ReadableStream({
      type: "bytes", // a reader that brings an array of its own has it filled
      start: (controller) => controller.enqueue(head),
      async pull(controller) {
        const sealed = await thread.next();
        const request = controller.byobRequest;
        if (!sealed) {
          controller.close();
          request?.respond(0); // lets a reader that waits know
        } else if (request?.view && request.view.byteLength >= sealed.length) {
          new Uint8Array(request.view.buffer, request.view.byteOffset).set(sealed);
          request.respond(sealed.length);
          thread.giveBack(sealed);
        } else {
          controller.enqueue(sealed);
        }
      },
      async cancel(reason) {
        thread.end(reason);
        await parts.cancel(reason);
      },
    }),
    sha256: () => {
      if (thread.sha256 === undefined) {
        throw new AppError("unknown", "the archive has not been sealed to its end");
      }
      return thread.sha256;
    },
  };
}

/** Sends everything that `reader` gives, in pieces of its own: an array that is sent is lost to whoever made it. */
async function feed(parts: Parts, thread: SealingThread): Promise<void> {
  try {
    let piece = thread.piece();
    let used = 0;
    for (let next = await parts.next(); !next.done; next = await parts.next()) {
      const bytes = next.value;
      for (let at = 0; at < bytes.length;) {
        const count = Math.min(PIECE - used, bytes.length - at);
        piece.set(bytes.subarray(at, at + count), used);
        used += count;
        at += count;
        if (used < PIECE) continue;
        await thread.write(piece);
        piece = thread.piece();
        used = 0;
      }
    }
    if (used > 0) await thread.write(piece.subarray(0, used));
    thread.post({ end: true });
  } catch (error) {
    await parts.cancel(error).catch(() => {}); // it has nothing to add when it is the reader itself that failed
    throw error;
  }
}

/** The worker, what it has given and what it has not used yet. */
class SealingThread {
  /** Of the whole age file, once it has ended. */
  sha256: string | undefined;
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), {
    type: "module",
    name: "sealing",
  });
  readonly #sealed: Uint8Array<ArrayBuffer>[] = [];
  /** Memory for plaintext that the worker has given back. */
  readonly #spare: ArrayBuffer[] = [];
  #unused = 0;
  #ended: { reason: unknown } | undefined;
  readonly #waiting = new Set<() => void>();

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if ("failed" in data) return this.end(broken(data.failed));
      if ("used" in data) {
        this.#unused--;
        this.#spare.push(data.used);
      } else if ("sealed" in data) this.#sealed.push(data.sealed);
      else {
        this.sha256 = data.sha256;
        this.#worker.terminate();
      }
      this.#wake();
    };
    this.#worker.onerror = (event) => {
      event.preventDefault(); // told to whoever waits, instead of ending the process
      this.end(broken(event.message));
    };
  }

  /** An array to be filled with plaintext and sent. */
  piece(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(PIECE));
  }

  /** Sends plaintext; resolves when there is room for more. */
  async write(plain: Uint8Array<ArrayBuffer>): Promise<void> {
    this.post({ plain }, [plain.buffer]);
    this.#unused++;
    while (this.#unused >= AHEAD) await this.#change();
  }

  /** The next ciphertext; undefined after the last. */
  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (this.#sealed.length === 0 && this.sha256 === undefined) await this.#change();
    const sealed = this.#sealed.shift();
    if (sealed && this.sha256 === undefined) this.post({ taken: true });
    return sealed;
  }

  /** Lets the worker use the memory of a ciphertext again. */
  giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
    if (this.sha256 === undefined) this.post({ spare: buffer }, [buffer]);
  }

  /** Ends it for `reason`, which everybody who waits or asks is given. */
  end(reason: unknown): void {
    this.#worker.terminate();
    this.#ended ??= { reason };
    this.#wake();
  }

  post(message: ToWorker, transfer: Transferable[] = []): void {
    if (this.#ended) throw this.#ended.reason;
    this.#worker.postMessage(message, transfer);
  }

  async #change(): Promise<void> {
    if (!this.#ended) await new Promise<void>((resolve) => this.#waiting.add(resolve));
    if (this.#ended) throw this.#ended.reason;
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}

function broken(why: string): AppError {
  return new AppError("unknown", `the thread that encrypts has ended: ${why}`);
}
