// @ts-types="./yauzl.d.ts"
import yauzl, { type Entry } from "yauzl";

/** What a zip's directory says of one entry. */
export interface ZipEntry {
  /** A key for look-up by equality, never a path: `../x` is as good as any other. */
  name: string;
  /** Bytes of its content, as the directory says. */
  size: number;
  directory: Entry;
}

const STORED = 0;
const DEFLATED = 8;

/** Deflate makes at most 1032 bytes of one. */
const DEFLATE_RATIO = 1032;

/** The type bits of a symbolic link, as Unix programs note them. */
const LINK = 0o120000;

export function toZipEntry(directory: Entry): ZipEntry {
  const { generalPurposeBitFlag, fileNameRaw, extraFields, uncompressedSize } = directory;
  return {
    name: yauzl.getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, true),
    size: uncompressedSize,
    directory,
  };
}

export function isDeflated({ directory }: ZipEntry): boolean {
  return directory.compressionMethod === DEFLATED;
}

/** Why an entry cannot be read, as the end of a sentence that begins with it; undefined when it can. */
export function unreadableBecause(entry: ZipEntry): "encrypted" | "packed" | "link" | "size" | undefined {
  const { directory, size } = entry;
  if (directory.isEncrypted()) return "encrypted";
  if (directory.compressionMethod !== STORED && !isDeflated(entry)) return "packed";
  if ((directory.externalFileAttributes >>> 16 & 0o170000) === LINK) return "link";
  const possible = isDeflated(entry) ? directory.compressedSize * DEFLATE_RATIO : directory.compressedSize;
  return size > possible || !Number.isSafeInteger(size) ? "size" : undefined;
}

/** The ends of sentences such as "the file is encrypted". */
export const UNREADABLE = {
  encrypted: "is encrypted",
  packed: "is compressed in a way that 1Password does not use",
  link: "is a link instead of a file",
  size: "is said to hold more than its data can",
} as const;
