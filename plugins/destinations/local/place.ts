import { AppError, isAppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { FileInfo, Files, Platform } from "../../../src/base/world.ts";
import { isPartialOf } from "../../../src/destination/keys.ts";

/** The configured folder and the paths below it. Links are followed at the folder itself, never below it. */
export class Place {
  constructor(readonly root: string, readonly files: Files, readonly os: Platform["os"]) {}

  /**
   * Throws unless the folder is there. Always `misconfigured`, never `not-found`: a disk that is not mounted
   * must not read as "that archive is absent", nor become a new folder on the system disk.
   */
  async check(): Promise<void> {
    const ours = this.os === "windows" ? /^([A-Za-z]:|[\\/]{2})/ : /^\//;
    if (!ours.test(this.root)) {
      throw new AppError("misconfigured", `${quoted(this.root)} is no absolute path on this system`);
    }
    let info = await this.look(this.root);
    if (info?.kind === "link") {
      const target = await this.files.realPath(this.root).catch(absent);
      info = target === undefined ? undefined : await this.look(target);
    }
    if (info === undefined) {
      throw new AppError("misconfigured", `the folder ${quoted(this.root)} does not exist`, {
        hint: this.os === "windows"
          ? `connect the drive it is on, or create it: mkdir "${this.root}"`
          : `mount what it is on, or create it: mkdir -p '${this.root.replaceAll("'", "'\\''")}'`,
      });
    }
    this.#mustBeFolder(this.root, info);
  }

  /** The path of `parts` below the folder. */
  path(parts: readonly string[]): string {
    const slash = this.os === "windows" ? "\\" : "/";
    let path = this.root;
    for (const part of parts) path += (/[/]$/.test(path) || path.endsWith(slash) ? "" : slash) + part;
    return path;
  }

  /** What is at `path`, undefined where nothing is. */
  async look(path: string): Promise<FileInfo | undefined> {
    return await this.files.stat(path).catch(absent);
  }

  /**
   * The path of a folder below the root, undefined where there is none, be it that a file has its name: nothing can be
   * below that. Throws on what could lead elsewhere, such as a link.
   */
  async folder(parts: readonly string[]): Promise<string | undefined> {
    await this.check();
    for (let depth = 1; depth <= parts.length; depth++) {
      const path = this.path(parts.slice(0, depth));
      const info = await this.look(path);
      if (info === undefined || info.kind === "file") return undefined;
      this.#mustBeFolder(path, info);
    }
    return this.path(parts);
  }

  /** Makes the folder and what is missing above it, below the root; throws when something else has its name. */
  async makeFolder(parts: readonly string[]): Promise<string> {
    const found = await this.folder(parts);
    if (found !== undefined) return found;
    for (let depth = 1; depth <= parts.length; depth++) {
      const path = this.path(parts.slice(0, depth));
      const info = await this.look(path);
      if (info !== undefined) this.#mustBeFolder(path, info);
    }
    await this.files.makeFolder(this.path(parts), 0o700);
    return this.path(parts);
  }

  /**
   * Makes the names in a folder durable, and those of the folders up to the root: a run that was killed may
   * have made one of them without coming this far.
   */
  async sync(parts: readonly string[]): Promise<void> {
    await this.files.syncFolder(this.path(parts));
    for (let depth = parts.length - 1; depth >= 0; depth--) {
      // The owner of a shared folder may let us pass through without letting us read it.
      await this.files.syncFolder(this.path(parts.slice(0, depth))).catch((error) => {
        if (!isAppError(error, "denied")) throw error;
      });
    }
  }

  /** Removes every unfinished body of `name` in `folder`. */
  async sweep(folder: string, parts: readonly string[], name: string): Promise<void> {
    for (const found of await this.files.names(folder)) {
      if (!isPartialOf(name, found)) continue;
      const path = this.path([...parts, found]);
      if ((await this.look(path))?.kind !== "directory") await this.files.remove(path).catch(absent);
    }
  }

  #mustBeFolder(path: string, info: FileInfo): void {
    if (info.kind === "directory") return;
    const what = info.kind === "link" ? "a link" : info.kind === "file" ? "a file" : "something else";
    throw new AppError("misconfigured", `${quoted(path)} is ${what}, not a folder`);
  }
}

/** For `catch`: undefined for what is not there; every other error goes on. */
export function absent(error: unknown): undefined {
  if (!isAppError(error, "not-found")) throw error;
}
