import assert from "node:assert/strict";
import type { AppError } from "../../src/base/errors.ts";
import {
  combine,
  doorTo,
  failing,
  full,
  gap,
  limit,
  listed,
  reasons,
  signal,
  type TestDoor,
  walk,
  walkBy,
} from "./doors.ts";

/** Fails a call of this kind, of this vault where one is named. */
function failsAt(kind: string, error: Error, vaultId?: string) {
  return (call: string, about: { vaultId?: string }) => {
    if (call === kind && (vaultId === undefined || about.vaultId === vaultId)) throw error;
  };
}

const ids = (items: { id: string }[]) => items.map(({ id }) => id).sort();

for (const code of ["denied", "transient", "quota", "corrupt", "unknown"] as const) {
  Deno.test(`another door that fails with "${code}" is a gap, and the main one's part is whole`, async () => {
    const op = doorTo({ v1: [full("a"), full("b")] }, {
      name: "op",
      before: failsAt("list", failing(code)),
    });
    const walked = await walkBy(doorTo({ v1: [full("a"), ...listed("b")] }), op);
    assert.deepEqual(ids(walked.items), ["a", "b"]);
    assert.deepEqual(reasons(walked), ["gap door-failed *", "limit archived-contents b"]);
    const { detail, door, vaultId } = walked.shortfalls.find(({ reason }) => reason === "door-failed")!;
    assert.deepEqual([door, vaultId], ["op", "v1"]);
    assert.equal(detail, 'the source "op" could not be read to the end in this vault: it cannot be reached');
  });
}

Deno.test("what another door gave before it failed is kept", async () => {
  const op = doorTo({ v1: [full("a"), full("b")] }, {
    name: "op",
    before: (call, { itemId }) => {
      if (call === "items" && itemId === "b") throw failing("unknown");
    },
  });
  const walked = await walkBy(doorTo({ v1: [...listed("a"), ...listed("b")] }), op);
  assert.deepEqual(walked.by, { a: "op", b: "memory" });
  assert.deepEqual(reasons(walked), ["gap door-failed *", "limit archived-contents b"]);
});

Deno.test("another door that cannot list its vaults is a gap of its own", async () => {
  const op = doorTo({ v1: [] }, { name: "op", before: failsAt("vaults", failing("denied", "no")) });
  const { source } = await combine(doorTo({ v1: [full("a")] }), op);
  assert.deepEqual(
    source.failed.map(({ shortfall, reason, vaultId, door, detail }) => [
      shortfall,
      reason,
      vaultId,
      door,
      detail,
    ]),
    [["gap", "door-failed", "", "op", 'the source "op" could not be read: no']],
  );
  assert.deepEqual((await walk(source)).shortfalls, []);
  await source.vaults(signal);
  assert.deepEqual([op.asked, source.failed.length], [["vaults"], 1]);
});

const VAULTS = Object.fromEntries(
  ["v1", "v2", "v3", "v4"].map((vaultId) => [vaultId, [full("a", { vaultId })]]),
);

for (const [code, asked] of [["denied", 1], ["quota", 1], ["transient", 2], ["unknown", 4]] as const) {
  Deno.test(`another door that fails with "${code}" is asked ${asked} times, and each vault is a gap`, async () => {
    const op = doorTo(VAULTS, { name: "op", before: failsAt("list", failing(code)) });
    const { source } = await combine(doorTo(VAULTS), op);
    for (const vault of Object.keys(VAULTS)) {
      assert.deepEqual(reasons(await walk(source, vault)), ["gap door-failed *"]);
    }
    assert.equal(op.asked.filter((call) => call.startsWith("list")).length, asked);
  });
}

Deno.test("another door that answers in between is not given up", async () => {
  let calls = 0;
  const op = doorTo(VAULTS, {
    name: "op",
    before: (call) => {
      if (call === "list" && calls++ % 2 === 0) throw failing("transient");
    },
  });
  const { source } = await combine(doorTo(VAULTS), op);
  for (const vault of [...Object.keys(VAULTS), "v1"]) await walk(source, vault);
  assert.equal(calls, 5);
});

Deno.test("a door that failed in a vault is not asked again there", async () => {
  const items = Array.from({ length: 1200 }, (_, at) => full(`i${at}`));
  const past = doorTo({ v1: [] }, {
    name: "onepux",
    snapshot: true,
    before: failsAt("list", failing("unknown")),
  });
  const walked = await walkBy(doorTo({ v1: items }), past);
  assert.deepEqual([walked.items.length, reasons(walked)], [1200, ["gap door-failed *"]]);
  assert.deepEqual(past.asked, ["vaults", "list v1"]);
});

