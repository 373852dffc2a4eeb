import { exists } from "../base/durable_file.ts";
import { toAppError } from "../base/errors.ts";
import type { Lock } from "../base/world.ts";
import { Journal } from "../host/journal.ts";
import { lockJob } from "../host/lock.ts";
import { type FolderKeeper, PrivateFolders } from "../host/private_folder.ts";
import type { PrivateFolder } from "../source/plugin.ts";
import { type JobContext, stateOf } from "./context.ts";
import { removeTemporaries } from "./backup/sweep.ts";

/** The private folders of a run that holds the job's lock and so its journal. */
export function foldersOf(context: JobContext, journal: Journal): PrivateFolders {
  const warn = (message: string) =>
    context.emit({ event: "warning", job: context.job.name, code: "private-folder", message });
  return new PrivateFolders(context.world, { journal, state: context.state, warn });
}

/**
 * Wipes what killed runs, dry ones too, left in clear. The first thing that a backup does: whatever may be wrong with
 * the chain, secrets do not lie about.
 */
export async function sweepFolders(context: JobContext, journal: Journal): Promise<void> {
  await foldersOf(context, journal).sweep();
  try {
    await sweepDryRuns(context);
  } catch (error) {
    const message = `what a killed dry run left was not looked for: ${toAppError(error).message}`;
    context.emit({ event: "warning", job: context.job.name, code: "private-folder", message });
  }
}

async function sweepDryRuns(context: JobContext): Promise<void> {
  const folder = dryRunFolder(context);
  const { files } = context.world;
  if (!await exists(files, journalAt(folder))) return;
  const lock = await files.lock(`${folder}/lock`, 50);
  if (!lock) return; // one is at work
  try {
    await sweepJournal(context, folder);
  } finally {
    lock.release();
  }
}

/**
 * The private folders of a run that writes nothing: not even a journal, unless a source asks for a folder. It has a
 * lock of its own, so that looking never keeps a backup from being made.
 */
export class DryRunFolders implements FolderKeeper, AsyncDisposable {
  readonly #context: JobContext;
  #begun: Promise<{ folders: PrivateFolders; lock: Lock }> | undefined;

  constructor(context: JobContext) {
    this.#context = context;
  }

  async make(): Promise<PrivateFolder> {
    this.#begun ??= this.#begin();
    return await (await this.#begun).folders.make();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What went wrong with the beginning was thrown to whoever asked for a folder.
    const begun = await this.#begun?.catch(() => undefined);
    await begun?.folders[Symbol.asyncDispose]();
    begun?.lock.release();
  }

  async #begin() {
    const folder = dryRunFolder(this.#context);
    const lock = await lockJob(this.#context.world, folder, this.#context.job.name);
    try {
      const journal = await sweepJournal(this.#context, folder);
      return { folders: foldersOf(this.#context, journal), lock };
    } catch (error) {
      lock.release();
      throw error;
    }
  }
}

async function sweepJournal(context: JobContext, folder: string): Promise<Journal> {
  const journal = await Journal.load(context.world, journalAt(folder));
  await foldersOf(context, journal).sweep();
  await journal.compact();
  await removeTemporaries(context.world, folder);
  return journal;
}

/** Where dry runs of the job keep their lock and journal. */
function dryRunFolder(context: JobContext): string {
  return `${stateOf(context)}/dry-run`;
}

function journalAt(folder: string): string {
  return `${folder}/journal.jsonl`;
}
