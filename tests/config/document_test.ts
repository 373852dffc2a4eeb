import assert from "node:assert/strict";
import { refusalOf, SMALL } from "./fixture.ts";

/** Texts that are no config at all, and the lines they are refused with. */
const REFUSED: [string, string | Uint8Array<ArrayBuffer>, string[]][] = [
  ["nothing", "", ["F:1:1: the config is empty"]],
  ["only a comment", "# nothing yet\n", ["F:1:1: the config is empty"]],
  ["only text", "hunter2\n", ["F:1:1: must be a mapping, not text"]],
  ["a list", "- 1\n", ["F:1:1: must be a mapping, not a list"]],
  ["a tab", "version: 1\njobs:\n\tacme: {}\n", ["F:3:1: a tab indents this line: YAML wants spaces"]],
  ["a key twice", "version: 1\njobs: {}\nversion: 1\n", ["F:3:1: this key stands here a second time"]],
  ["a key twice, deeper", "version: 1\njobs:\n  a: {x: 1, x: 2}\n", [
    "F:3:13: this key stands here a second time",
  ]],
  ["two documents", SMALL + "---\nversion: 1\n", ["F:8:1: a second document begins here: a config is one"]],
  ["a second, empty document", SMALL + "---\n", ["F:8:1: a second document begins here: a config is one"]],
  ["a merge key", "version: 1\njobs:\n  a: &a {x: 1}\n  b:\n    <<: *a\n", [
    "F:5:5: jobs.b: merge keys (<<) are not supported: write the keys out",
  ]],
  ["a tag", "version: !!binary aGk=\n", ["F:1:19: version: tags (!name) are not supported"]],
  ["an unknown tag", "version: !secret hunter2\n", ["F:1:10: tags (!name) are not supported"]],
  ["a directive", "%FOO bar\n---\nversion: 1\n", ["F:1:1: directives (%…) are not supported"]],
  ["an alias of nothing", "version: *one\n", [
    "F:1:10: version: no anchor (&name) of this name stands above",
  ]],
  ["an alias within itself", "version: 1\njobs: &all {a: *all}\n", [
    "F:2:16: jobs.a: this alias stands within what it stands for",
  ]],
  ["a number as a key", "version: 1\njobs:\n  2024: {}\n", [
    "F:3:3: jobs: a key must be text: put it in quotes",
  ]],
  ["a list as a key", "? [a]\n: 1\n", ["F:1:3: a key must be text: put it in quotes"]],
  ["__proto__", "version: 1\n__proto__: {x: 1}\n", ["F:2:1: unknown key"]],
  ["an open bracket", "version: 1\njobs: [a\n", ["F:3:1: the indentation does not fit the lines above"]],
  ["a colon within a value", "version: 1\nstate: hunter2: x\n", [
    "F:2:8: a second key on one line: a value that holds a colon and a space must be put in quotes",
  ]],
  ["an unquoted @", "state: @hunter2\n", [
    "F:1:8: a value that starts with this character must be put in quotes",
  ]],
  ["a backslash in double quotes", 'state: "C:\\Qunter2"\n', [
    "F:1:11: this \\ escape is unknown: use '…' instead of \"…\", or write \\\\",
  ]],
  ["UTF-16", new Uint8Array([0xff, 0xfe, 0x76, 0]), ['"F" is not UTF-8 text']],
  ["too much", "#".repeat(1024 * 1024 + 1), ['"F" is longer than 1048576 bytes']],
];

for (const [what, text, lines] of REFUSED) {
  Deno.test(`refused: ${what}`, async () => assert.deepEqual(await refusalOf(text), lines));
}

Deno.test("texts made to exhaust the reader are refused at once", async () => {
  const letters = "abcdefghij";
  const bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + [...letters.slice(1)]
    .map((letter, index) => `${letter}: &${letter} [${Array(10).fill("*" + letters[index]).join(",")}]\n`)
    .join("");
  assert.deepEqual(await refusalOf(bomb), ["F:5:7: e: more than 20000 values, aliases (*name) filled in"]);
  const nested = `a: ${"[".repeat(60)}${"]".repeat(60)}\n`;
  assert.match((await refusalOf(nested))[0]!, /^F:1:53: .*: lists and mappings are nested too deeply$/);
  for (
    const text of ["[".repeat(100_000), "{a: ".repeat(50_000), "- ".repeat(100_000), "? ".repeat(50_000)]
  ) {
    assert.match((await refusalOf(text))[0]!, /^F:1:\d+: this is not valid YAML$/);
  }
});
