import { utf8 } from "../../base/bytes.ts";
import { writeDurably } from "../../base/durable_file.ts";
import { AppError, isAppError } from "../../base/errors.ts";
import { quoted } from "../../base/safe_names.ts";
import type { Secret } from "../../base/secret.ts";
import type { World } from "../../base/world.ts";

/** A token's file as it is: where, and what is in it. */
export interface TokenFile {
  /** The file itself, where the given path is a link to it. */
  path: string;
  old: Uint8Array;
}

/** Nobody's token is longer. */
const LIMIT = 64 * 1024;

/**
 * Looks at the file in which a token is to be replaced, so that whatever would keep it from being replaced is known
 * before there is a new one.
 *
 * @throws `misconfigured`
 */
export async function findTokenFile({ files, uid }: World, given: string): Promise<TokenFile> {
  try {
    const path = await files.realPath(given);
    const { kind, uid: owner } = await files.stat(path);
    if (kind !== "file") throw new AppError("misconfigured", `${quoted(given)} is no regular file`);
    // A new file would be ours, and the backup could not read it.
    if (owner !== undefined && owner !== uid()) {
      throw new AppError("misconfigured", `the token file ${quoted(given)} belongs to another user`, {
        hint: `run sync-access as the user whom it belongs to (number ${owner})`,
      });
    }
    return { path, old: await files.read(path, LIMIT) };
  } catch (error) {
    if (!isAppError(error, "not-found", "denied", "corrupt")) throw error;
    throw new AppError("misconfigured", `the token file cannot be replaced: ${error.message}`, {
      cause: error,
    });
  }
}

/** Where the old token stays. */
export function previousOf({ path }: TokenFile): string {
  return `${path}.previous`;
}

/** Keeps the old token as `.previous`; throws where files cannot be made beside it. */
export async function keepPrevious(world: World, file: TokenFile): Promise<void> {
  await removeTemporaries(world, file);
  await writeDurably(world, previousOf(file), file.old, BITS);
}

/** Puts the new token in the old one's place: at any moment the file holds one of both. */
export async function replaceToken(world: World, file: TokenFile, token: Secret): Promise<void> {
  await writeDurably(world, file.path, utf8(`${token.reveal()}\n`), BITS);
}

const BITS = { mode: "replace", bits: 0o600 } as const;

/** What a killed run may have left holds a token. */
async function removeTemporaries({ files }: World, { path }: TokenFile): Promise<void> {
  const folder = path.slice(0, path.lastIndexOf("/")), name = path.slice(folder.length + 1);
  for (const other of await files.names(folder)) {
    const rest = other.startsWith(name) ? other.slice(name.length) : "";
    if (/^(\.previous)?\.[0-9a-f]{8}\.tmp$/.test(rest)) await files.remove(`${folder}/${other}`);
  }
}
