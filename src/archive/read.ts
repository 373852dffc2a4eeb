import { AppError } from "../base/errors.ts";
import { collect, fromUtf8, streamFrom } from "../base/bytes.ts";
import { Sha256, sha256Hex } from "../base/hash.ts";
import { quoted } from "../base/safe_names.ts";
import type { Compression } from "../model/archive_name.ts";
import { decompress } from "./compress.ts";
import { type Contents, CONTENTS_BASE, CONTENTS_PER_ENTRY, decodeContents } from "./contents.ts";
import { checkPath, layout } from "./layout.ts";
import { checkFormat } from "./manifest.ts";
import { unseal } from "./sealing/seal.ts";
import { type TarEntry, unpackTar } from "./tar/unpack.ts";
import type { EntryRecord } from "./write.ts";

/** An archive that can be read from its start as often as needed, and what opens it. */
export interface Sealed {
  /** The ciphertext. */
  open(): Promise<ReadableStream<Uint8Array>>;
  compression: Compression;
  identities: readonly string[];
}

/** What a whole pass through an archive found. */
export interface Checked {
  contents: Contents;
  /** Every entry but the inner manifest, by path. */
  entries: ReadonlyMap<string, EntryRecord>;
  /** The inner manifest itself. */
  manifest: EntryRecord;
}

/** What else may be done during a check. */
export interface CheckOptions {
  /** Told the bytes of contents read so far. */
  progress?: (bytes: number) => void;
  /** Shown every vault and item, for finding one by its title. */
  look?: (path: string, json: unknown) => void;
}

/** 1Password's items are far smaller. */
const JSON_LIMIT = 64 * 1024 * 1024;

/**
 * Reads a whole archive, writes nothing, and checks all of it against its inner manifest: nothing may be
 * released before this has succeeded.
 *
 * @throws `wrong-identity`, `corrupt`, `unsupported` (a later format).
 */
export async function checkArchive(sealed: Sealed, options: CheckOptions = {}): Promise<Checked> {
  const found: EntryRecord[] = [];
  let contents: Contents | undefined;
  let own: EntryRecord | undefined;
  let bytes = 0;
  for await (const entry of entriesOf(sealed)) {
    if (contents) throw new AppError("corrupt", "the archive goes on after its inner manifest");
    if (found.length === 0 && entry.path !== layout.format) {
      throw new AppError("corrupt", `the archive does not begin with ${quoted(layout.format)}`);
    }
    if (entry.path === layout.manifest) {
      const limit = CONTENTS_BASE + found.length * CONTENTS_PER_ENTRY;
      const body = await collect(entry.body, limit, "the inner manifest");
      contents = decodeContents(body);
      own = record(entry, body);
      continue;
    }
    if (entry.path === layout.format) {
      const body = await collect(entry.body, 64 * 1024, layout.format);
      checkFormat(parse(body, layout.format), "the archive");
      found.push(record(entry, body));
      continue;
    }
    if (options.look && entry.path.endsWith(".json")) {
      const body = await collect(entry.body, JSON_LIMIT, quoted(entry.path));
      options.look(entry.path, parse(body, entry.path));
      found.push(record(entry, body));
      continue;
    }
    const hash = new Sha256();
    for await (const piece of entry.body) {
      hash.update(piece);
      options.progress?.(bytes += piece.length);
    }
    found.push({ path: entry.path, size: hash.size, sha256: hash.hex() });
  }
  if (!contents) throw new AppError("corrupt", "the archive ends before its inner manifest");
  return { contents, entries: compare(found, contents.entries), manifest: own! };
}

/**
 * Calls `visit` for every entry, in order. `visit` must read or cancel the body. Used after
 * {@linkcode checkArchive}; each body is checked again, because the file may have changed since.
 */
export async function visitEntries(
  sealed: Sealed,
  checked: Checked,
  visit: (entry: TarEntry) => Promise<void>,
): Promise<void> {
  const expectations = new Map(checked.entries).set(layout.manifest, checked.manifest);
  const left = new Set(expectations.keys());
  for await (const entry of entriesOf(sealed)) {
    const expected = expectations.get(entry.path);
    if (!expected || !left.delete(entry.path)) throw changed(entry.path);
    await visit({ ...entry, body: guarded(entry, expected) });
  }
  const [missing] = left;
  if (missing !== undefined) throw changed(missing);
}

async function* entriesOf(sealed: Sealed): AsyncGenerator<TarEntry> {
  const ciphertext = (await sealed.open()).getReader();
  try {
    const plain = await unseal(streamFrom(ciphertext), sealed.identities);
    const seen = new Set<string>();
    for await (const entry of unpackTar(decompress(plain, sealed.compression))) {
      checkPath(entry.path);
      const key = entry.path.toLowerCase(); // two names that differ in case only would overwrite each other on Windows
      if (seen.has(key)) throw new AppError("corrupt", `the archive holds ${quoted(entry.path)} twice`);
      seen.add(key);
      yield entry;
    }
  } finally {
    // The transforms let go of it by and by, or not at all; the file must be closed when its reader has left.
    await ciphertext.cancel().catch(() => {}); // a stream that has failed says again what is being thrown already
  }
}

function compare(found: EntryRecord[], promised: EntryRecord[]): Map<string, EntryRecord> {
  const byPath = new Map(promised.map((entry) => [entry.path, entry]));
  for (const entry of found) {
    const expected = byPath.get(entry.path);
    if (!expected) throw new AppError("corrupt", `${quoted(entry.path)} is not in the inner manifest`);
    if (expected.size !== entry.size || expected.sha256 !== entry.sha256) {
      throw new AppError("corrupt", `${quoted(entry.path)} is not what the inner manifest says`);
    }
  }
  if (found.length !== promised.length) {
    const paths = new Set(found.map((entry) => entry.path));
    const missing = promised.find((entry) => !paths.has(entry.path));
    throw new AppError("corrupt", `${quoted(missing?.path ?? "an entry")} is missing from the archive`);
  }
  return byPath;
}

function guarded(entry: TarEntry, expected: EntryRecord): ReadableStream<Uint8Array> {
  const hash = new Sha256();
  return entry.body.pipeThrough(
    new TransformStream({
      transform(piece, controller) {
        hash.update(piece);
        controller.enqueue(piece);
      },
      flush() {
        if (hash.size !== expected.size || hash.hex() !== expected.sha256) throw changed(entry.path);
      },
    }),
  );
}

function record(entry: TarEntry, bytes: Uint8Array): EntryRecord {
  return { path: entry.path, size: bytes.length, sha256: sha256Hex(bytes) };
}

function parse(bytes: Uint8Array, path: string): unknown {
  const text = fromUtf8(bytes, quoted(path));
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError("corrupt", `${quoted(path)} is not JSON`, { cause });
  }
}

function changed(path: string): AppError {
  return new AppError("corrupt", `the archive changed while it was read, at ${quoted(path)}`);
}
