import { AppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Secret } from "../../../src/base/secret.ts";
import { capabilitiesFor, refuseUnlessAble, refuseUnsupported } from "../../../src/destination/access.ts";
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
import { listPages } from "../../../src/destination/paged_list.ts";
import { putOnce } from "../../../src/destination/put_once.ts";
import { download, lookAt, pageOf, refuseIfLocked, removeBlob } from "./blobs.ts";
import { isLockedUntil, keepUntil, Locks, noLocks } from "./locks.ts";
import type { Named, Service } from "./service.ts";
import type { AzureSettings } from "./settings.ts";
import { upload } from "./upload.ts";

/** What {@linkcode AzureDestination} is made of. */
export interface AzureParts {
  name: string;
  service: Service;
  settings: Pick<AzureSettings, "access" | "prefix">;
  secrets: readonly Secret[];
  /** Closes the connections. */
  close(): void;
}

/** Archives as block blobs of one container. */
export class AzureDestination implements Destination {
  readonly name: string;
  readonly can: Capabilities;
  readonly secrets: readonly Secret[];
  readonly #parts: AzureParts;
  readonly #service: Service;
  readonly #locks: Locks;

  constructor(parts: AzureParts) {
    this.#parts = parts;
    this.#service = parts.service;
    this.#locks = new Locks(parts.service);
    this.name = parts.name;
    this.secrets = parts.secrets;
    this.can = capabilitiesFor(parts.settings.access, {
      read: true,
      list: true,
      remove: true,
      createOnly: true,
      immutableUntil: true,
      checksums: ["md5"],
    });
  }

  put(key: string, body: Resendable, signal: AbortSignal, options?: PutOptions): Promise<Stored> {
    return named(this, `store ${quoted(key)}`, signal, async () => {
      refuseUnsupported(this.can, options);
      const asked = this.#named(key, signal), lockUntil = options?.immutableUntil;
      if (lockUntil && this.can.read) await this.#locks.refuseWithout(signal);
      await this.#put(asked, body, lockUntil);
      return { key, size: body.size };
    });
  }

  get(key: string, range: ByteRange | undefined, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const task = `read ${quoted(key)}`;
    return named(this, task, signal, () => {
      refuseUnlessAble(this.can, "read");
      const asked = this.#named(key, signal);
      return download(this.#service, asked, range, (error) => withName(this, task, error));
    });
  }

  stat(key: string, signal: AbortSignal): Promise<Stored> {
    return named(this, `look at ${quoted(key)}`, signal, async () => {
      refuseUnlessAble(this.can, "read");
      const shown = await lookAt(this.#service, this.#named(key, signal));
      if (!shown || shown.folder) throw new AppError("not-found", `there is no ${quoted(key)}`);
      return { key, size: shown.size };
    });
  }

  list(prefix: string, signal: AbortSignal): AsyncIterable<Stored> {
    const before = this.#parts.settings.prefix;
    const page = (from: string | undefined) => pageOf(this.#service, before + prefix, from, signal);
    return listPages({ destination: this, prefix, before, signal, page });
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return named(this, `remove ${quoted(key)}`, signal, async () => {
      refuseUnlessAble(this.can, "remove");
      const asked = this.#named(key, signal);
      await refuseIfLocked(this.#service, asked);
      await removeBlob(this.#service, asked);
    });
  }

  discard(key: string, signal: AbortSignal): Promise<void> {
    // Blocks that were not published have no name, cannot be removed one by one, and are dropped by Azure after a week.
    return named(this, `clean up after ${quoted(key)}`, signal, () => {
      this.#named(key, signal);
      return Promise.resolve();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#parts.close());
  }

  async #put(asked: Named, body: Resendable, lockUntil: Date | undefined): Promise<void> {
    const { key, signal } = asked, service = this.#service;
    let published: string | undefined;
    const send = async () => {
      published = await upload(service, { ...asked, body, lockUntil, whole: !this.can.read });
    };
    if (!this.can.read) return void await putOnce({ key, body, signal, send });
    const done = await putOnce({
      ...{ key, body, signal, send },
      look: async () => {
        const shown = await lookAt(service, asked);
        if (shown?.folder) throw new AppError("already-exists", `${quoted(key)} is a folder`);
        // Headers that are not known are passed over by some.
        if (published && shown && lockUntil && !isLockedUntil(shown.lock, lockUntil)) throw noLocks(service);
        return shown;
      },
      read: () => download(service, asked, undefined, (error) => error),
      withdraw: async () => {
        // Only what this call has published, and nothing that somebody else has put there since.
        if (published) {
          await removeBlob(service, { ...asked, signal: AbortSignal.timeout(20_000) }, published);
        }
      },
    });
    // What an earlier run has stored may be locked for less long, or not at all.
    if (done === "present" && lockUntil) await keepUntil(service, asked, lockUntil);
  }

  #named(key: string, signal: AbortSignal): Named {
    partsOfKey(key);
    return { key, name: this.#parts.settings.prefix + key, signal };
  }
}
