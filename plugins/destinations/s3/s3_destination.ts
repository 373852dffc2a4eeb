import { AppError, isAppError, throwIfCancelled } from "../../../src/base/errors.ts";
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
import { abortUploads, canLock, pageOf } from "./lists.ts";
import { download, headOf, keepUntil, removeObject } from "./objects.ts";
import { type Published, withdraw } from "./published.ts";
import { LOCK_HINT } from "./refusals.ts";
import type { Named, Service } from "./service.ts";
import type { S3Settings } from "./settings.ts";
import { upload } from "./upload.ts";

/** What {@linkcode S3Destination} is made of. */
export interface S3Parts {
  name: string;
  service: Service;
  settings: Pick<S3Settings, "access" | "prefix" | "conditionalWrites" | "checksums">;
  secrets: readonly Secret[];
  /** Closes the connections. */
  close(): void;
}

/** Archives as objects of one bucket. */
export class S3Destination implements Destination {
  readonly name: string;
  readonly can: Capabilities;
  readonly secrets: readonly Secret[];
  readonly #parts: S3Parts;
  readonly #service: Service;
  #locks: Promise<boolean | undefined> | undefined;

  constructor(parts: S3Parts) {
    this.#parts = parts;
    this.#service = parts.service;
    this.name = parts.name;
    this.secrets = parts.secrets;
    this.can = capabilitiesFor(parts.settings.access, {
      read: true,
      list: true,
      remove: true,
      createOnly: true,
      immutableUntil: true,
      checksums: [parts.settings.checksums],
    });
  }

  put(key: string, body: Resendable, signal: AbortSignal, options?: PutOptions): Promise<Stored> {
    return named(this, `store ${quoted(key)}`, signal, async () => {
      refuseUnsupported(this.can, options);
      const asked = this.#named(key, signal), lockUntil = options?.immutableUntil;
      if (lockUntil) await this.#refuseWithoutLocks(signal);
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
      const head = await headOf(this.#service, this.#named(key, signal));
      if (!head) throw new AppError("not-found", `there is no ${quoted(key)}`);
      return { key, size: head.size };
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
      await removeObject(this.#service, this.#named(key, signal));
    });
  }

  discard(key: string, signal: AbortSignal): Promise<void> {
    return named(this, `clean up after ${quoted(key)}`, signal, async () => {
      const asked = this.#named(key, signal);
      try {
        await abortUploads(this.#service, asked);
      } catch (error) {
        // Credentials that may only create need not be able to look for what they began.
        const create = this.#parts.settings.access === "create-only";
        if (!create || !isAppError(error, "denied")) throw error;
        throw new AppError("denied", error.message, {
          cause: error,
          hint:
            "let the bucket drop unfinished uploads by itself: a lifecycle rule AbortIncompleteMultipartUpload",
        });
      }
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#parts.close());
  }

  /** Throws `unsupported` where the bucket cannot lock what it stores; asked once, before a byte is sent. */
  async #refuseWithoutLocks(signal: AbortSignal): Promise<void> {
    this.#locks ??= canLock(this.#service, signal).catch((error) => {
      this.#locks = undefined;
      throw error;
    });
    const locks = await this.#locks;
    throwIfCancelled(signal);
    if (locks !== false) return;
    throw new AppError("unsupported", `${this.#service.what} cannot lock what it stores against removal`, {
      hint: LOCK_HINT,
    });
  }

  async #put(asked: Named, body: Resendable, lockUntil: Date | undefined): Promise<void> {
    const { key, signal } = asked, service = this.#service;
    const { conditionalWrites: conditional, checksums } = this.#parts.settings;
    let published: Published | undefined;
    const send = async (refuseIfPresent?: () => Promise<void>) => {
      published = await upload(service, {
        ...asked,
        body,
        lockUntil,
        conditional,
        checksums,
        refuseIfPresent,
      });
    };
    if (!this.can.read) return void await putOnce({ key, body, signal, send });
    const done = await putOnce({
      ...{ key, body, signal },
      look: () => headOf(service, asked),
      read: () => download(service, asked, undefined, (error) => error),
      send: () =>
        send(async () => {
          if (await headOf(service, asked)) {
            throw new AppError("already-exists", `${quoted(key)} exists already`);
          }
        }),
      withdraw: async () => {
        if (published) await withdraw(service, asked, published);
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
