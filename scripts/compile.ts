/** `deno task compile`: the whole program in one file. See docs/building.md. */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compile } from "./compile/compile.ts";
import { hostTarget, type Target, targetOf, TARGETS } from "./compile/targets.ts";

const USAGE = `usage: deno task compile [--target TARGET… | --all] [--output FILE]

  --target TARGET  what to compile for; this machine when left out; may be given several times
  --all            every target: ${TARGETS.map(({ triple }) => triple).join(", ")}
  --output FILE    where the binary goes; dist/vaultferry when left out, and for other machines dist/vaultferry-TARGET`;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      target: { type: "string", multiple: true, default: [] },
      all: { type: "boolean", default: false },
      output: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const targets = values.all ? TARGETS : values.target.map(targetOf);
  if (values.output !== undefined && targets.length > 1) {
    throw new Error("--output names one file, and there are several targets");
  }
  const root = fileURLToPath(new URL("..", import.meta.url)).replace(/[/\\]$/, "");
  const wanted = (targets.length > 0 ? targets : [undefined]).map((target) => ({
    target: target ?? hostTarget(),
    output: resolve(values.output ?? join(root, "dist", fileName(target))),
  }));
  for (const { output, size, runtime } of await compile(root, wanted)) {
    console.log(`${output}: ${(size / 1e6).toFixed(1)} MB, with ${runtime}`);
  }
}

function fileName(target: Target | undefined): string {
  if (!target) return `vaultferry${hostTarget().exe}`;
  return `vaultferry-${target.triple}${target.exe}`;
}

try {
  await main(Deno.args);
} catch (error) {
  console.error(`compile: error: ${error instanceof Error ? error.message : error}`);
  Deno.exitCode = 1;
}
