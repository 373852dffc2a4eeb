/**
 * One measured run of vaultferry, in a process of its own. The last line on standard output is the measurement.
 * With `--one-at-a-time` before the command, 1Password's core is called one after the other.
 */
import { Core } from "../../plugins/sources/onepassword_sdk/core.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { run } from "../../src/cli/run.ts";
import { registry } from "../../plugins/mod.ts";
import { synthetic } from "./synthetic_source.ts";

const args = Deno.args.filter((arg) => arg !== "--one-at-a-time");
if (args.length < Deno.args.length) oneAtATime();

const world = denoWorld();
const start = performance.now();
const code = await run(
  args,
  world,
  () => Promise.resolve({ ...registry, sources: [...registry.sources, synthetic] }),
);
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ code, seconds, peak: peakMemory() }));
Deno.exit(0);

/** Bytes of memory at the highest; Linux only. */
function peakMemory(): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"));
  return Number(line?.[1]) * 1024;
}

/** Makes every call wait for the one before it, whoever makes it. */
function oneAtATime(): void {
  let before: Promise<unknown> = Promise.resolve();
  const inTurn = <Args extends unknown[], Result>(call: (this: Core, ...args: Args) => Promise<Result>) =>
    function (this: Core, ...args: Args): Promise<Result> {
      const result = before.then(() => call.apply(this, args));
      before = result.catch(() => {});
      return result;
    };
  Core.prototype.call = inTurn(Core.prototype.call);
  Core.prototype.bytes = inTurn(Core.prototype.bytes);
}
