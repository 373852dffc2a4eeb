import assert from "node:assert/strict";
import { layout } from "../../src/archive/layout.ts";
import { Bench, never } from "../onepux/bench.ts";
import {
  accountOf,
  accountWith,
  ATTRIBUTES,
  documentOf,
  fieldOf,
  itemOf,
  type Json,
  loginOf,
  vaultOf,
} from "../onepux/export_writer.ts";

const SECRET = "made-up-secret-password";

Deno.test("what is in place of an item, and is none, is a gap", async () => {
  await using bench = await Bench.of({ data: accountWith(null, itemOf("x"), 1, "item", [], true) });
  const { lacking, items, vaults } = await bench.read();
  assert.deepEqual(items.map(({ title }) => title), ["x"]);
  assert.equal(lacking.length, 5);
  for (const { shortfall, reason, detail } of lacking) {
    assert.deepEqual([shortfall, reason], ["gap", "unreadable-item"]);
    assert.equal(detail, "the export has something else in place of an item");
  }
  assert.equal(vaults[0]!.activeItemCount, 6);
});

Deno.test("items without an id get one that stays, and are counted; no id is a path", async () => {
  const nameless = [undefined, null, "", {}, [], true].map((uuid, at) => itemOf(`item ${at}`, { uuid }));
  const twin = { overview: { title: "twin" } };
  const odd = [12345, "../..", "a/b", "\ud800", "x".repeat(1000)].map((uuid) => itemOf("odd", { uuid }));
  const data = { accounts: [accountOf(vaultOf("V", ...nameless, twin, twin, {}, ...odd))] };
  await using bench = await Bench.of({ data });
  const { items, lacking, vaults } = await bench.read();
  assert.deepEqual(lacking, []);
  assert.equal(items.length, 14);
  assert.deepEqual(bench.warnings, ["the export has 9 items or vaults without an id: a made one is used"]);
  assert.equal(new Set(items.map(({ id }) => id)).size, 14);
  assert.deepEqual(items.slice(9).map(({ id }) => id), ["12345", "../..", "a/b", "\ud800", "x".repeat(1000)]);
  for (const { id } of items.slice(0, 9)) assert.match(id, /^[0-9a-f]{64}$/);
  for (const { id } of items) {
    assert.match(layout.item(vaults[0]!.id, id), /^vaults\/\w+\/items\/\w{1,64}\.json$/);
  }
  const again = await bench.read();
  assert.deepEqual(again.items.map(({ id }) => id), items.map(({ id }) => id));
});

Deno.test("an item whose parts are of any other shape is kept in its raw part, and nothing is made up", async () => {
  const shapes: Json[] = [null, 1, "text", true, [], {}, [null], [1, "x", []], { a: 1 }];
  for (const shape of shapes) {
    const items = [
      ...[
        "favIndex",
        "createdAt",
        "updatedAt",
        "state",
        "trashed",
        "categoryUuid",
        "details",
        "overview",
        "file",
        "item",
      ]
        .map((key) => ({ ...loginOf("x", "u", SECRET), [key]: shape })),
      ...["loginFields", "notesPlain", "sections", "passwordHistory", "documentAttributes", "password"]
        .map((key) => itemOf("x", { details: { [key]: shape } })),
      ...["title", "url", "urls", "tags"].map((key) => itemOf("x", { overview: { [key]: shape } })),
      itemOf("x", { details: { sections: [shape] } }),
      itemOf("x", { details: { sections: [{ title: shape, name: shape, fields: shape }] } }),
      itemOf("x", { details: { sections: [{ title: "", fields: [fieldOf(shape, shape, shape)] }] } }),
      itemOf("x", { details: { sections: [{ title: "", fields: [fieldOf("f", "f", { file: shape })] }] } }),
      itemOf("x", {
        details: { loginFields: [{ designation: shape, name: shape, value: shape, fieldType: shape }] },
      }),
      itemOf("x", { details: { passwordHistory: [{ value: shape, time: shape }] } }),
      itemOf("x", { overview: { urls: [{ url: shape, label: shape }] } }),
      documentOf("x", shape, shape, shape),
    ];
    await using bench = await Bench.of({ data: accountWith(...items) });
    const { items: found, lacking } = await bench.read();
    assert.deepEqual(lacking, []);
    assert.deepEqual(found.map(({ raw }) => raw), JSON.parse(JSON.stringify(items)));
    for (const item of found) {
      assert.doesNotMatch(JSON.stringify({ ...item, raw: 0 }), /\[object|undefined|NaN|Invalid/);
      for (const key of ["title", "category", "notes"] as const) assert.equal(typeof item[key], "string");
      for (const file of item.files) {
        assert.ok(Number.isSafeInteger(file.size) && typeof file.name === "string");
      }
      for (const field of item.fields) {
        assert.deepEqual(
          [typeof field.id, typeof field.title, typeof field.kind, typeof field.value],
          Array(4).fill("string"),
        );
      }
    }
  }
});

Deno.test("times beyond all calendars are left out", async () => {
  for (const time of [1e18, -1e18, 1e300, 253_402_300_800, -62_167_219_201]) {
    await using bench = await Bench.of({
      attributes: { ...ATTRIBUTES, createdAt: 1e300 },
      data: accountWith(
        itemOf("x", {
          createdAt: time,
          updatedAt: time,
          details: { passwordHistory: [{ value: "p", time }] },
        }),
      ),
    });
    const item = await bench.readItem();
    assert.equal(item.createdAt, undefined);
    assert.equal(item.updatedAt, undefined);
    assert.deepEqual(item.passwordHistory, [{ value: "p", time: "" }]);
    assert.deepEqual(bench.warnings, ["the export does not tell when it was made"]);
  }
});

Deno.test("keys that JavaScript gives a meaning have none", async () => {
  const hostile = JSON.stringify(
    accountWith(itemOf("x", { details: { sections: [{ title: "s", fields: ["FIELD"] }] } })),
  )
    .replace('"FIELD"', '{"title":"t","id":"i","value":{"__proto__":{"string":"polluted"}}}')
    .replace(
      '"favIndex"',
      '"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"favIndex"',
    );
  await using bench = await Bench.of({ data: hostile });
  const item = await bench.readItem();
  assert.equal((({}) as Json).polluted, undefined);
  assert.equal((item as Json).polluted, undefined);
  assert.equal(JSON.stringify(item.raw).includes('"__proto__":{"polluted":true}'), true);
  assert.deepEqual([item.fields[0]!.kind, item.fields[0]!.value], ["__proto__", ""]);
});

Deno.test("parts of unknown meaning are counted, at the top, and kept everywhere else", async () => {
  const vault = { ...vaultOf("V", { ...itemOf("x"), future: 1 }), future: 2 };
  await using bench = await Bench.of({
    data: { accounts: [{ ...accountOf(vault), future: 3 }], future: 4, other: 5 },
  });
  const { vaults, items } = await bench.read();
  assert.equal((items[0]!.raw as Json).future, 1);
  assert.equal((vaults[0]!.raw as Json).vault.future, 2);
  assert.equal((vaults[0]!.raw as Json).account.future, 3);
  assert.deepEqual(bench.warnings, [
    "the export has 2 parts of unknown meaning beside its accounts: not saved",
  ]);
});

Deno.test("a vault that the export does not have reads as lacking, never as empty", async () => {
  await using bench = await Bench.of({ data: accountWith(itemOf("x")) });
  const { source, vaults } = await bench.read();
  const found = await Array.fromAsync(source.items({ ...vaults[0]!, id: "other" }, never));
  assert.deepEqual(found.map((one) => "shortfall" in one && one.shortfall), ["gap"]);
});
