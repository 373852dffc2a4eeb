import assert from "node:assert/strict";
import sdk from "@1password/sdk";
import type { Client } from "@1password/sdk";
import type { LiveVault, LocalService } from "./mod.ts";
import { startService } from "./mod.ts";
import { signIn } from "./sdk.ts";

/** A service with four items, a document among them, and a core that knows the vault's key already. */
async function begin(): Promise<Begun> {
  const document = { name: "d.txt", content: "0123456789".repeat(1_000) };
  const service = await startService({
    name: "Acme",
    vaults: [{
      title: "V",
      items: [{ title: "A" }, { title: "B" }, { title: "C" }, { title: "D", category: "Document", document }],
    }],
  });
  const client = await signIn(service);
  const vault = service.account.vault("V");
  await client.items.list(vault.id);
  service.requests.reset();
  return { service, client, vault, [Symbol.asyncDispose]: () => service.close() };
}

interface Begun extends AsyncDisposable {
  service: LocalService;
  client: Client;
  vault: LiveVault;
}

const STATUSES: [number, RegExp][] = [
  [400, /bad request/],
  [403, /do not have the right permissions/],
  [404, /couldn't be found/],
  [409, /data conflict/],
  [500, /internal server error/],
  [503, /unexpected status code in response: 503/],
];

Deno.test("a status reaches the caller in the core's words, without a second attempt", async (test) => {
  await using begun = await begin();
  const { client, vault, service } = begun;
  for (const [status, message] of STATUSES) {
    await test.step(String(status), async () => {
      service.requests.reset();
      const fault = service.faults.status("items/overviews", status);
      await assert.rejects(client.items.list(vault.id), message);
      assert.deepEqual(service.requests.log.map((entry) => entry.status), [status]);
      assert.equal(fault.strikes, 1);
      fault.remove();
    });
  }
  assert.equal((await client.items.list(vault.id)).length, 4);
});

Deno.test("401 makes the core sign in again and try once more", async () => {
  await using begun = await begin();
  const { client, vault, service } = begun;
  service.faults.status("items/overviews", 401);
  await assert.rejects(client.items.list(vault.id), /bad credentials/);
  assert.equal(service.requests.count("items/overviews"), 2);
  assert.equal(service.requests.count("auth/start"), 1);

  service.faults.clear();
  service.faults.status("items/overviews", 401, { times: 1 });
  assert.equal((await client.items.list(vault.id)).length, 4);
});

Deno.test("429 is the SDK's RateLimitExceededError, from the given request on; at the sign-in it is a plain error", async () => {
  await using begun = await begin();
  const { client, vault, service } = begun;
  service.faults.quotaUsedUp({ after: 2 });
  await client.items.list(vault.id);
  await client.items.get(vault.id, vault.item("A").id);
  await assert.rejects(client.items.list(vault.id), sdk.RateLimitExceededError);
  await assert.rejects(client.vaults.list(), sdk.RateLimitExceededError);
  assert.deepEqual(service.requests.log.map(({ status }) => status), [200, 200, 429, 429]);
  await assert.rejects(signIn(service), (error: Error) => {
    return !(error instanceof sdk.RateLimitExceededError) &&
      /authentication error: rate limit/.test(error.message);
  });
});

Deno.test("body and headers of a status are the test's own", async () => {
  await using begun = await begin();
  const { service } = begun;
  service.faults.status("vaults/list", 429, { body: { why: "test" }, headers: { "retry-after": "7" } });
  const response = await fetch(service.url + "/api/v1/vaults");
  assert.equal(response.status, 429);
  assert.equal(response.headers.get("retry-after"), "7");
  assert.deepEqual(await response.json(), { why: "test" });
});

Deno.test("times and after say which requests a fault strikes, an id says which items", async () => {
  await using begun = await begin();
  const { client, vault, service } = begun;
  const [a, b] = [vault.item("A").id, vault.item("B").id];
  const works = async (id: string) => await client.items.get(vault.id, id).then(() => true, () => false);

  const timed = service.faults.status("item/get", 503, { after: 1, times: 2 });
  assert.deepEqual([await works(a), await works(a), await works(a), await works(a)], [
    true,
    false,
    false,
    true,
  ]);
  assert.equal(timed.strikes, 2);

  const aimed = service.faults.status("item/get", 503, { id: b });
  assert.deepEqual([await works(a), await works(b)], [true, false]);
  aimed.remove();
  assert.equal(await works(b), true);

  service.faults.status("items/batch", 503, { id: b });
  await client.items.getAll(vault.id, [a]);
  await assert.rejects(client.items.getAll(vault.id, [a, b]), /503/);
});

Deno.test("a delay holds the answer up", async () => {
  await using begun = await begin();
  const { client, service } = begun;
  service.faults.delay("vaults/list", 500, { times: 1 });
  const duration = async () => {
    const start = performance.now();
    await client.vaults.list();
    return performance.now() - start;
  };
  assert.ok(await duration() >= 495);
  assert.ok(await duration() < 495);
});

Deno.test("a request that hangs stays unanswered until the service closes", async () => {
  await using begun = await begin();
  const { client, service } = begun;
  service.faults.hang("vaults/list");
  let settled = false;
  const list = client.vaults.list().finally(() => settled = true);
  const failed = assert.rejects(list);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(settled, false);
  assert.deepEqual(service.requests.log.map(({ route, status }) => [route, status]), [[
    "vaults/list",
    undefined,
  ]]);
  await service.close();
  await failed;
});

Deno.test("a body that is cut is an error, not a short answer", async () => {
  await using begun = await begin();
  const { client, vault, service } = begun;
  for (const share of [0, 0.5, 0.99]) {
    const fault = service.faults.cut("items/overviews", { share });
    await assert.rejects(client.items.list(vault.id), /Unexpected error when retrieving response contents/);
    fault.remove();
  }
  const { id } = vault.item("D");
  const { document } = await client.items.get(vault.id, id);
  assert.ok(document);
  service.faults.cut("file/read", { times: 1 });
  await assert.rejects(client.items.files.read(vault.id, id, document));
  assert.equal((await client.items.files.read(vault.id, id, document)).length, 10_000);
});

Deno.test("a short list is taken for a whole one; only the count gives it away", async () => {
  await using begun = await begin();
  const { client, vault, service } = begun;
  service.faults.shortList({ leaveOut: 2, times: 1 });
  assert.deepEqual((await client.items.list(vault.id)).map(({ title }) => title), ["A", "B"]);
  assert.equal((await client.vaults.getOverview(vault.id)).activeItemCount, 4);
  assert.equal(service.requests.count("items/overviews"), 1, "the core does not ask for the rest");

  service.faults.shortList({ leaveOut: [vault.item("B").id], admit: false, times: 1 });
  assert.deepEqual((await client.items.list(vault.id)).map(({ title }) => title), ["A", "C", "D"]);
  assert.equal((await client.items.list(vault.id)).length, 4);
});

Deno.test("items omitted from a batch are missing without a word", async () => {
  await using begun = await begin();
  const { client, vault, service } = begun;
  const ids = vault.items.map(({ id }) => id);
  service.faults.omit([vault.item("B").id, vault.item("C").id], { times: 1 });
  const titles = async () =>
    (await client.items.getAll(vault.id, ids)).individualResponses.map(({ content }) => content?.title)
      .sort();
  assert.deepEqual(await titles(), ["A", "D"]);
  assert.deepEqual(await titles(), ["A", "B", "C", "D"]);
});

Deno.test("statuses follow each other in the order of injection", async () => {
  await using begun = await begin();
  const { client, vault, service } = begun;
  const faults = [503, 429, 403].map((status) =>
    service.faults.status("items/overviews", status, { times: 1 })
  );
  for (let at = 0; at < 3; at++) await assert.rejects(client.items.list(vault.id));
  await client.items.list(vault.id);
  assert.deepEqual(service.requests.log.map(({ status }) => status), [503, 429, 403, 200]);
  assert.deepEqual(faults.map(({ strikes }) => strikes), [1, 1, 1]);
});

Deno.test("several faults strike together", async () => {
  await using begun = await begin();
  const { client, vault, service } = begun;
  service.faults.shortList({ leaveOut: 1 });
  service.faults.shortList({ leaveOut: [vault.item("A").id] });
  service.faults.delay("items/overviews", 60);
  const start = performance.now();
  assert.deepEqual((await client.items.list(vault.id)).map(({ title }) => title), ["B", "C"]);
  assert.ok(performance.now() - start >= 55);
});
