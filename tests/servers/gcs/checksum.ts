import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";

/** One table and a byte at a time: slow, and not the code that it is there to check. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** CRC32C as Google writes it: four bytes, big-endian, base64. */
export function crc32c(bytes: Uint8Array): string {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 255]! ^ (value >>> 8);
  const written = Buffer.alloc(4);
  written.writeUInt32BE(~value >>> 0);
  return written.toString("base64");
}

/** MD5 in base64. */
export function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("base64");
}
