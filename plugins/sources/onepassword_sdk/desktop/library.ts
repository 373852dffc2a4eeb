import { AppError, isAppError } from "../../../../src/base/errors.ts";
import type { World } from "../../../../src/base/world.ts";
import { TURN_ON } from "./meanings.ts";

/** Where the app keeps its library for other programs. `--allow-ffi` in deno.json names the same paths. */
export const LIBRARIES: Record<World["platform"]["os"], readonly string[]> = {
  linux: [
    "/opt/1Password/libop_sdk_ipc_client.so",
    "/usr/bin/1password/libop_sdk_ipc_client.so",
    "/snap/bin/1password/libop_sdk_ipc_client.so",
  ],
  darwin: ["/Applications/1Password.app/Contents/Frameworks/libop_sdk_ipc_client.dylib"],
  windows: [
    "C:/Program Files/1Password/app/8/op_sdk_ipc_client.dll",
    "C:/Program Files (x86)/1Password/app/8/op_sdk_ipc_client.dll",
  ],
  other: [],
};

/** Where it is when the app was installed for one person only; below the home folder. */
const OWN_LIBRARIES: Partial<typeof LIBRARIES> = {
  darwin: ["Applications/1Password.app/Contents/Frameworks/libop_sdk_ipc_client.dylib"],
  windows: [
    "AppData/Local/1Password/app/8/op_sdk_ipc_client.dll",
    "AppData/Local/1Password/op_sdk_ipc_client.dll",
  ],
};

/**
 * The path of the library of the 1Password app on this machine.
 *
 * @throws `misconfigured` where there is none, or only one that this program has no permission to load.
 */
export async function findLibrary(world: World, libraries: typeof LIBRARIES = LIBRARIES): Promise<string> {
  const { os } = world.platform;
  for (const path of libraries[os]) if (await exists(world, path)) return path;
  const home = world.env(os === "windows" ? "USERPROFILE" : "HOME");
  for (const path of OWN_LIBRARIES[os] ?? []) {
    if (home === undefined || !await exists(world, `${home}/${path}`)) continue;
    throw new AppError("misconfigured", "the 1Password app is installed for one person only", {
      hint:
        "install it for all users: this program may load the app's library only from where that installation puts it",
      origin: "source",
    });
  }
  throw new AppError("misconfigured", "the 1Password app is not installed on this machine", {
    hint: `install it from https://1password.com/downloads (version 8), then ${TURN_ON}`,
    origin: "source",
  });
}

async function exists({ files }: World, path: string): Promise<boolean> {
  try {
    await files.stat(path);
    return true;
  } catch (error) {
    if (isAppError(error, "not-found")) return false;
    throw error;
  }
}
