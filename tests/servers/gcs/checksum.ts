import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { crc32c } from "../crc32c.ts";

/** What Google says of an object: CRC-32C, big-endian, and MD5, both in base64. */
export class Sums {
  #crc = 0;
  readonly #md5 = createHash("md5");

  static of(...parts: readonly Uint8Array[]): Sums {
    const sums = new Sums();
    for (const part of parts) sums.update(part);
    return sums;
  }

  update(bytes: Uint8Array): void {
    this.#crc = crc32c(bytes, this.#crc);
    this.#md5.update(bytes);
  }

  get crc32c(): string {
    const written = Buffer.alloc(4);
    written.writeUInt32BE(this.#crc);
    return written.toString("base64");
  }

  get md5Hash(): string {
    return this.#md5.copy().digest("base64");
  }
}
