import { posix } from "node:path";
import { isAppError, toAppError } from "../base/errors.ts";
import { quoted } from "../base/safe_names.ts";
import type { World } from "../base/world.ts";

/** The runtime opens nothing below /dev unless it may do everything, which the binary may not; /run is root's. */
const SHARED_MEMORY = ["/dev/shm", "/run"];

/** Where private folders lie when there is no memory to put them in; Windows and macOS have none. */
export function diskPlace(state: string): string {
  return `${state}/private`;
}

/** The places that are memory and safe, the best first, and what is wrong with the others. */
export async function placesInMemory(world: World): Promise<{ found: string[]; passed: string[] }> {
  const found: string[] = [];
  const passed: string[] = [];
  for (const named of namedPlaces(world)) {
    try {
      const place = await world.files.realPath(named);
      const { kind, mode = 0, uid } = await world.files.stat(place);
      // Where others may write, only the sticky bit keeps them from putting a folder of theirs in place of ours; and
      // whoever owns the place may always.
      const safe = kind === "directory" && ((mode & 0o022) === 0 || (mode & 0o1000) !== 0) &&
        (uid === 0 || uid === world.uid());
      const inMemory = await world.files.fileSystem(place) === "tmpfs";
      if (safe && inMemory) found.push(place);
      else passed.push(`${quoted(named)} is ${inMemory ? "not safe from other users" : "not in memory"}`);
    } catch (error) {
      passed.push(toAppError(error).message);
    }
  }
  return { found, passed };
}

/** Every place in which a folder of ours may have been left, as real paths. */
export async function placesToSweep(world: World, state: string): Promise<string[]> {
  const places: string[] = [];
  for (const named of [...namedPlaces(world), diskPlace(state)]) {
    try {
      places.push(await world.files.realPath(named));
    } catch (error) {
      if (!isAppError(error, "not-found", "denied")) throw error;
    }
  }
  return places;
}

/** systemd names several runtime directories with a colon in between; links are resolved, because it makes some itself. */
function namedPlaces(world: World): string[] {
  if (world.platform.os !== "linux") return [];
  const named = [...(world.env("RUNTIME_DIRECTORY") ?? "").split(":"), world.env("XDG_RUNTIME_DIR") ?? ""];
  return [...named.filter((path) => posix.isAbsolute(path)), ...SHARED_MEMORY];
}
