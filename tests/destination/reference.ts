/**
 * A destination over HTTP as a plugin would be, made of nothing but the common ground: it shows that the parts fit, and
 * gives the conformance suite something with a network in between.
 */
import { fromUtf8, utf8 } from "../../src/base/bytes.ts";
import { collect } from "../../src/base/bytes.ts";
import { AppError, isAppError } from "../../src/base/errors.ts";
import { retry } from "../../src/base/retry.ts";
import { quoted } from "../../src/base/safe_names.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Clock } from "../../src/base/world.ts";
import { refuseUnsupported } from "../../src/destination/access.ts";
import { blocksOf } from "../../src/destination/body.ts";
import type {
  ByteRange,
  Capabilities,
  Destination,
  PutOptions,
  Resendable,
  Stored,
} from "../../src/destination/contract.ts";
import { named, withName } from "../../src/destination/errors.ts";
import type { DoorInit, HttpDoor } from "../../src/destination/http/door.ts";
import { refusalOf, refuseWebPage } from "../../src/destination/http/refusal.ts";
import { foldersOfPrefix, isKey, partsOfKey } from "../../src/destination/keys.ts";
import { putOnce } from "../../src/destination/put_once.ts";
import { resumableGet } from "../../src/destination/resumable_get.ts";

/** Bytes of a part. */
export const BLOCK = 4 * 1024 * 1024;

const JSON_LIMIT = 1024 * 1024;

/** What it needs of a door. */
export type Fetches = Pick<HttpDoor, "fetch" | "secrets"> & Disposable;

export class ReferenceDestination implements Destination {
  readonly can: Capabilities = {
    read: true,
    list: true,
    remove: true,
    createOnly: false,
    immutableUntil: true,
    checksums: [],
  };
  readonly secrets: readonly Secret[];
  readonly #token: Secret;

  /** `base` is `http://host:port`. */
  constructor(
    readonly name: string,
    readonly base: string,
    readonly bucket: string,
    token: string,
    readonly door: Fetches,
    readonly clock: Clock,
  ) {
    this.#token = new Secret(token);
    this.secrets = [this.#token, ...door.secrets];
  }

  put(key: string, body: Resendable, signal: AbortSignal, options?: PutOptions): Promise<Stored> {
    return named(this, `store ${quoted(key)}`, signal, async () => {
      refuseUnsupported(this.can, options);
      partsOfKey(key);
      await putOnce({
        key,
        body,
        signal,
        look: () => this.#look(key, signal),
        read: () => this.#get(key, undefined, signal, (error) => error),
        send: () => this.#send(key, body, signal, options),
        withdraw: () => this.#delete(this.#object(key), signal),
      });
      return { key, size: body.size };
    });
  }

  get(key: string, range: ByteRange | undefined, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const task = `read ${quoted(key)}`;
    return named(this, task, signal, () => {
      partsOfKey(key);
      return this.#get(key, range, signal, (error) => withName(this, task, error));
    });
  }

  stat(key: string, signal: AbortSignal): Promise<Stored> {
    return named(this, `look at ${quoted(key)}`, signal, async () => {
      partsOfKey(key);
      const found = await this.#look(key, signal);
      if (!found) throw new AppError("not-found", `there is no ${quoted(key)}`);
      return { key, size: found.size };
    });
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<Stored> {
    let after: string | undefined = "";
    const task = `list ${quoted(prefix)}`;
    while (after !== undefined) {
      const from: string = after;
      const page = await named(this, task, signal, async () => {
        foldersOfPrefix(prefix);
        const query = new URLSearchParams({ prefix, after: from });
        return await this.#json<{ items: Stored[]; next?: string }>(`/b/${this.bucket}?${query}`, signal);
      });
      for (const { key, size } of page.items) if (isKey(key)) yield { key, size };
      after = page.next;
    }
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return named(this, `remove ${quoted(key)}`, signal, async () => {
      partsOfKey(key);
      await this.#delete(this.#object(key), signal);
    });
  }

  discard(key: string, signal: AbortSignal): Promise<void> {
    return named(this, `clean up after ${quoted(key)}`, signal, async () => {
      partsOfKey(key);
      const answer = await this.#call(
        "GET",
        `/b/${this.bucket}?uploads=${encodeURIComponent(key)}`,
        signal,
        {},
      );
      for (const id of (await textOf(answer)).split("\n").filter((one) => one !== "")) {
        await this.#delete(`/u/${id}`, signal);
      }
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.door[Symbol.dispose]());
  }

  async #send(
    key: string,
    body: Resendable,
    signal: AbortSignal,
    options: PutOptions | undefined,
  ): Promise<void> {
    const begun = await this.#call("POST", `/b/${this.bucket}?upload=${encodeURIComponent(key)}`, signal, {});
    const id = await textOf(begun);
    try {
      for await (const { bytes, start, last } of blocksOf(key, body, BLOCK, signal)) {
        await this.#call("PUT", `/u/${id}?part=${start / BLOCK}`, signal, { body: bytes });
        if (!last) continue;
        const locked = options?.immutableUntil?.toUTCString();
        // Tried once: whether it was carried out is for `putOnce` to see.
        const headers = { "if-none-match": "*", ...(locked ? { "x-locked-until": locked } : {}) };
        await this.#call("POST", `/u/${id}`, signal, { headers, tries: 1 });
      }
    } catch (error) {
      // Also after an abort: in the time that it leaves.
      await this.#call("DELETE", `/u/${id}`, AbortSignal.timeout(1000), { ok: [204, 404], tries: 1 }).catch(
        () => {},
      );
      throw error;
    }
  }

