import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
// @ts-types="./yauzl.d.ts"
import yauzl, { type ZipFile } from "yauzl";
import { AppError, throwIfCancelled } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Files } from "../../../src/base/world.ts";
import { EXPORT_AGAIN, sourceError } from "./errors.ts";
import { inflate } from "./inflate.ts";
import { FileReader } from "./random_access.ts";
import { isDeflated, toZipEntry, UNREADABLE, unreadableBecause, type ZipEntry } from "./zip_entry.ts";

/** More than any account has files; a larger directory is meant to fill the memory. */
const MOST_ENTRIES = 100_000;

/** What may follow a zip's directory: its end, or the end in the 64-bit form, or a signature. */
const AFTER_DIRECTORY = new Set([0x06054b50, 0x06064b50, 0x05054b50]);

/**
 * A zip file read at random places. The directory is yauzl's work; what it says is believed only as far as it
 * was seen: each entry's own header, length and CRC-32 are checked while its content streams by.
 */
export class Zip {
  readonly #named = new Map<string, ZipEntry[]>();

  private constructor(
    readonly files: Files,
    readonly path: string,
    readonly zip: ZipFile,
    readonly entries: readonly ZipEntry[],
  ) {
    for (const entry of entries) {
      const same = this.#named.get(entry.name);
      if (same) same.push(entry);
      else this.#named.set(entry.name, [entry]);
    }
  }

  /** Reads the directory. */
  static async open(files: Files, path: string, size: number, signal: AbortSignal): Promise<Zip> {
    const reader = new FileReader(files, path);
    const entries: ZipEntry[] = [];
    try {
      const options = { autoClose: false, decodeStrings: false, validateEntrySizes: false };
      const zip = await yauzl.fromRandomAccessReaderPromise(reader, size, options);
      const directoryStart = zip.readEntryCursor;
      for await (const entry of zip.eachEntry()) {
        throwIfCancelled(signal);
        entries.push(toZipEntry(entry));
        if (entries.length > MOST_ENTRIES) {
          throw sourceError("corrupt", `${quoted(path)} holds more than ${MOST_ENTRIES} files`);
        }
      }
      const after = Buffer.from(await reader.at(zip.readEntryCursor, 4));
      if (after.length < 4 || !AFTER_DIRECTORY.has(after.readUInt32LE())) {
        throw sourceError("corrupt", `${quoted(path)} holds more files than the zip's end says`);
      }
      checkOverlaps(path, entries, directoryStart);
      return new Zip(files, path, zip, entries);
    } catch (error) {
      throw error instanceof AppError ? error : await zipError(error, path, reader);
    }
  }

  /** The entries of exactly this name: none, one, or several where somebody plays tricks. */
  named(name: string): readonly ZipEntry[] {
    return this.#named.get(name) ?? [];
  }

  /**
   * The content of an entry. Sentences do not name it: its name may be private.
   *
   * @throws `corrupt` at once when it cannot be read, and from the stream, behind all bytes that are there, when
   * they are not the ones that the directory promises.
   */
  async read(entry: ZipEntry, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const reason = unreadableBecause(entry);
    if (reason) throw sourceError("corrupt", `it ${UNREADABLE[reason]}`);
    const start = await this.#dataStart(entry);
    return ReadableStream.from(this.#content(entry, start, signal));
  }

  /** Where the data begins, if the header there speaks of the same entry as the directory does. */
  async #dataStart({ directory }: ZipEntry): Promise<number> {
    const header = await this.zip.readLocalFileHeaderPromise(directory).catch((cause) => {
      throw cause instanceof AppError
        ? cause
        : sourceError("corrupt", "its data is not in the zip", { cause });
    });
    const same = header.compressionMethod === directory.compressionMethod &&
      (header.generalPurposeBitFlag & 1) === 0 &&
      Buffer.from(header.fileName).equals(directory.fileNameRaw);
    if (!same) throw sourceError("corrupt", "its own header in the zip speaks of another file");
    return header.fileDataStart;
  }

  async *#content(entry: ZipEntry, start: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { directory, size } = entry;
    const stored = await this.files.stream(this.path, { start, end: start + directory.compressedSize });
    let seen = 0;
    let checksum = 0;
    // Leaving the loop by a throw or a reader's cancel closes the file.
    for await (const bytes of isDeflated(entry) ? inflate(stored) : stored) {
      throwIfCancelled(signal);
      if (seen + bytes.length > size) {
        if (size > seen) yield bytes.subarray(0, size - seen);
        throw sourceError("corrupt", `it holds more than the ${size} bytes that the zip says`);
      }
      seen += bytes.length;
      checksum = crc32(bytes, checksum);
      yield bytes;
    }
    if (seen < size) throw sourceError("corrupt", `it holds ${seen} bytes, the zip says ${size}`);
    if (checksum !== directory.crc32) {
      throw sourceError("corrupt", "its content is damaged: the zip's checksum (CRC-32) does not fit it");
    }
  }
}

/** Entries that share their data make a bomb of any size out of a small zip. */
function checkOverlaps(path: string, entries: readonly ZipEntry[], directoryStart: number): void {
  const places = entries.map(({ directory }) => directory)
    .sort((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader);
  places.forEach((place, at) => {
    const end = place.relativeOffsetOfLocalHeader + 30 + place.fileNameRaw.length + place.compressedSize;
    if (end > (places[at + 1]?.relativeOffsetOfLocalHeader ?? directoryStart)) {
      throw sourceError("corrupt", `${quoted(path)} holds files that lie on top of each other`, {
        hint: "no program makes such a zip by itself: " + EXPORT_AGAIN,
      });
    }
  });
}

/** What yauzl's refusal means. Its own texts are for programmers. */
async function zipError(cause: unknown, path: string, reader: FileReader): Promise<AppError> {
  const text = cause instanceof Error ? cause.message : "";
  if (/strong encryption/.test(text)) {
    return sourceError("unsupported", `${quoted(path)} is an encrypted zip`, {
      cause,
      hint: "1Password never encrypts its exports: unpack it and pack it again without a password",
    });
  }
  if (/multi-disk/.test(text)) {
    return sourceError("unsupported", `${quoted(path)} is one part of a zip in several parts`, { cause });
  }
  if (/End of central directory/.test(text)) {
    const begins = Buffer.from(await reader.at(0, 4)).toString("latin1");
    if (begins !== "PK\u0003\u0004" && begins !== "PK\u0005\u0006") {
      return sourceError("misconfigured", `${quoted(path)} is not a 1PUX export: it is no zip file`, {
        cause,
        hint: '"path:" must name a file that the 1Password app exported, which ends in .1pux',
      });
    }
    return sourceError("corrupt", `${quoted(path)} is cut off: the end of the zip is not there`, {
      cause,
      hint: EXPORT_AGAIN,
    });
  }
  if (/comment length/.test(text)) {
    return sourceError("corrupt", `${quoted(path)} has bytes after the end of its zip`, {
      cause,
      hint: EXPORT_AGAIN,
    });
  }
  return sourceError("corrupt", `the directory of the zip ${quoted(path)} is damaged`, {
    cause,
    hint: EXPORT_AGAIN,
  });
}
