import assert from "node:assert/strict";
import type { ErrorCode } from "../../src/base/errors.ts";
import { failure } from "../base/failure.ts";
import { Bench } from "../onepux/bench.ts";
import {
  accountOf,
  accountWith,
  ATTRIBUTES,
  itemOf,
  type Json,
  loginOf,
  vaultOf,
} from "../onepux/export_writer.ts";

const SECRET = "made-up-secret-password";

async function refused(
  given: { attributes?: Json; data?: Json },
  code: ErrorCode,
  sentence: RegExp,
): Promise<string> {
  await using bench = await Bench.of({ data: accountWith(loginOf("x", "y", SECRET)), ...given });
  const error = await failure(bench.open(), code, sentence);
  assert.equal(error.origin, "source");
  assert.doesNotMatch(Deno.inspect(error, { depth: 10 }), new RegExp(SECRET));
  // A parser's error quotes what it could not parse.
  assert.ok(!(error.cause instanceof SyntaxError));
  return error.hint ?? "";
}

Deno.test("versions other than 3 are refused, with what to do", async () => {
  const version = (version: Json) => ({ attributes: { ...ATTRIBUTES, version } });
  assert.match(
    await refused(version(4), "unsupported", /has version 4 of the 1PUX format$/),
    /a newer one may know it/,
  );
  assert.match(
    await refused(version(2), "unsupported", /has version 2 of the 1PUX format$/),
    /current 1Password app/,
  );
  for (const none of [undefined, null, "3", {}, [3]]) {
    await refused(version(none), "corrupt", /does not tell the version of its format$/);
  }
  for (const attributes of ["[]", "3", '"x"', "true"]) {
    await refused({ attributes }, "corrupt", /does not tell the version of its format$/);
  }
});

Deno.test("what is no JSON is refused without a word of it", async () => {
  const good = JSON.stringify(accountWith(loginOf("x", "y", SECRET)));
  for (
    const data of [
      "",
      " ",
      good.slice(0, -1),
      good + "}",
      `${good}${good}`,
      `{"password":${SECRET}}`,
      `'${SECRET}'`,
    ]
  ) {
    await refused({ data }, "corrupt", /^"export\.data" in ".*" is not JSON$/);
  }
  await refused({ attributes: `{"x": ${SECRET}` }, "corrupt", /^"export\.attributes" in ".*" is not JSON$/);
  await using bench = await Bench.of({
    data: null,
    entries: [{ name: "export.data", content: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]) }],
  });
  await failure(bench.open(), "corrupt", /^cannot read "export\.data" in ".*": it is not UTF-8 text$/);
  await using marked = await Bench.of({ data: `\ufeff${good}` });
  assert.equal((await marked.readItem()).title, "x");
});

Deno.test("a list that is not there is never an empty one", async () => {
  for (const data of ["null", "[]", "{}", '{"accounts":null}', '{"accounts":{}}', '{"accounts":"none"}']) {
    await refused({ data }, "corrupt", /holds no list of accounts$/);
  }
  for (const vaults of [undefined, null, {}, "x", 0]) {
    const account = { ...accountOf(), vaults };
    await refused(
      { data: { accounts: [accountOf(vaultOf("V")), account] } },
      "corrupt",
      /holds no list of an account's vaults$/,
    );
  }
  for (const account of [null, 1, "x", []]) {
    await refused({ data: { accounts: [account] } }, "corrupt", /holds no list of an account's vaults$/);
  }
  for (const vault of [null, 1, "x", [], {}, { items: [] }, { attrs: null }, { attrs: [] }]) {
    await refused(
      { data: { accounts: [accountOf(vault)] } },
      "corrupt",
      /holds a vault that does not tell its name or id$/,
    );
  }
  for (const items of [undefined, null, {}, "x"]) {
    const vault = { ...vaultOf("V"), items };
    await using bench = await Bench.of({ data: { accounts: [accountOf(vault, vaultOf("W", itemOf("x")))] } });
    const { lacking, items: found, vaults } = await bench.read();
    assert.deepEqual(lacking, [{
      shortfall: "gap",
      reason: "unreadable-vault",
      vaultId: vaults[0]!.id,
      detail: "the export has no list of items for this vault",
    }]);
    assert.equal(vaults[0]!.activeItemCount, undefined);
    assert.deepEqual(found.map(({ title }) => title), ["x"]);
  }
});

Deno.test("an export without accounts, vaults or items is an empty one", async () => {
  for (
    const data of [{ accounts: [] }, { accounts: [accountOf()] }, { accounts: [accountOf(vaultOf("V"))] }]
  ) {
    await using bench = await Bench.of({ data });
    const { items, lacking } = await bench.read();
    assert.deepEqual([items, lacking], [[], []]);
  }
});

Deno.test("vaults without an id get one, vaults with the same are refused", async () => {
  const vault = (uuid: Json, name: string, ...items: Json[]) => {
    const vault = vaultOf(name, ...items);
    return { ...vault, attrs: { ...vault.attrs, uuid } };
  };
  await using bench = await Bench.of({
    data: {
      accounts: [accountOf(vault(undefined, "A", itemOf("a")), vault(null, "B", itemOf("b")), vault(7, "C"))],
    },
  });
  const { vaults, items } = await bench.read();
  assert.equal(new Set(vaults.map(({ id }) => id)).size, 3);
  assert.equal(vaults[2]!.id, "7");
  assert.deepEqual(items.map(({ title, vaultId }) => [title, vaultId]), [["a", vaults[0]!.id], [
    "b",
    vaults[1]!.id,
  ]]);
  assert.deepEqual(bench.warnings, ["the export has 2 items or vaults without an id: a made one is used"]);
  // "ABC" and "abc" would be one folder on many file systems; lone surrogates hash alike.
  for (
    const [one, other] of [["x", "x"], ["ABC", "abc"], ["\ud800", "\ud801"], [undefined, undefined]] as const
  ) {
    const accounts = [accountOf(vault(one, "A")), accountOf(vault(other, "A"))];
    await refused({ data: { accounts } }, "corrupt", /holds two vaults of the id "/);
  }
});

Deno.test("what is nested without end is a gap in an item and refused around one", async () => {
  const deep = (levels: number) => JSON.parse("[".repeat(levels) + "]".repeat(levels));
  const text = (json: Json) =>
    JSON.stringify(json).replace('"DEEP"', "[".repeat(1_000_000) + "]".repeat(1_000_000));
  await using bench = await Bench.of({
    data: text(
      accountWith(itemOf("fine", { details: { x: deep(90) } }), itemOf("deep", { details: { x: "DEEP" } })),
    ),
  });
  const { items, lacking } = await bench.read();
  assert.deepEqual(items.map(({ title }) => title), ["fine"]);
  assert.equal(lacking[0]!.detail, "the item is nested deeper than any item is");
  assert.match(lacking[0]!.itemId!, /^[a-z0-9]{26}$/);
  JSON.stringify(items);
  await refused(
    { data: text({ accounts: [accountOf({ ...vaultOf("V"), x: "DEEP" })] }) },
    "corrupt",
    /nested deeper than any is$/,
  );
  await refused(
    { data: text({ accounts: [{ ...accountOf(vaultOf("V")), x: "DEEP" }] }) },
    "corrupt",
    /nested deeper/,
  );
});
