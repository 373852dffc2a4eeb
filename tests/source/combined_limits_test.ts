import assert from "node:assert/strict";
import type { Item } from "../../src/model/item.ts";
import type { DoorLimit } from "../../src/model/shortfall.ts";
import { combine, type Contents, doorTo, full, listed, MONDAY, TUESDAY, walk, walkBy } from "./doors.ts";

const LIMITS: DoorLimit[] = [
  { reason: "passkeys", detail: "no door gives them" },
  { reason: "password-history", detail: "an export has it", elsewhere: ["onepux"] },
];
const EXPORT_LIMITS: DoorLimit[] = [{ reason: "point-in-time", detail: "it is of one moment" }];
const HISTORY = { passwordHistory: [{ value: "made-up-older", time: MONDAY }] };

const sdk = (...items: Contents) => doorTo({ v1: items }, { name: "sdk", limits: LIMITS });
const onepux = (...items: Contents) =>
  doorTo({ v1: items }, { name: "onepux", snapshot: true, limits: EXPORT_LIMITS });

Deno.test("earlier passwords come from an export that has the item of the same second", async () => {
  const { by, items } = await walkBy(
    sdk(full("a"), full("b"), full("c"), full("d")),
    onepux(
      full("a", { ...HISTORY, updatedAt: "2026-03-02T10:00:00.500Z" }),
      full("b", HISTORY),
      full("c"),
      full("d", { ...HISTORY, updatedAt: TUESDAY }),
    ),
  );
  assert.deepEqual(by, { a: "onepux", b: "onepux", c: "sdk", d: "sdk" });
  assert.deepEqual(items.map(({ passwordHistory }) => passwordHistory?.length ?? 0), [1, 1, 0, 0]);
});

const DETAILED = {
  title: "title",
  tags: ["tag"],
  urls: [{ url: "https://x.example" }],
  notes: "notes",
  files: [{ id: "f", name: "f", size: 1, role: "attachment" }],
  version: 3,
} as const satisfies Partial<Item>;
const detailed = (changes: Partial<Item> = {}): Item =>
  full("a", structuredClone({ ...DETAILED, ...changes }) as Partial<Item>);

for (
  const [name, changes, by] of [
    ["and all else", {}, "onepux"],
    ["and a tag more", { tags: ["other", "tag"] }, "onepux"],
    ["but not its tag", { tags: [] }, "sdk"],
    ["but not its address", { urls: [] }, "sdk"],
    ["but other notes", { notes: "note" }, "sdk"],
    ["but another title", { title: "other" }, "sdk"],
    ["but not its file", { files: [] }, "sdk"],
    ["but not its password", { fields: [] }, "sdk"],
    ["but archived", { state: "archived" }, "sdk"],
    ["but listed only", { contents: "overview" }, "sdk"],
    ["but another version", { version: 2 }, "sdk"],
  ] as [string, Partial<Item>, string][]
) {
  Deno.test(`an export that has earlier passwords ${name} gives the item: ${by}`, async () => {
    const walked = await walkBy(sdk(detailed()), onepux(detailed({ ...HISTORY, ...changes })));
    assert.deepEqual(walked.by, { a: by });
    assert.deepEqual(walked.shortfalls, []);
  });
}

Deno.test("favourites and further fields count as more, emptied fields and the same ones do not", async () => {
  const by = async (changes: Partial<Item>) =>
    (await walkBy(sdk(full("a")), onepux(full("a", changes)))).by["a"];
  const fields = (...values: string[]) => ({
    fields: ["made-up-a", ...values].map((value, at) => ({ id: `${at}`, title: "", kind: "Text", value })),
  });
  assert.equal(await by({ favourite: true }), "onepux");
  assert.equal(await by({ favourite: false }), "sdk");
  assert.equal(await by(fields("made-up-more")), "onepux");
  assert.equal(await by(fields("", "made-up-a")), "sdk");
});

const field = (kind: string, value: string, details?: unknown) => (
  { id: value, title: "", kind, value, ...(details === undefined ? {} : { details }) }
);

