import { dirname, join } from "node:path";
import { denoFromNpm, denortFromNpm, VERSION as NPM_VERSION } from "../denort/mod.ts";
import { bundle } from "./bundle.ts";
import { runtimeFlags } from "./flags.ts";
import { stage } from "./stage.ts";
import type { Target } from "./targets.ts";

export interface Compiled {
  output: string;
  size: number;
  /** Which runtime is inside, in words. */
  runtime: string;
}

/** Compiles the program for every target; the bundle is made once. */
export async function compile(
  root: string,
  targets: readonly { target: Target; output: string }[],
): Promise<Compiled[]> {
  const folder = await Deno.makeTempDir({ prefix: "vaultferry-compile-" });
  try {
    await stage(root, join(folder, "stage"));
    // The compiler stores the name of this folder.
    const made = await bundle(join(folder, "stage"), join(folder, "vaultferry"));
    const args = [
      "compile",
      "--quiet",
      "--no-config",
      // Where the cache would lie, in the temporary folder, anybody could have put one before.
      "--no-code-cache",
      // No code but what is inside, and plugins from files whose digest the config holds.
      "--deny-import",
      ...await runtimeFlags(root),
      ...[...made.workers, ...made.data].flatMap((path) => ["--include", path]),
    ];
    const compiled: Compiled[] = [];
    for (const { target, output: given } of targets) {
      const output = given.endsWith(target.exe) ? given : given + target.exe;
      await Deno.mkdir(dirname(output), { recursive: true });
      const own = [...args, "--target", target.triple, "--output", output, made.main];
      const runtime = await withOfficialRuntime(own) ?? await withRuntimeFromNpm(own, target);
      compiled.push({ output, runtime, size: (await Deno.stat(output)).size });
    }
    return compiled;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Undefined when the running Deno's own base runtime cannot be had. */
async function withOfficialRuntime(args: string[]): Promise<string | undefined> {
  const problem = await deno(Deno.execPath(), args);
  if (problem === undefined) {
    const given = Deno.env.get("DENORT_BIN");
    return given ? `the runtime ${given}` : `the official runtime of Deno ${Deno.version.deno}`;
  }
  if (/setting up base binary|dl\.deno\.land/i.test(problem)) return undefined;
  throw new Error(problem);
}

async function withRuntimeFromNpm(args: string[], target: Target): Promise<string> {
  const problem = await deno(await denoFromNpm(), args, { DENORT_BIN: await denortFromNpm(target.npm) });
  if (problem !== undefined) throw new Error(problem);
  return `the runtime of Deno ${NPM_VERSION} from npm, because that of Deno ${Deno.version.deno} is out of ` +
    "reach: for tests, not for a release";
}

/** Returns what went wrong. */
async function deno(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string | undefined> {
  const { success, stderr } = await new Deno.Command(program, {
    args,
    env: { ...env, NO_COLOR: "1", RUST_BACKTRACE: "0", DENO_NO_UPDATE_CHECK: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  return success ? undefined : new TextDecoder().decode(stderr).trim();
}
