import assert from "node:assert/strict";
import type { Client, Item, ItemCreateParams } from "@1password/sdk";
import type { ItemDescription, LiveVault, LocalService } from "./mod.ts";
import { startService } from "./mod.ts";
import { signIn } from "./sdk.ts";

const LOGIN = "Login" as ItemCreateParams["category"];
const DOCUMENT = "Document" as ItemCreateParams["category"];
const bytes = (text: string) => new TextEncoder().encode(text);

/** A service with one vault, a core signed in to it, and the vault's id. */
async function begin(...items: ItemDescription[]): Promise<Begun> {
  const service = await startService({ name: "Acme", vaults: [{ title: "V", items }] });
  const client = await signIn(service);
  const vault = service.account.vault("V");
  return { service, client, vault, [Symbol.asyncDispose]: () => service.close() };
}

interface Begun extends AsyncDisposable {
  service: LocalService;
  client: Client;
  vault: LiveVault;
}

async function text(client: Client, item: Item, at = 0): Promise<string> {
  const file = item.document ?? item.files[at]?.attributes;
  assert.ok(file);
  return new TextDecoder().decode(await client.items.files.read(item.vaultId, item.id, file));
}

Deno.test("items are created, changed, archived and deleted", async () => {
  await using begun = await begin();
  const { client, vault } = begun;
  const created = await client.items.create({ title: "New", category: LOGIN, vaultId: vault.id, notes: "n" });
  assert.equal(created.version, 1);
  assert.equal(vault.item("New").state, "active");
  assert.equal(vault.contentVersion, 2);

  const changed = await client.items.put({ ...created, title: "Changed" });
  assert.equal(changed.version, 2);
  assert.deepEqual(vault.items.map(({ title }) => title), ["Changed"]);
  assert.equal((await client.items.get(vault.id, created.id)).notes, "n");

  await client.items.archive(vault.id, created.id);
  assert.equal(vault.item("Changed").state, "archived");
  assert.equal(vault.activeItemCount, 0);

  const second = await client.items.create({ title: "Second", category: LOGIN, vaultId: vault.id });
  await client.items.delete(vault.id, second.id);
  assert.deepEqual(vault.items.map(({ title }) => title), ["Changed"]);
  await assert.rejects(client.items.get(vault.id, second.id), /couldn't be found/);
});

Deno.test("a described item with a file survives being changed by the core", async () => {
  await using begun = await begin({
    title: "Old",
    password: "fake",
    passwordHistory: [{ value: "older", time: "2020-01-01T00:00:00Z" }],
    files: [{ name: "a.txt", content: "described" }],
  });
  const { client, vault } = begun;
  const old = await client.items.get(vault.id, vault.item("Old").id);
  const changed = await client.items.put({ ...old, title: "New" });
  assert.equal(await text(client, changed), "described");
  assert.throws(() => vault.item("New").serveFile("a.txt", 1), /has rewritten this item/);
  assert.equal(
    vault.item("New").details().passwordHistory instanceof Array,
    true,
    "the core keeps what it cannot show",
  );
});

Deno.test("files are attached and replaced", async () => {
  await using begun = await begin();
  const { client, vault } = begun;
  let item = await client.items.create({ title: "Item", category: LOGIN, vaultId: vault.id });
  item = await client.items.files.attach(item, {
    name: "a",
    content: bytes("A"),
    sectionId: "s",
    fieldId: "f",
  });
  assert.equal(await text(client, item), "A");

  const document = { name: "one.txt", content: bytes("one") };
  let written = await client.items.create({
    title: "Document",
    category: DOCUMENT,
    vaultId: vault.id,
    document,
  });
  assert.equal(await text(client, written), "one");
  written = await client.items.files.replaceDocument(written, { name: "two.txt", content: bytes("two") });
  assert.equal(await text(client, written), "two");
  assert.equal(written.document?.name, "two.txt");
});

Deno.test("a hundred items go in one request", async () => {
  await using begun = await begin();
  const { client, vault, service } = begun;
  const items = Array.from(
    { length: 100 },
    (_, at) => ({ title: `Item ${at}`, category: LOGIN, vaultId: vault.id }),
  );
  const answer = await client.items.createAll(vault.id, items);
  assert.equal(answer.individualResponses.filter(({ content }) => content).length, 100);
  assert.equal(service.requests.count("items/write"), 1);
  assert.equal(vault.activeItemCount, 100);
});

Deno.test("a change of an item that has changed meanwhile is refused", async () => {
  await using begun = await begin({ title: "Item" });
  const { client, vault } = begun;
  const item = await client.items.get(vault.id, vault.item("Item").id);
  await client.items.put({ ...item, title: "First" });
  await assert.rejects(client.items.put({ ...item, title: "Second" }), /not up to date/);
  assert.equal(vault.items[0]?.title, "First");
});

Deno.test("a write to a vault that moved on since it was looked at is a conflict", async () => {
  await using begun = await begin({ title: "Item" });
  const { client, vault, service } = begun;
  const end = service.onRequest("items/write", () => vault.changed());
  const create = () => client.items.create({ title: "New", category: LOGIN, vaultId: vault.id });
  await assert.rejects(create(), /data conflict/);
  end();
  await create();
  assert.deepEqual(vault.items.map(({ title }) => title), ["Item", "New"]);
});

Deno.test("two writes at once to one vault: one of them is a conflict", async () => {
  await using begun = await begin();
  const { client, vault } = begun;
  const create = (title: string) => client.items.create({ title, category: LOGIN, vaultId: vault.id });
  const outcomes = await Promise.allSettled([create("a"), create("b")]);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  assert.equal(vault.items.length, 1);
});

Deno.test("vaults are created, renamed and deleted", async () => {
  await using begun = await begin();
  const { client, service } = begun;
  const made = await client.vaults.create({ title: "Made", description: "by the core" });
  assert.equal(service.account.vault("Made").id, made.id);
  await client.items.create({ title: "Inside", category: LOGIN, vaultId: made.id });
  assert.deepEqual((await client.items.list(made.id)).map(({ title }) => title), ["Inside"]);

  await client.vaults.update(made.id, { title: "Renamed" });
  assert.equal(service.account.vault("Renamed").attributeVersion, 2);
  assert.equal((await client.vaults.getOverview(made.id)).description, "by the core");
  await client.vaults.delete(made.id);
  assert.deepEqual(service.account.vaults.map(({ title }) => title), ["V"]);
});
