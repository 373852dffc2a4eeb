import { hex } from "../base/bytes.ts";
import { exists } from "../base/durable_file.ts";
import { AppError, toAppError } from "../base/errors.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";
import type { PrivateFolder } from "../source/plugin.ts";
import type { Journal } from "./journal.ts";
import { diskPlace, placesInMemory, placesToSweep } from "./private_places.ts";
import { wipe } from "./wipe.ts";

/** Makes private folders for the sources of a run, and answers for them. */
export interface FolderKeeper {
  make(): Promise<PrivateFolder>;
}

export interface FolderOptions {
  /** Remembers a folder before there is one; whoever may write it may make folders. */
  journal: Journal;
  /** The state folder of this host. */
  state: string;
  warn(message: string): void;
}

/**
 * Folders for what a program can only write to a file, in clear: below `$RUNTIME_DIRECTORY`, `$XDG_RUNTIME_DIR`,
 * /dev/shm or /run where that is memory, else in `private/` of the state folder. Disposing of a folder wipes it,
 * disposing of this wipes all of them, and what a killed run left behind the next one finds in the journal.
 */
export class PrivateFolders implements FolderKeeper, AsyncDisposable {
  readonly #world: World;
  readonly #options: FolderOptions;
  /** How to let go of the folders that there are. */
  readonly #made = new Map<string, () => Promise<void>>();
  #warned = false;
  #closed = false;

  constructor(world: World, options: FolderOptions) {
    this.#world = world;
    this.#options = options;
  }

  /** @throws what kept the last place that was tried from being used. */
  async make(): Promise<PrivateFolder> {
    const { found, passed } = await placesInMemory(this.#world);
    for (const place of found) {
      try {
        return await this.#makeIn(place);
      } catch (error) {
        passed.push(toAppError(error).message);
      }
    }
    const place = diskPlace(this.#options.state);
    await this.#world.files.makeFolder(place, 0o700);
    const folder = await this.#makeIn(await this.#world.files.realPath(place));
    if (!this.#warned) this.#options.warn(onDisk(place, passed));
    this.#warned = true;
    return folder;
  }

  /** Wipes what killed runs left: only what the journal names, and only where it is a folder of ours. */
  async sweep(): Promise<void> {
    const { journal, warn } = this.#options;
    for (const one of journal.unfinished()) {
      if (one.what !== "folder" || this.#made.has(one.path)) continue;
      try {
        const files = await this.#sweepOne(one.path);
        await journal.end(one);
        if (files > 0) {
          warn(`a run was killed and left secrets in clear in ${quoted(one.path)}; they have been wiped`);
        }
      } catch (error) {
        warn(`what a killed run left was not wiped, the next run tries again: ${toAppError(error).message}`);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#made.values()].map((release) => release()));
  }

  async #makeIn(place: string): Promise<PrivateFolder> {
    if (this.#closed) throw new AppError("cancelled", "the run has ended");
    const path = `${place}/${PREFIX}${hex(this.#world.random(16))}`;
    await this.#options.journal.begin({ what: "folder", path });
    let wiping: Promise<void> | undefined;
    const release = () => wiping ??= this.#wipe(path);
    this.#made.set(path, release);
    try {
      await this.#world.files.makeFolder(path, 0o700);
      const { mode = 0o700 } = await lookAtOwn(this.#world, path);
      if ((mode & 0o777) !== 0o700 || (await this.#world.files.names(path)).length > 0) {
        throw new AppError("denied", `${quoted(path)} did not become a folder for this program alone`);
      }
      await tryOut(this.#world, path);
    } catch (error) {
      await release(); // what there is of it, if anything
      throw error;
    }
    return { path, [Symbol.asyncDispose]: release };
  }

  /** Never throws: the run has its own end to tell, and the journal remembers what is left to do. */
  async #wipe(path: string): Promise<void> {
    try {
      await wipeOwn(this.#world, path);
      await this.#options.journal.end({ what: "folder", path });
    } catch (error) {
      const { message } = toAppError(error);
      this.#options.warn(`secrets in clear were not wiped, the next run tries again: ${message}`);
    } finally {
      this.#made.delete(path);
    }
  }

  /** How many files were wiped. */
  async #sweepOne(path: string): Promise<number> {
    const at = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
    const places = await placesToSweep(this.#world, this.#options.state);
    if (NAME.test(path.slice(at + 1)) && places.includes(path.slice(0, at))) {
      return await wipeOwn(this.#world, path);
    }
    if (!await exists(this.#world.files, path)) return 0;
    throw new AppError("denied", `${quoted(path)} is in no place where this run keeps private folders`);
  }
}

const PREFIX = "vaultferry-";
const NAME = /^vaultferry-[0-9a-f]{32}$/;

/** Wiping goes on when the run has been told to stop. */
const NEVER = new AbortController().signal;

/** How many files were wiped: none where it is gone, as after a restart of the machine, or was never made. */
async function wipeOwn(world: World, path: string): Promise<number> {
  if (!await exists(world.files, path)) return 0;
  await lookAtOwn(world, path);
  return (await wipe(world, path, NEVER, { ours: true })).files;
}

/** What has been written there must be read and overwritten, which is not so wherever a folder can be made. */
async function tryOut({ files }: World, folder: string): Promise<void> {
  const path = `${folder}/empty`;
  (await files.create(path, 0o600)).close();
  await files.remove(path);
}

/** @throws `denied` unless it is a real folder, no link, of the user that this process runs as. */
async function lookAtOwn(world: World, path: string) {
  const info = await world.files.stat(path);
  if (info.kind === "directory" && info.uid === world.uid()) return info;
  throw new AppError("denied", `${quoted(path)} is not a folder of the user that this program runs as`);
}

function onDisk(place: string, passed: string[]): string {
  const why = passed.length === 0 ? "this system offers none" : passed.join("; ");
  return `there is no folder in memory for what a source writes in clear (${why}), so it lies in ${
    quoted(place)
  } ` +
    "for a while; it is wiped, but a disk may keep what was deleted from it";
}
