/** The program with a source in memory whose archive takes several parts to send, for stories that kill it meanwhile. */
import { registry } from "../../plugins/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { run } from "../../src/cli/run.ts";
import { memorySource } from "./memory_source.ts";
import { noisyAccount } from "./noise.ts";

const sources = [memorySource(noisyAccount(20 * 1024 * 1024))];
Deno.exit(await run(Deno.args, denoWorld(), () => Promise.resolve({ ...registry, sources })));
