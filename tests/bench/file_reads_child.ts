/** Reads the one file of an account, with the plugin or with `@1password/sdk`. Prints how long the read took. */
import sdk from "@1password/sdk";
import { onepasswordSdk } from "../../plugins/sources/onepassword_sdk/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { Secret } from "../../src/base/secret.ts";
import { isShortfall } from "../../src/model/shortfall.ts";

const [reader = "", token = ""] = Deno.args;
const { signal } = new AbortController();

async function withPlugin(): Promise<number> {
  await using source = await onepasswordSdk.open({ token: "env:NONE" }, {
    world: denoWorld(),
    version: "0.0.0",
    secret: () => Promise.resolve(new Secret(token)),
    warn: () => {},
    privateFolder: () => Promise.reject(new Error("the SDK needs no folder")),
  }, signal);
  for (const vault of await source.vaults(signal)) {
    for await (const item of source.items(vault, signal)) {
      if (isShortfall(item) || item.files.length === 0) continue;
      const [file] = item.files;
      return await timed(file!.size, async () => {
        let size = 0;
        for await (const part of await source.open(item, file!, signal)) size += part.length;
        return size;
      });
    }
  }
  throw new Error("there is no file");
}

async function withWrapper(): Promise<number> {
  const client = await sdk.createClient({ auth: token, integrationName: "bench", integrationVersion: "1" });
  for (const vault of await client.vaults.list()) {
    for (const { id } of await client.items.list(vault.id)) {
      const { document } = await client.items.get(vault.id, id);
      if (!document) continue;
      return await timed(
        document.size,
        async () => (await client.items.files.read(vault.id, id, document)).length,
      );
    }
  }
  throw new Error("there is no file");
}

async function timed(size: number, read: () => Promise<number>): Promise<number> {
  const start = performance.now();
  const got = await read();
  if (got !== size) throw new Error(`${got} bytes of ${size}`);
  return (performance.now() - start) / 1000;
}

const seconds = reader === "plugin" ? await withPlugin() : await withWrapper();
console.log(JSON.stringify({ seconds }));
Deno.exit(0);
