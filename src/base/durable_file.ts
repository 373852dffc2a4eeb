import { AppError, isAppError } from "./errors.ts";
import { hex } from "./bytes.ts";
import { quoted } from "./safe_names.ts";
import type { World } from "./world.ts";

/**
 * Writes a small file so that after any crash there is the old content or the new one, never half of it:
 * temporary name, sync, then link (`mode: "new"`, which never replaces) or rename (`mode: "replace"`), then the
 * folder is synced.
 *
 * @throws `already-exists` in mode `new` when the name is taken.
 */
export async function writeDurably(
  world: World,
  path: string,
  bytes: Uint8Array,
  options: { mode: "new" | "replace"; bits: number },
): Promise<void> {
  const { files } = world;
  const folder = path.slice(0, path.lastIndexOf("/"));
  const temporary = `${path}.${hex(world.random(4))}.tmp`;
  const file = await files.create(temporary, options.bits);
  try {
    try {
      await file.write(bytes);
      await file.sync();
    } finally {
      file.close();
    }
    if (options.mode === "replace") await files.rename(temporary, path);
    else await publishNew(world, temporary, path);
  } catch (error) {
    await files.remove(temporary).catch(() => {}); // tidying only: the first error is the one that counts
    throw error;
  }
  await files.syncFolder(folder);
}

async function publishNew({ files }: World, temporary: string, path: string): Promise<void> {
  try {
    await files.link(temporary, path);
    await files.remove(temporary);
  } catch (error) {
    if (!isAppError(error, "unsupported")) throw error;
    // A file system without links (exFAT, some network mounts): look, then rename; our callers hold a lock.
    if (await exists(files, path)) {
      throw new AppError("already-exists", `cannot create ${quoted(path)}: it exists already`);
    }
    await files.rename(temporary, path);
  }
}

/** Whether anything (a dangling link too) has this name; other errors than `not-found` are thrown. */
export async function exists(files: World["files"], path: string): Promise<boolean> {
  try {
    await files.stat(path);
    return true;
  } catch (error) {
    if (isAppError(error, "not-found")) return false;
    throw error;
  }
}
