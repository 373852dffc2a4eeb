import assert from "node:assert/strict";
import type { AccountDescription, VaultKind } from "./mod.ts";
import { startService } from "./mod.ts";
import { signIn } from "./sdk.ts";

const ACTIVE = { active: true, archived: false };
const ARCHIVED = { active: false, archived: true };
const UNKNOWN_ID = "a".repeat(26);

const ACCOUNT: AccountDescription = {
  name: "Acme",
  vaults: [{
    title: "Finance",
    description: "Money",
    items: [
      { title: "Bank", tags: ["t", "ü"], urls: [{ url: "https://bank.example.invalid" }] },
      { title: "Bank", category: "SecureNote" },
      { title: "Old bank", state: "archived" },
    ],
  }],
};

Deno.test("vaults carry title, description, times, versions and the count of active items", async () => {
  await using service = await startService(ACCOUNT);
  const client = await signIn(service);
  const [vault] = await client.vaults.list();
  assert.ok(vault);
  assert.deepEqual({ ...vault }, {
    id: service.account.vault("Finance").id,
    title: "Finance",
    description: "Money",
    vaultType: "userCreated",
    activeItemCount: 2,
    contentVersion: 1,
    attributeVersion: 1,
    createdAt: new Date("2024-01-01T00:00:00Z"),
    updatedAt: new Date("2024-01-02T00:00:00Z"),
  });
});

Deno.test("every kind of vault has the SDK's type", async () => {
  const types: Record<VaultKind, string> = {
    personal: "personal",
    everyone: "everyone",
    shared: "userCreated",
    transfer: "transfer",
    unknown: "unsupported",
  };
  const kinds = Object.keys(types) as VaultKind[];
  await using service = await startService({
    name: "Kinds",
    vaults: kinds.map((kind) => ({ title: kind, kind })),
  });
  const client = await signIn(service);
  const seen = (await client.vaults.list()).map((vault) => [vault.title, vault.vaultType]);
  assert.deepEqual(Object.fromEntries(seen), types);
});

Deno.test("lists tell active from archived items", async () => {
  await using service = await startService(ACCOUNT);
  const client = await signIn(service);
  const vault = service.account.vault("Finance");
  const list = async (content: { active: boolean; archived: boolean }) =>
    (await client.items.list(vault.id, { type: "ByState", content })).map(({ title, state }) =>
      `${title}: ${state}`
    );
  assert.deepEqual(await list(ACTIVE), ["Bank: active", "Bank: active"]);
  assert.deepEqual(await list(ARCHIVED), ["Old bank: archived"]);
  const [bank] = await client.items.list(vault.id);
  assert.ok(bank);
  assert.deepEqual(bank.tags, ["t", "ü"]);
  assert.deepEqual(bank.websites.map(({ url, label }) => [url, label]), [[
    "https://bank.example.invalid",
    "website",
  ]]);
  assert.deepEqual(bank.updatedAt, new Date("2024-01-02T00:00:00Z"));
});

Deno.test("an archived item cannot be read, and spoils the batch that it is in", async () => {
  await using service = await startService(ACCOUNT);
  const client = await signIn(service);
  const vault = service.account.vault("Finance");
  const ids = vault.items.map(({ id }) => id);
  await assert.rejects(client.items.get(vault.id, vault.item("Old bank").id), /not in an active state/);
  await assert.rejects(client.items.getAll(vault.id, ids), /not in an active state/);
});

Deno.test("50 items come in one batch, 51 are refused before they are asked for", async () => {
  const items = Array.from({ length: 51 }, (_, at) => ({ title: `Item ${at}` }));
  await using service = await startService({ name: "Acme", vaults: [{ title: "Many", items }] });
  const client = await signIn(service);
  const vault = service.account.vault("Many");
  const ids = vault.items.map(({ id }) => id);
  await client.items.list(vault.id);
  service.requests.reset();
  const answer = await client.items.getAll(vault.id, ids.slice(0, 50));
  assert.deepEqual(
    new Set(answer.individualResponses.map((response) => response.content?.title)),
    new Set(items.slice(0, 50).map(({ title }) => title)),
  );
  assert.deepEqual(service.requests.counts(), { "items/batch": 1 });
  service.requests.reset();
  await assert.rejects(client.items.getAll(vault.id, ids), /up to 50 items at once/);
  assert.equal(service.requests.total(), 0);
});

