import { AppError, isAppError } from "../../base/errors.ts";
import { hex } from "../../base/bytes.ts";
import { exists } from "../../base/durable_file.ts";
import { spool, type Spooled } from "../../archive/spool.ts";
import type { Destination } from "../../destination/contract.ts";
import type { JobContext } from "../context.ts";
import type { SignedArchive } from "../../archive/chain.ts";

/** A copy of an archive's ciphertext in the spool, removed when disposed. */
export interface Fetched extends Spooled, AsyncDisposable {}

/**
 * Downloads an archive into a folder of its own in the spool and compares it with its signed manifest.
 *
 * @throws `corrupt` when the destination gives something else.
 */
export async function fetchArchive(
  context: JobContext,
  destination: Destination,
  entry: SignedArchive,
): Promise<Fetched> {
  const { files } = context.world;
  const { name, size, sha256 } = entry.manifest.archive;
  const folder = `${fetchesOf(context)}/${hex(context.world.random(8))}`;
  await files.makeFolder(folder, 0o700);
  // Held while the copy is in use: a later run sweeps only folders whose lock is free.
  const lock = await files.lock(`${folder}/lock`, 1000);
  const dispose = async () => {
    lock?.release();
    await files.remove(folder, { recursive: true });
  };
  try {
    const key = `${context.job.name}/${name}`;
    const stored = await destination.stat(key, context.signal);
    // Looked at first: what is larger than it was signed must not fill this disk.
    if (stored.size !== size) throw damaged(name, destination.name);
    const body = await destination.get(key, { start: 0, end: size }, context.signal);
    const spooled = await spool(
      files,
      folder,
      name,
      body,
      {
        progress: (bytes) =>
          context.emit({ event: "progress", job: context.job.name, phase: "fetch", bytes, totalBytes: size }),
      },
    );
    if (spooled.size !== size || spooled.sha256 !== sha256) {
      throw damaged(name, destination.name);
    }
    return { ...spooled, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function damaged(name: string, destination: string): AppError {
  return new AppError("corrupt", `the copy of "${name}" at "${destination}" is damaged`, {
    hint: 'try another destination with "--from", or an older backup with "--archive"',
  });
}

/** Removes copies that a killed restore left behind. */
export async function removeStaleFetches(context: JobContext): Promise<void> {
  const { files } = context.world;
  if (!await exists(files, fetchesOf(context))) return;
  for (const name of await files.names(fetchesOf(context))) {
    const folder = `${fetchesOf(context)}/${name}`;
    try {
      const lock = await files.lock(`${folder}/lock`, 50);
      if (!lock) continue; // somebody is restoring
      lock.release();
      await files.remove(folder, { recursive: true });
    } catch (error) {
      if (!isAppError(error, "not-found")) throw error; // another run swept it first
    }
  }
}

function fetchesOf(context: JobContext): string {
  return `${context.spool}/${context.job.name}/fetched`;
}
