import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { fromUtf8, utf8 } from "../base/bytes.ts";
import type { Account } from "../model/vault.ts";
import type { Counts, DoorShare } from "../model/counts.ts";
import type { DoorLimit, Shortfall } from "../model/shortfall.ts";
import { FORMAT } from "./layout.ts";
import { checkFormat } from "./manifest.ts";
import type { EntryRecord } from "./write.ts";

/** The inner manifest: what an archive holds and what it lacks. It is the last entry, so its presence proves the end. */
export interface Contents {
  format: typeof FORMAT;
  job: string;
  /** RFC 3339, UTC: the start of the run. */
  time: string;
  tool: string;
  /** The door, by its config type; the main one of several. */
  source: string;
  /** Which of several doors gave how much; the entries tell which gave what. */
  doors?: DoorShare[];
  account?: Account;
  /** Vaults that the door shows and the config leaves out, by id. */
  excludedVaults: string[];
  entries: ListedEntry[];
  counts: Counts;
  doorLimits: DoorLimit[];
  limits: Shortfall[];
  moved: Shortfall[];
  gaps: Shortfall[];
}

/** An entry as the inner manifest lists it. */
export interface ListedEntry extends EntryRecord {
  /** The door that gave it, where the job has several. */
  door?: string;
}

/**
 * The largest inner manifest that is read: so much, and so much more for each entry met before it. The record of an
 * entry or of a shortfall has about 250 bytes.
 */
export const CONTENTS_BASE = 64 * 1024 * 1024;
export const CONTENTS_PER_ENTRY = 2048;

const count = z.number().int().nonnegative();

const shortfall = z.looseObject({
  shortfall: z.enum(["limit", "moved", "gap"]),
  reason: z.string(),
  vaultId: z.string(),
  itemId: z.string().optional(),
  fileId: z.string().optional(),
  detail: z.string(),
});

/** What reading relies on; anything beyond is for people and later versions. */
const schema = z.looseObject({
  format: z.literal(FORMAT),
  job: z.string(),
  time: z.iso.datetime(),
  entries: z.array(z.object({
    path: z.string(),
    size: count,
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    door: z.string().optional(),
  })),
  counts: z.looseObject({ vaults: count, items: count, files: count }),
  doorLimits: z.array(z.looseObject({ reason: z.string(), detail: z.string() })),
  limits: z.array(shortfall),
  moved: z.array(shortfall),
  gaps: z.array(shortfall),
});

export function encodeContents(contents: Contents): Uint8Array<ArrayBuffer> {
  return utf8(JSON.stringify(contents, undefined, 1) + "\n");
}

/** Throws `corrupt` unless `bytes` are an inner manifest of this format. */
export function decodeContents(bytes: Uint8Array): Contents {
  let json: unknown;
  try {
    json = JSON.parse(fromUtf8(bytes, "the inner manifest"));
  } catch (cause) {
    throw new AppError("corrupt", "the inner manifest is not JSON", { cause });
  }
  checkFormat(json, "the inner manifest");
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw new AppError("corrupt", "the inner manifest is damaged", { cause: parsed.error });
  }
  return parsed.data as unknown as Contents;
}
