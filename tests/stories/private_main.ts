/** The program with a source that writes a secret into its private folder and then waits, for stories that kill it. */
import { registry } from "../../plugins/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { run } from "../../src/cli/run.ts";
import { privateSource } from "./private_source.ts";

const sources = [privateSource({ hangs: true })];
Deno.exit(await run(Deno.args, denoWorld(), () => Promise.resolve({ ...registry, sources })));
