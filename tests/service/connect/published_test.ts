/**
 * Connect's published description, read where it lies: `../shared/spec` beside the checkout, or what `CONNECT_SPEC`
 * names. Where it is not, the tests that need it are ignored by a name that says so; with
 * `CONFORMANCE_REQUIRED=onepassword-connect` that is a failure, because that door was then not tried as it should be.
 */
import assert from "node:assert/strict";
import { startService } from "../mod.ts";
import { sampleAccount } from "../sample_account.ts";
import type { Json, JsonObject } from "../wire/json.ts";
import { ABSENT, findPublished, published, VARIABLE } from "./find_published.ts";
import { LEFT_OUT } from "./published.ts";
import { renderItem, renderSummary, renderVault } from "./render.ts";

if (!published) console.warn(ABSENT);

function needsDescription(name: string, fn: () => void | Promise<void>): void {
  const why = "IGNORED: the description is not there, see CONNECT_SPEC";
  Deno.test({ name: published ? name : `${name} (${why})`, ignore: !published, fn });
}

Deno.test("CONFORMANCE_REQUIRED: Connect's published description was there, if it was asked for", () => {
  const required = (Deno.env.get("CONFORMANCE_REQUIRED") ?? "").split(",").map((name) => name.trim());
  assert.ok(published || !required.includes("onepassword-connect"), ABSENT);
});

Deno.test("a description that is named and not there is an error, never a reason to go without", async () => {
  const before = Deno.env.get(VARIABLE);
  Deno.env.set(VARIABLE, "/nowhere/connect-openapi.yaml");
  try {
    await assert.rejects(
      findPublished(),
      /CONNECT_SPEC names \/nowhere\/connect-openapi\.yaml, and there is no such/,
    );
  } finally {
    if (before === undefined) Deno.env.delete(VARIABLE);
    else Deno.env.set(VARIABLE, before);
  }
});

needsDescription("the description has every request that a backup makes", () => {
  assert.match(published!.version, /^\d+\.\d+\.\d+$/);
  const [v, i, f] = ["a".repeat(26), "b".repeat(26), "c".repeat(26)];
  const paths = [
    "/v1/vaults",
    `/v1/vaults/${v}`,
    `/v1/vaults/${v}/items`,
    `/v1/vaults/${v}/items/${i}`,
    `/v1/vaults/${v}/items/${i}/files`,
    `/v1/vaults/${v}/items/${i}/files/${f}`,
    `/v1/vaults/${v}/items/${i}/files/${f}/content`,
    "/health",
    "/heartbeat",
  ];
  for (const path of paths) assert.deepEqual(published!.request(new URL(path, "http://c.example")), [], path);
});

needsDescription("requests that the description does not have are problems", () => {
  const problem = (path: string) => published!.request(new URL(path, "http://c.example"))[0]!;
  assert.match(problem("/v1/users"), /is not described$/);
  assert.match(problem("/vaults"), /is not described$/);
  assert.match(problem("/v1/vaults?page=2"), /\?page: is not described$/);
  assert.match(problem("/v1/vaults/Finance/items"), /does not match/);
  assert.match(problem(`/v1/vaults/${"A".repeat(26)}`), /does not match/);
});

needsDescription("answers that are left out of the description are left out still", () => {
  for (const [operation, status] of LEFT_OUT) {
    assert.equal(published!.describes(operation, status), false, `${operation} ${status}`);
    assert.equal(published!.describes(operation, 200), true);
  }
});

needsDescription("an answer that differs from the description in anything is a problem", async () => {
  await using service = await startService(sampleAccount());
  const vault = service.account.vault("Every category");
  const item = vault.item("Every kind of field");
  const plain = (json: JsonObject) => JSON.parse(JSON.stringify(json));
  const answer = (path: string, body: Json, status = 200, contentType = "application/json") =>
    published!.answer(`/v1/vaults${path}`, { status, contentType, body });
  const [v, i] = [`/${vault.id}`, `/${vault.id}/items/${item.id}`];
  const [vaultJson, summary, full] = [
    renderVault(vault),
    renderSummary(vault.id, item),
    renderItem(vault.id, item),
  ]
    .map(plain);
  assert.deepEqual([answer("", [vaultJson]), answer(v, vaultJson)], [[], []]);
  assert.deepEqual([answer(`${v}/items`, [summary]), answer(i, full)], [[], []]);
  assert.deepEqual(answer(v, { status: 404, message: `vault ${vault.id} not found` }, 404), []);

  const changed = (change: (item: Json & { fields: JsonObject[] }) => void) => {
    const copy = plain(full);
    change(copy);
    return answer(i, copy);
  };
  const wrong: [string[], RegExp][] = [
    [answer("", vaultJson), /is no array/],
    [answer("", [{ ...vaultJson, items: "25" }]), /items: is no integer/],
    [answer("", [{ ...vaultJson, type: "SHARED" }]), /type: "SHARED" is none of/],
    [answer("", [{ ...vaultJson, owner: "x" }]), /owner: is not described/],
    [answer(v, { ...vaultJson, id: "X" }), /id: "X" does not match/],
    [answer(v, { ...vaultJson, createdAt: 1 }), /createdAt: is no string/],
    [answer(`${v}/items`, [full]), /(fields|sections): is not described/],
    [answer(`${v}/items`, [{ ...summary, state: "ACTIVE" }]), /state: "ACTIVE" is none of/],
    [answer(`${v}/items`, [{ ...summary, vault: undefined }]), /vault: is missing/],
    [answer(`${v}/items`, [{ ...summary, category: "PERSON" }]), /category: "PERSON" is none of/],
    [changed((item) => item.fields[0]!.type = "OTP"), /type: "OTP" is none of/],
    [changed((item) => item.fields[0]!.value = 1), /value: is no string/],
    [changed((item) => item.fields[0]!.id = undefined), /id: is missing/],
    [changed((item) => item.fields[0]!.totp = "123456"), /totp: is not described/],
    [answer(v, { status: 404 }, 404), /message: is missing/],
    [answer(v, { status: 403, message: "x" }, 404), /status: is 403/],
    [answer(v, {}, 404), /status: is undefined/],
    [answer(v, { status: 404, message: "x", stack: "y" }, 404), /stack: is not described/],
    [answer(v, { status: 500, message: "x" }, 500), /500: is not described/],
    [answer(v, vaultJson, 200, "text/html"), /is not described as text\/html/],
  ];
  for (const [problems, expected] of wrong) assert.match(problems.join("; "), expected);
  const injected = { status: 500, contentType: "application/json", body: { status: 500 }, injected: true };
  assert.match(published!.answer("/v1/vaults", injected).join(), /message: is missing/);
});