Deno.test("a vault that only another door shows, and does not give, is unreadable", async () => {
  const op = doorTo({ v2: [] }, { name: "op", before: failsAt("list", failing("unknown")) });
  const { source } = await combine(doorTo({ v1: [] }), op);
  assert.deepEqual(reasons(await walk(source, "v2")), ["gap unreadable-vault *"]);
});

Deno.test("an error that nobody translated ends no run when it is another door's, and its text is not told", async () => {
  const bad: TestDoor = doorTo({ v1: [] }, { name: "op" });
  // deno-lint-ignore require-yield -- it fails before
  bad.source.items = async function* () {
    await Promise.resolve();
    JSON.parse("made-up-password");
  };
  const { shortfalls } = await walkBy(doorTo({ v1: [full("a")] }), bad);
  assert.match(shortfalls[0]!.detail, /in this vault: an unexpected SyntaxError$/);
});

Deno.test("a stop is no failure of a door: it stops", async () => {
  const stop = new AbortController();
  const op = doorTo({ v1: [] }, { name: "op", before: (call) => call === "list" ? stop.abort() : undefined });
  const { source } = await combine(doorTo({ v1: [full("a")] }), op);
  const { error } = await walk(source, "v1", stop.signal);
  assert.equal((error as AppError).code, "cancelled");
  const cancelled = doorTo({ v1: [] }, { name: "op", before: failsAt("list", failing("cancelled")) });
  const again = await combine(doorTo({ v1: [full("a")] }), cancelled);
  assert.equal(((await walk(again.source)).error as AppError).code, "cancelled");
});

Deno.test("a used-up quota of the main door ends the run, and so does an error that nobody translated", async () => {
  const main = doorTo({ v1: [full("a")] }, { before: failsAt("list", failing("quota")) });
  const { source } = await combine(main, doorTo({ v1: [full("a")] }, { name: "op" }));
  const quota = await walk(source);
  assert.deepEqual([(quota.error as AppError).code, quota.items], ["quota", []]);
  const bad = doorTo({ v1: [] });
  // deno-lint-ignore require-yield -- it fails before
  bad.source.items = async function* () {
    await Promise.resolve();
    throw new TypeError("x is not a function");
  };
  const broken = await combine(bad, doorTo({ v1: [full("a")] }, { name: "op" }));
  assert.match(String((await walk(broken.source)).error), /x is not a function/);
});

Deno.test("a vault that the main door does not give comes whole from another, and that is said", async () => {
  const main = doorTo({ v1: [full("a"), full("b")] }, { before: failsAt("list", failing("transient")) });
  const { source, warnings } = await combine(main, doorTo({ v1: [full("a"), full("b")] }, { name: "op" }));
  const { items, shortfalls, error } = await walk(source);
  assert.deepEqual([ids(items), shortfalls, error], [["a", "b"], [], undefined]);
  assert.match(warnings.join(), /the main source could not read vault v1 \(it cannot be reached\)/);
});

Deno.test("a vault that the main door breaks off keeps what it gave, its last item included", async () => {
  const main = doorTo({ v1: [full("a"), full("b"), full("c")] }, {
    before: (call, { itemId }) => {
      if (call === "items" && itemId === "c") throw failing("unknown");
    },
  });
  const { source } = await combine(main, doorTo({ v1: [] }, { name: "op" }));
  const { items, error } = await walk(source);
  assert.deepEqual([ids(items), (error as AppError).message], [["a", "b"], "it cannot be reached"]);
});

for (
  const [why, options, contents] of [
    ["it is an export", { snapshot: true }, [full("a"), full("b")]],
    ["it has fewer items than 1Password counts", {}, [full("a")]],
    ["it could not list it whole itself", { leavesOut: (call: string) => call === "list" }, [full("a")]],
    ["it failed as well", { before: failsAt("list", failing("unknown")) }, [full("a")]],
  ] as const
) {
  Deno.test(`another door does not make up for the main one's vault when ${why}`, async () => {
    const main = doorTo({ v1: [full("a"), full("b")] }, { before: failsAt("list", failing("unknown")) });
    const { source } = await combine(main, doorTo({ v1: [...contents] }, { name: "op", ...options }));
    const { items, error } = await walk(source);
    assert.equal((error as AppError).message, "it cannot be reached");
    if (why === "it is an export") assert.deepEqual(ids(items), ["a", "b"]);
  });
}

