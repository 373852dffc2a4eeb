/** Everything of the gate but the tests: format, lint, types, layers and circles, versions that must agree. */
import { layerProblems } from "./layers.ts";
import { VERSION } from "../src/cli/version.ts";

const root = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

const steps: [name: string, run: () => Promise<string[]>][] = [
  ["format", () => deno("fmt", "--check", "--quiet")],
  ["lint", () => deno("lint", "--quiet")],
  ["types", () => deno("check", "--quiet", "main.ts", "plugins", "scripts", "tests")],
  ["layers and circles", () => layerProblems(root)],
  ["versions", versionProblems],
  ["sizes", sizeProblems],
];

let failed = 0;
for (const [name, run] of steps) {
  const problems = await run();
  if (problems.length > 0) failed++;
  console.log(`${problems.length === 0 ? "ok    " : "FAILED"} ${name}`);
  for (const problem of problems) console.error(problem);
}
Deno.exit(failed === 0 ? 0 : 1);

async function deno(...args: string[]): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: root }).output();
  if (success) return [];
  return [new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr)];
}

async function versionProblems(): Promise<string[]> {
  const { version } = JSON.parse(await Deno.readTextFile(`${root}/deno.json`));
  const problems: string[] = [];
  if (version !== VERSION) problems.push(`deno.json says ${version}, src/cli/version.ts ${VERSION}`);
  const changelog = await Deno.readTextFile(`${root}/CHANGELOG.md`);
  if (!changelog.includes(`## ${VERSION}`)) problems.push(`CHANGELOG.md has no section for ${VERSION}`);
  return problems;
}

/** Rooms are small: a longer file is two files. */
async function sizeProblems(): Promise<string[]> {
  const problems: string[] = [];
  for (const folder of ["src", "plugins", "scripts"]) {
    for await (const path of files(`${root}/${folder}`)) {
      const lines = (await Deno.readTextFile(path)).split("\n").length;
      if (lines > 300) problems.push(`${path.slice(root.length + 1)} has ${lines} lines, 300 are the most`);
    }
  }
  return problems;
}

async function* files(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* files(path);
    else if (path.endsWith(".ts")) yield path;
  }
}
