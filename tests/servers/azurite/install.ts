/**
 * Azurite, Microsoft's own emulator of Azure Storage, installed by npm into the cache of this user: as a dependency
 * of the project its 450 packages would be in everybody's way. `deno run -A tests/servers/azurite/install.ts` does it
 * ahead of the tests.
 */
import { homedir } from "node:os";
import { join } from "node:path";

const VERSION = "3.37.0";

/** The path of its blob service, to be run by node; installed where it is not yet. */
export async function azurite(): Promise<string> {
  const cache = join(Deno.env.get("XDG_CACHE_HOME") || join(homedir(), ".cache"), "vaultferry-build");
  const folder = join(cache, `azurite-${VERSION}`);
  const main = join("node_modules", "azurite", "dist", "src", "blob", "main.js");
  if (await exists(join(folder, main))) return join(folder, main);
  await Deno.mkdir(cache, { recursive: true });
  const fresh = `${folder}.${crypto.randomUUID()}`;
  try {
    await Deno.mkdir(fresh);
    await Deno.writeTextFile(join(fresh, "package.json"), '{ "private": true }\n');
    await install(fresh);
    // Whoever installs it at the same time may be faster.
    await Deno.rename(fresh, folder).catch(async (error) => {
      if (!await exists(join(folder, main))) throw error;
    });
  } finally {
    await Deno.remove(fresh, { recursive: true }).catch(() => {});
  }
  return join(folder, main);
}

async function install(cwd: string): Promise<void> {
  const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", `azurite@${VERSION}`];
  const { success, stderr } = await new Deno.Command("npm", { args, cwd, stdout: "null", stderr: "piped" })
    .output();
  if (!success) throw new Error(`npm cannot install azurite ${VERSION}: ${new TextDecoder().decode(stderr)}`);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

if (import.meta.main) console.log(await azurite());
