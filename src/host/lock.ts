import { AppError, toAppError } from "../base/errors.ts";
import { fromUtf8, utf8 } from "../base/bytes.ts";
import type { Lock, World } from "../base/world.ts";

/** Long enough for a loaded machine to answer, short enough for a person who waits. */
const WAIT_MS = 1500;

/**
 * Takes the lock of a job; one run at a time may write its chain and journal.
 *
 * @throws `locked` with who holds it.
 */
export async function lockJob(world: World, folder: string, job: string): Promise<Lock> {
  try {
    await world.files.makeFolder(folder, 0o700);
  } catch (error) {
    // "not found" means something else to the caller: an absent archive.
    throw new AppError("unknown", `the state cannot be kept: ${toAppError(error).message}`, {
      hint: 'name a folder that this user may write with "state:" in the config, or $STATE_DIRECTORY',
      cause: error,
    });
  }
  const lock = await world.files.lock(`${folder}/lock`, WAIT_MS);
  const note = `${folder}/lock.holder`;
  if (!lock) {
    throw new AppError("locked", `another run of job "${job}" is at work${await holder(world, note)}`, {
      hint: "wait for it to end; the lock ends with its process, so there is nothing to remove",
    });
  }
  try {
    await world.files.remove(note).catch(() => {}); // absent after a clean end
    const file = await world.files.create(note, 0o600);
    try {
      await file.write(utf8(`process ${world.platform.pid}, since ${world.clock.now().toISOString()}\n`));
    } finally {
      file.close();
    }
  } catch (error) {
    lock.release();
    throw error;
  }
  return lock;
}

/** The note is for the sentence only; the lock itself is the operating system's. */
async function holder(world: World, note: string): Promise<string> {
  try {
    return ` (${fromUtf8(await world.files.read(note, 1024), "the note").trim()})`;
  } catch {
    return "";
  }
}
