import { hex } from "../base/bytes.ts";
import { AppError } from "../base/errors.ts";
import { quoted } from "../base/safe_names.ts";
import type { ByteRange } from "./contract.ts";

/**
 * The parts of a key; throws `misconfigured` on one that is not a plain relative path, or that could be taken for an
 * unfinished upload. Every method that takes a key begins with this, wherever it stores: a key is the same at every
 * destination.
 */
export function partsOfKey(key: string): string[] {
  const parts = key.split("/");
  for (const part of parts) {
    if (!isName(part) || isPartial(part)) {
      throw new AppError("misconfigured", `${quoted(key)} cannot be the name of a stored file`);
    }
  }
  return parts;
}

/** The folder parts of a list prefix; what comes after its last slash may be any beginning of a name. */
export function foldersOfPrefix(prefix: string): string[] {
  const parts = prefix.split("/");
  const last = parts.pop()!;
  if (!parts.every(isName) || (last !== "" && !isName(last))) {
    throw new AppError("misconfigured", `${quoted(prefix)} cannot be the beginning of a stored file's name`);
  }
  return parts;
}

/** Whether `name` may be one part of a key. */
export function isName(name: string): boolean {
  return /^[A-Za-z0-9._-]+$/.test(name) && name !== "." && name !== "..";
}

/** Whether a whole listed key may be one of ours; `list` passes over what is not. */
export function isKey(key: string): boolean {
  return key.split("/").every((part) => isName(part) && !isPartial(part));
}

/** Whether `name` is what a `put` writes to before it publishes. */
export function isPartial(name: string): boolean {
  return name.startsWith(".") && name.endsWith(".partial");
}

/**
 * A new hidden name for the body of `name`, in the same folder; `random` are 8 bytes.
 *
 * Random, because a fixed one could be swept and made again by a second `put` of the same key; the first one
 * would then publish the half-written file of the second.
 */
export function partialName(name: string, random: Uint8Array): string {
  return `.${name}.${hex(random)}.partial`;
}

/** Whether `candidate` was made by {@linkcode partialName} for exactly this `name`. */
export function isPartialOf(name: string, candidate: string): boolean {
  return candidate.startsWith(`.${name}.`) &&
    /^[0-9a-f]{16}\.partial$/.test(candidate.slice(name.length + 2));
}

/** A range within `size` bytes; throws `misconfigured` where it is none. */
export function withinSize(
  size: number,
  range: ByteRange | undefined,
  key: string,
): { start: number; end: number } {
  const start = range?.start ?? 0;
  const end = Math.min(range?.end ?? size, size);
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new AppError(
      "misconfigured",
      `bytes ${start} to ${end} of the ${size} in ${quoted(key)} make no range`,
    );
  }
  return { start, end };
}
