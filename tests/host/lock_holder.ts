/** Takes the lock in the given folder, says so, and holds it until it is killed. */
import { denoWorld } from "../../src/base/deno_world.ts";
import { lockJob } from "../../src/host/lock.ts";

await lockJob(denoWorld(), Deno.args[0]!, "acme");
console.log("held");
await new Promise((resolve) => setTimeout(resolve, 60_000));
