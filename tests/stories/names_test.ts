import assert from "node:assert/strict";
import { type AccountDescription, sampleAccount } from "../service/mod.ts";
import { story } from "./harness.ts";
import { filesBelow, MOVES_THE_TERMINAL } from "./secrets.ts";

const BAD = [
  "../../up",
  "a\nb\r\nc\td",
  "\u001b[2J\u001b]0;owned\u0007",
  "evil\u202etxt.exe",
  "\ufeffx",
  "\\n\\t",
  "a\u2028b",
];

/** Every name that a person can give, given badly. */
const HOSTILE: AccountDescription = {
  name: "Hostile",
  vaults: BAD.map((title, at) => ({
    title,
    description: title,
    items: [{
      title: inside(title),
      username: inside(title),
      tags: [`tag${at}`],
      sections: [{ title, fields: [{ title, kind: "Text" as const, value: inside(title) }] }],
      files: [{ name: inside(title), content: `content ${at} of a hostile name` }],
    }],
  })),
};

/** The name of a thing in a vault: a dry run shows the names of vaults, and nothing shows these. */
function inside(title: string): string {
  return `${title} within`;
}

// That the output has no control or bidi characters is demanded of every run, in the harness.
for (
  const [what, account] of [["the sample account", sampleAccount()], [
    "hostile names everywhere",
    HOSTILE,
  ]] as const
) {
  story(
    `no title or file name of ${what} becomes a path or moves the terminal`,
    { account },
    async (story) => {
      for (
        const args of [["backup", "--dry-run"], ["backup"], ["list"], ["verify", "--identity", story.key]]
      ) {
        await story.runs(0, ...args);
      }
      const to = story.at("restored/x");
      await story.runs(0, "restore", "--to", to, "--identity", story.key);
      for (const path of filesBelow(to)) {
        assert.match(
          path.slice(to.length),
          /^\/(format\.json|README\.txt|account\.json|index\.tsv|manifest\.json|vaults\/[a-z2-7]{26}\/(vault\.json|items\/[a-z2-7]{26}\.json|files\/[a-z2-7]{26}\/[a-z2-7]{26}))$/,
        );
      }
      assert.deepEqual([...Deno.readDirSync(story.at("restored"))].map(({ name }) => name), ["x"]);

      const index = Deno.readTextFileSync(`${to}/index.tsv`);
      assert.doesNotMatch(index.replaceAll("\t", ""), MOVES_THE_TERMINAL);
      const rows = index.trimEnd().split("\n").slice(1).map((line) => line.split("\t"));
      const items = story.service.account.vaults.flatMap((vault) => vault.items);
      assert.ok(rows.length >= items.length);
      for (const row of rows) assert.equal(row.length, 6);
      for (const [, , , , fileName, path] of rows) assert.equal(/\/files\//.test(path!), fileName !== "");
    },
  );
}

story("titles that were escaped in the index read back", { account: HOSTILE }, async (story) => {
  await story.runs(0, "backup");
  await story.runs(0, "restore", "--to", story.at("restored/x"), "--identity", story.key);
  const rows = Deno.readTextFileSync(story.at("restored/x/index.tsv")).trimEnd().split("\n").slice(1)
    .map((line) => line.split("\t")).filter((row) => row[4] === "");
  const read = (cell: string) =>
    cell.replace(
      /\\(u\{([0-9a-f]+)\}|.)/g,
      (_, escape, code) =>
        code
          ? String.fromCodePoint(parseInt(code, 16))
          : { n: "\n", r: "\r", t: "\t", "\\": "\\" }[escape as string] ?? "?",
    );
  assert.deepEqual(rows.map((row) => read(row[1]!)).toSorted(), BAD.map(inside).toSorted());
  assert.deepEqual(rows.map((row) => read(row[0]!)).toSorted(), BAD.toSorted());
});

story(
  "a title that is asked for in vain is told without moving the terminal",
  { account: HOSTILE },
  async (story) => {
    await story.runs(0, "backup");
    for (const title of ["\u001b[2J gone", "x\ny", "\u202eevil"]) {
      await story.runs(
        10,
        "restore",
        "--to",
        story.at("restored/x"),
        "--identity",
        story.key,
        "--item",
        title,
      );
      await story.runs(10, "verify", "--archive", title);
      await story.runs(2, "backup", title);
      await story.runs(2, "list", "--from", title);
      await story.runs(2, "restore", "--to", story.at("restored/x"), "--identity", `/none/${title}`);
      await story.runs(
        10,
        "restore",
        "--to",
        story.at("restored/x"),
        "--identity",
        story.key,
        "--file",
        `/none/${title}`,
      );
    }
  },
);
