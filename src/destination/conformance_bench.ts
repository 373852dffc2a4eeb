/** What the conformance cases are written with: bodies of every kind, and assertions that fail with a sentence. */
import { AppError, isAppError } from "../base/errors.ts";
import { digestOf, sha256Hex } from "../base/hash.ts";
import type { Destination, Resendable } from "./contract.ts";

/** The place to try. */
export interface ConformanceHarness {
  /** Opens the same place anew; every call sees what the others stored. */
  open(): Promise<Destination>;
  /** Where the cases may write: ends with a slash, and nothing is below it yet. */
  prefix: string;
}

export interface DestinationCase {
  /** What holds when the case returns. */
  name: string;
  /** What the destination must offer for the case to mean anything; the case is left out where it does not. */
  needs: readonly ("read" | "list" | "remove")[];
  /** Small, and harmless even where the destination gets it wrong: may run against a user's own bucket. */
  safe: boolean;
  /** Many megabytes or many requests. */
  slow: boolean;
  run(harness: ConformanceHarness): Promise<void>;
}

/** What a case works with: an open destination and a folder of its own. */
export interface Bench {
  destination: Destination;
  /** Ends with a slash. */
  folder: string;
  open(): Promise<Destination>;
}

/** A signal that is never aborted. */
export const never = new AbortController().signal;

/** How long a cancelled call may go on. */
const PATIENCE = 2000;

/** A case that works in a folder of its own and clears it afterwards. */
export function given(
  name: string,
  needs: DestinationCase["needs"],
  body: (bench: Bench) => Promise<void>,
  { slow = false, safe = !slow }: { slow?: boolean; safe?: boolean } = {},
): DestinationCase {
  const run = async (harness: ConformanceHarness) => {
    const folder = `${harness.prefix}${sha256Hex(name).slice(0, 12)}/`;
    await using destination = await harness.open();
    try {
      await body({ destination, folder, open: () => harness.open() });
    } catch (error) {
      await clear(destination, folder).catch(() => {}); // the failure itself matters more
      throw error;
    }
    await clear(destination, folder);
  };
  return { name, needs, safe, slow, run };
}

async function clear(destination: Destination, folder: string): Promise<void> {
  if (!destination.can.list || !destination.can.remove) return;
  for (const key of await keysOf(destination, folder)) await destination.remove(key, never);
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

/**
 * A body in pieces of an odd length, an empty one among them. With `sent` it says that it has all of `bytes`,
 * gives only so many and then does what `then` says (by default: ends).
 */
export function bodyOf(
  bytes: Uint8Array,
  sent = bytes.length,
  then: (controller: ReadableStreamDefaultController) => void | Promise<void> = (controller) =>
    controller.close(),
  cancelled: () => void = () => {},
): Resendable {
  const open = () => {
    let at = 0, empty = true;
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= sent) return then(controller);
        if (at > 0 && empty) empty = (controller.enqueue(new Uint8Array()), false);
        const from = at;
        at = Math.min(at + 65_521, sent);
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

/** Fails unless stat and get agree that `key` is exactly `bytes`. */
export async function holds({ destination }: Bench, key: string, bytes: Uint8Array): Promise<void> {
  const { size } = await destination.stat(key, never);
  check(size === bytes.length, `stat tells ${size} instead of ${bytes.length} bytes`);
  const got = await digestOf(await destination.get(key, undefined, never));
  check(got.size === bytes.length && got.sha256 === sha256Hex(bytes), `get gives ${got.size} other bytes`);
}

/** Fails unless `keys` are all that is listed in the case's folder. */
export async function holdsOnly({ destination, folder }: Bench, keys: string[]): Promise<void> {
  const found = await keysOf(destination, folder);
  check(found.sort().join() === keys.toSorted().join(), `list gives "${found}" instead of "${keys}"`);
}

/** Fails where anything of `key` is visible, or anything else in the case's folder. */
export async function leavesNothing(bench: Bench, key: string): Promise<void> {
  await refused(bench.destination.stat(key, never), ["not-found"], "stat afterwards");
  await refused(bench.destination.get(key, undefined, never), ["not-found"], "get afterwards");
  await holdsOnly(bench, []);
}

/** Fails unless `call` rejects with an error of a destination that has one of `codes` (any, when there are none). */
export async function refused(call: Promise<unknown>, codes: readonly string[], what: string): Promise<void> {
  const error = await call.then((value) => {
    // A stream that should not be there must not stay open either.
    if (value instanceof ReadableStream) value.cancel().catch(() => {});
    throw new AppError("unknown", `${what} was not refused`);
  }, (error) => error);
  mustBe(error, codes, what);
}

/** Fails unless `error` is one of a destination and has one of `codes`. */
export function mustBe(error: unknown, codes: readonly string[], what: string): void {
  const text = error instanceof Error ? error.message : String(error);
  if (!isAppError(error) || error.origin !== "destination") {
    throw new AppError("unknown", `${what} failed with an error of no destination: ${text}`, {
      cause: error,
    });
  }
  if (codes.length > 0 && !codes.includes(error.code)) {
    const wanted = codes.join(" or ");
    throw new AppError("unknown", `${what} failed as "${error.code}" instead of "${wanted}": ${text}`, {
      cause: error,
    });
  }
}

/** What `call` gives, or a failure when it takes longer than a cancelled call may. */
export async function within<T>(call: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError("unknown", `${what} did not end in time`)), PATIENCE);
  });
  return await Promise.race([call, late]).finally(() => clearTimeout(timer));
}

/** Fails with `sentence` unless `condition` holds. */
export function check(condition: boolean, sentence: string): void {
  if (!condition) throw new AppError("unknown", sentence);
}
