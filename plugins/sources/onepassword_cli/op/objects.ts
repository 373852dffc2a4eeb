import { concat } from "../../../../src/base/bytes.ts";
import { opFailure } from "./errors.ts";

/** An item's notes and fields may be long, but not this long: something else is being read. */
const LONGEST = 64 * 1024 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
/** What may stand between objects: white space, and commas and brackets, should `op` ever print a list of them. */
const BETWEEN = new Set([0x20, 0x09, 0x0a, 0x0d, 0x2c, 0x5b, 0x5d]);

/**
 * The JSON objects that follow each other in a stream, one at a time, each as its bytes: only one of them is ever held.
 * Works on bytes, because in UTF-8 no part of another character looks like a quote, a backslash or a brace.
 *
 * @throws `corrupt` at anything else between objects, at an object without end, and at one of more than 64 MiB
 */
export async function* splitObjects(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const splitter = new Splitter();
  for await (const bytes of stream) yield* splitter.push(bytes);
  if (!splitter.between) throw opFailure("corrupt", "op broke off in the middle of an answer");
}

class Splitter {
  #depth = 0;
  #inText = false;
  #escaped = false;
  #parts: Uint8Array[] = [];
  #size = 0;

  /** Whether no object has begun and not ended. */
  get between(): boolean {
    return this.#depth === 0;
  }

  *push(bytes: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (this.#inText) this.#inside(byte);
      else if (byte === QUOTE && this.#depth > 0) this.#inText = true;
      else if (byte === OPEN) {
        if (this.#depth++ === 0) start = at;
      } else if (byte === CLOSE && this.#depth > 0) {
        if (--this.#depth > 0) continue;
        this.#keep(bytes.subarray(start, at + 1));
        yield concat(this.#parts);
        this.#parts = [];
        this.#size = 0;
      } else if (this.#depth === 0 && !BETWEEN.has(byte)) {
        throw opFailure("corrupt", "op answered with something else than JSON");
      }
    }
    if (this.#depth > 0) this.#keep(bytes.subarray(start));
  }

  #inside(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inText = false;
  }

  #keep(part: Uint8Array): void {
    this.#size += part.length;
    if (this.#size > LONGEST) {
      throw opFailure("corrupt", `op answered with an object of more than ${LONGEST} bytes`);
    }
    this.#parts.push(part);
  }
}
