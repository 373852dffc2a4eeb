import { AppError, isAppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import { Secret } from "../../../src/base/secret.ts";
import { type Block, blocksOf } from "../../../src/destination/body.ts";
import { aftermath } from "../../../src/destination/aftermath.ts";
import type { Resendable } from "../../../src/destination/contract.ts";
import { type Api, jsonOf } from "./api.ts";
import { Crc32c } from "./crc32c.ts";
import { type GcsObject, noLocks, OBJECT_FIELDS, type ObjectShown, removeObject, shown } from "./objects.ts";

/** Bytes of a part; Google takes multiples of 256 KiB. */
export const BLOCK = 8 * 1024 * 1024;

/** Tries in a row that bring nothing further. */
const TRIES = 5;

/** What {@linkcode upload} sends, and where. */
export interface Upload {
  /** In the bucket. */
  name: string;
  key: string;
  body: Resendable;
  signal: AbortSignal;
  retainUntil: Date | undefined;
}

/**
 * Sends a body in one resumable session, which publishes all of it with its last part, or nothing. A part whose fate is
 * unknown is asked after, and sent on from where the service has it. Whatever goes wrong, the session is ended.
 *
 * The sum of the body goes with the last part: Google compares it and publishes nothing that is not the same.
 *
 * @throws `already-exists` where the name is taken; `corrupt` where anything else is stored than what was sent (which is
 * removed again); `unsupported` where it cannot be locked as asked for
 */
export async function upload(api: Api, one: Upload): Promise<ObjectShown> {
  const session = await Session.begin(api, one);
  const sum = new Crc32c(), over = new AbortController();
  const blocks = blocksOf(one.key, one.body, BLOCK, AbortSignal.any([one.signal, over.signal]));
  const read = async () => {
    const { value } = await blocks.next();
    if (value) sum.update(value.bytes);
    return value;
  };
  try {
    for (let block = await read(); block;) {
      // The next one is read and summed up while this one is on its way.
      const next = read();
      next.catch(() => {});
      const stored = await session.send(block, sum);
      block.release();
      if (stored) {
        await check(api, one, stored, block.last ? sum.base64() : undefined);
        return stored;
      }
      block = await next;
    }
    throw new AppError("corrupt", `the body of ${quoted(one.key)} has no end`);
  } finally {
    over.abort(); // also of a body that hangs
    await Promise.all([blocks.return(), session.end()]);
  }
}

/** The service says that it has all: is it so? There is no sum where the last part was not even sent. */
async function check(
  api: Api,
  one: Upload,
  stored: ObjectShown,
  crc32c: string | undefined,
): Promise<void> {
  const { key, body, retainUntil, name } = one;
  const problem = stored.size !== body.size
    ? new AppError("corrupt", `${quoted(key)} holds ${stored.size} bytes instead of ${body.size}`)
    : crc32c === undefined || stored.crc32c !== crc32c
    ? new AppError("corrupt", `${quoted(key)} was stored with another CRC32C than it was sent with`)
    : retainUntil && !(stored.retainUntil && stored.retainUntil.getTime() >= retainUntil.getTime() - 1000)
    ? noLocks(api.parts.bucket)
    : undefined;
  if (!problem) return;
  // Only what this call has published; where that cannot be done the error says enough.
  await removeObject(api, name, key, aftermath(one.signal), stored.generation).catch(() => {});
  throw problem;
}

/** An upload that has begun. Whoever knows its address may send to it: the address is a secret. */
class Session {
  #done = false;
  #lost = false;

  private constructor(
    readonly api: Api,
    readonly one: Upload,
    readonly url: URL,
  ) {}

  static async begin(api: Api, one: Upload): Promise<Session> {
    const { name, key, body, signal, retainUntil } = one;
    const url = api.uploads();
    url.search = String(
      new URLSearchParams({ uploadType: "resumable", name, ifGenerationMatch: "0", fields: OBJECT_FIELDS }),
    );
    const retention = retainUntil && { mode: "Locked", retainUntilTime: retainUntil.toISOString() };
    const answer = await api.call(url, {
      method: "POST",
      what: key,
      signal,
      headers: {
        "content-type": "application/json; charset=UTF-8",
        "x-upload-content-type": "application/octet-stream",
        "x-upload-content-length": String(body.size),
      },
      body: JSON.stringify({ name, ...(retention ? { retention } : {}) }),
      fine: [201],
    }).catch((error) => {
      throw retention && isAppError(error, "misconfigured") && /retention/i.test(error.message)
        ? noLocks(api.parts.bucket)
        : taken(error, key);
    });
    await answer.body?.cancel();
    const address = URL.parse(answer.headers.get("location") ?? "", url);
    const id = address?.searchParams.get("upload_id");
    if (!address || !id) throw new AppError("transient", "the service has begun no upload");
    if (address.origin !== url.origin) {
      throw new AppError(
        "misconfigured",
        `the service wants the upload sent to "${address.origin}", which is not followed`,
        { hint: "check the endpoint" },
      );
    }
    api.parts.secrets.push(new Secret(id));
    return new Session(api, one, address);
  }

  /** Returns when the service has all of a block; of the last one with what is stored now. */
  async send(block: Block, sum: Crc32c): Promise<ObjectShown | undefined> {
    const end = block.start + block.bytes.length;
    let at = block.start, failed = 0, delay = 500, sure = true;
    for (;;) {
      try {
        const bytes = sure ? block.bytes.subarray(at - block.start) : NOTHING;
        const state = await this.#put(bytes, at, sure && block.last ? sum.base64() : undefined);
        if (typeof state !== "number") return this.#finished(state);
        if (state < block.start || state > end) throw this.#hopeless("has lost a part of the upload");
        if (state === end && !block.last) return undefined;
        if (state > at) [failed, delay] = [0, 500]; // it may take a part of what it is sent
        else if (sure) throw new AppError("transient", "the service takes nothing more of the upload");
        [at, sure] = [state, true];
      } catch (error) {
        if (!isAppError(error, "transient") || this.#lost || ++failed >= TRIES) {
          throw taken(error, this.one.key);
        }
        const asked = (error.retryAfter ?? 0) * 1000;
        if (asked > 120_000) throw error;
        sure = false;
        await this.api.parts.clock.sleep(Math.max(asked, delay), this.one.signal);
        delay = Math.min(delay * 2, 30_000);
      }
    }
  }

  /** Nothing of it is left at the service, as far as that can be done in the time that an abort leaves. */
  async end(): Promise<void> {
    if (this.#done) return;
    try {
      const signal = AbortSignal.timeout(1000);
      const answer = await this.api.send(this.url, { method: "DELETE", signal });
      await answer.body?.cancel();
    } catch {
      // Google drops what is not completed after a week.
    }
  }

  /** Sends bytes, or asks with none: how many the service has, or what it has made of them. */
  async #put(bytes: Uint8Array, at: number, crc32c: string | undefined): Promise<number | GcsObject> {
    const total = this.one.body.size;
    const range = bytes.length === 0 ? "*" : `${at}-${at + bytes.length - 1}`;
    const answer = await this.api.send(this.url, {
      method: "PUT",
      signal: this.one.signal,
      headers: {
        "content-range": `bytes ${range}/${total}`,
        ...(crc32c === undefined ? {} : { "x-goog-hash": `crc32c=${crc32c}` }),
      },
      body: bytes,
    });
    if (answer.status === 308) {
      await answer.body?.cancel();
      const [, last] = /^(?:bytes=)?0-(\d+)$/.exec(answer.headers.get("range") ?? "") ?? [];
      return last === undefined ? 0 : Number(last) + 1;
    }
    if (answer.status === 200 || answer.status === 201) {
      return await jsonOf<GcsObject>(answer, "storage#object");
    }
    if (answer.status === 404 || answer.status === 410) {
      await answer.body?.cancel();
      throw this.#hopeless("has dropped the upload");
    }
    throw damaged(
      await this.api.refused(answer, { what: this.one.key, signal: this.one.signal }),
      this.one.key,
    );
  }

  #finished(object: GcsObject): ObjectShown {
    this.#done = true;
    if (object.name === this.one.name) return shown(object);
    throw new AppError("corrupt", `the service has stored ${quoted(this.one.key)} under another name`);
  }

  /** Worth another try, but not of this session. */
  #hopeless(what: string): AppError {
    this.#lost = true;
    return new AppError("transient", `the service ${what}`);
  }
}

const NOTHING = new Uint8Array();

/** Who may only create is told of a name that is taken that he may not delete what has it. */
function taken(error: unknown, key: string): unknown {
  if (!isAppError(error, "denied") || !/storage\.objects\.delete/.test(error.message)) return error;
  return new AppError("already-exists", `${quoted(key)} exists already`, { cause: error });
}

/** What the service has compared and found to be another sum. */
function damaged(error: AppError, key: string): AppError {
  if (!isAppError(error, "misconfigured") || !/doesn't match/.test(error.message)) return error;
  return new AppError("corrupt", `${quoted(key)} did not arrive as it was sent`, { cause: error });
}
