import { AppError } from "../../base/errors.ts";
import { quoted } from "../../base/safe_names.ts";
import type { Capabilities, Destination, Stored } from "../contract.ts";
import { isKey } from "../keys.ts";

const CALLS = ["put", "get", "stat", "list", "remove", "discard"] as const;
const WORDS = ["read", "list", "remove", "createOnly", "immutableUntil"] as const;
const CHECKSUMS: readonly unknown[] = ["sha256", "md5", "crc32c"];

/** What stranger's code has to bring; its name is ours to give. */
export type Stranger = Pick<Destination, typeof CALLS[number]> & { [Symbol.asyncDispose]?: () => unknown };

/**
 * What was opened, once it has proved to have the form of a destination.
 *
 * @throws `misconfigured` with what is missing
 */
export function inForm(opened: unknown): { stranger: Stranger; can: Capabilities } {
  if (!isRecord(opened)) throw unfit(`"open" gave ${kindOf(opened)}`);
  for (const call of CALLS) {
    if (typeof opened[call] !== "function") throw unfit(`it has no function "${call}"`);
  }
  return { stranger: opened as unknown as Stranger, can: capabilitiesIn(opened.can) };
}

/** A copy, so that nothing changes its mind later. */
function capabilitiesIn(can: unknown): Capabilities {
  if (!isRecord(can)) throw unfit('it has no "can", which says what it is able to do');
  for (const word of WORDS) {
    if (typeof can[word] !== "boolean") throw unfit(`"can.${word}" is neither true nor false`);
  }
  const { checksums } = can;
  if (!Array.isArray(checksums) || !checksums.every((one) => CHECKSUMS.includes(one))) {
    throw unfit(`"can.checksums" is no list of ${CHECKSUMS.map((one) => `"${one}"`).join(", ")}`);
  }
  const { read, list, remove, createOnly, immutableUntil } = can as unknown as Capabilities;
  return Object.freeze({
    ...{ read, list, remove, createOnly, immutableUntil },
    checksums: Object.freeze([...checksums]),
  });
}

/** The size in what a call gave as `Stored`. */
export function sizeIn(stored: unknown): number {
  const size = isRecord(stored) ? stored.size : undefined;
  if (typeof size === "number" && Number.isSafeInteger(size) && size >= 0) return size;
  throw new AppError("unknown", "it did not say how many bytes are stored: {key, size} is expected");
}

/** A stream, or a sentence. */
export function streamIn(got: unknown): ReadableStream<unknown> {
  if (got instanceof ReadableStream && !got.locked) return got;
  throw new AppError("unknown", `it gave ${kindOf(got)} instead of a ReadableStream that nobody reads`);
}

/** An iterator over what `list` gave. */
export function iteratorIn(listed: unknown): AsyncIterator<unknown> {
  if (isAsyncIterable(listed)) return listed[Symbol.asyncIterator]();
  throw new AppError("unknown", `it gave ${kindOf(listed)} instead of an async iterable`);
}

/**
 * One entry of a list; undefined for a name that can be no key of ours. A key that does not begin as it was asked to is
 * no such thing: passing over it could make a full place look empty.
 */
export function entryIn(entry: unknown, prefix: string): Stored | undefined {
  const key = isRecord(entry) ? entry.key : undefined;
  if (typeof key !== "string") throw new AppError("unknown", "it listed something that has no key");
  if (!key.startsWith(prefix)) {
    throw new AppError("unknown", `it listed ${quoted(key)}, which does not begin with ${quoted(prefix)}`);
  }
  return isKey(key) ? { key, size: sizeIn(entry) } : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return isRecord(value) && typeof value[Symbol.asyncIterator as unknown as string] === "function";
}

function unfit(why: string): AppError {
  return new AppError("misconfigured", `it did not open a destination: ${why}`);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  return Array.isArray(value) ? "a list" : `a value of type ${typeof value}`;
}
