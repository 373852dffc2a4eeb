/** One of the servers, named by the argument: prints its {@linkcode Ways}, and ends with its input. */
import { SERVERS } from "./servers.ts";

const folder = await Deno.makeTempDir({ prefix: "vaultferry-bench-server-" });
await using stack = new AsyncDisposableStack();
stack.defer(() => Deno.remove(folder, { recursive: true }));
const ways = await SERVERS[Deno.args[0]!]!({
  folder,
  stack,
  secret(name, text) {
    Deno.writeTextFileSync(`${folder}/${name}`, text, { mode: 0o600 });
    return `file:${folder}/${name}`;
  },
});
console.log(JSON.stringify(ways));
for await (const _ of Deno.stdin.readable);
