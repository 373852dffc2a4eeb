import assert from "node:assert/strict";
import type { ItemCreateParams } from "@1password/sdk";
import { startService } from "./mod.ts";
import { signIn } from "./sdk.ts";

const LOGIN = "Login" as ItemCreateParams["category"];
const DOCUMENT = "Document" as ItemCreateParams["category"];
const ONE = { "item/get": 1, "vault/get": 1, "items/write": 1 };

Deno.test("each call of the SDK costs the requests that the quota arithmetic assumes", async (test) => {
  const items = [{ title: "A" }, { title: "B" }, {
    title: "D",
    category: "Document",
    document: { name: "d", content: "d" },
  }] as const;
  await using service = await startService({ name: "Acme", vaults: [{ title: "V", items }] });
  const vault = service.account.vault("V");
  const client = await signIn(service);

  /** Runs one call and compares what it cost. */
  const costs = async <T>(
    name: string,
    call: () => Promise<T>,
    expected: Record<string, number>,
  ): Promise<T> => {
    let result: T | undefined;
    await test.step(name, async () => {
      service.requests.reset();
      result = await call();
      assert.deepEqual(service.requests.counts(), expected);
      assert.equal(service.requests.total(), Object.values(expected).reduce((sum, count) => sum + count, 0));
    });
    return result as T;
  };

  // The first use of a vault brings its key and the account's.
  await costs("first items.list", () => client.items.list(vault.id), {
    "vault/get": 1,
    "account/keysets": 1,
    "items/overviews": 1,
  });
  await costs("vaults.list", () => client.vaults.list(), { "vaults/list": 1 });
  await costs("items.list", () => client.items.list(vault.id), { "items/overviews": 1 });
  const ids = vault.items.map(({ id }) => id);
  const a = await costs("items.get", () => client.items.get(vault.id, vault.item("A").id), { "item/get": 1 });
  await costs("items.getAll", () => client.items.getAll(vault.id, ids), { "items/batch": 1 });
  const file = vault.item("D").file("d");
  const attributes = { id: file.id, name: file.name, size: file.declaredSize };
  await costs("items.files.read", () => client.items.files.read(vault.id, vault.item("D").id, attributes), {
    "item/get": 1,
    "file/read": 1,
  });

  const params = { title: "New", category: LOGIN, vaultId: vault.id };
  await costs("items.create", () => client.items.create(params), { "vault/get": 1, "items/write": 1 });
  await costs("items.createAll", () => client.items.createAll(vault.id, [params]), {
    "vault/get": 1,
    "items/write": 1,
  });
  await costs("items.put", () => client.items.put({ ...a, title: "AA" }), ONE);
  await costs("items.archive", () => client.items.archive(vault.id, a.id), ONE);
  await costs("items.delete", () => client.items.delete(vault.id, vault.item("B").id), ONE);
  const content = new Uint8Array([1]);
  const document = { name: "d", content };
  const made = await costs(
    "items.create of a document",
    () => client.items.create({ title: "E", category: DOCUMENT, vaultId: vault.id, document }),
    { "file/upload": 1, "vault/get": 1, "items/write": 1 },
  );
  await costs(
    "items.files.attach",
    () => client.items.files.attach(made, { name: "f", content, sectionId: "s", fieldId: "f" }),
    { ...ONE, "file/upload": 1 },
  );
});

Deno.test("the log tells method, route, path and status in the order of arrival", async () => {
  await using service = await startService({ name: "Acme", vaults: [] });
  const get = async (path: string) => void await (await fetch(service.url + path)).body?.cancel();
  await get("/api/v1/vaults?attrs=combined-access");
  await get("/elsewhere");
  assert.deepEqual(service.requests.log, [
    { method: "GET", route: "vaults/list", path: "/api/v1/vaults", status: 401 },
    { method: "GET", route: "unknown", path: "/elsewhere", status: 404 },
  ]);
  assert.equal(service.requests.count("unknown"), 1);
  service.requests.reset();
  assert.equal(service.requests.total(), 0);
});
