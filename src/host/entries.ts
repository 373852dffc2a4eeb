import { z } from "zod";
import { AppError, isAppError } from "../base/errors.ts";
import { fromUtf8, utf8 } from "../base/bytes.ts";
import { writeDurably } from "../base/durable_file.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";
import { isRecordEntry, type SignedManifest, type SignedRecord } from "../archive/chain.ts";
import { decodeManifest, MANIFEST_LIMIT, nameOf, type Place } from "../archive/manifest.ts";
import { verify } from "../archive/signature.ts";

/** The entries of a chain as files, `00000001.json` and so on: {manifest, signature}. */

/** What is looked for among all entries, without the signature of every one of them being checked. */
export interface Indexed {
  sequence: number;
  /** The file name at a destination, of the archive or of the record. */
  name: string;
  /** Other chains, or other branches of this one, that were seen when the entry was made. */
  beside: readonly Place[];
  /** Whether the entry says who can open archives from then on. */
  recipients: boolean;
  /** Present where it is an entry without an archive; its signature has been checked. */
  record: SignedRecord | undefined;
}

const NAME = /^(\d{8,})\.json$/;

/** Entries read at the same time. */
const AT_ONCE = 32;

/** Sequence numbers of the entries in `folder`, ascending; none where there is no folder. */
export async function sequencesIn(world: World, folder: string): Promise<number[]> {
  let names: string[];
  try {
    names = await world.files.names(folder);
  } catch (error) {
    if (isAppError(error, "not-found")) return [];
    throw error;
  }
  return names.flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number).sort((a, b) => a - b);
}

/** Looks through all entries; one that is damaged is left out, and told by whoever needs it. */
export async function indexEntries(
  world: World,
  folder: string,
  sequences: readonly number[],
): Promise<Indexed[]> {
  const index: Indexed[] = [];
  for (let at = 0; at < sequences.length; at += AT_ONCE) {
    const some = sequences.slice(at, at + AT_ONCE).map((sequence) => lookAt(world, folder, sequence));
    index.push(...(await Promise.all(some)).filter((one) => one !== undefined));
  }
  return index;
}

async function lookAt(world: World, folder: string, sequence: number): Promise<Indexed | undefined> {
  try {
    const stored = await readStored(world, entryPath(folder, sequence));
    const glimpse = glimpsed.safeParse(JSON.parse(stored.manifest));
    if (!glimpse.success) return undefined;
    const { kind, archive, record: name, beside = [], recipients } = glimpse.data;
    if (kind === "archive") {
      if (!archive) return undefined;
      return { sequence, name: archive.name, beside, recipients: true, record: undefined };
    }
    const entry = await readEntry(world, folder, sequence);
    if (name === undefined || !isRecordEntry(entry)) return undefined;
    return { sequence, name, beside, recipients: recipients !== undefined, record: entry };
  } catch (error) {
    if (error instanceof SyntaxError || isAppError(error, "corrupt", "unsupported")) return undefined;
    throw error;
  }
}

const glimpsed = z.object({
  kind: z.string(),
  archive: z.object({ name: z.string() }).optional(),
  record: z.string().optional(),
  recipients: z.array(z.string()).optional(),
  beside: z.array(
    z.object({ chain: z.string(), signer: z.string(), sequence: z.number(), hash: z.string() }),
  ).optional(),
});

/** Checks the signature too: an entry that was damaged here would break the chain for every reader after it. */
export async function readEntry(world: World, folder: string, sequence: number): Promise<SignedManifest> {
  const path = entryPath(folder, sequence);
  const stored = await readStored(world, path);
  const bytes = utf8(stored.manifest);
  try {
    const key = await verify(bytes, stored.signature);
    const manifest = decodeManifest(bytes);
    if (manifest.sequence === sequence && manifest.signer === key.fingerprint) {
      return { manifest, bytes, signature: stored.signature, key };
    }
  } catch (cause) {
    if (isAppError(cause, "corrupt")) throw damaged(path, cause);
    throw cause;
  }
  throw new AppError("corrupt", `${quoted(path)} holds another entry`, { hint: RESTORE });
}

/** Keeps an entry, durably; throws `already-exists` when there is one of this number. */
export async function writeEntry(world: World, folder: string, entry: SignedManifest): Promise<void> {
  const stored = JSON.stringify({
    manifest: fromUtf8(entry.bytes, "the manifest"),
    signature: entry.signature,
  });
  await world.files.makeFolder(folder, 0o700);
  await writeDurably(world, entryPath(folder, entry.manifest.sequence), utf8(stored + "\n"), {
    mode: "new",
    bits: 0o600,
  });
}

/** What an entry is found by. */
export function indexedOf(entry: SignedManifest): Indexed {
  const { manifest } = entry;
  const { sequence, beside = [] } = manifest;
  return {
    sequence,
    name: nameOf(manifest),
    beside,
    recipients: "recipients" in manifest,
    record: isRecordEntry(entry) ? entry : undefined,
  };
}

function entryPath(folder: string, sequence: number): string {
  return `${folder}/${String(sequence).padStart(8, "0")}.json`;
}

const storedEntry = z.object({ manifest: z.string(), signature: z.string() });

function readStored(world: World, path: string): Promise<z.infer<typeof storedEntry>> {
  return readJson(world, path, storedEntry);
}

/** A JSON file of the state; `corrupt` when it is not what was written there. */
export async function readJson<T>(world: World, path: string, schema: z.ZodType<T>): Promise<T> {
  const bytes = await world.files.read(path, 2 * MANIFEST_LIMIT);
  try {
    return schema.parse(JSON.parse(fromUtf8(bytes, "the file")));
  } catch (cause) {
    throw damaged(path, cause);
  }
}

const RESTORE = "restore the state folder from a copy";

function damaged(path: string, cause: unknown): AppError {
  return new AppError("corrupt", `${quoted(path)} is damaged`, { hint: RESTORE, cause });
}
