import assert from "node:assert/strict";
import type { AccountDescription } from "./mod.ts";
import { startService } from "./mod.ts";
import { signIn } from "./sdk.ts";

const ACCOUNT: AccountDescription = {
  name: "Acme",
  vaults: [{ title: "Finance", items: [{ title: "Bank" }] }],
};

Deno.test("the core signs in with four requests and sees the vaults", async () => {
  await using service = await startService(ACCOUNT);
  const client = await signIn(service);
  assert.deepEqual(service.requests.counts(), {
    "auth/start": 1,
    "auth/exchange": 1,
    "auth/confirm": 1,
    "auth/complete": 1,
  });
  const vaults = await client.vaults.list();
  assert.deepEqual(vaults.map((vault) => vault.title), ["Finance"]);
  assert.ok(service.requests.log.every((entry) => entry.status === 200));
});

Deno.test("a wrong secret is refused when it is to be proved, after one attempt", async () => {
  await using service = await startService(ACCOUNT);
  await assert.rejects(signIn(service, { wrongSecret: true }), /you are not authenticated/);
  assert.deepEqual(service.requests.log.map(({ route, status }) => [route, status]), [
    ["auth/start", 200],
    ["auth/exchange", 200],
    ["auth/confirm", 401],
  ]);
});

Deno.test("a token of another account is refused at once, after one attempt", async () => {
  await using service = await startService(ACCOUNT);
  const raw = { email: "somebody.else@1passwordserviceaccounts.com" };
  await assert.rejects(signIn(service, { raw }), /you are not authenticated/);
  assert.deepEqual(service.requests.log.map(({ route, status }) => [route, status]), [["auth/start", 401]]);
});

Deno.test("a token that is none never reaches the service", async () => {
  await using service = await startService(ACCOUNT);
  await assert.rejects(signIn(service, { raw: { muk: "not a key" } }), /deserialization failed/);
  assert.equal(service.requests.total(), 0);
});

Deno.test("a session that ended makes the core sign in again, once", async () => {
  await using service = await startService(ACCOUNT);
  const client = await signIn(service);
  service.account.endSessions();
  service.requests.reset();
  assert.equal((await client.vaults.list()).length, 1);
  assert.deepEqual(service.requests.log.map(({ route, status }) => [route, status]), [
    ["vaults/list", 401],
    ["auth/start", 200],
    ["auth/exchange", 200],
    ["auth/confirm", 200],
    ["auth/complete", 200],
    ["vaults/list", 200],
    ["account/keysets", 200],
  ]);
});

for (const status of [401, 403] as const) {
  Deno.test(`a revoked token ends the session and is then refused with ${status}`, async () => {
    await using service = await startService(ACCOUNT);
    const client = await signIn(service);
    service.account.revokeToken(status);
    service.requests.reset();
    await assert.rejects(client.vaults.list());
    await assert.rejects(signIn(service), /authentication error/);
    assert.deepEqual(service.requests.log.map((entry) => [entry.route, entry.status]), [
      ["vaults/list", 401],
      ["auth/start", status],
      ["auth/start", status],
    ]);
    service.account.restoreToken();
    await signIn(service);
  });
}

Deno.test("a request is let in only with a session and a signature for exactly this request", async () => {
  await using service = await startService(ACCOUNT);
  const client = await signIn(service);
  const seen = await requestsDuring(() => client.vaults.list());
  const list = seen.find(({ url }) => url.includes("/v1/vaults"));
  assert.ok(list);

  const status = async (path: string, headers: Record<string, string>) => {
    const response = await fetch(service.url + path, { headers });
    await response.body?.cancel();
    return response.status;
  };
  const signed = Object.fromEntries(list.headers);
  const path = list.url.slice(service.url.length);
  assert.equal(await status(path, signed), 200);
  assert.equal(await status("/api/v2/account/keysets", signed), 401, "the signature is for another path");
  assert.equal(await status(path + "&more", signed), 401, "the signature is for another query");
  assert.equal(await status(path, { ...signed, "x-agilebits-mac": "" }), 401);
  assert.equal(await status(path, { ...signed, "x-agilebits-session-id": "A".repeat(26) }), 401);
  assert.equal(await status(path, {}), 401);
  assert.equal(await status("/api/v9/nothing", signed), 404);
});

Deno.test("a public number with which anyone could sign in is refused", async () => {
  await using service = await startService(ACCOUNT);
  const post = async (path: string, body: unknown, headers = {}) =>
    await (await fetch(service.url + path, { method: "POST", body: JSON.stringify(body), headers })).json();
  const start = await post("/api/v3/auth/start", { email: service.account.credentials.email });
  const answer = await post("/api/v2/auth", { userA: "00" }, { "x-agilebits-session-id": start.sessionID });
  assert.equal(answer.errorCode, 400);
});

Deno.test("closing ends a sign-in that hangs, and may be repeated", async () => {
  const service = await startService(ACCOUNT);
  service.faults.hang("auth/exchange");
  const attempt = assert.rejects(signIn(service), /authentication error/);
  while (service.requests.count("auth/exchange") === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await service.close();
  await service.close();
  await attempt;
});

/** What the core sends while `action` runs. */
async function requestsDuring(action: () => Promise<unknown>): Promise<Request[]> {
  const original = globalThis.fetch;
  const seen: Request[] = [];
  globalThis.fetch = (input, init) => {
    seen.push(new Request(input, init));
    return original(input, init);
  };
  try {
    await action();
  } finally {
    globalThis.fetch = original;
  }
  return seen;
}
