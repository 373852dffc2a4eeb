import util from "node:util";

/**
 * The core hands the body of a file over as JSON text, a list of integers such as `[1,22,255]`: 3.6 characters for
 * each byte, which would exist once in WebAssembly's memory, once as a string, and for a moment as numbers. This
 * decodes such a list where it lies, so that the string is never made.
 *
 * It must be in place before the core is loaded, because the core takes its text decoder when it is loaded.
 */
export class ByteLists {
  /** How many calls await such a list; while any does, one is kept as bytes and reaches the caller as a short handle. */
  expected = 0;
  #kept = new Map<string, Uint8Array<ArrayBuffer>>();
  #next = 0;

  /** Puts this in the place of node's text decoder, for this worker only. */
  install(): void {
    const keep = (view: Uint8Array) => this.expected > 0 ? this.#keep(view) : undefined;
    util.TextDecoder = class extends TextDecoder {
      override decode(...args: Parameters<TextDecoder["decode"]>): string {
        const [input] = args;
        return (input instanceof Uint8Array ? keep(input) : undefined) ?? super.decode(...args);
      }
    } as typeof util.TextDecoder;
  }

  /** The bytes behind a handle, once; also those of a list that came as text after all. */
  take(text: string): Uint8Array<ArrayBuffer> {
    const kept = this.#kept.get(text);
    this.#kept.delete(text);
    const bytes = kept ?? parseByteList(new TextEncoder().encode(text));
    if (!bytes) throw new Error("the core answered something else than bytes");
    return bytes;
  }

  /** An answer that is no body after all, though it may look like one: an empty list does. */
  text(text: string): string {
    const kept = this.#kept.get(text);
    this.#kept.delete(text);
    return kept ? `[${kept.join()}]` : text;
  }

  #keep(view: Uint8Array): string | undefined {
    const bytes = parseByteList(view);
    if (!bytes) return undefined;
    const handle = `bytes ${this.#next++}`;
    this.#kept.set(handle, bytes);
    return handle;
  }
}

const OPEN = 0x5b;
const CLOSE = 0x5d;
const COMMA = 0x2c;
const ZERO = 0x30;

/** The bytes of a JSON list of integers from 0 to 255 without spaces; undefined when `text` is anything else. */
export function parseByteList(text: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  if (text.length < 2 || text[0] !== OPEN || text[text.length - 1] !== CLOSE) return undefined;
  if (text.length === 2) return new Uint8Array(0);
  const bytes = new Uint8Array(countOf(text));
  let at = 0;
  let value = -1;
  for (let index = 1; index < text.length; index++) {
    const char = text[index]!;
    const digit = char - ZERO;
    if (digit >= 0 && digit <= 9) {
      value = (value < 0 ? 0 : value * 10) + digit;
      if (value > 255) return undefined;
    } else {
      if (value < 0 || (char !== COMMA && index !== text.length - 1)) return undefined;
      bytes[at++] = value;
      value = -1;
    }
  }
  return bytes;
}

/** Numbers in the list: one more than its commas. */
function countOf(text: Uint8Array): number {
  let count = 1;
  for (let index = 0; index < text.length; index++) if (text[index] === COMMA) count++;
  return count;
}
