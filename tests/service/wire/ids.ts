import { createHash, randomBytes } from "node:crypto";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/**
 * An id that always comes out the same for the same parts, so that a description gives the same vaults, items and files
 * every time it is started.
 */
export function derivedId(...parts: (string | number)[]): string {
  // JSON keeps ("a", "bc") and ("ab", "c") apart.
  return encodeId(createHash("sha256").update(JSON.stringify(parts)).digest());
}

/** A new id in 1Password's form. */
export function randomId(): string {
  return encodeId(randomBytes(16));
}

/** The first 16 bytes as 26 base32 characters, lower case and without padding: the form the core insists on. */
function encodeId(bytes: Uint8Array): string {
  let id = "";
  let pending = 0;
  let bits = 0;
  for (const byte of bytes.subarray(0, 16)) {
    pending = (pending << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      id += ALPHABET[(pending >> bits) & 31];
    }
    pending &= (1 << bits) - 1;
  }
  return id + ALPHABET[(pending << (5 - bits)) & 31];
}

/**
 * Numbers repeated names, so that two items with one title still get two ids.
 * @returns a function that answers 0 for the first use of a name, 1 for the second, and so on.
 */
export function countingNames(): (name: string) => number {
  const seen = new Map<string, number>();
  return (name) => {
    const nth = seen.get(name) ?? 0;
    seen.set(name, nth + 1);
    return nth;
  };
}
