import { fromUtf8, utf8 } from "../../base/bytes.ts";
import { exists } from "../../base/durable_file.ts";
import { AppError, isAppError } from "../../base/errors.ts";
import { quoted } from "../../base/safe_names.ts";
import type { Lock, World } from "../../base/world.ts";
import { wipe } from "../../host/wipe.ts";
import { firstStranger } from "../backup/strangers.ts";

/**
 * Where a restore writes in clear until all of it is there, beside the folder `DIR` that it is to become:
 *
 *     DIR.partial/.vaultferry-restore         says that vaultferry made this
 *     DIR.partial/.vaultferry-restore.lock    held by the process at work, and free when that was killed
 *     DIR.partial/restored/                   becomes DIR, by one rename
 *
 * A restore needs no config and no state, so this folder has to tell for itself whose it is.
 */
export class PartialFolder {
  /** Where to extract to. */
  readonly root: string;
  readonly #world: World;
  readonly #path: string;
  readonly #lock: Lock;

  private constructor(world: World, path: string, lock: Lock) {
    this.#world = world;
    this.#path = path;
    this.#lock = lock;
    this.root = `${path}/${ROOT}`;
  }

  /** Makes it, with the folders above it; an empty one may stand there. */
  static async make(world: World, to: string): Promise<PartialFolder> {
    const path = partialOf(to);
    await world.files.makeFolder(path, 0o700);
    if (await look(world, path) !== "empty") throw inTheWay(path);
    let lock;
    try {
      lock = await lockOf(world, path);
    } catch (error) {
      await world.files.remove(path).catch(() => {}); // empty, unless it is another's by now
      throw error;
    }
    const made = new PartialFolder(world, path, lock);
    try {
      const marker = await world.files.create(`${path}/${MARKER}`, 0o600);
      try {
        await marker.write(utf8(`${LINE}\n`));
        await marker.sync();
      } finally {
        marker.close();
      }
      await world.files.syncFolder(path);
      await world.files.makeFolder(made.root, 0o700);
      return made;
    } catch (error) {
      await made.discard().catch(() => {}); // nothing is in it yet; the first error is the one to tell
      throw error;
    }
  }

  /** Takes the marks away once the restored folder has left; what is left then holds no secret. */
  async close(): Promise<void> {
    try {
      await remove(this.#world, `${this.#path}/${MARKER}`);
    } finally {
      this.#lock.release();
    }
    await remove(this.#world, `${this.#path}/${LOCK}`);
    await remove(this.#world, this.#path);
  }

  /** Wipes and removes all of it, also when the restore was told to stop. */
  async discard(): Promise<void> {
    try {
      await wipeContents(this.#world, this.#path, new AbortController().signal);
    } finally {
      this.#lock.release();
    }
    await remove(this.#world, `${this.#path}/${LOCK}`);
    await remove(this.#world, this.#path);
  }
}

export const MARKER = ".vaultferry-restore";
const LOCK = `${MARKER}.lock`;
const ROOT = "restored";
const LINE = "vaultferry restore 1: a restore that has not ended; what lies here is in clear";

/** Where a restore to this folder writes first. */
export function partialOf(to: string): string {
  return `${to}.partial`;
}

/** Throws when something stands there that no restore of this user has left. */
export async function checkPartial(world: World, to: string): Promise<void> {
  await look(world, partialOf(to));
}

/**
 * Wipes what a killed restore to this folder left; returns how many files that were, undefined where there was nothing.
 *
 * @throws `locked` when that restore is still at work; `already-exists` when it is not, or not only, what a restore
 * leaves.
 */
export async function clearPartial(
  world: World,
  to: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const path = partialOf(to);
  if (await look(world, path) === "absent") return undefined;
  const lock = await lockOf(world, path);
  let files: number;
  try {
    const stranger = await strangerIn(world, path);
    if (stranger !== undefined) {
      throw new AppError(
        "already-exists",
        `${quoted(path)} holds what no restore has written: ${quoted(stranger)}`,
        {
          hint:
            "an earlier restore was interrupted there, and it may hold secrets in clear: save what is yours, then " +
            '"vaultferry wipe --force" the folder',
        },
      );
    }
    files = await wipeContents(world, path, signal);
  } finally {
    lock.release();
  }
  await remove(world, `${path}/${LOCK}`);
  await remove(world, path);
  return files;
}

/** Whether a restore is writing to this folder, the partial one itself, at this moment. */
export async function isAtWork(world: World, path: string): Promise<boolean> {
  const lock = await world.files.lock(`${path}/${LOCK}`, WAIT_MS);
  lock?.release();
  return lock === undefined;
}

/** The first thing in a partial folder that no restore has written. */
export async function strangerIn(world: World, path: string): Promise<string | undefined> {
  for (const name of (await world.files.names(path)).sort()) {
    if (name === MARKER || name === LOCK) continue;
    const { kind } = await world.files.stat(`${path}/${name}`);
    if (kind !== "directory" || !(name === ROOT || HIDDEN.test(name))) return name;
    const stranger = await firstStranger(world, `${path}/${name}`);
    if (stranger !== undefined) return `${name}/${stranger}`;
  }
  return undefined;
}

/** A folder that was being wiped has lost its name. */
const HIDDEN = /^[0-9a-f]{32}$/;

/** A process that has been killed lets go at once. */
const WAIT_MS = 200;

async function lockOf(world: World, path: string): Promise<Lock> {
  const lock = await world.files.lock(`${path}/${LOCK}`, WAIT_MS);
  if (lock) return lock;
  throw new AppError("locked", `another restore is writing to ${quoted(path)}`, {
    hint: "wait for it to end, or restore to another folder",
  });
}

/** @throws `already-exists` when it is neither empty nor left by a restore of this user. */
async function look(world: World, path: string): Promise<"absent" | "empty" | "left"> {
  const { files } = world;
  if (!await exists(files, path)) return "absent";
  const { kind, uid, mode = 0o700 } = await files.stat(path);
  // In a folder that others may write to, what is wiped could be changed for something else meanwhile.
  if (kind !== "directory" || uid !== world.uid() || (mode & 0o022) !== 0) throw inTheWay(path);
  const names = (await files.names(path)).filter((name) => name !== LOCK);
  if (names.length === 0) return "empty";
  if (!names.includes(MARKER)) throw inTheWay(path);
  const marker = await files.read(`${path}/${MARKER}`, 1024);
  // One who is killed may not come to the end of the line.
  if (!`${LINE}\n`.startsWith(fromUtf8(marker, quoted(path)))) throw inTheWay(path);
  return "left";
}

function inTheWay(path: string): AppError {
  return new AppError(
    "already-exists",
    `${quoted(path)} exists, and it is not certain that a restore left it`,
    {
      hint: "it may hold secrets in clear: look, wipe or remove it, then restore again",
    },
  );
}

/** The marker goes last, so that a wiping that is interrupted can be gone on with; the lock stays. */
async function wipeContents(world: World, path: string, signal: AbortSignal): Promise<number> {
  let files = 0;
  for (const name of await world.files.names(path)) {
    if (name === MARKER || name === LOCK) continue;
    files += (await wipe(world, `${path}/${name}`, signal, { ours: true })).files;
  }
  await remove(world, `${path}/${MARKER}`);
  return files;
}

async function remove({ files }: World, path: string): Promise<void> {
  try {
    await files.remove(path);
  } catch (error) {
    if (!isAppError(error, "not-found")) throw error; // gone already
  }
}
