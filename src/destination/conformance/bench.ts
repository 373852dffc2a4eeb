/** What the conformance cases are written with: a bench that opens, looks and judges, with sentences. */
import { AppError, isAppError } from "../../base/errors.ts";
import { collect } from "../../base/bytes.ts";
import { digestOf, sha256Hex } from "../../base/hash.ts";
import { retry } from "../../base/retry.ts";
import type { Clock } from "../../base/world.ts";
import type { ByteRange, Destination, Resendable } from "../contract.ts";
import { hurried, never } from "./clock.ts";
import type { ConformanceHarness, DestinationCase, Faults, Need, Strike } from "./harness.ts";

export { never };

/** How long a cancelled call may go on, in milliseconds. */
const PATIENCE = 2000;

/** What needs nobody's help: a case that needs more is none to run against a user's own bucket. */
const PLAIN: ReadonlySet<Need> = new Set(["read", "list", "remove"]);

/** A case that works in a folder of its own and clears it afterwards. */
export function given(
  name: string,
  needs: DestinationCase["needs"],
  body: (bench: Bench) => Promise<void>,
  { slow = false, safe = !slow && needs.every((need) => PLAIN.has(need)) }: {
    slow?: boolean;
    safe?: boolean;
  } = {},
): DestinationCase {
  const run = async (harness: ConformanceHarness) => {
    check(harness.prefix.endsWith("/"), `the harness's prefix "${harness.prefix}" does not end with a slash`);
    await using destination = await harness.open();
    const bench = new Bench(harness, destination, `${harness.prefix}${sha256Hex(name).slice(0, 12)}/`);
    if (destination.can.list) await bench.holdsOnly([]);
    try {
      await body(bench);
    } catch (error) {
      await bench.close().catch(() => {});
      await bench.clear().catch(() => {}); // the failure itself matters more
      throw error;
    }
    await bench.close();
    await bench.clear();
  };
  return { name, needs, safe, slow, run };
}

/** One place, with an open destination that no fault touches, and a folder of the case's own. */
export class Bench {
  readonly #opened: Destination[] = [];

  constructor(
    readonly harness: ConformanceHarness,
    readonly destination: Destination,
    /** Ends with a slash. */
    readonly folder: string,
  ) {}

  /** Another opening of the place; disposed of at the end. */
  async open(clock?: Clock): Promise<Destination> {
    const opened = await this.harness.open(clock);
    this.#opened.push(opened);
    return opened;
  }

  /** An opening that was made in another way, to be disposed of at the end. */
  keep(opened: Destination): Destination {
    this.#opened.push(opened);
    return opened;
  }

  /** Does what the harness can do; the case needs it, so it is there. */
  async strike<Name extends keyof Faults>(
    name: Name,
    ...args: Parameters<Faults[Name]>
  ): Promise<Awaited<ReturnType<Faults[Name]>>> {
    const fault = this.harness.faults?.[name] as ((...args: unknown[]) => unknown) | undefined;
    if (!fault) throw new Failure(`the harness has no fault "${name}"`);
    return await fault.apply(this.harness.faults, args) as Awaited<ReturnType<Faults[Name]>>;
  }

  /** Calls `action` under a fault until it works, as the jobs do; fails unless the fault has struck. */
  async outlast<T>(strike: Strike, action: () => Promise<T>, what: string): Promise<T> {
    const clock = hurried(20);
    try {
      const judged = () =>
        action().catch((error) => {
          throw this.mustBe(error, [], what);
        });
      return await retry(judged, { clock, signal: never });
    } finally {
      struck(strike, what);
    }
  }

