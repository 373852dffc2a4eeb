import assert from "node:assert/strict";
import { AppError } from "../../src/base/errors.ts";
import type { Item } from "../../src/model/item.ts";
import type { Shortfall } from "../../src/model/shortfall.ts";
import type { Allowance, Wanted } from "../../src/source/contract.ts";
import { openPatiently, PatientSource } from "../../src/source/patient.ts";
import { failure } from "../base/failure.ts";
import { memoryItem } from "../stories/memory_source.ts";
import { door, failing, never, patience, quota, vault } from "./patience.ts";

Deno.test("what 1Password tells of its counters is asked for and decides", async () => {
  const told: Allowance[] = [
    { scope: "token", action: "read", limit: 1000, used: 1000, resetSeconds: 600 },
    { scope: "account", action: "any", limit: 5000, used: 4000, resetSeconds: 40_000 },
  ];
  const { one, slept } = patience(20);
  const source = new PatientSource(
    door({ vaults: failing(quota()).action as never, allowances: () => Promise.resolve(told) }),
    one,
  );
  assert.equal(await source.vaults(never), "done");
  assert.deepEqual(slept(), [10], "the account's day is not used up");
  const hint = (await failure(
    new PatientSource(
      door({
        vaults: failing(quota()).action as never,
        allowances: () => Promise.resolve([{ ...told[0]!, resetSeconds: 660 }]),
      }),
      one,
    ).vaults(never),
    "quota",
  )).hint;
  assert.match(hint!, /1,000 reads an hour for a token, renewed at 2026-02-03 04:27 UTC/);
});

Deno.test("a door that cannot tell what is left hides nothing", async () => {
  const { one, slept } = patience(20);
  const allowances = () => Promise.reject(new AppError("transient", "cannot reach 1Password"));
  const source = new PatientSource(door({ vaults: failing(quota()).action as never, allowances }), one);
  assert.equal(await source.vaults(never), "done");
  assert.deepEqual(slept(), [1]);
  await failure(source.allowances!(never), "transient");
});

Deno.test("every call is made again, and a door that does not tell gets no word for it", async () => {
  const { one, slept } = patience(60);
  const again = () => failing(quota()).action as never;
  const body = new ReadableStream<Uint8Array>();
  let opened = 0;
  const source = new PatientSource(
    door({
      account: again(),
      vaults: again(),
      estimate: again(),
      open: () => opened++ === 0 ? Promise.reject(quota()) : Promise.resolve(body),
    }),
    one,
  );
  assert.equal("allowances" in source && source.allowances !== undefined, false);
  assert.deepEqual([source.name, source.limits, source.snapshot], ["door", [], false]);
  assert.equal(new PatientSource(door({ snapshot: true }), one).snapshot, true);
  assert.equal(await source.account(never), "done");
  assert.equal(await source.vaults(never), "done");
  assert.equal(await source.estimate([], never), "done");
  const item = memoryItem("v", "a", [{}]);
  assert.equal(await source.open(item, item.files[0]!, never), body);
  assert.deepEqual(slept(), [1, 1, 1, 1], "each begins anew with a minute");
});

Deno.test("files that are given up are told of with the hint, for the run goes on without them", async () => {
  const { one, events } = patience(0);
  const source = new PatientSource(door({ open: () => Promise.reject(quota()) }), one);
  const item = memoryItem("v", "a", [{}]);
  await failure(source.open(item, item.files[0]!, never), "quota");
  const [event] = events as { event: string; code: string; message: string; hint: string }[];
  assert.deepEqual([event!.event, event!.code, events.length], ["warning", "quota", 1]);
  assert.match(event!.message, /used up: files that were not read yet are missing/);
  assert.match(event!.hint, /^wait for it to renew/);
});

Deno.test("a sign-in that is refused for the quota is made again after a pause; one refused for the token is not", async () => {
  const { one, slept } = patience(60);
  let tries = 0;
  const disposed: number[] = [];
  const open = () =>
    ++tries < 3
      ? Promise.reject(quota())
      : Promise.resolve(door({ [Symbol.asyncDispose]: () => Promise.resolve(void disposed.push(tries)) }));
  {
    await using _ = await openPatiently(open, one, never);
  }
  assert.deepEqual([tries, slept(), disposed], [3, [1, 2], [3]]);
  let refused = 0;
  const deny = () =>
    Promise.reject(new AppError("denied", "no", { origin: "source" })).finally(() => refused++);
  await failure(openPatiently(deny, one, never), "denied");
  assert.equal(refused, 1);
});

/** A door that lists `all` and whose quota ends after so many things in each walk; keeps what was fetched. */
function walking(all: (Item | Shortfall)[], ends: number[], heeds = true) {
  const fetched: string[][] = [];
  const source = door({
    async *items(_vault, signal, wanted?: Wanted) {
      const mine: string[] = [];
      fetched.push(mine);
      const end = ends[fetched.length - 1] ?? Infinity;
      let yielded = 0;
      for (const found of all) {
        assert.equal(signal, never);
        const id = "shortfall" in found ? found.itemId : found.id;
        if (heeds && id !== undefined && wanted && !wanted(id)) continue;
        if (yielded++ === end) throw quota();
        mine.push(id ?? "-");
        yield found;
        await Promise.resolve();
      }
    },
  });
  return { source, fetched };
}

