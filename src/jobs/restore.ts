import { AppError, isAppError, throwIfCancelled, toAppError } from "../base/errors.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";
import type { Contents } from "../archive/contents.ts";
import { checkArchive, type Sealed, visitEntries } from "../archive/read.ts";
import { parseArchiveName } from "../model/archive_name.ts";
import type { Emit } from "../model/events.ts";
import { Extraction } from "./extraction.ts";
import { chooser, type Wanted } from "./restore_choice.ts";

/** What every restore needs to know. */
export interface RestoreOptions {
  world: World;
  emit: Emit;
  signal: AbortSignal;
  /** For events only. */
  job: string;
  /** The ciphertext on this machine. */
  path: string;
  /** The folder to make; it must not exist, or be empty. */
  to: string;
  identities: readonly string[];
  wanted: Wanted;
}

/** What was restored. */
export interface Restored {
  archive: string;
  folder: string;
  vaults: number;
  items: number;
  files: number;
  bytes: number;
  contents: Contents;
}

/**
 * Opens one archive file into a new folder.
 *
 * Two passes: the first reads and checks everything and writes nothing, because age vouches for each piece as it
 * comes and for the whole only at the end; the second extracts to `<to>.partial`, which is renamed when all of it
 * is there. After any failure the folder does not exist.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { world, emit, job, signal } = options;
  const to = options.to.replace(/(?<=.)[/\\]+$/, "");
  await checkTarget(world, to);
  const archive = options.path.slice(
    Math.max(options.path.lastIndexOf("/"), options.path.lastIndexOf("\\")) + 1,
  );
  const sealed: Sealed = {
    open: async () => interruptible(await world.files.stream(options.path), signal),
    compression: parseArchiveName(archive)?.compression ?? (/\.gz\.age$/.test(archive) ? "gzip" : "zstd"),
    identities: options.identities,
  };
  emit({ event: "phase", job, phase: "check" });
  const choice = chooser(options.wanted);
  const checked = await checkArchive(sealed, {
    progress: (bytes) => emit({ event: "progress", job, phase: "check", bytes }),
    ...(choice.look ? { look: choice.look } : {}),
  });
  choice.settle();
  emit({ event: "phase", job, phase: "extract" });
  const partial = `${to}.partial`;
  await makeNewFolder(world, partial);
  try {
    const extraction = new Extraction(world, partial, checked.contents, choice);
    await visitEntries(sealed, checked, (entry) => extraction.take(entry));
    throwIfCancelled(signal);
    await publish(world, partial, to);
    return { archive, folder: to, ...extraction.counts, contents: checked.contents };
  } catch (error) {
    // The first error is the one to tell, whatever becomes of the tidying.
    await world.files.remove(partial, { recursive: true }).catch(() => {});
    throw toAppError(error);
  }
}

/** Throws before any work when the target cannot be made. */
export async function checkTarget({ files }: Pick<World, "files">, to: string): Promise<void> {
  try {
    if ((await files.stat(to)).kind !== "directory") {
      throw new AppError("already-exists", `${quoted(to)} exists and is not a folder`, {
        hint: 'give a folder that does not exist yet to "--to"',
      });
    }
  } catch (error) {
    if (isAppError(error, "not-found")) return;
    throw error;
  }
  if ((await files.names(to)).length > 0) {
    throw new AppError("already-exists", `the folder ${quoted(to)} is not empty`, {
      hint: 'restoring never mixes with what is there: give a folder that does not exist yet to "--to"',
    });
  }
}

async function makeNewFolder({ files }: World, path: string): Promise<void> {
  const slash = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  if (slash > 0) await files.makeFolder(path.slice(0, slash), 0o700);
  try {
    await files.stat(path);
  } catch (error) {
    if (!isAppError(error, "not-found")) throw error;
    return await files.makeFolder(path, 0o700);
  }
  throw new AppError("already-exists", `${quoted(path)} exists: an earlier restore was interrupted there`, {
    hint: "it may hold secrets in clear: remove it, then restore again",
  });
}

/** An empty folder that stood there already makes room; anything else by now is somebody else's. */
async function publish({ files }: World, partial: string, to: string): Promise<void> {
  await checkTarget({ files }, to);
  try {
    await files.remove(to);
  } catch (error) {
    if (!isAppError(error, "not-found")) throw error;
  }
  await files.rename(partial, to);
}

/** Ends the reading of a long file soon after a signal. */
function interruptible(stream: ReadableStream<Uint8Array>, signal: AbortSignal): ReadableStream<Uint8Array> {
  return stream.pipeThrough(
    new TransformStream({
      transform(bytes, controller) {
        throwIfCancelled(signal);
        controller.enqueue(bytes);
      },
    }),
  );
}
