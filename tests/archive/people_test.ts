import assert from "node:assert/strict";
import { indexTsv, README } from "../../src/archive/people.ts";
import { layout } from "../../src/archive/layout.ts";

const row = {
  vault: "Finance",
  title: "Bank",
  username: "ada",
  state: "active",
  fileName: "",
  path: "vaults/v/x",
};

function lines(bytes: Uint8Array): string[] {
  const text = new TextDecoder().decode(bytes);
  assert.ok(text.endsWith("\n"));
  return text.slice(0, -1).split("\n");
}

Deno.test("the index has one line per row and six columns in each, the first naming them", () => {
  const found = lines(indexTsv([row, { ...row, title: "\u00dcbung" }]));
  assert.deepEqual(found, [
    "vault\ttitle\tusername\tstate\tfile name\tpath",
    "Finance\tBank\tada\tactive\t\tvaults/v/x",
    "Finance\t\u00dcbung\tada\tactive\t\tvaults/v/x",
  ]);
  assert.equal(lines(indexTsv([])).length, 1);
});

Deno.test("no title can add a line or a column to the index, or turn its text round", () => {
  for (
    const title of ["a\tb", "a\nb", "a\r\nb", "a\u2028b", "a\x0bb", "\x1b[2J", "\u202eb", "a\0", "\ud800"]
  ) {
    const bytes = indexTsv([{ ...row, title, username: title, fileName: title }]);
    assert.equal(lines(bytes).length, 2, JSON.stringify(title));
    assert.equal(lines(bytes)[1]!.split("\t").length, 6);
    // deno-lint-ignore no-control-regex -- it is what must not be there
    assert.doesNotMatch(new TextDecoder().decode(bytes), /[\x00-\x08\x0b-\x1f\u2028\u202e\ufffd]/);
  }
});

Deno.test("the instructions inside name the files that are there", () => {
  const text = new TextDecoder().decode(README);
  for (const name of [layout.index, layout.account, layout.format, layout.manifest]) {
    assert.ok(text.includes(name), name);
  }
  // deno-lint-ignore no-control-regex -- plain text for every viewer
  assert.match(text, /^[\x0a\x20-\x7e]+$/);
});
