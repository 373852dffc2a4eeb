import { AppError, isAppError, throwIfCancelled } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Resendable } from "../../../src/destination/contract.ts";
import { partialName } from "../../../src/destination/keys.ts";
import { putOnce } from "../../../src/destination/put_once.ts";
import { Grace } from "./grace.ts";
import type { Place } from "./place.ts";
import type { Connection } from "./ssh/connection.ts";
import { closeQuietly, type Session } from "./ssh/session.ts";
import type { Handle } from "./ssh/ssh2.d.ts";
import { createFile, fill } from "./upload.ts";

/** What {@linkcode Publisher} needs of its surroundings. */
export interface Surroundings {
  place: Place;
  connection: Connection;
  random(length: number): Uint8Array;
  /** All of what is stored under a key. */
  read(key: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Says that other users of the server may read what is stored. */
  openToOthers(): void;
}

/**
 * Stores bodies so that a name appears only once every byte is there: hidden file, fsync, link. A link never replaces;
 * where the server has none, its rename stands in after a look (that of OpenSSH does not replace either).
 */
export class Publisher {
  /** Hidden files that could not be removed when their `put` failed, because the connection was lost with it. */
  readonly #left = new Set<string>();

  constructor(readonly around: Surroundings) {}

  async put(parts: readonly string[], body: Resendable, signal: AbortSignal): Promise<void> {
    const { place, connection, read } = this.around;
    const key = parts.join("/"), folders = parts.slice(0, -1), final = place.path(parts);
    await place.makeFolder(await connection.session(signal), folders, signal);
    await this.#clear(signal);
    using grace = new Grace(signal);
    let published = false;
    const done = await putOnce({
      ...{ key, body, signal },
      look: async () => {
        // What has its name is looked at even after an abort: the rest is short.
        const until = published ? grace.signal : signal;
        return lookAt(await connection.session(until), final, place, until);
      },
      read: () => read(key, signal),
      send: async () => {
        await this.#send(await connection.session(signal), parts, body, signal, grace.signal);
        published = true;
      },
      withdraw: async () => place.unlink(await connection.session(grace.signal), final, grace.signal),
    });
    // The one that stored it may have been cut off before it could remove the hidden name.
    if (done === "present") {
      await place.sweep(await connection.session(signal), folders, parts.at(-1)!, signal);
    }
  }

  async #send(
    session: Session,
    parts: readonly string[],
    body: Resendable,
    signal: AbortSignal,
    grace: AbortSignal,
  ): Promise<void> {
    const { place, random, openToOthers } = this.around;
    const partial = place.path([...parts.slice(0, -1), partialName(parts.at(-1)!, random(8))]);
    let handle: Handle | undefined;
    try {
      handle = await createFile(session, partial, signal);
      const mode = await fill(session, handle, parts.join("/"), body, signal);
      if ((mode & 0o077) !== 0) openToOthers();
      // Some servers keep what was written, or say that they cannot, only now.
      const written = handle;
      handle = undefined;
      await session.ask<void>(
        `write ${quoted(parts.join("/"))}`,
        signal,
        (sftp, done) => sftp.close(written, done),
      );
      throwIfCancelled(signal);
      await giveName(session, partial, place.path(parts), place, grace);
    } catch (error) {
      throw await place.explained(session, error, grace);
    } finally {
      if (handle) closeQuietly(session, handle);
      // From the request on it may be there, whatever came of the answer.
      await this.#remove(session, partial, grace);
    }
  }

  /** Removes a hidden file, now or before the next `put`. */
  async #remove(session: Session, path: string, signal: AbortSignal): Promise<void> {
    try {
      await this.around.place.unlink(session, path, signal);
      this.#left.delete(path);
    } catch (error) {
      this.#left.add(path);
      // A server that takes so long will not do it before we go; what it was sent must not hold up anybody else.
      if (isAppError(error, "cancelled")) session.drop(slow(error));
    }
  }

  async #clear(signal: AbortSignal): Promise<void> {
    for (const path of this.#left) {
      await this.#remove(await this.around.connection.session(signal), path, signal);
      throwIfCancelled(signal);
    }
  }
}

/** The file that has the final name; throws `already-exists` when that is no file. */
async function lookAt(
  session: Session,
  final: string,
  place: Place,
  signal: AbortSignal,
): Promise<{ size: number } | undefined> {
  const info = await place.look(session, final, signal);
  if (info === undefined || info.kind === "file") return info;
  throw new AppError("already-exists", `${quoted(final)} exists already and is no regular file`);
}

/** Gives the written file its name; throws `already-exists` when something else has it. */
async function giveName(
  session: Session,
  partial: string,
  final: string,
  place: Place,
  signal: AbortSignal,
): Promise<void> {
  const taken = async () => await place.look(session, final, signal) !== undefined;
  const exists = () => new AppError("already-exists", `${quoted(final)} exists already`);
  const task = `give ${quoted(final)} its name`;
  if (session.offers("hardlink@openssh.com")) {
    try {
      await session.ask<void>(task, signal, (sftp, done) => sftp.ext_openssh_hardlink(partial, final, done));
      // There are servers that say yes to a link and make none.
      if (await taken()) return;
    } catch (error) {
      if (isAppError(error, "transient", "cancelled")) throw error;
      if (isAppError(error, "not-found")) throw takenAway(partial, error);
      // A taken name has no status of its own, and neither has a file system without links.
      if (await taken()) throw exists();
    }
  }
  if (await taken()) throw exists();
  try {
    await session.ask<void>(task, signal, (sftp, done) => sftp.rename(partial, final, done));
  } catch (error) {
    if (isAppError(error, "transient", "cancelled")) throw error;
    if (isAppError(error, "not-found")) throw takenAway(partial, error);
    if (await taken()) throw exists();
    throw error;
  }
}

/** By a `put` of the same key that sweeps what it takes for a leftover. */
function takenAway(partial: string, cause: unknown): AppError {
  return new AppError("transient", `another run took away the unfinished ${quoted(partial)}`, { cause });
}

function slow(cause: unknown): AppError {
  return new AppError("transient", "the connection was given up because a cancelled call did not end", {
    cause,
  });
}