async function all(found: AsyncIterable<Item | Shortfall>): Promise<string[]> {
  const got: string[] = [];
  for await (const one of found) got.push("shortfall" in one ? `${one.reason} ${one.itemId ?? ""}` : one.id);
  return got;
}

const limit = (itemId?: string): Shortfall => ({
  shortfall: itemId === undefined ? "gap" : "limit",
  reason: itemId === undefined ? "short-list" : "unsupported-field",
  vaultId: "v",
  detail: "…",
  ...(itemId === undefined ? {} : { itemId }),
});

const items = ["a", "b", "c", "d", "e"].map((id) => memoryItem("v", id));

Deno.test("a walk goes on where the quota ended: nothing is fetched or given again, and nothing is left out", async () => {
  const { one, slept } = patience(60);
  const { source, fetched } = walking(items, [2, 0, 1]);
  assert.deepEqual(await all(new PatientSource(source, one).items(vault, never)), ["a", "b", "c", "d", "e"]);
  assert.deepEqual(fetched, [["a", "b"], [], ["c"], ["d", "e"]]);
  assert.deepEqual(slept(), [1, 2, 1], "a walk that went on begins anew with a minute");
});

Deno.test("what is lacking is told once as well, by item and for the whole vault", async () => {
  const lacking = [limit(), items[0]!, limit("a"), limit("x"), items[1]!, items[2]!, limit("c")];
  const told = [
    "short-list ",
    "a",
    "unsupported-field a",
    "unsupported-field x",
    "b",
    "c",
    "unsupported-field c",
  ];
  for (const heeds of [true, false]) {
    const { one } = patience(600);
    const { source, fetched } = walking(lacking, [3, 3, 4], heeds);
    assert.deepEqual(await all(new PatientSource(source, one).items(vault, never)), told);
    const again = fetched.filter((ids) => ids.includes("x")).length;
    assert.equal(again > 1, !heeds, "an item that is only told of as lacking counts as told");
  }
});

Deno.test("a door that overlooks what is wanted still gives nothing twice", async () => {
  const { one } = patience(60);
  const { source, fetched } = walking(items, [4, 5], false);
  assert.deepEqual(await all(new PatientSource(source, one).items(vault, never)), ["a", "b", "c", "d", "e"]);
  assert.equal(fetched[1]!.length, 5);
});

Deno.test("an id that one walk gives twice is passed on: that is for the caller to see", async () => {
  const { one } = patience(60);
  const { source } = walking([items[0]!, items[1]!, items[0]!], []);
  assert.deepEqual(await all(new PatientSource(source, one).items(vault, never)), ["a", "b", "a"]);
});

Deno.test("what the caller does not want is not asked for, before a wait or after", async () => {
  const { one } = patience(60);
  const { source, fetched } = walking(items, [1]);
  const got = await all(new PatientSource(source, one).items(vault, never, (id) => id !== "d"));
  assert.deepEqual(got, ["a", "b", "c", "e"]);
  assert.deepEqual(fetched, [["a"], ["b", "c", "e"]]);
});

Deno.test("a walk whose patience ends throws; other errors throw at once", async () => {
  const { one } = patience(3);
  const { source } = walking(items, [1, 0, 0, 0, 0]);
  await failure(all(new PatientSource(source, one).items(vault, never)), "quota");
  const broken = new PatientSource(
    door({
      // deno-lint-ignore require-yield -- it fails before
      async *items() {
        throw await Promise.resolve(new AppError("transient", "cannot reach 1Password"));
      },
    }),
    patience(60).one,
  );
  await failure(all(broken.items(vault, never)), "transient");
});

Deno.test("a caller that leaves a walk ends the door's walk", async () => {
  let ended = false;
  const source = new PatientSource(
    door({
      async *items() {
        try {
          for (const item of items) yield await Promise.resolve(item);
        } finally {
          ended = true;
        }
      },
    }),
    patience(60).one,
  );
  for await (const _ of source.items(vault, never)) break;
  assert.ok(ended);
});

Deno.test("calls that find the quota used up at the same time share one pause", async () => {
  const { one, slept, events } = patience(3);
  const item = memoryItem("v", "a", [{}, {}, {}]);
  const tries = new Map<string, number>();
  const source = new PatientSource(
    door({
      open: (_, { id }) => {
        const calls = (tries.get(id) ?? 0) + 1;
        tries.set(id, calls);
        return calls < 3 ? Promise.reject(quota()) : Promise.resolve(new ReadableStream());
      },
    }),
    one,
  );
  await Promise.all(item.files.map((file) => source.open(item, file, never)));
  assert.deepEqual(slept(), [1, 2], "three calls, and the total is enough for one pause at a time");
  assert.equal(events.length, 2);
  assert.deepEqual([...tries.values()], [3, 3, 3]);
});

Deno.test("calls that give up at the same time say so once", async () => {
  const { one, events } = patience(0);
  const item = memoryItem("v", "a", [{}, {}]);
  const source = new PatientSource(door({ open: () => Promise.reject(quota()) }), one);
  for (const file of item.files) await failure(source.open(item, file, never), "quota");
  await Promise.all(item.files.map((file) => failure(source.open(item, file, never), "quota")));
  assert.equal(events.length, 1);
});
