import assert from "node:assert/strict";
import type { Item } from "../../src/model/item.ts";
import type { Shortfall } from "../../src/model/shortfall.ts";
import {
  combine,
  doorTo,
  full,
  gap,
  limit,
  listed,
  MONDAY,
  moved,
  reasons,
  signal,
  TUESDAY,
  unsupported,
  walk,
  walkBy,
} from "./doors.ts";

Deno.test("the main door's vaults come first, then those that only others show", async () => {
  const { source } = await combine(
    doorTo({ v1: [], v2: [] }),
    doorTo({ v3: [], v2: [] }, { name: "op" }),
    doorTo({ v4: [], v3: [] }, { name: "onepux" }),
  );
  assert.deepEqual((await source.vaults(signal)).map(({ id }) => id), ["v1", "v2", "v3", "v4"]);
  assert.deepEqual(["v1", "v2", "v3", "v4"].map((id) => source.doorOfVault(id)), [
    "memory",
    "memory",
    "op",
    "onepux",
  ]);
});

Deno.test("a main door that shows no vault shows nothing, whatever the others show", async () => {
  const { source } = await combine(doorTo({}), doorTo({ v1: [full("a")] }, { name: "op" }));
  assert.deepEqual(await source.vaults(signal), []);
});

Deno.test("what the main door gives whole is not asked for again, and what it lacks in one list", async () => {
  const op = doorTo({ v1: [full("a"), full("b"), full("c"), full("d")] }, { name: "op" });
  const { items, shortfalls, by } = await walkBy(
    doorTo({ v1: [full("a"), ...listed("b"), full("c")] }),
    op,
  );
  assert.deepEqual(op.asked, ["vaults", "list v1", "items b", "items d"]);
  assert.deepEqual(items.map(({ id, contents }) => [id, contents]).sort(), [
    ["a", "full"],
    ["b", "full"],
    ["c", "full"],
    ["d", "full"],
  ]);
  assert.deepEqual(shortfalls, []);
  assert.deepEqual(by, { a: "memory", b: "op", c: "memory", d: "op" });
});

Deno.test("a third door is asked only for what the second does not give either", async () => {
  const [second, third] = [
    doorTo({ v1: [full("a"), ...listed("b")] }, { name: "second" }),
    doorTo({ v1: [full("a"), full("b"), full("c")] }, { name: "third" }),
  ];
  const { by, shortfalls } = await walkBy(doorTo({ v1: [...listed("a"), ...listed("b")] }), second, third);
  assert.deepEqual(second.asked, ["vaults", "list v1", "items a", "items b"]);
  assert.deepEqual(third.asked, ["vaults", "list v1", "items b", "items c"]);
  assert.deepEqual(by, { a: "second", b: "third", c: "third" });
  assert.deepEqual(shortfalls, []);
});

