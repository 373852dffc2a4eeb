import { z } from "zod";
import { foldersOfPrefix } from "./keys.ts";

/** Settings that several kinds of destinations have, for a plugin's own part. */

/** How long nothing may move. */
export const timeoutSetting = z.string().regex(/^[1-9]\d{0,3}[sm]$/, "must be a duration such as 90s or 5m")
  .optional().describe("a transfer is given up when nothing moves for so long; 2m where left out");

/** What all names in a bucket or container begin with. */
export function prefixSetting(place: "bucket" | "container") {
  return z.string().refine((prefix) => prefix === "" || isFolder(prefix), {
    error: 'must be folder names of letters, digits, ".", "_" and "-", and end with a slash: backups/',
  }).default("").describe(`what every name in the ${place} begins with; ends with a slash`);
}

function isFolder(prefix: string): boolean {
  try {
    return foldersOfPrefix(prefix).length > 0 && prefix.endsWith("/");
  } catch {
    return false; // the message above says what it should be
  }
}
