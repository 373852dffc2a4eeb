import { denoWorld } from "./src/base/deno_world.ts";
import { run } from "./src/cli/run.ts";
import { registry } from "./plugins/mod.ts";

Deno.exit(await run(Deno.args, denoWorld(), registry));
