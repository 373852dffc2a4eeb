import { join } from "node:path";

/**
 * A folder for esbuild: the sources beside a node_modules folder with the npm packages of deno.json in the versions
 * of deno.lock. The checkout itself has none; and with everything below one folder, the names in the bundle do not
 * depend on where that folder is.
 */
export async function stage(root: string, folder: string): Promise<void> {
  const { imports } = JSON.parse(await Deno.readTextFile(join(root, "deno.json"))) as {
    imports: Record<string, string>;
  };
  await Deno.mkdir(folder, { recursive: true });
  for (const name of ["main.ts", "src", "plugins"]) await copy(join(root, name), join(folder, name));
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify({ imports, nodeModulesDir: "auto" }));
  await Deno.copyFile(join(root, "deno.lock"), join(folder, "deno.lock"));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet"],
    cwd: folder,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`the packages cannot be installed: ${new TextDecoder().decode(stderr)}`);
}

async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name));
}
