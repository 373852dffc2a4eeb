/** What the tests of archives share: a key, genuine archives, and archives that nobody of ours would write. */
import { packTar } from "modern-tar";
import { collect, concat, streamOf, utf8 } from "../../src/base/bytes.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { compress } from "../../src/archive/compress.ts";
import { type Contents, encodeContents } from "../../src/archive/contents.ts";
import { FORMAT } from "../../src/archive/layout.ts";
import type { Sealed } from "../../src/archive/read.ts";
import { seal } from "../../src/archive/sealing/seal.ts";
import { ArchiveWriter, type EntryRecord } from "../../src/archive/write.ts";
import { newIdentity } from "../../src/custody/identities.ts";
import type { Compression } from "../../src/model/archive_name.ts";
import { noCounts } from "../../src/model/counts.ts";

export const TIME = new Date("2026-02-03T04:05:06Z");
export const owner = await newIdentity(false);
export const stranger = await newIdentity(false);

/** Paths and bodies, in the order of the archive. */
export type Bodies = readonly (readonly [path: string, body: string | Uint8Array])[];

/** What every archive begins with. */
export const BEGINNING = [["format.json", JSON.stringify({ format: FORMAT })]] as const;

/** `format.json` and two items. */
export const SMALL: Bodies = [
  ...BEGINNING,
  ["vaults/v1/vault.json", '{"id":"v1"}'],
  ["vaults/v1/items/i1.json", '{"id":"i1","title":"Zoë"}'],
  ["vaults/v1/files/i1/f1", bytesOf(3000)],
];

/** Bytes that look random and are always the same. */
export function bytesOf(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed * 2654435761 >>> 0;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

export function bytesIn(body: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return typeof body === "string" ? utf8(body) : Uint8Array.from(body);
}

export function recordOf(path: string, body: string | Uint8Array): EntryRecord {
  const bytes = bytesIn(body);
  return { path, size: bytes.length, sha256: sha256Hex(bytes) };
}

/** The inner manifest of these bodies. */
export function contentsOf(bodies: Bodies, changes: Partial<Contents> = {}): Contents {
  return {
    format: FORMAT,
    job: "acme",
    time: TIME.toISOString(),
    tool: "vaultferry test",
    source: "test",
    excludedVaults: [],
    entries: bodies.map(([path, body]) => recordOf(path, body)),
    counts: noCounts(),
    doorLimits: [],
    limits: [],
    moved: [],
    gaps: [],
    ...changes,
  };
}

/** An archive as vaultferry writes it. */
export async function archiveOf(
  bodies: Bodies,
  compression: Compression = "zstd",
  recipients: readonly string[] = [owner.recipient],
): Promise<Uint8Array<ArrayBuffer>> {
  let kept = new Uint8Array(0);
  const sink = async (stream: ReadableStream<Uint8Array>) => {
    kept = await collect(stream, Infinity, "the archive");
  };
  const writer = new ArchiveWriter({ time: TIME, compression, recipients, sink });
  for (const [path, body] of bodies) await writer.add(path, bytesIn(body));
  await writer.add("manifest.json", encodeContents(contentsOf(bodies)));
  await writer.finish();
  return kept;
}

/** One entry of a tar made by hand. */
export interface RawEntry {
  name: string;
  body?: string | Uint8Array;
  type?: NonNullable<Parameters<typeof packTar>[0][number]["header"]["type"]>;
  linkname?: string;
  pax?: Record<string, string>;
}

/** A tar of whatever is asked for. */
export async function tarOf(entries: readonly RawEntry[]): Promise<Uint8Array<ArrayBuffer>> {
  const packed = await packTar(entries.map(({ body = "", ...header }) => {
    const bytes = bytesIn(body);
    return { header: { mtime: TIME, ...header, size: bytes.length }, body: bytes };
  }));
  return Uint8Array.from(packed);
}

/** Bodies as tar entries, with their inner manifest (or another one) as the last. */
export function withManifest(bodies: Bodies, contents: object = contentsOf(bodies)): RawEntry[] {
  return [
    ...bodies.map(([name, body]) => ({ name, body })),
    { name: "manifest.json", body: JSON.stringify(contents) },
  ];
}

/** Compresses and seals a tar, however wrong it is. */
export async function sealTar(
  tar: Uint8Array,
  compression: Compression = "zstd",
): Promise<Uint8Array<ArrayBuffer>> {
  return await sealBytes(await collect(compress(streamOf(tar), compression), Infinity, "the tar"));
}

export async function sealBytes(plain: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return await collect(
    (await seal(streamOf(plain), [owner.recipient], { by: "library" })).ciphertext,
    Infinity,
    "the archive",
  );
}

/** An archive for a reader, in pieces of `piece` bytes. */
export function sealedOf(bytes: Uint8Array, changes: Partial<Sealed> = {}, piece = 65_536): Sealed {
  return {
    open: () => Promise.resolve(piecesOf(bytes, piece)),
    compression: "zstd",
    identities: [owner.secret.reveal()],
    ...changes,
  };
}

/** A stream of pieces of one length; `onCancel` is told when a reader leaves early. */
export function piecesOf(
  bytes: Uint8Array,
  piece: number,
  onCancel: (reason: unknown) => void = () => {},
): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += piece));
    },
    cancel: onCancel,
  }, { highWaterMark: 0 });
}

export { collect, concat, streamOf, utf8 };
