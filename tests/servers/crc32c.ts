/** What two bytes at a time do to the sum: not the code that it is there to check. */
const TABLE = Uint32Array.from({ length: 65_536 }, (_, bytes) => {
  let value = bytes;
  for (let bit = 0; bit < 16; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** CRC-32C of `bytes` as an unsigned number; of bytes that come after others when their sum is given. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  let value = ~before >>> 0, at = 0;
  for (const even = bytes.length & ~1; at < even; at += 2) {
    value = TABLE[(value ^ (bytes[at]! | bytes[at + 1]! << 8)) & 0xffff]! ^ (value >>> 16);
  }
  // One byte is two, the first of them a zero.
  if (at < bytes.length) value = TABLE[((value ^ bytes[at]!) & 255) << 8]! ^ (value >>> 8);
  return ~value >>> 0;
}
