/** One measured run of vaultferry, in a process of its own. The last line on standard output is the measurement. */
import { denoWorld } from "../../src/base/deno_world.ts";
import { run } from "../../src/cli/run.ts";
import { registry } from "../../plugins/mod.ts";
import { synthetic } from "./synthetic_source.ts";

const world = denoWorld();
const start = performance.now();
const code = await run(
  Deno.args,
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
