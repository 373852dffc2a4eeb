import { isAppError } from "../../base/errors.ts";
import type { World } from "../../base/world.ts";
import { checkPath } from "../../archive/layout.ts";

/**
 * The first path below `root`, a restored folder, that vaultferry did not write there. A link is one too, and a file
 * that has a second name somewhere.
 */
export async function firstStranger(world: World, root: string, below = ""): Promise<string | undefined> {
  for (const name of (await world.files.names(`${root}/${below}`)).sort()) {
    const path = below === "" ? name : `${below}/${name}`;
    const { kind, links = 1 } = await world.files.stat(`${root}/${path}`);
    if (kind === "directory") {
      const stranger = await firstStranger(world, root, path);
      if (stranger !== undefined) return stranger;
    } else if (kind !== "file" || links > 1 || !isOurs(path)) return path;
  }
  return undefined;
}

/** What an interrupted wiping leaves has lost its name. */
const HIDDEN = /(^|\/)[0-9a-f]{32}$/;

function isOurs(path: string): boolean {
  if (HIDDEN.test(path)) return true;
  try {
    checkPath(path.replace(/\.incomplete$/, ""));
    return true;
  } catch (error) {
    if (isAppError(error, "corrupt")) return false;
    throw error;
  }
}