  async #delete(path: string, signal: AbortSignal, tries?: number): Promise<void> {
    await this.#call("DELETE", path, signal, {
      ok: [204, 404],
      missing: "fine",
      ...(tries === undefined ? {} : { tries }),
    });
  }

  async #look(key: string, signal: AbortSignal): Promise<{ size: number } | undefined> {
    const answer = await this.#call("GET", this.#object(key), signal, {
      ok: [206, 416, 404],
      missing: "fine",
      headers: { range: "bytes=0-0" },
    });
    await answer.body?.cancel();
    if (answer.status === 404) return undefined;
    if (answer.status === 416) return { size: 0 };
    return { size: Number(/\/(\d+)$/.exec(answer.headers.get("content-range") ?? "")?.[1]) };
  }

  async #get(
    key: string,
    range: ByteRange | undefined,
    signal: AbortSignal,
    translate: (error: unknown) => unknown,
  ): Promise<ReadableStream<Uint8Array>> {
    return await resumableGet({
      ...{ key, range, signal, clock: this.clock, translate },
      ask: async (start, end, signal) => {
        const whole = start === 0 && end === undefined;
        const answer = await this.#call("GET", this.#object(key), signal, {
          ok: [200, 206, 416],
          tries: 1,
          ...(whole || end === 0
            ? {}
            : { headers: { range: `bytes=${start}-${end === undefined ? "" : end - 1}` } }),
        });
        if (answer.status === 416) {
          await answer.body?.cancel();
          throw new AppError("misconfigured", `there is no byte ${start} in ${quoted(key)}`);
        }
        const [, from, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.headers.get("content-range") ?? "") ??
          [];
        return {
          body: answer.body ?? new ReadableStream({ start: (controller) => controller.close() }),
          start: Number(from ?? 0),
          size: Number(size ?? answer.headers.get("content-length")),
          version: answer.headers.get("etag") ?? undefined,
        };
      },
    });
  }

  async #json<T>(path: string, signal: AbortSignal): Promise<T> {
    return await retry(async () => {
      const answer = await this.#call("GET", path, signal, { tries: 1 });
      try {
        return JSON.parse(await textOf(answer)) as T;
      } catch (cause) {
        if (isAppError(cause)) throw cause;
        throw new AppError("transient", "the service's answer is no JSON", { cause });
      }
    }, { clock: this.clock, signal });
  }

  /** One request, tried again where that makes sense; its answer when its status is one of `ok`. */
  #call(
    method: string,
    path: string,
    signal: AbortSignal,
    { ok = [200, 201], missing, tries, ...init }: {
      ok?: number[];
      missing?: "fine";
      tries?: number;
    } & Pick<DoorInit, "headers" | "body">,
  ): Promise<Response> {
    return retry(async () => {
      const headers = new Headers(init.headers);
      headers.set("authorization", `Bearer ${this.#token.reveal()}`);
      const answer = await this.door.fetch(this.base + path, { ...init, method, headers, signal });
      refuseWebPage(answer);
      const what = decodeURIComponent(path.replace(/^\/b\/[^/]+\//, ""));
      const context = {
        what,
        place: `the bucket ${quoted(this.bucket)}`,
        now: this.clock.now(),
        codes: { NoSuchBucket: "misconfigured" },
      } as const;
      if (!ok.includes(answer.status)) throw await refusalOf(answer, context);
      // "Not here" is only said by a bucket that is there.
      if (answer.status === 404 && missing === "fine") {
        const refused = await refusalOf(answer, context);
        if (refused.code !== "not-found") throw refused;
      }
      return answer;
    }, { clock: this.clock, signal, ...(tries === undefined ? {} : { tries }) });
  }

  #object(key: string): string {
    return `/b/${this.bucket}/${key}`;
  }
}

async function textOf(answer: Response): Promise<string> {
  const body = answer.body;
  return body
    ? fromUtf8(await collect(body, JSON_LIMIT, "the answer"), "the answer")
    : fromUtf8(utf8(""), "");
}
