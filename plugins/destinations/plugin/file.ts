import { posix, win32 } from "node:path";
import { AppError, isAppError } from "../../../src/base/errors.ts";
import { sha256Hex } from "../../../src/base/hash.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { World } from "../../../src/base/world.ts";
import type { PluginSettings } from "./settings.ts";

/** Bytes; a bundle with a large library in it has a few million. */
const LONGEST = 16 * 1024 * 1024;

/**
 * The bytes of the plugin, which have the digest of the config. What is run later is these bytes, not the file again:
 * nobody can change it in between.
 *
 * @throws `misconfigured` where it is no file of its own, others can write it, or its digest is another one
 */
export async function readPlugin(
  { path, sha256 }: Pick<PluginSettings, "path" | "sha256">,
  { files, platform }: World,
): Promise<Uint8Array> {
  const absolute = platform.os === "windows" ? win32.isAbsolute : posix.isAbsolute;
  if (!absolute(path)) throw unfit(`${quoted(path)} is no absolute path on this system`);
  const bytes = await plainly(async () => {
    const { kind, mode } = await files.stat(path);
    if (kind === "link") {
      throw unfit(
        `the plugin ${quoted(path)} is a link`,
        `give the path of the file itself: ${quoted(await files.realPath(path))}`,
      );
    }
    if (kind !== "file") throw unfit(`the plugin ${quoted(path)} is not a regular file`);
    if (mode !== undefined && (mode & 0o022) !== 0) {
      throw unfit(`other users can write the plugin ${quoted(path)}`, `chmod go-w ${shellWord(path)}`);
    }
    return await files.read(path, LONGEST);
  });
  const found = sha256Hex(bytes);
  if (found !== sha256.toLowerCase()) {
    throw unfit(
      `the plugin ${quoted(path)} has the SHA-256 ${found}, not the one in the config, and was not run`,
      "look at what has changed in it; if you trust it as it is now, write this SHA-256 into the config",
    );
  }
  return bytes;
}

/** A plugin that is not to be had is a fault of the config. */
async function plainly<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (isAppError(cause, "not-found")) throw new AppError("misconfigured", cause.message, { cause });
    if (isAppError(cause, "denied", "corrupt")) {
      throw new AppError("misconfigured", cause.message, { cause });
    }
    throw cause;
  }
}

function unfit(message: string, hint?: string): AppError {
  return new AppError("misconfigured", message, hint === undefined ? {} : { hint });
}

function shellWord(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
