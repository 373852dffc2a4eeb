import { z } from "zod";
import { fromUtf8, utf8 } from "../base/bytes.ts";
import { writeDurably } from "../base/durable_file.ts";
import { AppError, isAppError } from "../base/errors.ts";
import { sha256Hex } from "../base/hash.ts";
import { quoted } from "../base/safe_names.ts";
import type { Secret } from "../base/secret.ts";
import type { World } from "../base/world.ts";

/** What is remembered of a token that `sync-access` made: nothing of it can sign in. `<state>/<job>/token.json` */
const record = z.object({
  /** The service account's name at 1Password. */
  name: z.string(),
  /** RFC 3339, UTC. */
  createdAt: z.iso.datetime(),
  /** When the token ends; absent where it does not. */
  expiresAt: z.iso.datetime().optional(),
  /** SHA-256 of the token, to know whether the one in use is still this one. */
  sha256: z.string(),
});

export type TokenRecord = z.infer<typeof record>;

const LIMIT = 64 * 1024;

/** The record in a job's state folder; undefined where there is none. */
export async function readTokenRecord(world: World, folder: string): Promise<TokenRecord | undefined> {
  const path = pathIn(folder);
  let bytes;
  try {
    bytes = await world.files.read(path, LIMIT);
  } catch (error) {
    if (isAppError(error, "not-found")) return undefined;
    throw error;
  }
  try {
    return record.parse(JSON.parse(fromUtf8(bytes, "the record")));
  } catch (cause) {
    throw new AppError("corrupt", `${quoted(path)} is damaged`, {
      hint: "remove it: it only tells when a token ends",
      cause,
    });
  }
}

export async function writeTokenRecord(world: World, folder: string, kept: TokenRecord): Promise<void> {
  await world.files.makeFolder(folder, 0o700);
  // Nothing in it is secret, and where root has replaced the token the backup's own user must read it.
  await writeDurably(world, pathIn(folder), utf8(JSON.stringify(kept) + "\n"), {
    mode: "replace",
    bits: 0o644,
  });
}

/** How a record knows its token. */
export function tokenFingerprint(token: Secret): string {
  return sha256Hex(utf8(token.reveal()));
}

function pathIn(folder: string): string {
  return `${folder}/token.json`;
}
