import { Buffer } from "node:buffer";
import { crc32, deflateRawSync } from "node:zlib";

/**
 * A zip written by hand, byte by byte, so that each of its numbers can lie. What is left out is written as an
 * honest program would.
 */
export interface WrittenEntry {
  name: string | Uint8Array;
  content: string | Uint8Array;
  /** Deflated, which is what 1Password does; or stored. */
  stored?: boolean;
  /** Lies of the directory. */
  directory?: Partial<Numbers> & { name?: string };
  /** Lies of the header before the data. */
  header?: Partial<Numbers> & { name?: string };
  /** The data itself, instead of the content as packed. */
  data?: Uint8Array;
  /** Sizes and checksum behind the data instead of before it, as streaming programs write. */
  descriptor?: boolean;
  /** Sizes and place in the 64-bit form. */
  zip64?: boolean;
}

export interface Numbers {
  flags: number;
  method: number;
  crc: number;
  packed: number;
  size: number;
  offset: number;
  attributes: number;
}

export interface ZipLies {
  /** What the end says of the number of entries. */
  count?: number;
  comment?: string;
  /** What the end says of the comment's length. */
  commentLength?: number;
  disk?: number;
  /** A place of the directory that is not its own. */
  directoryStart?: number;
  /** Ends in the 64-bit form. */
  zip64?: boolean;
}

const UTF8 = 0x800;

/** Flags of an encrypted entry: the old way, and the "strong" one. */
export const ENCRYPTED = 0x1 | UTF8;
export const STRONG = 0x41 | UTF8;
/** Attributes of a symbolic link, as Unix programs write them. */
export const LINK = (0o120777 << 16) >>> 0;

export function writeZip(entries: readonly WrittenEntry[], lies: ZipLies = {}): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const put = (...bytes: Uint8Array[]) => {
    for (const one of bytes) {
      parts.push(one);
      at += one.length;
    }
  };
  for (const entry of entries) {
    const content = Buffer.from(entry.content);
    const packed = entry.data ?? (entry.stored ? content : deflateRawSync(content));
    const honest: Numbers = {
      flags: UTF8 | (entry.descriptor ? 0x8 : 0),
      method: entry.stored ? 0 : 8,
      crc: crc32(content),
      packed: packed.length,
      size: content.length,
      offset: at,
      attributes: (0o100600 << 16) >>> 0,
    };
    const later = entry.descriptor ? { crc: 0, packed: 0, size: 0 } : {};
    put(
      localHeader(entry.header?.name ?? entry.name, { ...honest, ...later, ...entry.header }, entry.zip64),
      packed,
    );
    if (entry.descriptor) put(words(0x08074b50, honest.crc, honest.packed, honest.size));
    directory.push(
      directoryEntry(entry.directory?.name ?? entry.name, { ...honest, ...entry.directory }, entry.zip64),
    );
  }
  const start = lies.directoryStart ?? at;
  const length = directory.reduce((sum, one) => sum + one.length, 0);
  put(...directory);
  const count = lies.count ?? entries.length;
  if (lies.zip64) put(end64(count, length, start), locator64(at));
  put(end(lies, lies.zip64 ? 0xffff : count, length, lies.zip64 ? 0xffffffff : start));
  return new Uint8Array(Buffer.concat(parts));
}

/** What stands before an entry's data; for those who write the data themselves. */
export function localHeader(name: string | Uint8Array, about: Numbers, zip64 = false): Uint8Array {
  const bytes = Buffer.from(name);
  const extra = zip64 ? extra64(about.size, about.packed) : Buffer.alloc(0);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(zip64 ? 45 : 20, 4);
  header.writeUInt16LE(about.flags, 6);
  header.writeUInt16LE(about.method, 8);
  header.writeUInt32LE(about.crc, 14);
  header.writeUInt32LE(zip64 ? 0xffffffff : about.packed, 18);
  header.writeUInt32LE(zip64 ? 0xffffffff : about.size, 22);
  header.writeUInt16LE(bytes.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, bytes, extra]);
}

export function directoryEntry(name: string | Uint8Array, about: Numbers, zip64 = false): Uint8Array {
  const bytes = Buffer.from(name);
  const extra = zip64 ? extra64(about.size, about.packed, about.offset) : Buffer.alloc(0);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(0x0314, 4); // made on Unix
  header.writeUInt16LE(zip64 ? 45 : 20, 6);
  header.writeUInt16LE(about.flags, 8);
  header.writeUInt16LE(about.method, 10);
  header.writeUInt32LE(about.crc, 16);
  header.writeUInt32LE(zip64 ? 0xffffffff : about.packed, 20);
  header.writeUInt32LE(zip64 ? 0xffffffff : about.size, 24);
  header.writeUInt16LE(bytes.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(about.attributes, 38);
  header.writeUInt32LE(zip64 ? 0xffffffff : about.offset, 42);
  return Buffer.concat([header, bytes, extra]);
}

export function end(lies: ZipLies, count: number, length: number, start: number): Uint8Array {
  const comment = Buffer.from(lies.comment ?? "");
  const bytes = Buffer.alloc(22);
  bytes.writeUInt32LE(0x06054b50, 0);
  bytes.writeUInt16LE(lies.disk ?? 0, 4);
  bytes.writeUInt16LE(lies.disk ?? 0, 6);
  bytes.writeUInt16LE(count, 8);
  bytes.writeUInt16LE(count, 10);
  bytes.writeUInt32LE(length, 12);
  bytes.writeUInt32LE(start, 16);
  bytes.writeUInt16LE(lies.commentLength ?? comment.length, 20);
  return Buffer.concat([bytes, comment]);
}

function extra64(...values: number[]): Uint8Array {
  const bytes = Buffer.alloc(4 + 8 * values.length);
  bytes.writeUInt16LE(1, 0);
  bytes.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, at) => bytes.writeBigUInt64LE(BigInt(value), 4 + 8 * at));
  return bytes;
}

function end64(count: number, length: number, start: number): Uint8Array {
  const bytes = Buffer.alloc(56);
  bytes.writeUInt32LE(0x06064b50, 0);
  bytes.writeBigUInt64LE(44n, 4);
  bytes.writeUInt16LE(45, 12);
  bytes.writeUInt16LE(45, 14);
  bytes.writeBigUInt64LE(BigInt(count), 24);
  bytes.writeBigUInt64LE(BigInt(count), 32);
  bytes.writeBigUInt64LE(BigInt(length), 40);
  bytes.writeBigUInt64LE(BigInt(start), 48);
  return bytes;
}

function locator64(after: number): Uint8Array {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt32LE(0x07064b50, 0);
  bytes.writeBigUInt64LE(BigInt(after), 8); // where end64 begins
  bytes.writeUInt32LE(1, 16);
  return bytes;
}

function words(...values: number[]): Uint8Array {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, at) => bytes.writeUInt32LE(value, 4 * at));
  return bytes;
}
