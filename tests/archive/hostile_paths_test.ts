/** Archives that somebody else sealed to our public key. Run without permissions: a check touches nothing outside. */
import assert from "node:assert/strict";
import { checkPath, layout } from "../../src/archive/layout.ts";
import { checkArchive } from "../../src/archive/read.ts";
import { failure } from "../base/failure.ts";
import {
  BEGINNING,
  type Bodies,
  type RawEntry,
  sealedOf,
  sealTar,
  SMALL,
  tarOf,
  withManifest,
} from "./bench.ts";

const HOSTILE = [
  "../evil",
  "vaults/../../evil",
  "vaults/v/items/../i.json",
  "/etc/cron.d/evil",
  "//server/share/x",
  "C:/Windows/x",
  "C:evil",
  "vaults\\v\\vault.json",
  "..\\evil",
  "vaults/v/items/i.json:stream",
  "vaults/v/items/a\0b.json",
  "vaults/v/items/a\nb.json",
  "vaults/v/items/a\u202eb.json",
  "vaults/v/items/\u00e9.json",
  "vaults/v/items/.json",
  "vaults/v/items/i.json ",
  "vaults/v/items/i.json.",
  "vaults//vault.json",
  "./vaults/v/vault.json",
  "vaults/v/vault.json/x",
  "vaults/CON/vault.json",
  "vaults/v/items/nul.json",
  "vaults/v/files/i/Com1",
  "vaults/v/files/i/LPT9",
  `vaults/v/files/i/${"a".repeat(65)}`,
  `vaults/v/items/${"a".repeat(300)}.json`,
  "\u00e9".repeat(150),
  ".bashrc",
  "README.txt.exe",
  "HOW-TO-OPEN.txt",
  "vaults",
  "-rf",
  "__proto__",
];

/** A whole archive whose inner manifest promises exactly what it holds, hostile entry included. */
function promised(path: string): RawEntry[] {
  const bodies: Bodies = [...BEGINNING, [path, "evil"]];
  // In the extended header, so that neither length nor NUL is lost on the way.
  return withManifest(bodies).map((entry) => entry.name === path ? { ...entry, pax: { path } } : entry);
}

for (const path of HOSTILE) {
  Deno.test({
    name: `an archive that holds ${JSON.stringify(path.slice(0, 40))} is corrupt`,
    permissions: "none",
    async fn() {
      const archive = await sealTar(await tarOf(promised(path)));
      const error = await failure(
        checkArchive(sealedOf(archive)),
        "corrupt",
        /path that it must not|reserves/,
      );
      // deno-lint-ignore no-control-regex -- a message must not carry them to a terminal
      assert.doesNotMatch(error.message, /[\u0000-\u001f\u202e]/);
      await failure(() => checkPath(path), "corrupt");
    },
  });
}

const NOT_FILES: [RawEntry["type"] & string, Partial<RawEntry>][] = [
  ["symlink", { linkname: "/etc/passwd" }],
  ["link", { linkname: "format.json" }],
  ["directory", {}],
  ["character-device", {}],
  ["block-device", {}],
  ["fifo", {}],
];

for (const [type, more] of NOT_FILES) {
  Deno.test({
    name: `a ${type} under an allowed name makes an archive corrupt`,
    permissions: "none",
    async fn() {
      const entry: RawEntry = { name: "vaults/v/items/i.json", type, ...more };
      const tar = await tarOf([...BEGINNING.map(([name, body]) => ({ name, body })), entry]);
      await failure(checkArchive(sealedOf(await sealTar(tar))), "corrupt", /not a regular file/);
    },
  });
}

Deno.test("a file whose name ends in a slash is a folder, and refused", async () => {
  const tar = await tarOf([...BEGINNING.map(([name, body]) => ({ name, body })), { name: "vaults/v/" }]);
  await failure(checkArchive(sealedOf(await sealTar(tar))), "corrupt", /not a regular file/);
});

for (
  const [what, path] of [
    ["twice", "vaults/v1/items/i1.json"],
    ["in another case", "vaults/V1/items/I1.json"],
  ] as const
) {
  Deno.test(`an archive that holds a path ${what} is corrupt`, async () => {
    const entries = withManifest([...SMALL, [path, "other"]]);
    await failure(checkArchive(sealedOf(await sealTar(await tarOf(entries)))), "corrupt", /twice/);
  });
}

Deno.test("every path that the layout makes is allowed, whatever ids it is given", () => {
  const ids = [
    "a",
    "A1",
    "x".repeat(64),
    "x".repeat(65),
    "con",
    "NUL",
    "../..",
    "a/b",
    "",
    "\u{1f600}",
    "\ud800",
  ];
  const fixed = [layout.format, layout.readme, layout.account, layout.index, layout.manifest];
  const made = ids.flatMap((id) => [
    layout.vault(id),
    layout.item("v", id),
    layout.item(id, "i"),
    layout.file("v", "i", id),
    layout.file(id, id, id),
  ]);
  for (const path of [...fixed, ...made]) checkPath(path);
  assert.equal(new Set(ids.map((id) => layout.vault(id))).size, ids.length, "no two ids share a path");
});
