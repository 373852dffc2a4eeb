import assert from "node:assert/strict";
import { CombinedSource } from "../../src/source/combined/source.ts";
import { checkOneAccount } from "../../src/source/combined/account.ts";
import { Door } from "../../src/source/combined/door.ts";
import type { Source } from "../../src/source/contract.ts";
import { failure } from "../base/failure.ts";
import { combine, doorTo, failing, full, signal, type TestDoor, vaultOf } from "./doors.ts";

function openDoor(name: string, account: { id?: string; url?: string } | undefined, main = false): Door {
  const { source } = doorTo({}, { name });
  return new Door(name, source, main, account);
}

Deno.test("two accounts in one job are refused where both are known", async () => {
  const main = openDoor("sdk", { id: "A" }, true);
  await failure(
    () => checkOneAccount(main, openDoor("onepux", { id: "B" })),
    "misconfigured",
    /the sources "sdk" and "onepux" belong to different accounts/,
  );
  for (const account of [{ id: "a" }, { url: "https://x.example" }, undefined]) {
    checkOneAccount(main, openDoor("onepux", account));
  }
});

Deno.test("a door with no vault in common is asked about, unless its address or account says enough", async () => {
  const at = (url: string) => ({ account: { url } });
  const said = async (ours: object, theirs: object, vault = "v2") =>
    (await combine(doorTo({ v1: [] }, ours), doorTo({ [vault]: [] }, { name: "onepux", ...theirs })))
      .warnings;
  assert.match(
    (await said({}, {})).join(),
    /"onepux" shows none of the vaults .* is it the same account's\?$/,
  );
  assert.equal((await said(at("https://a.example"), at("https://b.example"))).length, 1);
  assert.deepEqual(await said(at("https://a.example"), at("https://a.example/")), []);
  assert.deepEqual(await said({ account: { id: "A" } }, { account: { id: "A" } }), []);
  assert.deepEqual(await said({}, {}, "v1"), []);
});

Deno.test("an estimate counts all of the first door of a vault and the lists of the others", async () => {
  const { source } = await combine(
    doorTo({ v1: [full("a"), full("b")], v2: [full("c", { vaultId: "v2" })] }),
    doorTo({ v1: [full("a"), full("b")], v3: [] }, { name: "op" }),
  );
  const vaults = await source.vaults(signal);
  // In memory: two calls, and for each vault one and its items.
  assert.equal((await source.estimate(vaults, signal)).reads, (2 + 3 + 2) + (2 + 1 + 1));
});

Deno.test("an estimate that the main door cannot give is an error, that of another is left out", async () => {
  const doors = (at: number) =>
    [doorTo({ v1: [] }), doorTo({ v1: [] }, { name: "op" })].map((door, index) => {
      if (index === at) door.source.estimate = () => Promise.reject(failing("transient"));
      return door;
    });
  const vaults = [vaultOf("v1")];
  await failure((await combine(...doors(0))).source.estimate(vaults, signal), "transient");
  assert.equal((await (await combine(...doors(1))).source.estimate(vaults, signal)).reads, 3);
});

Deno.test("the quota is what the main door tells, else what another tells of the account", async () => {
  const counters = (used: number) =>
    [
      { scope: "token", action: "read", limit: 1000, used },
      { scope: "account", action: "any", limit: 5000, used },
    ] as const;
  const telling = (name: string, tell?: () => Promise<unknown>): TestDoor => {
    const door = doorTo({ v1: [] }, { name });
    if (tell) (door.source as Source).allowances = tell as NonNullable<Source["allowances"]>;
    return door;
  };
  const told = async (...doors: TestDoor[]) => (await combine(...doors)).source.allowances?.(signal);
  assert.deepEqual(await told(telling("op", () => Promise.resolve(counters(1))), telling("b")), counters(1));
  assert.deepEqual(await told(telling("sdk"), telling("op", () => Promise.resolve(counters(2)))), [
    counters(2)[1],
  ]);
  assert.equal(
    await told(telling("sdk"), telling("op", () => Promise.reject(failing("unknown")))),
    undefined,
  );
  const { source } = await combine(telling("sdk"), telling("onepux"));
  assert.equal(source.allowances, undefined);
});

Deno.test("every door is closed, and only a failure of the main one is told", async () => {
  const closed: string[] = [];
  const closing = (name: string, fails: boolean): Door => {
    const { source } = doorTo({}, { name });
    source[Symbol.asyncDispose] = () => {
      closed.push(name);
      return fails ? Promise.reject(new Error(name)) : Promise.resolve();
    };
    return new Door(name, source, name === "main", undefined);
  };
  await new CombinedSource(closing("main", false), [closing("b", true), closing("c", false)], () => {})
    [Symbol.asyncDispose]();
  assert.deepEqual(closed, ["main", "b", "c"]);
  const failed = new CombinedSource(closing("main", true), [closing("b", true)], () => {});
  await assert.rejects(async () => await failed[Symbol.asyncDispose](), /main/);
});

Deno.test("vaults that no door showed are asked of none", async () => {
  const { source } = await combine(doorTo({ v1: [] }), doorTo({ v1: [] }, { name: "op" }));
  for await (const _ of source.items(vaultOf("v9"), signal)) assert.fail();
});
