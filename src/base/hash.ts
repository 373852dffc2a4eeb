import { createHash, hash } from "node:crypto";
import { Parts } from "./parts.ts";

/** SHA-256 over pieces; `node:crypto` because it is native and incremental (WebCrypto hashes whole buffers only). */
export class Sha256 {
  #hash = createHash("sha256");
  #size = 0;

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#size += bytes.length;
  }

  /** Another one that has seen the same so far. */
  fork(): Sha256 {
    const other = new Sha256();
    other.#hash = this.#hash.copy();
    other.#size = this.#size;
    return other;
  }

  /** Bytes seen so far. */
  get size(): number {
    return this.#size;
  }

  /** Lower-case hexadecimal; ends the hash. */
  hex(): string {
    return this.#hash.digest("hex");
  }
}

/** Lower-case hexadecimal SHA-256 of `bytes`. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return hash("sha256", bytes, "hex");
}

/** SHA-256 of `bytes`. */
export function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

/** Size and SHA-256 of everything in a stream. */
export async function digestOf(
  stream: ReadableStream<Uint8Array>,
): Promise<{ size: number; sha256: string }> {
  const hash = new Sha256();
  for await (const bytes of new Parts(stream)) hash.update(bytes);
  return { size: hash.size, sha256: hash.hex() };
}
