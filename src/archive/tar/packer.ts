import { AppError } from "../../base/errors.ts";
import { BLOCK, padding, tarHeader } from "./header.ts";

/** Bytes that are given to the reader at once: the many small pieces that a tar consists of would cost a step each. */
const PIECE = 256 * 1024;

/** At least so many blocks of zeros end a tar. */
const END = 2 * BLOCK;

/**
 * Writes a tar of regular files, all with the time of the run and readable by their owner alone, at the pace of its reader:
 * everything is copied once, into the array that the reader holds out, and nothing is kept beside it.
 */
export class TarPacker {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #time: Date;
  #controller!: ReadableByteStreamController;
  /** What the reader holds out. */
  #view: Uint8Array | undefined;
  #used = 0;
  /** Bytes of the entry under way that are still to come. */
  #left = 0;
  #padding = 0;
  #ended: { reason: unknown } | undefined;
  #wake = () => {};

  constructor(time: Date) {
    this.#time = time;
    this.readable = new ReadableStream({
      type: "bytes",
      autoAllocateChunkSize: PIECE,
      start: (controller) => void (this.#controller = controller),
      pull: ({ byobRequest }) => {
        const view = byobRequest!.view!;
        this.#view = new Uint8Array(view.buffer, view.byteOffset, Math.min(PIECE, view.byteLength));
        this.#wake();
      },
      cancel: (reason) => this.#end(reason),
    });
  }

  /** Begins an entry of exactly `size` bytes; they must all be written before the next one. */
  async begin(path: string, size: number): Promise<void> {
    this.#whole();
    await this.#put(tarHeader(path, size, this.#time));
    this.#left = size;
    this.#padding = padding(size);
  }

  /** Resolves when `bytes` are no longer needed. */
  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    if (bytes.length > this.#left) throw broken("more bytes than it says");
    await this.#put(bytes);
    this.#left -= bytes.length;
    if (this.#left === 0) await this.#put(ZEROS.subarray(0, this.#padding));
  }

  async finish(): Promise<void> {
    this.#whole();
    await this.#put(ZEROS.subarray(0, END));
    this.#flush();
    this.#ended = { reason: broken("an end already") };
    this.#controller.close();
    this.#controller.byobRequest?.respond(0); // lets a reader that waits know
  }

  /** Ends it for `reason`, which reader and writer are given. */
  abort(reason: unknown): void {
    if (this.#ended) return;
    this.#end(reason);
    this.#controller.error(reason);
  }

  #end(reason: unknown): void {
    this.#ended ??= { reason: reason ?? new AppError("cancelled", "nobody reads the archive any more") };
    this.#wake();
  }

  /** Waits only where the reader must hold out another array first: for small pieces a promise each would be the greatest cost. */
  #put(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#ended) throw this.#ended.reason;
    if (!this.#view || bytes.length >= this.#view.length - this.#used) return this.#putInParts(bytes);
    this.#view.set(bytes, this.#used);
    this.#used += bytes.length;
    return undefined;
  }

  async #putInParts(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      while (!this.#view && !this.#ended) await new Promise<void>((resolve) => this.#wake = resolve);
      if (this.#ended) throw this.#ended.reason;
      const view = this.#view!;
      const count = Math.min(view.length - this.#used, bytes.length - at);
      view.set(bytes.subarray(at, at + count), this.#used);
      this.#used += count;
      at += count;
      if (this.#used === view.length) this.#flush();
    }
  }

  #flush(): void {
    if (this.#used === 0) return;
    const count = this.#used;
    this.#view = undefined;
    this.#used = 0;
    this.#controller.byobRequest!.respond(count);
  }

  #whole(): void {
    if (this.#ended) throw this.#ended.reason;
    if (this.#left > 0) throw broken("fewer bytes than it says");
  }
}

const ZEROS = new Uint8Array(END);

function broken(what: string): AppError {
  return new AppError("unknown", `an entry of the archive has ${what}`);
}
