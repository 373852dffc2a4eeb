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

/**
 * Overwrites a file, or every file below a folder, with random bytes, syncs, renames and removes it: the best that a
 * program can do for plaintext that has touched a disk, and no promise (SECURITY.md). Links are removed and never
 * followed.
 *
 * @throws before anything is touched when something below is neither file, folder nor link, or has another name
 * elsewhere (a hard link), whose content would be destroyed with it.
 */
export async function wipe(world: World, path: string, signal: AbortSignal): Promise<Wiped> {
  const found = await survey(world, path);
  const kind = await world.files.fileSystem(path);
  const wiped: Wiped = {
    files: 0,
    bytes: 0,
    doubt: kind !== undefined && NEW_BLOCKS.has(kind) ? kind : undefined,
  };
  for (const file of found.files) {
    throwIfCancelled(signal);
    wiped.bytes += await wipeFile(world, file);
    wiped.files++;
  }
  for (const link of found.links) await world.files.remove(link);
  // Deepest first, as they were found from the top.
  for (const folder of found.folders.reverse()) await world.files.remove(await hideName(world, folder));
  return wiped;
}

interface Found {
  files: string[];
  links: string[];
  folders: string[];
}

async function survey(
  world: World,
  path: string,
  found: Found = { files: [], links: [], folders: [] },
): Promise<Found> {
  const { kind, links } = await world.files.stat(path);
  if (kind === "file") {
    if (links !== undefined && links > 1) {
      throw new AppError(
        "denied",
        `${quoted(path)} has a second name elsewhere: wiping would destroy that file too`,
        {
          hint: "remove it by hand if that is what you want; nothing was touched",
        },
      );
    }
    found.files.push(path);
  } else if (kind === "link") {
    found.links.push(path);
  } else if (kind === "directory") {
    found.folders.push(path);
    for (const name of await world.files.names(path)) await survey(world, `${path}/${name}`, found);
  } else {
    throw new AppError("unsupported", `${quoted(path)} is neither file, folder nor link`, {
      hint: "nothing was touched",
    });
  }
  return found;
}

async function wipeFile(world: World, path: string): Promise<number> {
  const { size } = await world.files.stat(path);
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
  await world.files.remove(await hideName(world, path));
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
