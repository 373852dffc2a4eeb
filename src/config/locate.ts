import { posix, win32 } from "node:path";
import type { World } from "../base/world.ts";

/** Where a config is looked for when none is named, in this order. */
export function placesOf(world: World): string[] {
  const { isAbsolute, join } = pathsOf(world);
  const home = world.env("HOME");
  // The XDG specification has relative values ignored.
  const xdg = [world.env("XDG_CONFIG_HOME"), home && join(home, ".config")]
    .find((folder) => folder !== undefined && isAbsolute(folder));
  const system = isWindows(world) ? programData(world) : "/etc/vaultferry";
  return [...xdg ? [join(xdg, "vaultferry", "vaultferry.yaml")] : [], join(system, "vaultferry.yaml")];
}

/** The folder for what must outlive a run: journal, chain, keys of the host. */
export function stateFolder(world: World, config: { state?: string | undefined }): string {
  if (config.state !== undefined) return config.state;
  const given = firstOf(world, "STATE_DIRECTORY");
  if (given !== undefined) return given;
  const { isAbsolute, join } = pathsOf(world);
  const xdg = world.env("XDG_STATE_HOME");
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, "vaultferry");
  return isWindows(world) ? programData(world) : "/var/lib/vaultferry";
}

/** The folder for ciphertext on its way; `state` where the system gives none for that. */
export function spoolFolder(world: World, state: string): string {
  return firstOf(world, "CACHE_DIRECTORY") ?? state;
}

/** systemd joins several folders with colons; the first is the unit's own. A Windows path has a colon itself. */
function firstOf(world: World, name: string): string | undefined {
  const value = world.env(name);
  return isWindows(world) ? value : value?.split(":").find((folder) => folder !== "");
}

function programData(world: World): string {
  return win32.join(world.env("ProgramData") ?? "C:\\ProgramData", "vaultferry");
}

function pathsOf(world: World) {
  return isWindows(world) ? win32 : posix;
}

function isWindows(world: World): boolean {
  return world.platform.os === "windows";
}
