import { denoWorld } from "./src/base/deno_world.ts";
import { run } from "./src/cli/run.ts";

// Companies and families with an authority of their own have put it into the system's store; without this the
// runtime knows only Mozilla's. Set before the first request and the first worker.
if (!Deno.env.get("DENO_TLS_CA_STORE")) Deno.env.set("DENO_TLS_CA_STORE", "mozilla,system");

Deno.exit(await run(Deno.args, denoWorld(), async () => (await import("./plugins/mod.ts")).registry));
