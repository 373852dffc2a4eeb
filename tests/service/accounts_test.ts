import assert from "node:assert/strict";
import type { Client, Item } from "@1password/sdk";
import type { FileDescription, ItemDescription } from "./mod.ts";
import { bigAccount, CATEGORIES, sampleAccount, startService } from "./mod.ts";
import { signIn } from "./sdk.ts";

const EVERYTHING = { type: "ByState", content: { active: true, archived: true } } as const;

Deno.test("the core reads the whole sample account as it is described", async () => {
  const account = sampleAccount();
  await using service = await startService(account);
  const client = await signIn(service);
  const vaults = await client.vaults.list();
  assert.equal(vaults.length, account.vaults.length);

  for (const [at, description] of account.vaults.entries()) {
    const live = service.account.vaults[at];
    assert.ok(live);
    const overview = vaults.find(({ id }) => id === live.id);
    assert.equal(overview?.title, description.title);
    assert.equal(overview?.description, description.description ?? "");
    const items = description.items ?? [];
    const listed = new Map((await client.items.list(live.id, EVERYTHING)).map((item) => [item.id, item]));
    assert.equal(listed.size, items.length);
    assert.equal(overview?.activeItemCount, items.filter(({ state }) => state !== "archived").length);
    for (const [nth, item] of items.entries()) {
      const id: string = live.items[nth]!.id;
      assert.equal(listed.get(id)?.title, item.title);
      assert.equal(listed.get(id)?.state, item.state ?? "active");
      if (item.state !== "archived") await compare(client, await client.items.get(live.id, id), item);
    }
  }
});

Deno.test("the sample account has everything that a backup must get right", () => {
  const { vaults } = sampleAccount();
  const items = vaults.flatMap((vault) => vault.items ?? []);
  const fields = items.flatMap((
    item,
  ) => [...item.fields ?? [], ...(item.sections ?? []).flatMap(({ fields = [] }) => fields)]);
  const files = items.flatMap((item) => [...item.files ?? [], ...item.document ? [item.document] : []]);
  assert.deepEqual(new Set(items.map(({ category = "Login" }) => category)), new Set(CATEGORIES));
  assert.equal(new Set(fields.map(({ kind }) => kind)).size, 16);
  assert.equal(new Set(vaults.map(({ title }) => title)).size, vaults.length - 1, "two vaults share a title");
  assert.ok(items.some(({ title }) => title !== title.normalize("NFC")));
  assert.ok(files.some((file) => "content" in file && file.content.length === 0));
  assert.ok(files.some(({ name }) => new TextEncoder().encode(name).length >= 300));
});

Deno.test("a big account has as many items and files as asked for, spread over its vaults", async () => {
  await using service = await startService(bigAccount({ items: 230, files: 7, fileSize: 2_000, vaults: 3 }));
  const client = await signIn(service);
  let documents = 0;
  const counts = [];
  for (const { id } of await client.vaults.list()) {
    const items = await client.items.list(id);
    counts.push(items.length);
    const [document] = items.filter(({ category }) => category === "Document");
    documents += items.filter(({ category }) => category === "Document").length;
    assert.ok(document);
    const { document: file } = await client.items.get(id, document.id);
    assert.ok(file);
    assert.equal((await client.items.files.read(id, document.id, file)).length, 2_000);
  }
  assert.deepEqual(counts.sort(), [76, 77, 77]);
  assert.equal(documents, 7);
});

Deno.test("an account of 20,000 items is there at once and listed in seconds", async () => {
  const start = performance.now();
  await using service = await startService(bigAccount());
  const started = performance.now() - start;
  assert.ok(started < 3_000, `started in ${started} ms`);
  const client = await signIn(service);
  const [vault] = await client.vaults.list();
  assert.ok(vault);
  const listing = performance.now();
  assert.equal((await client.items.list(vault.id)).length, 5_000);
  assert.ok(performance.now() - listing < 5_000);
});

/** Compares what the SDK gives with what was described, as far as the SDK shows it. */
async function compare(client: Client, read: Item, item: ItemDescription): Promise<void> {
  assert.equal(read.category, item.category ?? "Login");
  assert.equal(read.notes, item.notes ?? "");
  assert.deepEqual(read.tags, item.tags ?? []);
  assert.deepEqual(read.websites.map(({ url }) => url), (item.urls ?? []).map(({ url }) => url));
  assert.equal(read.version, item.version ?? 1);
  assert.deepEqual(read.updatedAt, new Date(item.updatedAt ?? "2024-01-02T00:00:00Z"));
  const value = (id: string) =>
    read.fields.find((field) => field.id === id && field.sectionId === null)?.value;
  if (item.username !== undefined) assert.equal(value("username"), item.username);
  if (item.password !== undefined) assert.equal(value("password"), item.password);

  const described = (item.sections ?? []).flatMap(({ fields = [] }) => fields).concat(item.fields ?? []);
  const fields = read.fields.filter(({ sectionId, fieldType }) =>
    sectionId !== null || fieldType === "Unsupported"
  );
  assert.deepEqual(
    fields.map(({ title, fieldType }) => `${title}: ${fieldType}`).sort(),
    described.map(({ title, kind }) => `${title}: ${kind === "Gender" ? "Text" : kind}`).sort(),
  );

  const files: FileDescription[] = [...item.document ? [item.document] : [], ...item.files ?? []];
  const attributes = [
    ...read.document ? [read.document] : [],
    ...read.files.map(({ attributes }) => attributes),
  ];
  assert.deepEqual(attributes.map(({ name }) => name).sort(), files.map(({ name }) => name).sort());
  for (const attr of attributes) {
    const content = await client.items.files.read(read.vaultId, read.id, attr);
    assert.equal(content.length, attr.size);
  }
}
