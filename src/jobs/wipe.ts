import { AppError, isAppError } from "../base/errors.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";
import { checkPath } from "../archive/layout.ts";
import { wipe, type Wiped } from "../host/wipe.ts";

/**
 * Wipes what a restore left: a folder that holds vaults and nothing but what vaultferry writes. Anything else, a
 * single file too (a key is one slip of a finger away), needs `force`, because there is no way back.
 *
 * @throws `denied` naming the first thing that is not ours; `unsupported` when the target is a link.
 */
export async function wipeLeftovers(
  world: World,
  path: string,
  force: boolean,
  signal: AbortSignal,
): Promise<Wiped> {
  const target = path.replace(/(?<=.)[/\\]+$/, "");
  if (/^([/\\]|[A-Za-z]:)?$/.test(target) || target === "." || target === "..") {
    throw new AppError("misconfigured", `${quoted(path)} is never wiped`, {
      hint: "name the folder or file itself",
    });
  }
  const { kind } = await world.files.stat(target);
  if (kind === "link") {
    throw new AppError(
      "unsupported",
      `${quoted(target)} is a link: wiping it would leave what it points to`,
      {
        hint: `name the folder or file itself: ${await world.files.realPath(target)}`,
      },
    );
  }
  const real = await world.files.realPath(target);
  if (/^([/\\]|[A-Za-z]:[/\\]?)$/.test(real) || real === await world.files.realPath(".")) {
    throw new AppError("misconfigured", `${quoted(path)} is never wiped`, {
      hint: "name the folder or file itself",
    });
  }
  if (kind !== "directory" && !force) {
    throw new AppError(
      "denied",
      `${quoted(target)} is a single file, which vaultferry cannot know to be its own`,
      {
        hint: 'if it shall go, say so with "--force"; nothing was touched',
      },
    );
  }
  if (kind === "directory" && !force) {
    if (!(await world.files.names(target)).includes("vaults")) {
      throw new AppError(
        "denied",
        `${quoted(target)} does not look like something that vaultferry restored`,
        {
          hint: 'if all of it shall go, say so with "--force"; nothing was touched',
        },
      );
    }
    const stranger = await firstStranger(world, target, "");
    if (stranger !== undefined) {
      throw new AppError(
        "denied",
        `${quoted(target)} holds something that vaultferry did not write: ${quoted(stranger)}`,
        {
          hint: 'if all of it shall go, say so with "--force"; nothing was touched',
        },
      );
    }
  }
  return await wipe(world, target, signal);
}

/** The first path below `root` that no archive of ours can hold. */
async function firstStranger(world: World, root: string, below: string): Promise<string | undefined> {
  for (const name of (await world.files.names(`${root}/${below}`)).sort()) {
    const path = below === "" ? name : `${below}/${name}`;
    const { kind } = await world.files.stat(`${root}/${path}`);
    if (kind === "directory") {
      const stranger = await firstStranger(world, root, path);
      if (stranger !== undefined) return stranger;
    } else if (kind !== "file" || !isOurs(path.replace(/\.incomplete$/, ""))) return path;
  }
  return undefined;
}

function isOurs(path: string): boolean {
  try {
    checkPath(path);
    return true;
  } catch (error) {
    if (isAppError(error, "corrupt")) return false;
    throw error;
  }
}