/** What the main door tells of an item, what another does, and what comes of it: by whom, and what is still lacking. */
const CASES: [
  name: string,
  main: (Item | Shortfall)[],
  other: (Item | Shortfall)[],
  live: [by: string | undefined, ...lacking: string[]],
  snapshot: [by: string | undefined, ...lacking: string[]],
][] = [
  ["listed only, and given", listed("a"), [full("a")], ["other"], ["other"]],
  ["listed only, and given as it was before", listed("a", { updatedAt: TUESDAY }), [full("a")], [
    "other",
    "limit older-contents a",
  ], ["other", "limit older-contents a"]],
  ["listed only, and given as it is since", listed("a"), [full("a", { updatedAt: TUESDAY })], ["other"], [
    "other",
  ]],
  ["listed only, and nobody knows since when", listed("a", { updatedAt: "" }), [full("a")], ["other"], [
    "other",
    "limit older-contents a",
  ]],
  ["listed only, by both", listed("a"), listed("a"), ["main", "limit archived-contents a"], [
    "main",
    "limit archived-contents a",
  ]],
  ["listed only, and not there", listed("a"), [], ["main", "limit archived-contents a"], [
    "main",
    "limit archived-contents a",
  ]],
  ["listed only, and unreadable", listed("a"), [gap("a")], [
    "main",
    "gap unreadable-item a",
    "limit archived-contents a",
  ], ["main", "gap unreadable-item a", "limit archived-contents a"]],
  ["listed only, and given with a field lacking", listed("a"), unsupported("a"), [
    "other",
    "limit unsupported-field a",
  ], ["other", "limit unsupported-field a"]],
  [
    "listed only, and given as it was before with a field lacking",
    listed("a", { updatedAt: TUESDAY }),
    unsupported("a"),
    ["other", "limit older-contents a", "limit unsupported-field a"],
    ["other", "limit older-contents a", "limit unsupported-field a"],
  ],
  ["unreadable, and given", [gap("a")], [full("a")], ["other"], [
    "other",
    "gap unreadable-item a",
    "limit older-contents a",
  ]],
  ["unreadable, and listed only", [gap("a")], listed("a"), [
    "other",
    "gap unreadable-item a",
    "limit archived-contents a",
  ], ["other", "gap unreadable-item a", "limit archived-contents a"]],
  ["unreadable, by both", [gap("a")], [gap("a")], [
    undefined,
    "gap unreadable-item a",
    "gap unreadable-item a",
  ], [undefined, "gap unreadable-item a", "gap unreadable-item a"]],
  ["deleted meanwhile, and given", [moved("a")], [full("a")], ["other"], [
    "other",
    "limit older-contents a",
    "moved deleted-meanwhile a",
  ]],
  ["a field lacking, and given", unsupported("a"), [full("a")], ["other"], ["other"]],
  ["a field lacking, and given as it was before", unsupported("a", { updatedAt: TUESDAY }), [full("a")], [
    "main",
    "limit unsupported-field a",
  ], ["main", "limit unsupported-field a"]],
  ["a field lacking, and nobody knows since when", unsupported("a", { updatedAt: "" }), [full("a")], [
    "other",
  ], ["main", "limit unsupported-field a"]],
  ["a field lacking, in both", unsupported("a"), unsupported("a"), ["main", "limit unsupported-field a"], [
    "main",
    "limit unsupported-field a",
  ]],
  ["a field lacking, and unreadable", unsupported("a"), [gap("a")], [
    "main",
    "gap unreadable-item a",
    "limit unsupported-field a",
  ], ["main", "gap unreadable-item a", "limit unsupported-field a"]],
  ["whole, and given as it is since", [full("a")], [full("a", { updatedAt: TUESDAY })], ["main"], ["main"]],
  ["not there, and given", [], [full("a")], ["other"], ["other", "limit older-contents a"]],
];

for (const [name, main, other, live, past] of CASES) {
  for (const [kind, [by, ...lacking]] of [["live", live], ["snapshot", past]] as const) {
    Deno.test(`an item ${name}, by a ${kind} door`, async () => {
      const walked = await walkBy(
        doorTo({ v1: main }, { name: "main" }),
        doorTo({ v1: other }, { name: "other", snapshot: kind === "snapshot" }),
      );
      assert.deepEqual(walked.by, by === undefined ? {} : { a: by });
      assert.deepEqual(reasons(walked), lacking.toSorted());
      for (const { door } of walked.shortfalls) assert.ok(door === "main" || door === "other");
    });
  }
}

Deno.test("versions tell two changes of one second apart, and times count to the second", async () => {
  const of = (version: number, updatedAt = MONDAY) => ({ version, updatedAt });
  const other = (changes: Partial<Item>) => doorTo({ v1: [full("a", changes)] }, { name: "other" });
  const by = async (ours: Partial<Item>, theirs: Partial<Item>) =>
    (await walkBy(doorTo({ v1: unsupported("a", ours) }, { name: "main" }), other(theirs))).by["a"];
  assert.equal(await by(of(3), of(3, "2026-03-02T10:00:00.9Z")), "other");
  assert.equal(await by(of(3), of(2)), "main");
  assert.equal(await by(of(3), of(4)), "other");
  assert.equal(await by(of(3), { ...of(2), updatedAt: TUESDAY }), "other");
  assert.equal(await by({ version: 3 }, { version: 2, updatedAt: "" }), "main");
});

Deno.test("an item archived since the export was made has its contents and stays archived", async () => {
  const { items, shortfalls } = await walkBy(
    doorTo({ v1: listed("a", { updatedAt: TUESDAY }) }),
    doorTo({ v1: [full("a")] }, { name: "onepux", snapshot: true }),
  );
  assert.deepEqual(items.map(({ state, contents }) => [state, contents]), [["archived", "full"]]);
  assert.match(
    shortfalls[0]!.detail,
    /those of "onepux" \(2026-03-02T10:00:00Z\), older than what "memory" lists/,
  );
});

