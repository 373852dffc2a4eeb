import { AppError, isAppError, throwIfCancelled } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import { guarded, orCancelled, pour } from "../../../src/destination/body.ts";
import type { Resendable } from "../../../src/destination/contract.ts";
import { partialName } from "../../../src/destination/keys.ts";
import { putOnce } from "../../../src/destination/put_once.ts";
import { absent, type Place } from "./place.ts";

/** What {@linkcode publish} needs of its surroundings. */
export interface Surroundings {
  place: Place;
  random(length: number): Uint8Array;
  /** Says that the file system keeps no permissions. */
  openToOthers(why: string): void;
  warn(message: string): void;
}

/**
 * Stores `body` so that its name appears only once every byte is on the disk: hidden file, fsync, link, fsync
 * of the folders. A link never replaces; a rename does, and stands in only where there are no links.
 */
export async function publish(
  parts: readonly string[],
  body: Resendable,
  signal: AbortSignal,
  around: Surroundings,
): Promise<void> {
  const { place } = around;
  const folders = parts.slice(0, -1);
  const name = parts.at(-1)!;
  const folder = await place.makeFolder(folders);
  const final = place.path(parts);
  await place.sweep(folder, folders, name);
  const withdraw = () => place.files.remove(final).catch((late) => around.warn(messageOf(late)));
  const done = await putOnce({
    key: parts.join("/"),
    body,
    signal,
    look: () => lookAt(final, place),
    read: async () => guarded(await place.files.stream(final), final, body.size, signal, (error) => error),
    send: async () => {
      await write(place.path([...folders, partialName(name, around.random(8))]), final);
      // From here on the name is visible: the rest is short and is done even after an abort.
      try {
        await place.sync(folders);
      } catch (error) {
        // What is not known to last is no success, and an error leaves nothing visible.
        await withdraw();
        throw error;
      }
    },
    withdraw,
  });
  // The run that stored it may have ended before this.
  if (done === "present") await place.sync(folders);

  async function write(partial: string, to: string): Promise<void> {
    try {
      await writeFile(partial, parts.join("/"), body, signal, place);
      await keepPrivate(partial, around);
      throwIfCancelled(signal);
      await giveName(partial, to, place);
    } finally {
      await place.files.remove(partial).catch(absent).catch((error) => around.warn(messageOf(error)));
    }
  }
}

/** The file that has the final name; throws `already-exists` when that is no file. */
async function lookAt(final: string, place: Place): Promise<{ size: number } | undefined> {
  const info = await place.look(final);
  if (info === undefined || info.kind === "file") return info;
  throw new AppError("already-exists", `${quoted(final)} exists already and is no regular file`);
}

async function writeFile(path: string, key: string, body: Resendable, signal: AbortSignal, place: Place) {
  const file = await place.files.create(path, 0o600).catch((error) => {
    // Not the name of the archive: that one is judged by whoever gets "already-exists".
    if (!isAppError(error, "already-exists")) throw error;
    throw new AppError("transient", `something else has the name of the unfinished ${quoted(path)}`, {
      cause: error,
    });
  });
  try {
    await pour(key, body, (bytes) => file.write(bytes), signal);
    await orCancelled(file.sync(), signal);
  } finally {
    file.close();
  }
}

/** A umask or a mount option may have had its own idea; file systems without permissions are worth one warning. */
async function keepPrivate(path: string, around: Surroundings): Promise<void> {
  const { files, os } = around.place;
  if (os === "windows") return; // the folder's access list applies
  try {
    await files.chmod(path, 0o600);
    const { mode } = await files.stat(path);
    if (mode !== undefined && (mode & 0o077) !== 0) around.openToOthers("the file system ignores it");
  } catch (error) {
    if (isAppError(error, "not-found")) throw takenAway(path, error);
    around.openToOthers(messageOf(error));
  }
}

/** By a `put` of the same key that sweeps what it takes for a leftover. */
function takenAway(partial: string, cause: unknown): AppError {
  return new AppError("transient", `another run took away the unfinished ${quoted(partial)}`, { cause });
}

/** Gives the written file its name; throws `already-exists` when something else has it. */
async function giveName(partial: string, final: string, place: Place): Promise<void> {
  try {
    await place.files.link(partial, final);
  } catch (error) {
    if (isAppError(error, "not-found")) {
      throw takenAway(partial, error);
    }
    if (!isAppError(error, "unsupported")) throw error;
    if (await place.look(final) !== undefined) {
      throw new AppError("already-exists", `${quoted(final)} exists already`);
    }
    await place.files.rename(partial, final);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
