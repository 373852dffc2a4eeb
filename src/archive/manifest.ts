import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { fromUtf8, utf8 } from "../base/bytes.ts";
import { sha256Hex } from "../base/hash.ts";
import { quoted } from "../base/safe_names.ts";
import { JOB_NAME, parseArchiveName } from "../model/archive_name.ts";
import { FORMAT } from "./layout.ts";

/**
 * The public manifest: one signed entry of a host's chain, readable without a key. It names no vault and no item.
 * FORMAT.md describes every property.
 */

/** No genuine manifest comes near this; a larger one is refused unread. */
export const MANIFEST_LIMIT = 1024 * 1024;

const hex64 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();

/** Additional properties are allowed: a later version of this format may add some, never change these. */
const schema = z.object({
  format: z.literal(FORMAT),
  kind: z.literal("archive"),
  tool: z.string().max(100),
  job: z.string().regex(JOB_NAME),
  chain: z.string().regex(/^[0-9a-f]{32}$/),
  signer: z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/),
  sequence: z.number().int().positive(),
  previous: hex64.nullable(),
  time: z.iso.datetime(),
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
  receipts: z.record(z.string(), z.array(z.tuple([count, count]))),
});

export type Manifest = z.infer<typeof schema>;

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
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const where = parsed.error.issues[0]?.path.join(".") ?? "";
    throw new AppError("corrupt", `the manifest is damaged at ${quoted(where)}`, { cause: parsed.error });
  }
  const name = parseArchiveName(parsed.data.archive.name);
  if (!name || name.job !== parsed.data.job) {
    throw new AppError("corrupt", "the manifest names an archive that is not of its job");
  }
  return parsed.data;
}

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