Deno.test("an unknown item is missing from a batch without a word; an unknown vault is an error", async () => {
  await using service = await startService(ACCOUNT);
  const client = await signIn(service);
  const vault = service.account.vault("Finance");
  const answer = await client.items.getAll(vault.id, [UNKNOWN_ID, vault.item("Bank").id]);
  assert.deepEqual(answer.individualResponses.map(({ content, error }) => [content?.title, error]), [[
    "Bank",
    null,
  ]]);
  await assert.rejects(client.items.get(vault.id, UNKNOWN_ID), /item couldn't be found/);
  await assert.rejects(client.items.list(UNKNOWN_ID), /couldn't be found/);
  await assert.rejects(client.vaults.getOverview(UNKNOWN_ID), /couldn't be found/);
});

Deno.test("the same description gives the same ids; twins and repeated titles get ids of their own", async () => {
  const twins: AccountDescription = {
    name: "Twins",
    vaults: [{ title: "V" }, { title: "V", items: [{ title: "é" }, { title: "e\u0301" }, { title: "é" }] }],
  };
  const ids = async () => {
    await using service = await startService(twins);
    return service.account.vaults.flatMap((vault) => [vault.id, ...vault.items.map(({ id }) => id)]);
  };
  const first = await ids();
  assert.deepEqual(await ids(), first);
  assert.equal(new Set(first).size, 5);
  for (const id of first) assert.match(id, /^[a-z2-7]{26}$/);
});

Deno.test("a hook can change the account between list and get", async () => {
  await using service = await startService(ACCOUNT);
  const client = await signIn(service);
  const vault = service.account.vault("Finance");
  const [first, second] = await client.items.list(vault.id);
  assert.ok(first && second);
  const end = service.onRequest("item/get", ({ itemId }) => vault.find(itemId ?? "")?.delete());
  await assert.rejects(client.items.get(vault.id, first.id), /item couldn't be found/);
  end();
  assert.equal((await client.items.get(vault.id, second.id)).id, second.id);

  service.onRequest("items/batch", () => vault.item(second.id).archive());
  await assert.rejects(client.items.getAll(vault.id, [second.id]), /not in an active state/);
  assert.equal((await client.vaults.getOverview(vault.id)).activeItemCount, 0);
});

Deno.test("vaults and items come and go while the core is signed in", async () => {
  await using service = await startService(ACCOUNT);
  const client = await signIn(service);
  const finance = service.account.vault("Finance");
  finance.add({ title: "New bank", password: "fake" });
  const added = (await client.items.list(finance.id)).find(({ title }) => title === "New bank");
  assert.ok(added);
  assert.equal((await client.items.get(finance.id, added.id)).fields[0]?.value, "fake");
  assert.equal((await client.vaults.getOverview(finance.id)).contentVersion, 2);

  finance.rename("Money");
  const renamed = await client.vaults.getOverview(finance.id);
  assert.deepEqual([renamed.title, renamed.attributeVersion], ["Money", 2]);

  await service.account.addVault({ title: "Later", items: [{ title: "x" }] });
  service.account.removeVault("Money");
  assert.deepEqual((await client.vaults.list()).map(({ title }) => title), ["Later"]);
  await assert.rejects(client.items.list(finance.id), /couldn't be found/);
  assert.throws(() => service.account.vault("Money"), /has no vault "Money"/);
});

Deno.test("latency holds up every request", async () => {
  await using service = await startService(ACCOUNT, { latencyMs: 60 });
  const start = performance.now();
  await signIn(service);
  assert.ok(performance.now() - start >= 4 * 60);
});