Deno.test("what an export has beyond the values counts as more: times, parts, kinds, where to fill in", async () => {
  const [older, url] = ["made-up-older", "https://x.example"];
  const more: [ours: Partial<Item>, theirs: Partial<Item>][] = [
    [{ passwordHistory: [{ value: older, time: "" }] }, {
      passwordHistory: [{ value: older, time: MONDAY }],
    }],
    [{ fields: [field("Address", "a street")] }, { fields: [field("Address", "a street", { zip: "0" })] }],
    [{ fields: [field("Text", "a"), field("Text", "1")] }, {
      fields: [field("Text", "a"), field("Phone", "1")],
    }],
    [{ urls: [{ url }] }, { urls: [{ url, autofill: "never" }] }],
    [{ urls: [{ url, autofill: "AnywhereOnWebsite" }] }, { urls: [{ url }], ...HISTORY }],
  ];
  for (const [ours, theirs] of more) {
    assert.deepEqual((await walkBy(sdk(full("a", ours)), onepux(full("a", theirs)))).by, { a: "onepux" });
    // Where it cannot be taken, the item is not one of which nothing is lacking.
    const other = full("a", { ...theirs, title: "other" });
    assert.deepEqual((await limitsOf([full("a", ours), full("b")], [other, full("b")])).at(1), [
      "password-history",
      "sdk",
      1,
    ]);
  }
  const never = full("a", { urls: [{ url, autofill: "Never" }] });
  assert.deepEqual((await walkBy(sdk(never), onepux(full("a", { urls: [{ url }], ...HISTORY })))).by, {
    a: "sdk",
  });
});

Deno.test("a live door is not asked for what the main one gave whole, though it may have more", async () => {
  const op = doorTo({ v1: [full("a", HISTORY)] }, { name: "op" });
  assert.deepEqual((await walkBy(sdk(full("a")), op)).by, { a: "sdk" });
  assert.deepEqual(op.asked, ["vaults", "list v1"]);
});

async function limitsOf(main: Contents, other: Contents) {
  const { source } = await combine(sdk(...main), onepux(...other));
  await walk(source);
  return source.limits.map(({ reason, door, items }) => [reason, door, items]);
}

Deno.test("a limit that an export makes up for is told for the items that remain, or not at all", async () => {
  const [a, b] = [full("a"), full("b")];
  const own = ["passkeys", "sdk", undefined];
  assert.deepEqual(await limitsOf([a, b], [a, b]), [own]);
  assert.deepEqual(await limitsOf([a, b], [a]), [own, ["password-history", "sdk", 1]]);
  assert.deepEqual(await limitsOf([a, b], []), [own, ["password-history", "sdk", undefined]]);
  // What the export had of it and nobody took is lacking: the titles differ.
  assert.deepEqual(await limitsOf([a, b], [b, full("a", { ...HISTORY, title: "other" })]), [
    own,
    ["password-history", "sdk", 1],
  ]);
  // Of what is listed only, something else is said.
  assert.deepEqual(await limitsOf([a, ...listed("x")], [a]), [own]);
  assert.deepEqual(await limitsOf(listed("a"), []), [own, ["password-history", "sdk", undefined]]);
});

Deno.test("the limits of another door count when something of it is in the archive", async () => {
  const past = ["point-in-time", "onepux", undefined];
  assert.deepEqual((await limitsOf([full("a")], [full("a", HISTORY)])).at(-1), past);
  assert.deepEqual((await limitsOf(listed("a"), [full("a")])).at(-1), past);
  assert.ok(!(await limitsOf([full("a")], [full("a")])).flat().includes("point-in-time"));
});

Deno.test("thousands of items are compared with an export in a few goes", async () => {
  const items = Array.from({ length: 1700 }, (_, at) => full(`i${at}`));
  const past = onepux(...items.map((item) => ({ ...item, ...HISTORY })));
  const { by } = await walkBy(sdk(...items), past);
  assert.ok(Object.values(by).length === 1700 && Object.values(by).every((door) => door === "onepux"));
  assert.equal(past.asked.filter((call) => call === "list v1").length, 5);
});
