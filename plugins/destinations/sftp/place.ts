import { AppError, isAppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import { isPartialOf } from "../../../src/destination/keys.ts";
import { END, FAILURE, statusOf } from "./ssh/refusals.ts";
import { closeQuietly, type Session } from "./ssh/session.ts";
import type { Attributes, FileSystemAttributes, Handle } from "./ssh/ssh2.d.ts";

/** What a path of the server leads to; links are not followed. */
export interface Info {
  kind: "file" | "directory" | "link" | "other";
  /** Bytes. */
  size: number;
  /** Permission bits. */
  mode: number;
  /** When it was last written, in seconds; undefined where the server does not tell. */
  modified: number | undefined;
}

/** The configured folder and what is below it. Links are followed at the folder itself, never below it. */
export class Place {
  /** The root folder is "", so that paths below it begin with one slash. */
  readonly #before: string;

  constructor(readonly root: string) {
    const bare = root.replace(/\/+$/, "");
    this.#before = root.startsWith("/") || bare !== "" ? `${bare}/` : "";
  }

  /** The path of `parts` below the folder. */
  path(parts: readonly string[]): string {
    return parts.length === 0 ? this.root : this.#before + parts.join("/");
  }

  /** What is at `path`, undefined where nothing is. */
  async look(session: Session, path: string, signal: AbortSignal): Promise<Info | undefined> {
    const task = `look at ${quoted(path)}`;
    return infoOf(
      path,
      await session.ask<Attributes>(task, signal, (sftp, done) => sftp.lstat(path, done)).catch(absent),
    );
  }

  /**
   * The path of a folder below the root, undefined where there is none, be it that a file has its name: nothing can be
   * below that. Throws `misconfigured` on what could lead elsewhere, such as a link, and when the root is missing.
   */
  async folder(session: Session, parts: readonly string[], signal: AbortSignal): Promise<string | undefined> {
    const paths = parts.map((_, depth) => this.path(parts.slice(0, depth + 1)));
    // All at once: the way to the server may be long.
    const [, ...infos] = await Promise.all([
      this.#check(session, signal),
      ...paths.map((path) => this.look(session, path, signal)),
    ]);
    for (const [depth, info] of infos.entries()) {
      if (info === undefined || info.kind === "file") return undefined;
      mustBeFolder(paths[depth]!, info);
    }
    return this.path(parts);
  }

  /** Makes the folder and what is missing above it, below the root, for us alone. */
  async makeFolder(session: Session, parts: readonly string[], signal: AbortSignal): Promise<void> {
    if (await this.folder(session, parts, signal) !== undefined) return;
    for (let depth = 1; depth <= parts.length; depth++) {
      const path = this.path(parts.slice(0, depth));
      let info = await this.look(session, path, signal);
      if (info === undefined) {
        const made = session.ask<void>(
          `make the folder ${quoted(path)}`,
          signal,
          (sftp, done) => sftp.mkdir(path, { mode: 0o700 }, done),
        );
        info = await made.then(() => undefined, async (error) => {
          // Another run may have been faster; the status for that is the one for everything.
          const found = await this.look(session, path, signal);
          if (found === undefined) throw await this.explained(session, error, signal);
          return found;
        });
      }
      if (info) mustBeFolder(path, info);
    }
  }

  /** Names in a folder with what they lead to, all of them; undefined where the folder is gone. */
  async entries(
    session: Session,
    path: string,
    signal: AbortSignal,
  ): Promise<{ name: string; info: () => Info }[] | undefined> {
    const task = `list ${quoted(path)}`;
    const handle = await session.ask<Handle>(task, signal, (sftp, done) => sftp.opendir(path, done))
      .catch(absent);
    if (handle === undefined) return undefined;
    const entries: { name: string; info: () => Info }[] = [];
    try {
      for (;;) {
        const more = await session.ask<{ filename: string; attrs: Attributes }[]>(
          task,
          signal,
          (sftp, done) => sftp.readdir(handle, done),
        ).catch((error) => {
          if (statusOf(error) !== END) throw error;
        });
        if (more === undefined) return entries;
        for (const { filename: name, attrs } of more) {
          entries.push({ name, info: () => infoOf(`${path}/${name}`, attrs)! });
        }
      }
    } finally {
      closeQuietly(session, handle);
    }
  }

  /** Removes every unfinished body of `name` in the folder of `parts`. */
  async sweep(session: Session, parts: readonly string[], name: string, signal: AbortSignal): Promise<void> {
    for (const found of await this.entries(session, this.path(parts), signal) ?? []) {
      if (!isPartialOf(name, found.name) || found.info().kind === "directory") continue;
      await this.unlink(session, this.path([...parts, found.name]), signal);
    }
  }

  /** Removes a name that is no folder; an absent one is fine. */
  async unlink(session: Session, path: string, signal: AbortSignal): Promise<void> {
    await session.ask<void>(`remove ${quoted(path)}`, signal, (sftp, done) => sftp.unlink(path, done))
      .catch(async (error) => absent(await this.explained(session, error, signal)));
  }

  /** The error of a request that writes, with what a server's bare "Failure" most likely stands for. */
  async explained(session: Session, error: unknown, signal: AbortSignal): Promise<unknown> {
    if (statusOf(error) !== FAILURE || !isAppError(error)) return error;
    const disk = session.offers("statvfs@openssh.com")
      ? await session.ask<FileSystemAttributes>(
        "look at the disk",
        signal,
        (sftp, done) => sftp.ext_openssh_statvfs(this.root, done),
      ).catch(() => undefined) // the failure itself matters more
      : undefined;
    const of = (code: "quota" | "denied", why: string) => {
      const [task] = error.message.split(": ");
      return new AppError(code, `${task}: ${why}`, { cause: error });
    };
    if (disk && (disk.f_flag & 1) !== 0) return of("denied", "the server's file system is read-only");
    const free = disk ? disk.f_bavail * disk.f_frsize : Infinity;
    if (free < 1024 * 1024) return of("quota", `the server's disk has no space left (${free} bytes)`);
    if (disk && disk.f_files > 0 && disk.f_favail === 0) {
      return of("quota", "the server's disk is full of files");
    }
    return new AppError(error.code, error.message, {
      cause: error.cause,
      hint: "servers say so when a quota is used up, a file is too large, or a name cannot be",
    });
  }

  /** Throws unless the root is there. Never `not-found`: a disk that is not mounted is no absent archive. */
  async #check(session: Session, signal: AbortSignal): Promise<void> {
    const task = `look at ${quoted(this.root)}`;
    const attributes = await session.ask<Attributes>(task, signal, (sftp, done) => sftp.stat(this.root, done))
      .catch(absent);
    const info = infoOf(this.root, attributes);
    if (info) return mustBeFolder(this.root, info);
    throw new AppError("misconfigured", `the folder ${quoted(this.root)} does not exist on the server`, {
      hint: "mount what it is on, or create it there",
    });
  }
}

/** For `catch`: undefined for what is not there; every other error goes on. */
export function absent(error: unknown): undefined {
  if (!isAppError(error, "not-found")) throw error;
}

/** What the server tells of a thing; undefined of nothing. */
export function infoOf(path: string, attributes: Attributes | undefined): Info | undefined {
  if (attributes === undefined) return undefined;
  const { mode, size, mtime } = attributes;
  const kind = mode === undefined ? undefined : KINDS[mode & 0o170000] ?? "other";
  if (kind === undefined || (kind === "file" && size === undefined)) {
    throw new AppError("unsupported", `the server does not tell what ${quoted(path)} is`);
  }
  return { kind, size: size ?? 0, mode: mode! & 0o777, modified: mtime };
}

const KINDS: Readonly<Record<number, Info["kind"]>> = {
  0o100000: "file",
  0o040000: "directory",
  0o120000: "link",
};

function mustBeFolder(path: string, { kind }: Info): void {
  if (kind === "directory") return;
  const what = kind === "link" ? "a link" : kind === "file" ? "a file" : "something else";
  throw new AppError("misconfigured", `${quoted(path)} is ${what}, not a folder`);
}
