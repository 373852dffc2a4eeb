import assert from "node:assert/strict";
import { isReserved, printable, quoted, tsvCell } from "../../src/base/safe_names.ts";
import { safeId } from "../../src/model/safe_id.ts";
import { sha256Hex } from "../../src/base/hash.ts";

/** Everything that could move a cursor, forge a line, turn the text round or is half a character. */
const DANGEROUS =
  // deno-lint-ignore no-control-regex -- it is what must not be there
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Cs}/u;

/** Random texts of all planes, with everything dangerous over-represented; the same ones every time. */
function* randomTexts(count: number): Generator<string> {
  let state = 12345;
  const next = (below: number) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % below;
  const ranges = [[0, 0x20], [0x20, 0x7f], [0x7f, 0xa0], [0x600, 0x620], [0x2000, 0x2070], [0xd800, 0xe000]];
  ranges.push([0xfe00, 0x10000], [0x10000, 0x110000], [0x22, 0x23], [0x5c, 0x5d]);
  for (let n = 0; n < count; n++) {
    let text = "";
    for (let length = next(300); length > 0; length--) {
      const [from = 0, to = 1] = ranges[next(ranges.length)]!;
      text += String.fromCodePoint(from + next(to - from));
    }
    yield text;
  }
}

Deno.test("no text, however hostile, gets a dangerous character through printable, quoted or tsvCell", () => {
  for (const text of randomTexts(3000)) {
    for (const shown of [printable(text), quoted(text), tsvCell(text)]) {
      assert.doesNotMatch(shown, DANGEROUS, JSON.stringify(text));
      assert.ok(shown.isWellFormed());
    }
  }
});

Deno.test("printable shows what it replaces and leaves every other text as it is", () => {
  assert.equal(printable("\x1b[31mred\r\n\u202e"), "\\u{1b}[31mred\\u{d}\\u{a}\\u{202e}");
  assert.equal(printable("a\ud800b\udc00"), "a\\u{d800}b\\u{dc00}");
  for (
    const text of ["", "Zo\u00eb", "\u6f22\u5b57", "\u{1f600}\u{1f1e8}\u{1f1ed}", 'a "b" \\c', "\u05d0\u05d1"]
  ) {
    assert.equal(printable(text), text);
  }
});

Deno.test("quoted cuts after 200 characters and never through one", () => {
  assert.equal(quoted("a".repeat(200)), `"${"a".repeat(200)}"`);
  assert.equal(quoted("a".repeat(201)), `"${"a".repeat(200)}…"`);
  for (let before = 195; before <= 201; before++) {
    const shown = quoted("a".repeat(before) + "\u{1f600}".repeat(10));
    assert.ok(shown.isWellFormed(), `${before} letters before it`);
    assert.ok(shown.endsWith('…"'));
  }
});

Deno.test("a cell of the index keeps its line and column, and can be read back", () => {
  assert.equal(tsvCell("a\tb\nc\rd\\e"), "a\\tb\\nc\\rd\\\\e");
  const seen = new Map<string, string>();
  for (const text of ["\t", "\\t", "\\\t", "\\\\t", "\n", "\\n", "\r", "\\r", "\\"]) {
    const cell = tsvCell(text);
    assert.doesNotMatch(cell, /[\t\n\r]/);
    assert.ok(!seen.has(cell), `${JSON.stringify(text)} looks like ${JSON.stringify(seen.get(cell))}`);
    seen.set(cell, text);
  }
});

const HOSTILE = [
  "",
  ".",
  "..",
  "../x",
  "a/b",
  "a\\b",
  "C:",
  "a:b",
  "a\0b",
  "a\nb",
  "a b",
  "a.",
  "a-b",
  "a_b",
];
HOSTILE.push("\u00e9", "e\u0301", "\u{1f600}", "\ud800", "\u202e", "a".repeat(65), "a".repeat(300));
HOSTILE.push("CON", "con", "Prn", "AUX", "nul", "com1", "COM9", "lpt1", "com0");

Deno.test("an id of 1 to 64 letters and digits stays as it is", () => {
  for (const id of ["a", "Z9", "x".repeat(64), "console", "com10", "nulls"]) assert.equal(safeId(id), id);
});

Deno.test("every other id becomes its hash: no separator, no device name, no collision", () => {
  for (const id of HOSTILE) {
    assert.equal(safeId(id), sha256Hex(id), JSON.stringify(id));
  }
  assert.equal(new Set(HOSTILE.map(safeId)).size, HOSTILE.length);
});

Deno.test("whatever the id, what comes out is 1 to 64 letters and digits and no device of Windows", () => {
  for (const id of randomTexts(3000)) {
    assert.match(safeId(id), /^[A-Za-z0-9]{1,64}$/);
    assert.ok(!isReserved(safeId(id)));
  }
});

Deno.test("device names of Windows are known in any case and with any ending", () => {
  for (const name of ["con", "CON", "Nul.txt", "aux.tar.gz", "COM1", "lpt9.json", "prn."]) {
    assert.ok(isReserved(name), name);
  }
  for (const name of ["", "cons", "xcon", "com", "com10", "lpt", "con-1", "nul_"]) {
    assert.ok(!isReserved(name), name);
  }
});

Deno.test("no title becomes a formula in a spreadsheet", () => {
  for (const title of ["=HYPERLINK(1)", "+49 30 1234", "-1", "@SUM(A1)"]) {
    assert.equal(tsvCell(title), `'${title}`);
  }
  assert.equal(tsvCell("a=b"), "a=b");
});
