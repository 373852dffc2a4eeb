import { AppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { Platform } from "../../../src/base/world.ts";
import { partsOfKey } from "../../../src/destination/keys.ts";

/** Names that Windows takes for a device in every folder, and trailing dots, which it drops. */
const NOT_ON_WINDOWS = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)|\.$/i;

/** The parts of a key; throws `misconfigured` on one that cannot be a file's path on this system. */
export function pathPartsOfKey(key: string, os: Platform["os"]): string[] {
  const parts = partsOfKey(key);
  if (os === "windows" && parts.some((part) => NOT_ON_WINDOWS.test(part))) {
    throw new AppError("misconfigured", `${quoted(key)} cannot be the name of a stored file on Windows`);
  }
  return parts;
}