Deno.test("a limit that no other door lifts says which were asked", async () => {
  const { shortfalls } = await walkBy(doorTo({ v1: listed("a") }), doorTo({ v1: [] }, { name: "op" }));
  assert.equal(shortfalls[0]!.detail, 'this door does not give a; asked in vain: "op"');
});

Deno.test("what only an export holds is named, but for vaults that nobody else shows", async () => {
  const past = doorTo({ v1: [full("a"), full("gone")], v2: [full("private", { vaultId: "v2" })] }, {
    name: "onepux",
    snapshot: true,
  });
  const { source } = await combine(doorTo({ v1: [full("a")] }), past);
  const both = await walk(source);
  assert.deepEqual(reasons(both), ["limit older-contents gone"]);
  assert.equal(both.items.length, 2);
  const alone = await walk(source, "v2");
  assert.deepEqual([alone.items.length, alone.shortfalls], [1, []]);
  assert.equal(past.asked.filter((call) => call === "list v2").length, 1, "it is not compared with itself");
});

Deno.test("an export never comes before a door that shows 1Password as it is, even as the main source", async () => {
  const { by, items } = await walkBy(
    doorTo({ v1: [full("a"), full("b")] }, { name: "onepux", snapshot: true }),
    doorTo({ v1: [full("a", { updatedAt: TUESDAY })] }, { name: "sdk" }),
  );
  assert.deepEqual(by, { a: "sdk", b: "onepux" });
  assert.equal(items.find(({ id }) => id === "a")!.updatedAt, TUESDAY);
});

Deno.test("an id that a door gives twice is a gap, and the first is kept", async () => {
  const walked = await walkBy(
    doorTo({ v1: [full("a", { notes: "first" }), full("a"), ...listed("b"), ...listed("b")] }),
    doorTo({ v1: [full("b"), full("c"), full("c")] }, { name: "op" }),
  );
  assert.deepEqual(reasons(walked), [
    "gap unreadable-item a",
    "gap unreadable-item b",
    "gap unreadable-item c",
  ]);
  assert.deepEqual(walked.items.map(({ id, notes }) => id + notes).sort(), ["afirst", "b", "c"]);
});

Deno.test("a door that gives what it was not asked for changes nothing", async () => {
  const items = [full("a", { notes: "other" }), full("b")];
  const eager = doorTo({ v1: items }, { name: "op" });
  eager.source.items = async function* () {
    await Promise.resolve();
    yield* items;
  };
  const walked = await walkBy(doorTo({ v1: [full("a"), ...listed("b")] }), eager);
  assert.deepEqual(walked.items.map(({ id, notes, contents }) => id + notes + contents).sort(), [
    "afull",
    "bfull",
  ]);
  assert.deepEqual(walked.shortfalls, []);
});

Deno.test("a limit that comes late, after its item, is not lost", async () => {
  const late = limit("a", "unsupported-item");
  const walked = await walkBy(
    doorTo({ v1: [full("a"), full("b"), late, ...listed("c"), full("d"), limit("c", "unsupported-item")] }),
    doorTo({ v1: [] }, { name: "op" }),
  );
  assert.deepEqual(reasons(walked), [
    "limit archived-contents c",
    "limit unsupported-item a",
    "limit unsupported-item c",
  ]);
});

Deno.test("however much is lacking, not more than a thousand items are kept back", async () => {
  const ids = Array.from({ length: 2500 }, (_, at) => `i${at}`);
  const main = doorTo({ v1: ids.flatMap((id) => listed(id)) });
  const op = doorTo({ v1: ids.map((id) => full(id)) }, { name: "op" });
  const { source } = await combine(main, op);
  let given = 0;
  let shortfalls = 0;
  for await (const found of source.items({ ...(await source.vaults(signal))[0]! }, signal)) {
    if ("shortfall" in found) shortfalls++;
    else given++;
    const fetched = main.asked.filter((call) => call.startsWith("items")).length;
    assert.ok(fetched - given <= 1001, `${fetched - given} items are kept back`);
  }
  assert.deepEqual([given, shortfalls], [2500, 0]);
  assert.equal(op.asked.filter((call) => call === "list v1").length, 3);
  assert.equal(op.asked.filter((call) => call.startsWith("items")).length, 2500);
});
