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
import {
  foldersOfPrefix,
  isName,
  isPartial,
  isPartialOf,
  partsOfKey,
} from "../../../src/destination/keys.ts";
import { putOnce } from "../../../src/destination/put_once.ts";
import { removeFile } from "./changes.ts";
import type { Dav } from "./dav.ts";
import { download, fileAt } from "./download.ts";
import { contentsOf, lookAt, mustHavePlace } from "./places.ts";
import { upload } from "./upload.ts";

/** Archives as files below one folder of a WebDAV server. */
export class WebdavDestination implements Destination {
  readonly can: Capabilities = {
    read: true,
    list: true,
    remove: true,
    createOnly: false, // there are no such rights
    immutableUntil: false,
    checksums: [], // no server compares one
  };
  readonly secrets: readonly Secret[];
  readonly #dav: Dav;
  readonly #close: () => void;
  /** Hidden names of puts that have failed: they are not somebody else's. */
  readonly #left = new Set<string>();

  constructor(readonly name: string, dav: Dav, close: () => void) {
    this.#dav = dav;
    this.#close = close;
    this.secrets = dav.parts.secrets;
  }

  put(key: string, body: Resendable, signal: AbortSignal, options?: PutOptions): Promise<Stored> {
    return named(this, `store ${quoted(key)}`, signal, async () => {
      refuseUnsupported(this.can, options);
      const parts = partsOfKey(key), dav = this.#dav;
      const look = async () => {
        const found = await lookAt(dav, parts, signal);
        if (found?.kind !== "folder") return found;
        throw new AppError("already-exists", `${quoted(key)} exists already and is a folder`);
      };
      let published: { withdraw(): Promise<void> } | undefined;
      await putOnce({
        ...{ key, body, signal, look },
        read: () => download(dav, { parts, range: undefined, signal, translate: (error) => error }),
        send: async () => {
          published = await upload(dav, { parts, body, signal, left: this.#left });
        },
        withdraw: () => published?.withdraw() ?? Promise.resolve(),
      });
      return { key, size: body.size };
    });
  }

  get(key: string, range: ByteRange | undefined, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const task = `read ${quoted(key)}`;
    return named(this, task, signal, () => {
      const parts = partsOfKey(key);
      const translate = (error: unknown) => withName(this, task, error);
      return download(this.#dav, { parts, range, signal, translate });
    });
  }

  stat(key: string, signal: AbortSignal): Promise<Stored> {
    return named(this, `look at ${quoted(key)}`, signal, async () => {
      const { size } = await fileAt(this.#dav, partsOfKey(key), signal);
      return { key, size };
    });
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<Stored> {
    try {
      throwIfCancelled(signal);
      yield* this.#walk(foldersOfPrefix(prefix), prefix, signal, true);
    } catch (error) {
      throw withName(this, `list ${quoted(prefix)}`, error);
    }
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return named(this, `remove ${quoted(key)}`, signal, async () => {
      const parts = partsOfKey(key), dav = this.#dav;
      // Of a folder everything in it would go.
      const found = await lookAt(dav, parts, signal);
      if (found?.kind === "folder") await fileAt(dav, parts, signal);
      else if (found) await removeFile(dav, parts, signal);
    });
  }

  discard(key: string, signal: AbortSignal): Promise<void> {
    return named(this, `clean up after ${quoted(key)}`, signal, async () => {
      const parts = partsOfKey(key), name = parts.at(-1)!, folder = parts.slice(0, -1);
      const found = await contentsOf(this.#dav, folder, (one) => isPartialOf(name, one), signal);
      if (!found) await mustHavePlace(this.#dav, signal);
      for (const [one, { kind }] of found?.entries ?? []) {
        if (kind === "file") await removeFile(this.#dav, [...folder, one], signal);
      }
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#close());
  }

  /** Every file below `folder` whose key begins with `prefix`; folder by folder, because few servers give all at once. */
  async *#walk(folder: string[], prefix: string, signal: AbortSignal, first: boolean): AsyncIterable<Stored> {
    const begins = (name: string) => {
      const key = [...folder, name].join("/");
      return key.startsWith(prefix) || prefix.startsWith(`${key}/`);
    };
    // What cannot be a key is not ours, and may not even be readable.
    const wanted = (name: string) => isName(name) && !isPartial(name) && begins(name);
    const found = await contentsOf(this.#dav, folder, wanted, signal);
    if (!found && !first) {
      throw new AppError("transient", `${quoted(folder.join("/"))} vanished while it was being listed`);
    }
    // A job that has stored nothing yet has no folder.
    if (!found) return await mustHavePlace(this.#dav, signal);
    for (const [name, { kind, size }] of found.entries) {
      throwIfCancelled(signal);
      const parts = [...folder, name];
      if (kind === "file") yield { key: parts.join("/"), size };
      else yield* this.#walk(parts, prefix, signal, false);
    }
  }
}
