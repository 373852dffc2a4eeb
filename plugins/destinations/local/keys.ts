import { AppError } from "../../../src/base/errors.ts";
import { hex } from "../../../src/base/bytes.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Platform } from "../../../src/base/world.ts";

const COMPONENT = /^[A-Za-z0-9._-]+$/;

/** Names that Windows takes for a device in every folder, and trailing dots, which it drops. */
const NOT_ON_WINDOWS = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)|\.$/i;

/** The parts of a key; throws `misconfigured` on one that is not a plain relative path, or that `list` would hide. */
export function partsOfKey(key: string, os: Platform["os"]): string[] {
  const parts = key.split("/");
  for (const part of parts) {
    if (!isName(part) || isPartial(part) || (os === "windows" && NOT_ON_WINDOWS.test(part))) {
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
  return COMPONENT.test(name) && name !== "." && name !== "..";
}

/** Whether `name` is what a `put` writes to before it publishes. */
export function isPartial(name: string): boolean {
  return name.startsWith(".") && name.endsWith(".partial");
}

/**
 * A new hidden name for the body of `name`.
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
