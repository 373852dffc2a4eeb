import { AppError } from "../base/errors.ts";
import { Sha256, sha256Hex } from "../base/hash.ts";
import { Parts } from "../base/parts.ts";
import type { Compression } from "../model/archive_name.ts";
import { checkPath } from "./layout.ts";
import { seal } from "./sealing/seal.ts";
import { TarPacker } from "./tar/packer.ts";

/** One file inside an archive, as the inner manifest lists it. */
export interface EntryRecord {
  path: string;
  /** Bytes in the tar. */
  size: number;
  /** Of the bytes in the tar. */
  sha256: string;
}

/** What became of a body that was streamed into the archive. */
export interface StreamedEntry extends EntryRecord {
  /** Set when the body was not as long as declared or broke off: what was really there. */
  actual?: { size: number; sha256: string };
  /** Set when the body broke off by itself. */
  broken?: unknown;
}

/**
 * Where the ciphertext goes; rejects when it cannot be kept. `sha256` gives the hash of all of it once it has been
 * read to its end; absent where nobody has hashed it on the way.
 */
export type Sink = (ciphertext: ReadableStream<Uint8Array>, sha256?: () => string) => Promise<void>;

export interface ArchiveOptions {
  /** Of the run; every entry has it. */
  time: Date;
  compression: Compression;
  recipients: readonly string[];
  sink: Sink;
  /** Whether to compress and encrypt on a thread of its own: for sources that are faster than that. */
  thread?: boolean | undefined;
}

/**
 * Writes one archive: entries → tar → compression → age → sink, at the pace of the slowest. Plaintext exists in
 * memory only, a few pieces at a time.
 */
export class ArchiveWriter {
  readonly #tar: TarPacker;
  readonly #done: Promise<void>;
  readonly #entries: EntryRecord[] = [];
  #failure: unknown;

  constructor(options: ArchiveOptions) {
    const { compression, thread } = options;
    this.#tar = new TarPacker(options.time);
    this.#done = seal(this.#tar.readable, options.recipients, { compression, thread })
      .then(({ ciphertext, sha256 }) => options.sink(ciphertext, sha256));
    // Seen again in `finish` or by the next `add`; until then it must not count as unhandled.
    this.#done.catch((error) => {
      this.#failure = error;
      this.#tar.abort(error);
    });
  }

  /** What has been written so far, in order. */
  get entries(): readonly EntryRecord[] {
    return this.#entries;
  }

  /** Adds a file whose bytes are at hand. */
  async add(path: string, bytes: Uint8Array): Promise<void> {
    checkPath(path);
    await this.#guard(async () => {
      await this.#tar.begin(path, bytes.length);
      await this.#tar.write(bytes);
    });
    this.#entries.push({ path, size: bytes.length, sha256: sha256Hex(bytes) });
  }

  /**
   * Adds a file of `size` declared bytes. A tar entry's length stands before its body, so a body that turns out
   * shorter is padded with zeros and a longer one cut; the result tells what was really there.
   */
  async addStream(path: string, size: number, body: ReadableStream<Uint8Array>): Promise<StreamedEntry> {
    checkPath(path);
    const stored = new Sha256();
    // Goes its own way only where the body turns out longer than declared: one hash costs as much as encryption.
    let seen = stored;
    let broken: unknown;
    await this.#guard(async () => {
      const write = async (bytes: Uint8Array) => {
        stored.update(bytes);
        await this.#tar.write(bytes);
      };
      const parts = new Parts(body);
      try {
        await this.#tar.begin(path, size);
        while (true) {
          const next = await parts.next().catch((error) => {
            broken = error ?? new AppError("unknown", "the body broke off");
            return { done: true, value: undefined } as const;
          });
          if (next.done) break;
          const room = size - stored.size;
          if (seen === stored && next.value.length <= room) {
            await write(next.value);
          } else {
            if (seen === stored) seen = stored.fork();
            seen.update(next.value);
            if (room > 0) await write(next.value.subarray(0, room));
          }
        }
      } finally {
        await parts.return().catch(() => {}); // only after a failure of our own side; the body has nothing to add
      }
      if (seen === stored && stored.size < size) seen = stored.fork();
      while (stored.size < size) await write(ZEROS.subarray(0, Math.min(ZEROS.length, size - stored.size)));
    });
    const record: EntryRecord = { path, size, sha256: stored.hex() };
    this.#entries.push(record);
    const actual = seen === stored ? record : { size: seen.size, sha256: seen.hex() };
    const differs = actual.size !== size;
    return {
      ...record,
      ...(differs || broken !== undefined ? { actual: { size: actual.size, sha256: actual.sha256 } } : {}),
      ...(broken === undefined ? {} : { broken }),
    };
  }

  /** Ends the archive; resolves when the sink has kept all of it. */
  async finish(): Promise<void> {
    await this.#guard(() => this.#tar.finish());
    await this.#done;
  }

  /** Gives the archive up; resolves when the sink has let go of it. */
  async abort(reason: unknown): Promise<void> {
    this.#tar.abort(reason);
    await this.#done.catch(() => {}); // it fails with the very reason that was given
  }

  /** A pipeline that has failed reports its own reason, not the closed stream that the caller stumbled over. */
  async #guard(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#tar.abort(error);
      await this.#done.catch(() => {}); // kept in #failure by the constructor
      throw this.#failure ?? error;
    }
  }
}

/** Padding that is written at once. */
const ZEROS = new Uint8Array(64 * 1024);
