import { AppError, throwIfCancelled } from "../base/errors.ts";
import { hex } from "../base/bytes.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";

/** What was wiped. */
export interface Wiped {
  files: number;
  bytes: number;
  /** The file system, where known, if overwriting cannot be relied on there. */
  doubt: string | undefined;
}

/** Overwriting in place does not reach the old blocks there (btrfs and f2fs measured or by design), or it is not ours to know. */
const NEW_BLOCKS = new Set(["btrfs", "zfs", "f2fs", "overlay", "nfs", "cifs", "smb", "fuse"]);

/** Bytes written at once. */
const PIECE = 1024 * 1024;

export interface WipeOptions {
  /**
   * All of it was made by this program or for it: nothing below is spared, for no second name, mode or kind of it, and
   * what cannot be overwritten (a full disk) is removed all the same. The first error is thrown when all is done.
   */
  ours?: boolean;
}

/**
 * Overwrites a file, or every file below a folder, with random bytes, syncs, renames and removes it: the best that a
 * program can do for plaintext that has touched a disk, and no promise (SECURITY.md). Links are removed and never
 * followed.
 *
 * @throws unless it is `ours`, before anything is touched, when something below is neither file, folder nor link, or
 * has another name elsewhere (a hard link), whose content would be destroyed with it.
 */
export async function wipe(
  world: World,
  path: string,
  signal: AbortSignal,
  { ours = false }: WipeOptions = {},
): Promise<Wiped> {
  const found: Found = { files: [], others: [], folders: [] };
  await survey(world, path, found, ours);
  const kind = await world.files.fileSystem(path);
  const wiped: Wiped = {
    files: 0,
    bytes: 0,
    doubt: kind !== undefined && NEW_BLOCKS.has(kind) ? kind : undefined,
  };
  const failures: unknown[] = [];
  const attempt = async (step: () => Promise<unknown>) => {
    try {
      await step();
    } catch (error) {
      if (!ours) throw error;
      failures.push(error);
    }
  };
  for (const file of found.files) {
    throwIfCancelled(signal);
    await attempt(async () => wiped.bytes += await overwrite(world, file, ours));
    await attempt(async () => await world.files.remove(await hideName(world, file)));
    wiped.files++;
  }
  for (const other of found.others) await attempt(() => world.files.remove(other));
  // Deepest first, as they were found from the top.
  for (const folder of found.folders.reverse()) {
    // The outermost of what is ours keeps its name to the end, by which the next run finds it after a crash.
    const keeps = ours && folder === path;
    await attempt(async () => await world.files.remove(keeps ? folder : await hideName(world, folder)));
  }
  if (failures.length > 0) throw failures[0];
  return wiped;
}

interface Found {
  files: string[];
  /** Links; of what is ours also sockets and pipes. */
  others: string[];
  folders: string[];
}

async function survey(world: World, path: string, found: Found, ours: boolean): Promise<void> {
  const { kind, links, mode = 0o700 } = await world.files.stat(path);
  if (kind === "directory") {
    if (ours && (mode & 0o700) !== 0o700) await world.files.chmod(path, 0o700);
    found.folders.push(path);
    for (const name of await world.files.names(path)) await survey(world, `${path}/${name}`, found, ours);
  } else if (kind === "link" || (kind === "other" && ours)) {
    found.others.push(path);
  } else if (kind === "other") {
    throw new AppError("unsupported", `${quoted(path)} is neither file, folder nor link`, {
      hint: "nothing was touched",
    });
  } else {
    if (links !== undefined && links > 1 && !ours) throw secondName(path);
    found.files.push(path);
  }
}

function secondName(path: string): AppError {
  return new AppError(
    "denied",
    `${quoted(path)} has a second name elsewhere: wiping would destroy that file too`,
    { hint: "remove it by hand if that is what you want; nothing was touched" },
  );
}

/** Returns how many bytes it held. */
async function overwrite(world: World, path: string, ours: boolean): Promise<number> {
  const { size, mode = 0o600 } = await world.files.stat(path);
  if (ours && (mode & 0o200) === 0) await world.files.chmod(path, 0o600);
  const file = await world.files.overwrite(path);
  try {
    // Up to the end of the last block: the slack behind a short file belongs to it too.
    for (let left = Math.ceil(size / 4096) * 4096; left > 0; left -= PIECE) {
      await file.write(noise(world, Math.min(PIECE, left)));
    }
    await file.sync();
  } finally {
    file.close();
  }
  return size;
}

/** File names tell things too; a journal keeps the last one. */
async function hideName(world: World, path: string): Promise<string> {
  const at = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1;
  const hidden = `${path.slice(0, at)}${hex(world.random(16))}`;
  await world.files.rename(path, hidden);
  return hidden;
}

/** Random bytes; the platform's source gives at most 64 KiB at once. */
function noise(world: World, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65536) bytes.set(world.random(Math.min(65536, length - at)), at);
  return bytes;
}
