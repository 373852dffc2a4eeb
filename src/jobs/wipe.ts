import { AppError } from "../base/errors.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";
import { wipe, type Wiped } from "../host/wipe.ts";
import { isAtWork, MARKER, strangerIn } from "./restore/partial_folder.ts";
import { firstStranger } from "./backup/strangers.ts";

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
  if (kind === "directory") await checkFolder(world, target, force);
  return await wipe(world, target, signal);
}

/** @throws `denied` when the folder is not, or not only, what vaultferry writes; `locked` while it does so. */
async function checkFolder(world: World, target: string, force: boolean): Promise<void> {
  const names = await world.files.names(target);
  const partial = names.includes(MARKER);
  if (partial && await isAtWork(world, target)) {
    throw new AppError("locked", `a restore is writing to ${quoted(target)}`, { hint: "wait for it to end" });
  }
  if (force) return;
  const hint = 'if all of it shall go, say so with "--force"; nothing was touched';
  if (!names.includes("vaults") && !partial) {
    throw new AppError(
      "denied",
      `${quoted(target)} does not look like something that vaultferry restored`,
      { hint },
    );
  }
  const stranger = await (partial ? strangerIn(world, target) : firstStranger(world, target));
  if (stranger === undefined) return;
  throw new AppError(
    "denied",
    `${quoted(target)} holds something that vaultferry did not write: ${quoted(stranger)}`,
    { hint },
  );
}
