/** The same account through two doors: what Connect gives, field by field, against what 1Password's SDK gives of it. */
import assert from "node:assert/strict";
import { onepasswordSdk } from "../../plugins/sources/onepassword_sdk/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Item, ItemField, ItemUrl } from "../../src/model/item.ts";
import { isShortfall } from "../../src/model/shortfall.ts";
import type { Source } from "../../src/source/contract.ts";
import { type LocalService, sampleAccount } from "../service/mod.ts";
import type { ConnectServer } from "../service/connect/mod.ts";
import { never, scene, walk } from "./onepassword_connect_door.ts";

/** Kinds that Connect's description has no type for: they come as text. */
const AS_TEXT = ["CreditCardType", "CreditCardNumber", "Phone", "Reference", "SshKey", "Address"];
/** Categories that it has no name for. */
const UNNAMED = ["CryptoWallet", "Person", "Unsupported"];

Deno.test("every item of the sample account is the same through Connect and through the SDK", async (test) => {
  await scene(sampleAccount(), async ({ source, service, connect }) => {
    await using sdk = await openSdk(service);
    const theirs = await sdk.vaults(never);
    const ours = await source.vaults(never);
    assert.equal(ours.length, 4);
    assert.deepEqual(ours.map(withoutRaw).sort(byId), theirs.map(withoutRaw).sort(byId));
    for (const vault of ours) {
      const walked = await walk(source, vault);
      const expected = new Map<string, Item>();
      for await (const found of sdk.items(vault, never)) {
        if (!isShortfall(found)) expected.set(found.id, found);
      }
      assert.equal(walked.items.length, expected.size);
      for (const item of walked.items) {
        await test.step(`${vault.title}: ${item.title}`, async () => {
          const { state } = item;
          // Archived items the SDK merely lists: the next test looks at them.
          if (state === "active") {
            assert.deepEqual(comparable(item), throughConnect(expected.get(item.id)!, service));
          }
          assert.equal(expected.get(item.id)!.state, state);
          assert.deepEqual(item.raw, await ask(connect, `/v1/vaults/${vault.id}/items/${item.id}`));
        });
      }
      assert.deepEqual(
        walked.shortfalls.map(({ shortfall, reason, itemId }) => [shortfall, reason, itemId]),
        walked.items.filter(({ category }) => category === "CUSTOM")
          .map(({ id }) => ["limit", "unsupported-item", id]),
      );
    }
  });
});

Deno.test("archived items come whole where the server gives them", async () => {
  await scene(sampleAccount(), async ({ source, vault }) => {
    const archived = (await walk(source, vault)).items.filter(({ state }) => state === "archived");
    const [bank, forum, contract] = archived;
    assert.deepEqual(archived.map(({ title }) => title), ["Old bank", "Old forum", "Old contract"]);
    assert.ok(archived.every(({ contents }) => contents === "full"));
    assert.deepEqual(bank!.fields.map(({ value }) => value), ["former", "fake-old-bank"]);
    assert.deepEqual(bank!.tags, ["archive"]);
    assert.equal(forum!.notes, "Archived long ago.");
    assert.deepEqual(contract!.files.map(({ name, size, role }) => [name, size, role]), [[
      "contract.txt",
      4,
      "document",
    ]]);
  });
});

Deno.test("what Connect loses of the sample account is what its limits say", async () => {
  await scene(sampleAccount(), ({ source }) => {
    const limits = new Map(
      source.limits.map(({ reason, detail, elsewhere }) => [reason, { detail, elsewhere }]),
    );
    assert.deepEqual([...limits.keys()], [
      "personal-vaults",
      "cached-copy",
      "unlisted-archive",
      "passkeys",
      "password-history",
      "form-details",
      "field-kinds",
    ]);
    const kinds = limits.get("field-kinds")!.detail;
    for (const word of [/type and number/, /phone number/, /reference/, /SSH key/, /address/]) {
      assert.match(kinds, word);
    }
    for (const reason of ["password-history", "form-details", "field-kinds"]) {
      assert.deepEqual(limits.get(reason)!.elsewhere, ["onepux"]);
    }
    return Promise.resolve();
  });
});

Deno.test("Connect costs nothing of the quota, and says whose account it is", async () => {
  await scene(sampleAccount(), async ({ source, service, connect, vault }) => {
    assert.deepEqual(await source.estimate([vault], never), { reads: 0 });
    assert.equal(source.allowances, undefined);
    assert.equal(source.snapshot, undefined);
    assert.deepEqual(await source.account(never), { id: service.account.credentials.accountId });
    assert.equal(connect.requests.count(), 0);
    await walk(source, vault);
    assert.equal(service.requests.total(), 0, "1Password itself was asked");
  });
});

function openSdk(service: LocalService): Promise<Source> {
  return onepasswordSdk.open({ token: "env:X" }, {
    world: denoWorld(),
    version: "0.0.1",
    secret: () => Promise.resolve(new Secret(service.token())),
    warn: (message) => assert.fail(message),
    privateFolder: () => Promise.reject(new Error("this source writes nothing")),
  }, never);
}

async function ask(connect: ConnectServer, path: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${connect.accepted}` };
  return await (await fetch(connect.url + path, { headers })).json();
}

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1;
}

function withoutRaw<T extends { raw: unknown }>({ raw: _, ...rest }: T): Omit<T, "raw"> {
  return rest;
}

/** Our item without what only this door gives of it, which is compared by itself. */
function comparable({ raw: _, ...item }: Item): Omit<Item, "raw"> {
  return item;
}

/** What an item that the SDK gave must look like through Connect. */
function throughConnect({ raw: _, ...item }: Item, service: LocalService): Omit<Item, "raw"> {
  const described = service.account.vault(item.vaultId).item(item.id);
  return {
    ...item,
    category: UNNAMED.includes(item.category) ? "CUSTOM" : item.category,
    favourite: described.overviewRecord().faveIndex === 1,
    urls: item.urls.map(({ autofill: _, ...url }, at): ItemUrl => at === 0 ? { ...url, primary: true } : url),
    files: item.files.map(({ fieldId: _, ...file }) => file),
    // What the SDK shows as a section without a name is none.
    sections: item.sections.filter(({ id }) => id !== ""),
    fields: item.fields.map(({ details: _, sectionId, ...field }): ItemField => ({
      ...field,
      ...(AS_TEXT.includes(field.kind) ? { kind: "Text" } : {}),
      ...(field.kind === "Unsupported" ? hologram(described.details()) : sectionId ? { sectionId } : {}),
    })),
  };
}

/** The one field that the SDK cannot read: Connect gives its value and its place. */
// deno-lint-ignore no-explicit-any -- the service's own JSON
function hologram(details: any): Partial<ItemField> {
  for (const { name, fields } of details.sections) {
    for (const { k, v } of fields) if (k === "hologram") return { kind: "Text", value: v, sectionId: name };
  }
  return assert.fail("the sample account has such a field");
}
