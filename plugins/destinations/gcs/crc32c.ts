import { base64 } from "../../../src/base/bytes.ts";

/** Eight tables: what a byte does to the sum when so many bytes come after it. */
const TABLES = makeTables();

/**
 * CRC-32C over pieces, eight bytes at a time. In JavaScript, because no runtime offers it: the tables make it fast
 * enough (some GiB/s) that the network stays the slow part.
 */
export class Crc32c {
  #sum = -1;

  update(bytes: Uint8Array): void {
    const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
    let sum = this.#sum, at = 0;
    for (const end = bytes.length - 7; at < end; at += 8) {
      const word = sum ^
        (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24);
      sum = t7[word & 255]! ^ t6[word >>> 8 & 255]! ^ t5[word >>> 16 & 255]! ^ t4[word >>> 24]! ^
        t3[bytes[at + 4]!]! ^ t2[bytes[at + 5]!]! ^ t1[bytes[at + 6]!]! ^ t0[bytes[at + 7]!]!;
    }
    for (; at < bytes.length; at++) sum = sum >>> 8 ^ t0[(sum ^ bytes[at]!) & 255]!;
    this.#sum = sum;
  }

  /** As Google writes it: four bytes, big-endian, in base64. */
  base64(): string {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, ~this.#sum >>> 0);
    return base64(bytes);
  }
}

type Tables = readonly [T, T, T, T, T, T, T, T];
type T = Int32Array;

function makeTables(): Tables {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let sum = byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? sum >>> 1 ^ 0x82f63b78 : sum >>> 1;
    return sum;
  });
  const tables = [first];
  for (let table = 1; table < 8; table++) {
    tables.push(tables[table - 1]!.map((sum) => sum >>> 8 ^ first[sum & 255]!));
  }
  return tables as unknown as Tables;
}
