import { posix, win32 } from "node:path";
import { AppError, isAppError } from "../base/errors.ts";
import { fromUtf8 } from "../base/bytes.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";
import { parseRecipients, type Recipient } from "./recipients.ts";

/** Recipients as a config gives them: a list, or groups with names; each one a key or `file:/path`. */
export type GivenRecipients = readonly string[] | Readonly<Record<string, readonly string[]>>;

/** No list of public keys is larger. */
const LIMIT = 1024 * 1024;
const FILE = "file:";

/**
 * The recipients of a job, those in files too: a line each, empty lines and `#` comments aside, whatever the line ends.
 *
 * @throws `misconfigured`, for a file with its path and the number of the line.
 */
export async function readRecipients(world: World, given: GivenRecipients): Promise<Recipient[]> {
  if (isList(given)) return parseRecipients(await filledIn(world, given));
  const groups: Record<string, string[]> = {};
  for (const [name, list] of Object.entries(given)) groups[name] = await filledIn(world, list);
  return parseRecipients(groups);
}

function isList(given: GivenRecipients): given is readonly string[] {
  return Array.isArray(given);
}

async function filledIn(world: World, list: readonly string[]): Promise<string[]> {
  const keys: string[] = [];
  for (const one of list) {
    if (!one.startsWith(FILE)) keys.push(one);
    else keys.push(...await keysIn(world, one.slice(FILE.length)));
  }
  return keys;
}

async function keysIn(world: World, path: string): Promise<string[]> {
  if (!posix.isAbsolute(path) && !win32.isAbsolute(path)) {
    throw new AppError("misconfigured", `the file of recipients ${quoted(path)} must be an absolute path`);
  }
  const keys: string[] = [];
  for (const [index, line] of (await textOf(world, path)).split(/\r\n|\r|\n/).entries()) {
    const key = line.trim();
    if (key === "" || key.startsWith("#")) continue;
    try {
      parseRecipients([key]);
    } catch (error) {
      if (!isAppError(error, "misconfigured")) throw error;
      throw new AppError("misconfigured", `line ${index + 1} of ${quoted(path)}: ${error.message}`, {
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      });
    }
    keys.push(key);
  }
  if (keys.length === 0) {
    throw new AppError("misconfigured", `there is no recipient in ${quoted(path)}`, {
      hint: "a recipient is one line that begins with age1",
    });
  }
  return keys;
}

async function textOf(world: World, path: string): Promise<string> {
  try {
    return fromUtf8(await world.files.read(path, LIMIT), quoted(path)).replace(/^\ufeff/, "");
  } catch (cause) {
    if (isAppError(cause, "corrupt")) {
      throw new AppError("misconfigured", `${quoted(path)} is not a list of recipients in plain text`, {
        hint:
          "a recipient is one line that begins with age1; Windows PowerShell writes UTF-16: use an editor",
        cause,
      });
    }
    if (!isAppError(cause)) throw cause;
    throw new AppError("misconfigured", `the file of recipients cannot be read: ${cause.message}`, { cause });
  }
}
