// @ts-types="./yauzl.d.ts"
import yauzl from "yauzl";
import { collect } from "../../../src/base/bytes.ts";
import type { Files } from "../../../src/base/world.ts";

/** Bytes fetched at once: the directory is read in steps of 46 bytes, each of which would open the file anew. */
const WINDOW = 256 * 1024;

/** How yauzl reads a zip: through the World, at any place, never the whole. */
export class FileReader extends yauzl.RandomAccessReader {
  #start = 0;
  #bytes = new Uint8Array(0);

  constructor(readonly files: Files, readonly path: string) {
    super();
  }

  override read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    callback: (error: unknown, bytesRead?: number) => void,
  ): void {
    this.at(position, length).then((bytes) => {
      buffer.set(bytes, offset);
      callback(null, bytes.length);
    }, callback);
  }

  /** Bytes at a place of the file; fewer at its end, none beyond. */
  async at(position: number, length: number): Promise<Uint8Array> {
    const end = position + length;
    if (position < this.#start || end > this.#start + this.#bytes.length) {
      // A directory may claim to lie anywhere; what is no place in a file holds nothing.
      if (!Number.isSafeInteger(end) || position < 0) return new Uint8Array(0);
      const range = { start: position, end: position + Math.max(length, WINDOW) };
      const stream = await this.files.stream(this.path, range);
      this.#bytes = await collect(stream, range.end - range.start, "a part of the export");
      this.#start = position;
    }
    return this.#bytes.subarray(position - this.#start, end - this.#start);
  }
}
