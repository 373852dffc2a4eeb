import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { fromUtf8, utf8 } from "../base/bytes.ts";
import { sha256Hex } from "../base/hash.ts";
import { quoted } from "../base/safe_names.ts";
import { JOB_NAME, parseArchiveName, parseRecordName } from "../model/archive_name.ts";
import { FORMAT } from "./layout.ts";

/**
 * The public manifest: one signed entry of a host's chain, readable without a key. It names no vault and no item. Most
 * entries are of an archive; the others (records) say what was done with archives and keys. FORMAT.md describes every
 * property.
 */

/** No genuine manifest comes near this; a larger one is refused unread. */
export const MANIFEST_LIMIT = 1024 * 1024;

const hex64 = z.string().regex(/^[0-9a-f]{64}$/);
const chainId = z.string().regex(/^[0-9a-f]{32}$/);
const fingerprint = z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/);
const count = z.number().int().nonnegative();
const position = z.number().int().positive();
const publicKey = z.string().regex(/^ssh-ed25519 [A-Za-z0-9+/]{68}$/);

/** An entry of another chain, by which that chain's state at a moment is named. */
const place = z.object({ chain: chainId, signer: fingerprint, sequence: position, hash: hex64 });

/** What every entry begins with. */
const beginning = {
  tool: z.string().max(100),
  job: z.string().regex(JOB_NAME),
  chain: chainId,
  signer: fingerprint,
  sequence: position,
  previous: hex64.nullable(),
  time: z.iso.datetime(),
};

/** What every entry ends with. */
const ending = {
  receipts: z.record(z.string(), z.array(z.tuple([count, count]))),
  beside: z.array(place).optional(),
};

const archive = z.object({
  format: z.literal(FORMAT),
  kind: z.literal("archive"),
  ...beginning,
  archive: z.object({ name: z.string(), size: count, sha256: hex64 }),
  recipients: z.array(z.string()).min(1),
  outcome: z.enum(["complete", "incomplete", "suspicious"]),
  counts: z.object({
    vaults: count,
    items: count,
    archived: count,
    files: count,
    bytes: count,
    limits: count,
    moved: count,
    gaps: count,
  }),
  ...ending,
});

/** An entry without an archive; `record` is its own file name. */
function recordOf<Kind extends string, Shape extends z.ZodRawShape>(kind: Kind, shape: Shape) {
  return z.object({
    format: z.literal(FORMAT),
    kind: z.literal(kind),
    ...beginning,
    record: z.string(),
    ...shape,
    ...ending,
  });
}

/** Additional properties are allowed: a later version of this format may add some, never change these. */
const schema = z.discriminatedUnion("kind", [
  archive,
  recordOf("prune", {
    destination: z.string().min(1),
    removes: z.array(z.object({ archive: z.string(), reason: z.string() })).min(1),
  }),
  recordOf("accept", { run: z.string() }),
  recordOf("keys-accept", { recipients: z.array(z.string()).min(1) }),
  recordOf("keys-rotate", { newSigner: publicKey }),
  recordOf("keys-trust", { chains: z.array(place), signers: z.array(publicKey) }),
]);

/** Any signed entry of a chain. */
export type Manifest = z.infer<typeof schema>;

/** The entry of an archive. */
export type ArchiveManifest = Extract<Manifest, { kind: "archive" }>;

/** An entry without an archive. */
export type RecordManifest = Exclude<Manifest, { kind: "archive" }>;

/** Where a chain stood at a moment. */
export type Place = z.infer<typeof place>;

/** The bytes that are signed, stored and hashed; they are never made again from a parsed manifest. */
export function encodeManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
  return utf8(JSON.stringify(schema.parse(manifest), undefined, 2) + "\n");
}

/** Throws `corrupt` unless `bytes` are a manifest of this format, `unsupported` for a later format. */
export function decodeManifest(bytes: Uint8Array): Manifest {
  if (bytes.length > MANIFEST_LIMIT) {
    throw new AppError("corrupt", `the manifest is longer than ${MANIFEST_LIMIT} bytes`);
  }
  let json: unknown;
  try {
    json = JSON.parse(fromUtf8(bytes, "the manifest"));
  } catch (cause) {
    throw new AppError("corrupt", "the manifest is not JSON", { cause });
  }
  checkFormat(json, "the manifest");
  checkKind(json);
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const where = parsed.error.issues[0]?.path.join(".") ?? "";
    throw new AppError("corrupt", `the manifest is damaged at ${quoted(where)}`, { cause: parsed.error });
  }
  const manifest = parsed.data;
  const archive = manifest.kind === "archive" ? parseArchiveName(manifest.archive.name) : undefined;
  const record = manifest.kind === "archive" ? undefined : parseRecordName(manifest.record);
  if ((archive ?? record)?.job !== manifest.job) {
    const what = manifest.kind === "archive" ? "an archive" : "a record";
    throw new AppError("corrupt", `the manifest names ${what} that is not of its job`);
  }
  return manifest;
}

/** Whether an entry is that of an archive. */
export function isArchive(manifest: Manifest): manifest is ArchiveManifest {
  return manifest.kind === "archive";
}

/** The file name under which what an entry tells of lies at a destination: the archive's, or the record's own. */
export function nameOf(manifest: Manifest): string {
  return isArchive(manifest) ? manifest.archive.name : manifest.record;
}

/** A later version may know more kinds of entries; that is not damage. */
function checkKind(json: unknown): void {
  const kind = typeof json === "object" && json !== null && "kind" in json ? json.kind : undefined;
  if (typeof kind !== "string" || !/^[a-z]+(-[a-z]+)*$/.test(kind) || KINDS.has(kind)) return;
  throw new AppError("unsupported", `this vaultferry does not know entries of kind "${kind}"`, {
    hint: "use the version of vaultferry that wrote it, or a newer one",
  });
}

const KINDS = new Set<string>(schema.options.map((option) => option.shape.kind.value));

/** Throws `unsupported` when `json` says that it is of another version of the format than this program knows. */
export function checkFormat(json: unknown, what: string): void {
  const format = typeof json === "object" && json !== null && "format" in json ? json.format : undefined;
  if (format === FORMAT) return;
  if (typeof format === "string" && /^vaultferry\/\d+$/.test(format)) {
    throw new AppError("unsupported", `${what} is of format "${format}", this vaultferry knows "${FORMAT}"`, {
      hint: "use the version of vaultferry that wrote it, or a newer one",
    });
  }
  throw new AppError("corrupt", `${what} does not say that it is of format "${FORMAT}"`);
}

/** The hash by which the next entry of a chain names this one. */
export function manifestHash(bytes: Uint8Array): string {
  return sha256Hex(bytes);
}

/** Sequence numbers as closed ranges: 1, 2, 3, 7 → [[1, 3], [7, 7]]. */
export function toRanges(sequences: Iterable<number>): [number, number][] {
  const ranges: [number, number][] = [];
  for (const sequence of [...new Set(sequences)].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && sequence === last[1] + 1) last[1] = sequence;
    else ranges.push([sequence, sequence]);
  }
  return ranges;
}
