import { AppError, isAppError, throwIfCancelled, toAppError } from "../../base/errors.ts";
import { relayed } from "../../base/relay.ts";
import { quoted } from "../../base/safe_names.ts";
import type { World } from "../../base/world.ts";
import type { Contents } from "../../archive/contents.ts";
import { checkArchive, type Sealed, visitEntries } from "../../archive/read.ts";
import { parseArchiveName } from "../../model/archive_name.ts";
import type { Emit } from "../../model/events.ts";
import { Extraction } from "./extraction.ts";
import { checkPartial, clearPartial, PartialFolder, partialOf } from "./partial_folder.ts";
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
 * comes and for the whole only at the end; the second extracts beside `<to>`, into `<to>.partial`, and renames when all
 * of it is there and synced. After any failure the folder does not exist, and what was extracted is wiped; what a
 * killed restore left there is wiped by the next one to the same folder.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { world, emit, job, signal } = options;
  const to = options.to.replace(/(?<=.)[/\\]+$/, "");
  await checkTarget(world, to);
  await clearLeftover(options, to);
  const archive = options.path.slice(
    Math.max(options.path.lastIndexOf("/"), options.path.lastIndexOf("\\")) + 1,
  );
  const sealed: Sealed = {
    open: async () => relayed(await world.files.stream(options.path), { signal }),
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
  const partial = await PartialFolder.make(world, to);
  let counts: Extraction["counts"];
  try {
    await using extraction = new Extraction(world, partial.root, checked.contents, choice);
    await visitEntries(sealed, checked, (entry) => extraction.take(entry));
    await extraction.finish();
    throwIfCancelled(signal);
    await publish(world, partial.root, to);
    counts = extraction.counts;
  } catch (error) {
    // The first error is the one to tell, whatever becomes of the tidying.
    await partial.discard().catch((why) => warn(options, ...leftInClear(to, toAppError(why))));
    throw toAppError(error);
  }
  await settle(options, partial, to);
  return { archive, folder: to, ...counts, contents: checked.contents };
}

/** Throws before any work when the target cannot be made. */
export async function checkTarget(world: World, path: string): Promise<void> {
  const to = path.replace(/(?<=.)[/\\]+$/, "");
  await checkEmpty(world, to);
  await checkPartial(world, to);
}

async function checkEmpty({ files }: World, to: string): Promise<void> {
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

/** A killed restore could not tidy up after itself. */
async function clearLeftover(options: RestoreOptions, to: string): Promise<void> {
  const files = await clearPartial(options.world, to, options.signal);
  if (!files) return;
  warn(
    options,
    `an earlier restore to ${quoted(to)} was interrupted: what it left in clear has been wiped`,
    `"vaultferry wipe --help" tells where wiping cannot help`,
  );
}

/** An empty folder that stood there already makes room; anything else by now is somebody else's. */
async function publish(world: World, root: string, to: string): Promise<void> {
  await checkEmpty(world, to);
  try {
    await world.files.remove(to);
  } catch (error) {
    if (!isAppError(error, "not-found")) throw error;
  }
  await world.files.rename(root, to);
}

/** What remains when the restored folder stands: no failure here takes it away again. */
async function settle(options: RestoreOptions, partial: PartialFolder, to: string): Promise<void> {
  const slash = Math.max(to.lastIndexOf("/"), to.lastIndexOf("\\"));
  try {
    await options.world.files.syncFolder(slash < 0 ? "." : to.slice(0, slash + 1));
  } catch (error) {
    warn(options, `a power failure in the next minute may undo the restore: ${toAppError(error).message}`);
  }
  try {
    await partial.close();
  } catch (error) {
    warn(options, `the empty folder ${quoted(partialOf(to))} stays: ${toAppError(error).message}`);
  }
}

function leftInClear(to: string, { message }: AppError): [string, string] {
  return [
    `what was restored so far lies in clear in ${quoted(partialOf(to))}: ${message}`,
    'remove it, or restore to the same folder again, which wipes it: see "vaultferry wipe --help"',
  ];
}

function warn({ emit, job }: RestoreOptions, message: string, hint?: string): void {
  emit({ event: "warning", job, code: "leftover", message, ...(hint === undefined ? {} : { hint }) });
}