for (
  const [why, options, covered] of [
    ["a live door", {}, true],
    ["an export", { snapshot: true }, false],
    ["a door that failed as well", { before: failsAt("items", failing("unknown")) }, false],
  ] as const
) {
  Deno.test(`a vault of archived items only is ${covered ? "" : "not "}made up for by ${why}`, async () => {
    const items = [full("a", { state: "archived" })];
    const other = () => doorTo({ v1: [...items] }, { name: "op", ...options });
    const main = doorTo({ v1: [...items] }, { before: failsAt("list", failing("unknown")) });
    const { error } = await walk((await combine(main, other())).source);
    assert.equal(error === undefined, covered);
    // The same where the main door says so instead of failing.
    const said = doorTo({
      v1: [{ shortfall: "gap", reason: "unreadable-vault", vaultId: "v1", detail: "no list" }],
    });
    const walked = await walk((await combine(said, other())).source);
    assert.equal(reasons(walked).includes("gap unreadable-vault *"), !covered);
  });
}

Deno.test("another door that says itself what it lacks of a vault does not make up for it", async () => {
  const odd = { shortfall: "gap", reason: "unreadable-item", vaultId: "v1", detail: "no item" } as const;
  const main = doorTo({ v1: [full("a")] }, { before: failsAt("list", failing("unknown")) });
  const { source } = await combine(main, doorTo({ v1: [full("a"), odd] }, { name: "op" }));
  const { error, shortfalls } = await walk(source);
  assert.ok(error);
  assert.deepEqual(shortfalls.map(({ reason }) => reason), ["unreadable-item"]);
});

Deno.test("a main door that cannot be reached is given up after two vaults, and the others go on", async () => {
  const main = doorTo(VAULTS, { before: failsAt("list", failing("transient")) });
  const { source } = await combine(main, doorTo(VAULTS, { name: "op" }));
  for (const vault of Object.keys(VAULTS)) assert.equal((await walk(source, vault)).items.length, 1);
  assert.equal(main.asked.filter((call) => call.startsWith("list")).length, 2);
});

/** A list that its door gives without these ids, though it counts them. */
const short = (items: ReturnType<typeof full>[], ...without: string[]) =>
  doorTo({ v1: items }, {
    name: "main",
    leavesOut: (call, id) => call === "list" && without.includes(id),
  });
const THREE = [full("a"), full("b"), full("c")];

Deno.test("a short list is none when live doors together have as many active items as are counted", async () => {
  const whole = await walkBy(short(THREE, "b", "c"), doorTo({ v1: THREE }, { name: "op" }));
  assert.deepEqual([ids(whole.items), whole.shortfalls], [["a", "b", "c"], []]);
  const both = await walkBy(short(THREE, "b"), short(THREE, "a"));
  assert.deepEqual([ids(both.items), both.shortfalls], [["a", "b", "c"], []]);
});

Deno.test("a short list stays one when an export fills it up, or when something is still lacking", async () => {
  const past = doorTo({ v1: THREE }, { name: "onepux", snapshot: true });
  const filled = await walkBy(short(THREE, "b", "c"), past);
  assert.deepEqual(ids(filled.items), ["a", "b", "c"]);
  assert.deepEqual(reasons(filled), [
    "gap short-list *",
    "limit older-contents b",
    "limit older-contents c",
  ]);
  const lacking = await walkBy(short(THREE, "b", "c"), doorTo({ v1: [full("b")] }, { name: "op" }));
  assert.deepEqual(reasons(lacking), ["gap short-list *"]);
  // What is archived is not among what is counted.
  const archived = full("x", { state: "archived" });
  const other = await walkBy(short(THREE, "b", "c"), doorTo({ v1: [full("b"), archived] }, { name: "op" }));
  assert.deepEqual(reasons(other), ["gap short-list *"]);
  const unread = await walkBy(short(THREE, "b", "c"), doorTo({ v1: [full("b"), gap("c")] }, { name: "op" }));
  assert.deepEqual(reasons(unread), ["gap unreadable-item c"]);
});

Deno.test("what an export lacks of a vault is told once, however often it is gone through", async () => {
  const odd = { ...limit("", "unsupported-item"), shortfall: "gap", reason: "unreadable-item" } as const;
  const { itemId: _, ...ofVault } = odd;
  const items = Array.from({ length: 1200 }, (_, at) => full(`i${at}`));
  const past = doorTo({ v1: [ofVault, ofVault, ...items] }, { name: "onepux", snapshot: true });
  const walked = await walkBy(doorTo({ v1: [...items, ...listed("b")] }), past);
  assert.deepEqual(reasons(walked), [
    "gap unreadable-item *",
    "gap unreadable-item *",
    "limit archived-contents b",
  ]);
  assert.equal(past.asked.filter((call) => call.startsWith("list")).length, 4);
});
