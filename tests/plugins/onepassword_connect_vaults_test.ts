/** Vaults whose lists are too short, that are removed, or that the token may not read. */
import assert from "node:assert/strict";
import { isAppError } from "../../src/base/errors.ts";
import { holding, scene, told, walk } from "./onepassword_connect_door.ts";

Deno.test("a list shorter than the vault's count is asked for again, and is then a gap", async () => {
  await scene(holding(5), async ({ source, connect, service, vault }) => {
    const [first, second] = service.account.vaults[0]!.items;
    const once = connect.faults.shortList([first!.id], { times: 1 });
    const whole = await walk(source, vault);
    assert.deepEqual([whole.items.length, whole.shortfalls.length, once.strikes], [5, 0, 1]);
    connect.faults.shortList([first!.id, second!.id]);
    const { items, shortfalls } = await walk(source, vault);
    assert.equal(items.length, 3);
    assert.deepEqual(told(shortfalls), ["gap short-list"]);
    assert.deepEqual([shortfalls[0]!.expected, shortfalls[0]!.seen], [5, 3]);
  });
});

Deno.test("two lists that lack different items make a whole one", async () => {
  await scene(holding(5), async ({ source, connect, service, vault }) => {
    const [first, second] = service.account.vaults[0]!.items;
    connect.faults.shortList([first!.id], { times: 1 });
    connect.faults.shortList([second!.id], { after: 1, times: 1 });
    const { items, shortfalls } = await walk(source, vault);
    assert.deepEqual([items.length, shortfalls.length], [5, 0]);
  });
});

Deno.test("a vault that is removed before its list has moved", async () => {
  await scene(holding(5), async ({ source, service, vault }) => {
    service.account.removeVault(vault.id);
    const { items, shortfalls } = await walk(source, vault);
    assert.deepEqual([items.length, told(shortfalls)], [0, ["moved vault-removed-meanwhile"]]);
  });
});

Deno.test("a vault that is removed half-way has moved, with what was not read of it", async () => {
  await scene(holding(20), async ({ source, connect, service, vault }) => {
    connect.onRequest("item", () => {
      if (connect.requests.count("item") === 10) service.account.removeVault(vault.id);
    });
    const { items, shortfalls } = await walk(source, vault);
    assert.deepEqual(told(shortfalls), ["moved vault-removed-meanwhile"]);
    assert.equal(shortfalls[0]!.expected, 20 - items.length);
    assert.ok(items.length >= 4 && items.length <= 10);
  });
});

Deno.test("a vault out of the token's scope is that vault's own trouble", async () => {
  await scene(holding(5), async ({ source, connect, service, vault }) => {
    const other = service.account.vaults[1]!;
    // Its access is taken away: the list of vaults no longer shows it.
    connect.scope = [other.id];
    assert.deepEqual(told((await walk(source, vault)).shortfalls), ["moved vault-removed-meanwhile"]);
    connect.scope = undefined;
    // Refused and shown all the same, once and always.
    connect.faults.status("items", 403, { times: 1 });
    assert.equal((await walk(source, vault)).items.length, 5);
    connect.faults.status("items", 403, { id: vault.id, message: `vault ${vault.id} is not in scope` });
    await assert.rejects(
      walk(source, vault),
      (error) => isAppError(error, "denied") && error.origin === "source",
    );
    const [, second] = await source.vaults(new AbortController().signal);
    assert.equal((await walk(source, second!)).items.length, 1);
  });
});

Deno.test("a vault that is shown and not there throws, and is not called empty or removed", async () => {
  await scene(holding(5), async ({ source, connect, vault }) => {
    connect.faults.status("items", 404);
    await assert.rejects(walk(source, vault), (error) => isAppError(error, "unknown"));
    assert.equal(connect.requests.count("items"), 2);
  });
});
