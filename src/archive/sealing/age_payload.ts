import { createCipheriv, createDecipheriv, getCiphers } from "node:crypto";
import { letGo } from "../../base/bytes.ts";
import { AppError } from "../../base/errors.ts";

/**
 * The payload of an age file (STREAM: ChaCha20-Poly1305 over chunks of 64 KiB, C2SP age-encryption.org/v1) with the
 * runtime's native cipher, several times faster than the JavaScript one of the age library. Only this framing is
 * ours; header, recipients and file key stay with the library, and the test suite holds both against age's own
 * vectors and against each other.
 */

const CHUNK = 64 * 1024;
const TAG = 16;
const CIPHER = "chacha20-poly1305";

/** Chunks handled at once, so that small pieces do not cost a stream step each. */
const BATCH = 4;

/** Plaintext cut for {@linkcode PayloadCipher}; every batch lies in the same array. */
export function plainBatches(plain: AsyncIterable<Uint8Array>): AsyncGenerator<Batch> {
  return batches(plain, CHUNK);
}

/** Encrypts with `key`, which must never have been used for anything else. */
export async function* encryptPayload(
  plain: AsyncIterable<Uint8Array>,
  key: Uint8Array,
): AsyncGenerator<Uint8Array> {
  const cipher = new PayloadCipher(key);
  for await (const { bytes, last } of plainBatches(plain)) yield cipher.seal(bytes, last);
}

/** Encrypts the batches of one payload, in order, with a key that must never have been used for anything else. */
export class PayloadCipher {
  readonly #key: Uint8Array;
  readonly #nonce = new ChunkNonce();

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** The ciphertext of whole chunks; only the `last` batch may end in a shorter one. It lies in `memory` when that is large enough. */
  seal(bytes: Uint8Array, last: boolean, memory?: ArrayBuffer): Uint8Array<ArrayBuffer> {
    const count = Math.max(1, Math.ceil(bytes.length / CHUNK)); // nothing at all is one empty chunk
    const size = bytes.length + count * TAG;
    const sealed = memory && memory.byteLength >= size
      ? new Uint8Array(memory, 0, size)
      : new Uint8Array(size);
    for (let index = 0, at = 0; index < count; index++) {
      const chunk = bytes.subarray(index * CHUNK, (index + 1) * CHUNK);
      const cipher = createCipheriv(CIPHER, this.#key, this.#nonce.next(last && index === count - 1), {
        authTagLength: TAG,
      });
      const piece = cipher.update(chunk);
      sealed.set(piece, at);
      if (piece.length === piece.buffer.byteLength) letGo(piece);
      cipher.final();
      sealed.set(cipher.getAuthTag(), at + chunk.length);
      at += chunk.length + TAG;
    }
    return sealed;
  }
}

/** Decrypts with `key`; throws `corrupt` on any damage. What was yielded before is genuine, but may be cut short. */
export async function* decryptPayload(
  sealed: AsyncIterable<Uint8Array>,
  key: Uint8Array,
): AsyncGenerator<Uint8Array> {
  const nonce = new ChunkNonce();
  let first = true;
  for await (const { bytes, last } of batches(sealed, CHUNK + TAG)) {
    const count = Math.max(1, Math.ceil(bytes.length / (CHUNK + TAG)));
    const plain = new Uint8Array(Math.max(0, bytes.length - count * TAG));
    for (let index = 0, at = 0; index < count; index++) {
      const chunk = bytes.subarray(index * (CHUNK + TAG), (index + 1) * (CHUNK + TAG));
      const isLast = last && index === count - 1;
      const opened = openChunk(chunk, key, nonce.next(isLast));
      // Only an empty file has an empty chunk; elsewhere it would be a second way to write the same file.
      if (isLast && !first && opened.length === 0) throw damaged("its last chunk is empty");
      plain.set(opened, at);
      at += opened.length;
      first = false;
    }
    yield plain;
  }
}

/** Whether this runtime's native cipher gives the right answer (RFC 8439 §2.8.2); asked once. */
export function nativeCipherWorks(): boolean {
  return works ??= selfTest();
}

let works: boolean | undefined;

function selfTest(): boolean {
  try {
    if (!getCiphers().includes(CIPHER)) return false;
    const key = Uint8Array.from({ length: 32 }, (_, at) => 0x80 + at);
    const nonce = Uint8Array.from([7, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47]);
    const text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, " +
      "sunscreen would be it.";
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG });
    cipher.setAAD(Uint8Array.from([0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7]), {
      plaintextLength: text.length,
    });
    const sealed = cipher.update(text, "utf8").toString("hex") + cipher.final("hex");
    return sealed.startsWith("d31a8d34648e60db7b86afbc53ef7ec2") &&
      cipher.getAuthTag().toString("hex") === "1ae10b594f09e26a7e902ecbd0600691";
  } catch {
    return false; // the caller then uses the library's own cipher
  }
}

function openChunk(chunk: Uint8Array, key: Uint8Array, nonce: Uint8Array): Uint8Array {
  if (chunk.length < TAG) throw damaged("it is cut short");
  try {
    const cipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG });
    cipher.setAuthTag(chunk.subarray(chunk.length - TAG));
    const plain = cipher.update(chunk.subarray(0, chunk.length - TAG));
    cipher.final(); // checks the tag
    return plain;
  } catch (cause) {
    throw damaged("a chunk was changed or is missing", cause);
  }
}

/** The nonce of a chunk: its number in eleven bytes, then 1 for the last chunk. */
class ChunkNonce {
  readonly #bytes = new Uint8Array(12);
  #used = false;

  next(last: boolean): Uint8Array {
    if (this.#used) this.#increment();
    this.#used = true;
    this.#bytes[11] = last ? 1 : 0;
    return this.#bytes;
  }

  #increment(): void {
    for (let at = 10; at >= 0; at--) {
      const value = (this.#bytes[at]! + 1) & 0xff;
      this.#bytes[at] = value;
      if (value !== 0) return;
    }
    throw new AppError("unsupported", "the archive has more chunks than age can count");
  }
}

/** Whole chunks of a payload; only the `last` batch may end in a shorter one. */
export interface Batch {
  bytes: Uint8Array;
  last: boolean;
}

/**
 * Joins and cuts a stream into batches of whole chunks of `size`; only the last one may end in a shorter chunk, and
 * it alone is marked. A batch is held back until something follows it, because only then is it not the last.
 */
async function* batches(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Batch> {
  const buffer = new Uint8Array(BATCH * size);
  let used = 0;
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length;) {
      if (used === buffer.length) {
        yield { bytes: buffer, last: false };
        used = 0;
      }
      const count = Math.min(buffer.length - used, bytes.length - at);
      buffer.set(bytes.subarray(at, at + count), used);
      used += count;
      at += count;
    }
  }
  yield { bytes: buffer.subarray(0, used), last: true };
}

function damaged(why: string, cause?: unknown): AppError {
  return new AppError("corrupt", `the encrypted archive is damaged or truncated: ${why}`, { cause });
}