  async close(): Promise<void> {
    for (const opened of this.#opened.splice(0)) await within(opened[Symbol.asyncDispose](), "disposing");
  }

  async clear(): Promise<void> {
    const { list, remove } = this.destination.can;
    if (!list || !remove) return;
    for (const key of await keysOf(this.destination, this.folder)) await this.destination.remove(key, never);
  }

  /** Fails unless stat and get agree that `key` is exactly `bytes`. */
  async holds(key: string, bytes: Uint8Array, destination = this.destination): Promise<void> {
    const { size } = await destination.stat(key, never);
    check(size === bytes.length, `stat tells ${size} instead of ${bytes.length} bytes`);
    const got = await digestOf(await destination.get(key, undefined, never));
    check(
      got.size === bytes.length && got.sha256 === sha256Hex(bytes),
      `get gives ${got.size} other bytes than the ${bytes.length} of "${key}"`,
    );
  }

  /** Fails unless `keys` are all that is listed in the case's folder. */
  async holdsOnly(keys: readonly string[]): Promise<void> {
    const found = await keysOf(this.destination, this.folder);
    check(found.sort().join() === keys.toSorted().join(), `list gives "${found}" instead of "${keys}"`);
  }

  /** Fails where anything of `key` is visible, or anything else in the case's folder. */
  async leavesNothing(key: string): Promise<void> {
    await this.refused(this.destination.stat(key, never), ["not-found"], "stat afterwards");
    await this.refused(this.destination.get(key, undefined, never), ["not-found"], "get afterwards");
    await this.holdsOnly([]);
  }

  /** Fails where `key` is visible with anything but `bytes`, or anything else in the case's folder. */
  async holdsWholeOrNothing(key: string, bytes: Uint8Array): Promise<void> {
    const found = await keysOf(this.destination, this.folder);
    check(found.every((one) => one === key), `list gives "${found}", which is more than "${key}"`);
    if (found.length > 0) await this.holds(key, bytes);
    else await this.leavesNothing(key);
  }

  /** An offset in the middle of whatever a `put` sends at once. */
  get middle(): number {
    return Math.floor(Math.min(this.harness.block ?? Infinity, 10 * 1024 * 1024) / 2);
  }

  /** Fails unless exactly the bytes of the range come. */
  async gives(
    key: string,
    range: ByteRange | undefined,
    bytes: Uint8Array,
    from: Destination,
  ): Promise<void> {
    const expected = bytes.subarray(range?.start ?? 0, range?.end);
    const got = await collect(await from.get(key, range, never), bytes.length, key);
    const text = range ? `bytes ${range.start} to ${range.end ?? "the end"}` : "the whole";
    check(sha256Hex(got) === sha256Hex(expected), `${text} came back as ${got.length} other bytes`);
  }

  /** Fails unless `call` rejects with an error of a destination that has one of `codes` (any, when there are none). */
  async refused(call: Promise<unknown>, codes: readonly string[], what: string): Promise<AppError> {
    const error = await call.then((value) => {
      // A stream that should not be there must not stay open either.
      if (value instanceof ReadableStream) value.cancel().catch(() => {});
      throw new Failure(`${what} was not refused`);
    }, (error) => error);
    return this.mustBe(error, codes, what);
  }

  /** Fails unless `error` is one of a destination, in the house's voice, without a secret, with one of `codes`. */
  mustBe(error: unknown, codes: readonly string[], what: string): AppError {
    if (error instanceof Failure) throw error;
    const text = error instanceof Error ? error.message : String(error);
    if (!isAppError(error) || error.origin !== "destination") {
      throw new Failure(`${what} failed with an error of no destination: ${text}`, error);
    }
    if (codes.length > 0 && !codes.includes(error.code)) {
      throw new Failure(
        `${what} failed as "${error.code}" instead of "${codes.join(" or ")}": ${text}`,
        error,
      );
    }
    for (const told of [error.message, error.hint ?? "", JSON.stringify(error), String(error)]) {
      for (const secret of this.harness.secrets ?? []) {
        check(
          !told.includes(secret) && !told.includes(encodeURIComponent(secret)),
          `a secret is in the error of ${what}`,
        );
      }
    }
    const voice = /^destination ".+": \S/.test(text) && !/\n|\.$/.test(text);
    check(voice, `${what} failed with a sentence of another voice: ${text}`);
    return error;
  }
}

/** Fails unless `strike` has struck: a fault that hits nothing proves nothing. */
export function struck(strike: Strike, what: string): void {
  check(strike.times() > 0, `the fault of the harness never struck ${what}`);
}

/** Bytes that no compression shortens and that differ by `seed`. */
export function sample(size: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  for (let at = 0, x = seed * 0x9e3779b9 | 1; at < words.length; at++) {
    x ^= x << 13, x ^= x >>> 17, x ^= x << 5;
    words[at] = x;
  }
  return new Uint8Array(words.buffer, 0, size);
}

/** Bytes of a piece of a body. */
const PIECE = 65_521;

/** What {@linkcode bodyOf} leaves the end of a body to. */
type Ending = (
  controller: ReadableStreamDefaultController | ReadableByteStreamController,
) => void | Promise<void>;

/**
 * A body in pieces of an odd length. Of an even number of bytes it is a byte stream, as a file is, whose readers have
 * their arrays filled; of an odd number any other stream, an empty piece in it. With `sent` it says that it has all of
 * `bytes`, gives only so many and then does what `then` says (by default: ends).
 */
export function bodyOf(
  bytes: Uint8Array,
  sent = bytes.length,
  then: Ending = (controller) => controller.close(),
  cancelled: () => void = () => {},
): Resendable {
  const open = () => {
    let at = 0, empty = true;
    if (bytes.length % 2 === 0) {
      return new ReadableStream({
        type: "bytes",
        autoAllocateChunkSize: PIECE,
        async pull(controller) {
          const { view } = controller.byobRequest!;
          const part = bytes.subarray(at, Math.min(at + Math.min(PIECE, view!.byteLength), sent));
          if (part.length === 0) await then(controller);
          new Uint8Array(view!.buffer, view!.byteOffset, part.length).set(part);
          at += part.length;
          controller.byobRequest?.respond(part.length); // there is none any more after an error
        },
        cancel: cancelled,
      });
    }
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= sent) return then(controller);
        if (at > 0 && empty) empty = (controller.enqueue(new Uint8Array()), false);
        const from = at;
        at = Math.min(at + PIECE, sent);
        controller.enqueue(bytes.subarray(from, at));
      },
      cancel: cancelled,
    }, { highWaterMark: 0 });
  };
  return { size: bytes.length, sha256: sha256Hex(bytes), open };
}

/** All keys that `list` gives for `prefix`. */
export async function keysOf(destination: Destination, prefix: string, signal = never): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of destination.list(prefix, signal)) keys.push(key);
  return keys;
}

/** What `call` gives, or a failure when it takes longer than a cancelled call may, or than `ms`. */
export async function within<T>(call: PromiseLike<T>, what: string, ms = PATIENCE): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Failure(`${what} did not end in time`)), ms);
  });
  return await Promise.race([call, late]).finally(() => clearTimeout(timer));
}

/** What the suite finds wrong, as opposed to what a destination reports. */
export class Failure extends Error {
  constructor(sentence: string, cause?: unknown) {
    super(sentence, { cause });
  }
}

/** Fails with `sentence` unless `condition` holds. */
export function check(condition: boolean, sentence: string): void {
  if (!condition) throw new Failure(sentence);
}
