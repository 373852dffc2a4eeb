import assert from "node:assert/strict";
import sdk from "@1password/sdk";
import { onepasswordSdk } from "../../plugins/sources/onepassword_sdk/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Item } from "../../src/model/item.ts";
import { isShortfall } from "../../src/model/shortfall.ts";
import type { Source } from "../../src/source/contract.ts";
import { type LocalService, sampleAccount, startService } from "../service/mod.ts";
import { signIn } from "../service/sdk.ts";

const { signal } = new AbortController();
const EVERYTHING = { type: "ByState", content: { active: true, archived: true } } as const;

Deno.test("what 1Password's own wrapper shows of vaults and items is all in ours, unchanged", async (test) => {
  await using service = await startService(sampleAccount());
  await using source = await open(service);
  const client = await signIn(service);
  const vaults = await source.vaults(signal);
  assert.deepEqual(vaults.map(({ raw }) => plain(raw)), (await client.vaults.list()).map(plain));

  const seen = { categories: new Set<string>(), kinds: new Set<string>(), autofill: new Set<string>() };
  for (const vault of vaults) {
    const items = await itemsOf(source, vault);
    const overviews = await client.items.list(vault.id, EVERYTHING);
    assert.deepEqual([...items.keys()].toSorted(), overviews.map(({ id }) => id).toSorted());
    for (const overview of overviews) {
      const ours = items.get(overview.id)!;
      await test.step(`${vault.title}: ${JSON.stringify(ours.title)}`, async () => {
        const theirs = overview.state === sdk.ItemState.Active
          ? await client.items.get(vault.id, overview.id)
          : overview;
        assert.deepEqual(plain(ours.raw), plain(theirs));
      });
      seen.categories.add(ours.category);
      for (const { kind } of ours.fields) seen.kinds.add(kind);
      for (const { autofill } of ours.urls) if (autofill) seen.autofill.add(autofill);
    }
  }
  // Every word that the SDK has for something was among them: a newer SDK with more of them fails here.
  assert.deepEqual(seen.categories, new Set<string>(Object.values(sdk.ItemCategory)));
  assert.deepEqual(seen.kinds, new Set<string>(Object.values(sdk.ItemFieldType)));
  assert.deepEqual(seen.autofill, new Set<string>(Object.values(sdk.AutofillBehavior)));
});

function open(service: LocalService): Promise<Source> {
  return onepasswordSdk.open({ token: "file:/token" }, {
    world: denoWorld(),
    version: "0.0.0",
    secret: () => Promise.resolve(new Secret(service.token())),
    warn: () => {},
    privateFolder: () => Promise.reject(new Error("the SDK needs no folder")),
  }, signal);
}

async function itemsOf(source: Source, vault: Parameters<Source["items"]>[0]): Promise<Map<string, Item>> {
  const items = new Map<string, Item>();
  for await (const found of source.items(vault, signal)) if (!isShortfall(found)) items.set(found.id, found);
  return items;
}

/** Without what the wrapper makes of it: dates, `undefined` in place of null; nor one-time codes of the moment. */
function plain(value: unknown): unknown {
  const text = JSON.stringify(
    value,
    (key, one) => key === "code" ? "a code" : one === null ? undefined : one,
  );
  return JSON.parse(text.replace(/(\d\d:\d\d:\d\d)\.000Z"/g, '$1Z"'));
}
