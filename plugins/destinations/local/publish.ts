import { AppError, isAppError, throwIfCancelled } from "../../../src/base/errors.ts";
import { digestOf } from "../../../src/base/hash.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Resendable } from "../../../src/destination/contract.ts";
import { guarded, orCancelled, pour } from "./body.ts";
import { partialName } from "./keys.ts";
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
  if (await place.look(final) !== undefined) {
    await mustHoldBody(final, body, signal, place);
    // The run that stored it may have ended before this.
    await place.sync(folders);
    return;
  }
  const partial = place.path([...folders, partialName(name, around.random(8))]);
  let made: boolean;
  try {
    await write(partial, parts.join("/"), body, signal, place);
    await keepPrivate(partial, around);
    throwIfCancelled(signal);
    made = await giveName(partial, final, body, signal, place);
  } finally {
    await place.files.remove(partial).catch(absent).catch((error) => around.warn(messageOf(error)));
  }
  // From here on the name is visible: the rest is short and is done even after an abort.
  try {
    await place.sync(folders);
    const { kind, size } = await place.files.stat(final);
    if (kind !== "file" || size !== body.size) {
      throw new AppError("corrupt", `${quoted(final)} holds ${size} bytes instead of ${body.size}`);
    }
  } catch (error) {
    // What is not known to last is no success, and an error leaves nothing visible.
    if (made) await place.files.remove(final).catch((late) => around.warn(messageOf(late)));
    throw error;
  }
}

async function write(path: string, key: string, body: Resendable, signal: AbortSignal, place: Place) {
  const file = await place.files.create(path, 0o600);
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
    around.openToOthers(messageOf(error));
  }
}

/** Gives the written file its name; false when another `put` of the same bytes was first. */
async function giveName(
  partial: string,
  final: string,
  body: Resendable,
  signal: AbortSignal,
  place: Place,
): Promise<boolean> {
  try {
    await place.files.link(partial, final);
    return true;
  } catch (error) {
    if (isAppError(error, "not-found")) {
      throw new AppError("transient", `another run took away the unfinished ${quoted(partial)}`, {
        cause: error,
      });
    }
    if (!isAppError(error, "unsupported", "already-exists")) throw error;
    if (error.code === "unsupported" && await place.look(final) === undefined) {
      await place.files.rename(partial, final);
      return true;
    }
    await mustHoldBody(final, body, signal, place);
    return false;
  }
}

/** Returns when the file holds exactly `body`; throws `already-exists` when it holds anything else or is no file. */
async function mustHoldBody(
  path: string,
  body: Resendable,
  signal: AbortSignal,
  place: Place,
): Promise<void> {
  const { kind, size } = await place.files.stat(path);
  if (kind === "file" && size === body.size) {
    const stream = guarded(await place.files.stream(path), path, size, signal, (error) => error);
    if ((await digestOf(stream)).sha256 === body.sha256) return;
  }
  throw new AppError(
    "already-exists",
    kind === "file"
      ? `${quoted(path)} exists already with other content`
      : `${quoted(path)} exists already and is no regular file`,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
