import { AppError, throwIfCancelled } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import { refuseUnsupported } from "../../../src/destination/access.ts";
import { guarded } from "../../../src/destination/body.ts";
import type {
  ByteRange,
  Capabilities,
  Destination,
  PutOptions,
  Resendable,
  Stored,
} from "../../../src/destination/contract.ts";
import { named, withName } from "../../../src/destination/errors.ts";
import { foldersOfPrefix, isName, isPartial, withinSize } from "../../../src/destination/keys.ts";
import type { DestinationContext } from "../../../src/destination/plugin.ts";
import { pathPartsOfKey } from "./keys.ts";
import { absent, type Place } from "./place.ts";
import { publish } from "./publish.ts";

/** Archives as plain files below one folder. */
export class LocalDestination implements Destination {
  readonly can: Capabilities = {
    read: true,
    list: true,
    remove: true,
    createOnly: false,
    immutableUntil: false,
    checksums: [], // no file system checks one for us
  };
  readonly #context: DestinationContext;
  readonly #place: Place;
  #warned = false;

  constructor(readonly name: string, place: Place, context: DestinationContext) {
    this.#place = place;
    this.#context = context;
  }

  put(key: string, body: Resendable, signal: AbortSignal, options?: PutOptions): Promise<Stored> {
    return named(this, `store ${quoted(key)}`, signal, async () => {
      refuseUnsupported(this.can, options);
      await publish(this.#parts(key), body, signal, {
        place: this.#place,
        random: (length) => this.#context.world.random(length),
        openToOthers: (why) => this.#warnOfPermissions(why),
        warn: (message) => this.#warn(message),
      });
      return { key, size: body.size };
    });
  }

  get(key: string, range: ByteRange | undefined, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const task = `read ${quoted(key)}`;
    return named(this, task, signal, async () => {
      const { path, size } = await this.#find(key);
      const { start, end } = withinSize(size, range, key);
      const stream = await this.#place.files.stream(path, { start, end });
      return guarded(stream, path, end - start, signal, (error) => withName(this, task, error));
    });
  }

  stat(key: string, signal: AbortSignal): Promise<Stored> {
    return named(this, `look at ${quoted(key)}`, signal, async () => {
      const { size } = await this.#find(key);
      return { key, size };
    });
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<Stored> {
    try {
      throwIfCancelled(signal);
      const folders = foldersOfPrefix(prefix);
      // A job that has stored nothing yet has no folder; a missing root is an error, thrown by `folder`.
      if (await this.#place.folder(folders) !== undefined) yield* this.#walk(folders, prefix, signal);
    } catch (error) {
      throw withName(this, `list ${quoted(prefix)}`, error);
    }
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return named(this, `remove ${quoted(key)}`, signal, async () => {
      const parts = this.#parts(key);
      const folder = await this.#place.folder(parts.slice(0, -1));
      if (folder === undefined) return;
      const path = this.#place.path(parts);
      const info = await this.#place.look(path);
      if (info !== undefined && info.kind !== "file") throw notRegular(path);
      if (info !== undefined) await this.#place.files.remove(path).catch(absent);
      await this.#place.files.syncFolder(folder);
    });
  }

  discard(key: string, signal: AbortSignal): Promise<void> {
    return named(this, `clean up after ${quoted(key)}`, signal, async () => {
      const parts = this.#parts(key);
      const folders = parts.slice(0, -1);
      const folder = await this.#place.folder(folders);
      if (folder !== undefined) await this.#place.sweep(folder, folders, parts.at(-1)!);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Every file below `folders` whose key begins with `prefix`. */
  async *#walk(folders: string[], prefix: string, signal: AbortSignal): AsyncIterable<Stored> {
    const names = await this.#place.files.names(this.#place.path(folders)).catch(absent);
    // Removed by another run, or the whole disk has gone: going on would give a short list.
    const vanished = (what: string) =>
      new AppError("transient", `${quoted(what)} vanished while it was being listed`);
    if (names === undefined) throw vanished(folders.join("/"));
    for (const name of names) {
      throwIfCancelled(signal);
      // What cannot be a key is not ours: `lost+found` of a disk is not even readable.
      if (!isName(name) || isPartial(name)) continue;
      const parts = [...folders, name];
      const key = parts.join("/");
      if (!key.startsWith(prefix)) continue;
      const info = await this.#place.look(this.#place.path(parts));
      if (info === undefined) throw vanished(key);
      if (info.kind === "file") yield { key, size: info.size };
      if (info.kind === "directory") yield* this.#walk(parts, prefix, signal);
    }
  }

  async #find(key: string): Promise<{ path: string; size: number }> {
    const parts = this.#parts(key);
    const folder = await this.#place.folder(parts.slice(0, -1));
    const path = this.#place.path(parts);
    const info = folder === undefined ? undefined : await this.#place.look(path);
    if (info === undefined) throw new AppError("not-found", `there is no ${quoted(key)}`);
    if (info.kind !== "file") throw notRegular(path);
    return { path, size: info.size };
  }

  #parts(key: string): string[] {
    return pathPartsOfKey(key, this.#place.os);
  }

  #warnOfPermissions(why: string): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#warn(
      `other users of this machine may be able to read the files in ${quoted(this.#place.root)}: ${why}`,
    );
  }

  #warn(message: string): void {
    this.#context.warn(`destination "${this.name}": ${message}`);
  }
}

function notRegular(path: string): AppError {
  return new AppError("corrupt", `${quoted(path)} is no regular file`);
}
