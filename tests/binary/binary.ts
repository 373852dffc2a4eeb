import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";
import { compile } from "../../scripts/compile/compile.ts";
import { hostTarget, type Target, targetOf } from "../../scripts/compile/targets.ts";

export const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** The binary as it is now: compiled once for all test files and kept until the sources change. */
export async function binary(platform: string = hostTarget().npm): Promise<string> {
  const [path] = await binaries([platform]);
  return path!;
}

/** The same for several platforms, which is faster at once. */
export async function binaries(platforms: readonly string[]): Promise<string[]> {
  const cache = join(
    Deno.env.get("XDG_CACHE_HOME") || join(homedir(), ".cache"),
    "vaultferry-build",
    "tests",
  );
  const folder = join(cache, await sourcesHash());
  const wanted = platforms.map(targetOf).map((target) => ({ target, path: join(folder, fileName(target)) }));
  const missing = [];
  for (const one of wanted) {
    if (!await exists(one.path)) missing.push({ ...one, output: `${one.path}.${crypto.randomUUID()}` });
  }
  if (missing.length > 0) {
    await removeOld(cache);
    const made = await compile(ROOT, missing);
    for (const [index, { output }] of made.entries()) await Deno.rename(output, missing[index]!.path);
    console.log(`compiled with ${made[0]!.runtime}`);
  }
  await Deno.utime(folder, new Date(), new Date());
  return wanted.map(({ path }) => path);
}

/** A program that does nothing, compiled with the same runtime: what starting costs without vaultferry. */
export async function emptyProgram(): Promise<string> {
  const folder = join(await binary(), "..", "empty");
  const path = join(folder, "dist", fileName(hostTarget()));
  if (await exists(path)) return path;
  await Deno.mkdir(join(folder, "src"), { recursive: true });
  await Deno.mkdir(join(folder, "plugins"), { recursive: true });
  await Deno.writeTextFile(join(folder, "main.ts"), "");
  const { tasks } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify({ tasks, imports: {} }));
  await Deno.writeTextFile(join(folder, "deno.lock"), '{"version":"5"}');
  await compile(folder, [{ target: hostTarget(), output: path }]);
  return path;
}

function fileName({ triple, exe }: Target): string {
  return `vaultferry-${triple}${exe}`;
}

/** Of everything that the binary is made of. */
async function sourcesHash(): Promise<string> {
  const hash = createHash("sha256").update(Deno.version.deno);
  for (
    const name of ["deno.json", "deno.lock", "main.ts", "src", "plugins", "scripts/compile", "scripts/denort"]
  ) {
    for (const path of await filesBelow(join(ROOT, name))) {
      hash.update(path.slice(ROOT.length)).update("\0").update(await Deno.readFile(path)).update("\0");
    }
  }
  return hash.digest("hex").slice(0, 16);
}

async function filesBelow(path: string): Promise<string[]> {
  if ((await Deno.stat(path)).isFile) return [path];
  const names = [];
  for await (const { name } of Deno.readDir(path)) names.push(name);
  return (await Promise.all(names.sort().map((name) => filesBelow(join(path, name))))).flat();
}

/** Binaries are large: those of other sources go once nobody can be using them any more. */
async function removeOld(cache: string): Promise<void> {
  await Deno.mkdir(cache, { recursive: true });
  for await (const { name } of Deno.readDir(cache)) {
    const { mtime } = await Deno.stat(join(cache, name));
    if (mtime && Date.now() - mtime.getTime() > 60 * 60_000) {
      await Deno.remove(join(cache, name), { recursive: true }).catch(() => {});
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
