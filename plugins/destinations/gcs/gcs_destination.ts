import { AppError, throwIfCancelled } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Secret } from "../../../src/base/secret.ts";
import { capabilitiesFor, refuseUnlessAble, refuseUnsupported } from "../../../src/destination/access.ts";
import { aftermath } from "../../../src/destination/aftermath.ts";
import type {
  ByteRange,
  Capabilities,
  Destination,
  PutOptions,
  Resendable,
  Stored,
} from "../../../src/destination/contract.ts";
import { named, withName } from "../../../src/destination/errors.ts";
import { partsOfKey } from "../../../src/destination/keys.ts";
import { listPages, type Page } from "../../../src/destination/paged_list.ts";
import { putOnce } from "../../../src/destination/put_once.ts";
import type { Api } from "./api.ts";
import { download } from "./download.ts";
import { canLock, type GcsObject, lookAt, noLocks, removeObject, shown } from "./objects.ts";
import { upload } from "./upload.ts";

/** What {@linkcode GcsDestination} is made of. */
export interface GcsParts {
  name: string;
  api: Api;
  access: "full" | "create-only";
  /** What every name in the bucket begins with; empty, or ends with a slash. */
  prefix: string;
  /** Closes the connections. */
  close(): void;
}

/** Archives as objects of one bucket. */
export class GcsDestination implements Destination {
  readonly name: string;
  readonly can: Capabilities;
  readonly secrets: readonly Secret[];
  readonly #parts: GcsParts;
  readonly #api: Api;
  #locks: Promise<boolean | undefined> | undefined;

  constructor(parts: GcsParts) {
    this.#parts = parts;
    this.#api = parts.api;
    this.name = parts.name;
    this.secrets = parts.api.parts.secrets;
    this.can = capabilitiesFor(parts.access, {
      read: true,
      list: true,
      remove: true,
      createOnly: true,
      immutableUntil: true,
      checksums: ["crc32c"],
    });
  }

  put(key: string, body: Resendable, signal: AbortSignal, options?: PutOptions): Promise<Stored> {
    return named(this, `store ${quoted(key)}`, signal, async () => {
      refuseUnsupported(this.can, options);
      const name = this.#nameOf(key), api = this.#api;
      const retainUntil = options?.immutableUntil;
      if (retainUntil) await this.#refuseWithoutLocks(signal);
      let stored: { generation: string } | undefined;
      const send = async () => {
        stored = await upload(api, { name, key, body, signal, retainUntil });
      };
      if (!this.can.read) await putOnce({ key, body, signal, send });
      else {
        await putOnce({
          ...{ key, body, signal, send },
          look: () => lookAt(api, name, key, signal),
          read: () => download(api, { name, key, range: undefined, signal, translate: (error) => error }),
          withdraw: () => removeObject(api, name, key, aftermath(signal), stored?.generation ?? "0"),
        });
      }
      return { key, size: body.size };
    });
  }

  get(key: string, range: ByteRange | undefined, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const task = `read ${quoted(key)}`;
    return named(this, task, signal, () => {
      refuseUnlessAble(this.can, "read");
      const name = this.#nameOf(key);
      return download(this.#api, {
        ...{ name, key, range, signal, translate: (error) => withName(this, task, error) },
      });
    });
  }

  stat(key: string, signal: AbortSignal): Promise<Stored> {
    return named(this, `look at ${quoted(key)}`, signal, async () => {
      refuseUnlessAble(this.can, "read");
      const found = await lookAt(this.#api, this.#nameOf(key), key, signal);
      if (!found) throw new AppError("not-found", `there is no ${quoted(key)}`);
      return { key, size: found.size };
    });
  }

  list(prefix: string, signal: AbortSignal): AsyncIterable<Stored> {
    const { prefix: before } = this.#parts;
    const page = (from: string | undefined) => this.#page(before + prefix, from, signal);
    return listPages({ destination: this, prefix, before, signal, page });
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return named(this, `remove ${quoted(key)}`, signal, async () => {
      refuseUnlessAble(this.can, "remove");
      await removeObject(this.#api, this.#nameOf(key), key, signal);
    });
  }

  discard(key: string, signal: AbortSignal): Promise<void> {
    // An upload that was not completed has no name yet, is in no list, and is dropped by Google after a week.
    return named(this, `clean up after ${quoted(key)}`, signal, () => {
      this.#nameOf(key);
      return Promise.resolve();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#parts.close());
  }

  async #page(prefix: string, from: string | undefined, signal: AbortSignal): Promise<Page> {
    const { bucket } = this.#api.parts;
    const url = this.#api.objects();
    const fields = "kind,nextPageToken,items(name,size,generation)";
    url.search = String(new URLSearchParams({ prefix, fields, ...(from ? { pageToken: from } : {}) }));
    const page = await this.#api.json<{ items?: GcsObject[]; nextPageToken?: string }>(
      url,
      "storage#objects",
      { what: `the bucket "${bucket}"`, signal },
    );
    const found = (page.items ?? []).map((object) => ({ name: object.name ?? "", size: shown(object).size }));
    return { found, next: page.nextPageToken || undefined };
  }

  #nameOf(key: string): string {
    partsOfKey(key);
    return this.#parts.prefix + key;
  }

  /** Where that can be known: asked once, and before a byte is sent. */
  async #refuseWithoutLocks(signal: AbortSignal): Promise<void> {
    this.#locks ??= canLock(this.#api, signal).catch((error) => {
      this.#locks = undefined;
      throw error;
    });
    const locks = await this.#locks;
    throwIfCancelled(signal);
    if (locks === false) throw noLocks(this.#api.parts.bucket);
  }
}
