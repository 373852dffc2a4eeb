import { z } from "zod";
import { AppError, isAppError } from "../base/errors.ts";
import { fromUtf8 } from "../base/bytes.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";

const stored = z.object({ v: z.literal(1), expires: z.iso.datetime() });

/**
 * When the job's token ends (RFC 3339, UTC), as whoever made it has written down beside the job's chain; undefined where
 * nobody has. 1Password does not tell it.
 *
 *     <state>/<job>/token.json    {"v": 1, "expires": "2027-02-01T00:00:00Z"}
 *
 * @throws `corrupt` when the file is damaged
 */
export async function tokenExpiry(world: World, folder: string): Promise<string | undefined> {
  const path = `${folder}/token.json`;
  let bytes: Uint8Array;
  try {
    bytes = await world.files.read(path, 4096);
  } catch (error) {
    if (isAppError(error, "not-found")) return undefined;
    throw error;
  }
  try {
    return stored.parse(JSON.parse(fromUtf8(bytes, "the file"))).expires;
  } catch (cause) {
    throw new AppError("corrupt", `${quoted(path)} is damaged`, { cause, hint: "remove it" });
  }
}
