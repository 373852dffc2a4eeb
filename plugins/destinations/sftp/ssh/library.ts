/** ssh2, loaded so that its ciphers give their memory back. */
import crypto from "node:crypto";
// @ts-types="./ssh2.d.ts"
import type ssh2 from "ssh2";

/** The cipher that costs the runtime least: the others take it five times as long for a byte. Not every runtime has it. */
export const QUICK = crypto.getCiphers().includes("chacha20") ? ["chacha20-poly1305@openssh.com"] : [];

interface Cipher {
  update(bytes: Uint8Array): Uint8Array;
  final(): Uint8Array;
}

/**
 * Makes what `create` makes; a `chacha20` ends itself after its one use. ssh2 takes three of them for a packet and ends
 * none, and the runtime keeps the memory of what was not ended for ever: 40 MiB for each GiB that is sent.
 */
export function ending<Rest extends unknown[]>(
  create: (algorithm: string, ...rest: Rest) => Cipher,
): (algorithm: string, ...rest: Rest) => Cipher {
  return (algorithm, ...rest) => {
    const cipher = create(algorithm, ...rest);
    if (algorithm !== "chacha20") return cipher;
    return Object.assign(cipher, {
      update(bytes: Uint8Array) {
        const result = Object.getPrototypeOf(cipher).update.call(cipher, bytes);
        cipher.final();
        return result;
      },
    });
  };
}

/** The library takes the functions of `node:crypto` when it is loaded: they are others only that long. */
async function load(): Promise<typeof ssh2> {
  const { createCipheriv, createDecipheriv } = crypto;
  Object.assign(crypto, {
    createCipheriv: ending(createCipheriv as unknown as (algorithm: string) => Cipher),
    createDecipheriv: ending(createDecipheriv as unknown as (algorithm: string) => Cipher),
  });
  try {
    // @ts-types="./ssh2.d.ts"
    return (await import("ssh2")).default;
  } finally {
    Object.assign(crypto, { createCipheriv, createDecipheriv });
  }
}

export default await load();
