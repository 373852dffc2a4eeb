import { AppError, throwIfCancelled } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Secret } from "../../../src/base/secret.ts";
import { refuseUnsupported } from "../../../src/destination/access.ts";
import type {
  ByteRange,
  Capabilities,
  Destination,
  PutOptions,
  Resendable,
  Stored,
} from "../../../src/destination/contract.ts";
import { named, withName } from "../../../src/destination/errors.ts";
import { foldersOfPrefix, isName, isPartial, partsOfKey } from "../../../src/destination/keys.ts";
import type { DestinationContext } from "../../../src/destination/plugin.ts";
import { download } from "./download.ts";
import type { Info, Place } from "./place.ts";
import { Publisher } from "./publish.ts";
import type { Connection } from "./ssh/connection.ts";
import type { Session } from "./ssh/session.ts";

/** What {@linkcode SftpDestination} is made of. */
export interface SftpParts {
  name: string;
  place: Place;
  connection: Connection;
  secrets: readonly Secret[];
  context: DestinationContext;
}

/** Archives as plain files below one folder of a server. */
export class SftpDestination implements Destination {
  readonly can: Capabilities = {
    read: true,
    list: true,
    remove: true,
    createOnly: false,
    immutableUntil: false,
    checksums: [], // SFTP has none that servers offer
  };
  readonly name: string;
  readonly secrets: readonly Secret[];
  readonly #place: Place;
  readonly #connection: Connection;
  readonly #publisher: Publisher;
  #warned = false;

  constructor({ name, place, connection, secrets, context }: SftpParts) {
    this.name = name;
    this.secrets = secrets;
    this.#place = place;
    this.#connection = connection;
    this.#publisher = new Publisher({
      place,
      connection,
      random: (length) => context.world.random(length),
      read: (key, signal) => this.#read(key, undefined, signal, (error) => error),
      openToOthers: () => {
        if (!this.#warned) {
          context.warn(
            `destination "${name}": other users of the server may be able to read the files in ` +
              `${quoted(place.root)}: it gives new files permissions of its own`,
          );
        }
        this.#warned = true;
      },
    });
  }

  put(key: string, body: Resendable, signal: AbortSignal, options?: PutOptions): Promise<Stored> {
    return named(this, `store ${quoted(key)}`, signal, async () => {
      refuseUnsupported(this.can, options);
      await this.#publisher.put(partsOfKey(key), body, signal);
      return { key, size: body.size };
    });
  }

  get(key: string, range: ByteRange | undefined, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const task = `read ${quoted(key)}`;
    return named(this, task, signal, () => {
      partsOfKey(key);
      return this.#read(key, range, signal, (error) => withName(this, task, error));
    });
  }

  stat(key: string, signal: AbortSignal): Promise<Stored> {
    return named(this, `look at ${quoted(key)}`, signal, async () => {
      const parts = partsOfKey(key);
      const { size } = await this.#find(await this.#connection.session(signal), parts, signal);
      return { key, size };
    });
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<Stored> {
    try {
      throwIfCancelled(signal);
      const folders = foldersOfPrefix(prefix);
      const session = await this.#connection.session(signal);
      // A job that has stored nothing yet has no folder; a missing root is an error, thrown by `folder`.
      if (await this.#place.folder(session, folders, signal) !== undefined) {
        yield* this.#walk(session, folders, prefix, signal);
      }
    } catch (error) {
      throw withName(this, `list ${quoted(prefix)}`, error);
    }
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return named(this, `remove ${quoted(key)}`, signal, async () => {
      const parts = partsOfKey(key), session = await this.#connection.session(signal);
      const info = await this.#look(session, parts, signal);
      if (info === undefined) return;
      if (info.kind !== "file") throw notRegular(this.#place.path(parts));
      await this.#place.unlink(session, this.#place.path(parts), signal);
    });
  }

  discard(key: string, signal: AbortSignal): Promise<void> {
    return named(this, `clean up after ${quoted(key)}`, signal, async () => {
      const parts = partsOfKey(key), folders = parts.slice(0, -1);
      const session = await this.#connection.session(signal);
      if (await this.#place.folder(session, folders, signal) === undefined) return;
      await this.#place.sweep(session, folders, parts.at(-1)!, signal);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]();
  }

  /** Every file below `folders` whose key begins with `prefix`. */
  async *#walk(
    session: Session,
    folders: string[],
    prefix: string,
    signal: AbortSignal,
  ): AsyncIterable<Stored> {
    const entries = await this.#place.entries(session, this.#place.path(folders), signal);
    if (entries === undefined) {
      // Removed by another run, or the whole disk has gone: going on would give a short list.
      throw new AppError("transient", `${quoted(folders.join("/"))} vanished while it was being listed`);
    }
    for (const { name, info } of entries) {
      throwIfCancelled(signal);
      // What cannot be a key is not ours: `lost+found` of a disk is not even readable.
      if (!isName(name) || isPartial(name)) continue;
      const parts = [...folders, name], key = parts.join("/");
      if (!key.startsWith(prefix)) continue;
      const { kind, size } = info();
      if (kind === "file") yield { key, size };
      if (kind === "directory") yield* this.#walk(session, parts, prefix, signal);
    }
  }

  #read(
    key: string,
    range: ByteRange | undefined,
    signal: AbortSignal,
    translate: (error: unknown) => unknown,
  ): Promise<ReadableStream<Uint8Array>> {
    const find = async (session: Session, signal: AbortSignal) => {
      await this.#find(session, partsOfKey(key), signal);
      return this.#place.path(partsOfKey(key));
    };
    return download({ key, range, connection: this.#connection, find, signal, translate });
  }

  async #find(session: Session, parts: string[], signal: AbortSignal): Promise<Info> {
    const info = await this.#look(session, parts, signal);
    if (info === undefined) throw new AppError("not-found", `there is no ${quoted(parts.join("/"))}`);
    if (info.kind !== "file") throw notRegular(this.#place.path(parts));
    return info;
  }

  /** What is under a key, once every folder above it is known to be one. */
  async #look(session: Session, parts: string[], signal: AbortSignal): Promise<Info | undefined> {
    const [folder, info] = await Promise.all([
      this.#place.folder(session, parts.slice(0, -1), signal),
      this.#place.look(session, this.#place.path(parts), signal),
    ]);
    return folder === undefined ? undefined : info;
  }
}

function notRegular(path: string): AppError {
  return new AppError("corrupt", `${quoted(path)} is no regular file`);
}
