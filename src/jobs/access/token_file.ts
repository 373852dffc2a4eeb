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

/** Keeps the old token as `.previous`, then puts the new one in its place: at any moment the file holds one of both. */
export async function replaceToken(world: World, file: TokenFile, token: Secret): Promise<void> {
  const write = (path: string, bytes: Uint8Array) =>
    writeDurably(world, path, bytes, { mode: "replace", bits: 0o600 });
  await write(previousOf(file), file.old);
  await write(file.path, utf8(`${token.reveal()}\n`));
}
