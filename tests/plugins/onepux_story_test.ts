import assert from "node:assert/strict";
import { onepux } from "../../plugins/sources/onepux/mod.ts";
import { layout } from "../../src/archive/layout.ts";
import type { SourcePlugin } from "../../src/source/plugin.ts";
import {
  accountWith,
  documentOf,
  type Json,
  loginOf,
  writeExport,
  type WrittenExport,
} from "../onepux/export_writer.ts";
import { CONTRACT, sampleExport, SCAN } from "../onepux/sample.ts";
import { type Line, type Story, story } from "../stories/harness.ts";
import { filesBelow } from "../stories/secrets.ts";

/** A story whose 1Password is an export, which a person put into the safe of this story. */
function exportStory(
  name: string,
  given: WrittenExport | Uint8Array,
  tell: (story: Story) => Promise<void>,
): void {
  story(name, { memory: { vaults: [] } }, async (story) => {
    (story.registry.sources as SourcePlugin[]).push(onepux);
    const path = story.at("safe/account.1pux");
    await Deno.writeFile(path, given instanceof Uint8Array ? given : writeExport(given), { mode: 0o600 });
    story.job.source = { type: "onepux", path };
    story.private.push(...SECRETS.map((text) => ({ what: "a value of the export", text })));
    await tell(story);
  });
}

/** What may be printed nowhere and lie nowhere in clear. */
const SECRETS = [
  "made-up-mail-password",
  "made-up-older-password",
  "made-up-forum-password",
  "made-up-private-key",
  "made-up-teleport",
  "the made-up contract",
  "sample.person",
  "scan ☕",
  "First line",
];

exportStory(
  "an export is backed up, verified and restored, and nothing of it is lost",
  sampleExport(),
  async (story) => {
    await story.runs(0, "config", "check");
    assert.match((await story.runs(0, "backup", "--dry-run")).out, /Private +1 {2}yes/);
    const { lines } = await story.runs(0, "backup", "--json");
    const sealed = lines.find(({ event }) => event === "sealed")!;
    assert.equal(sealed.outcome, "complete");
    assert.deepEqual(sealed.counts, {
      ...sealed.counts,
      vaults: 3,
      items: 5,
      archived: 2,
      files: 3,
      limits: 0,
      gaps: 0,
    });
    assert.deepEqual(lines.filter(({ event }) => event === "door-limit").map(({ reason }) => reason), [
      "point-in-time",
      "unexported-vaults",
      "passkeys",
      "item-versions",
      "permissions",
      "pictures",
    ]);
    await story.runs(0, "verify", "--identity", story.key);
    const to = story.at("restored/all");
    await story.runs(0, "restore", "--to", to, "--identity", story.key);
    checkAgainstExport(to);
  },
);

/** The restored folder against the export, not against what the plugin makes of it. */
function checkAgainstExport(to: string): void {
  const { data } = sampleExport();
  const json = (path: string): Line => JSON.parse(Deno.readTextFileSync(`${to}/${path}`));
  const expected = new Set(["format.json", "README.txt", "account.json", "index.tsv", "manifest.json"]);
  assert.equal(json("account.json").id, data.accounts[0].attrs.uuid);
  // Ids are made anew for each sample: titles tell items apart here.
  const restored = [...filesBelow(to)].map((path) => path.slice(to.length + 1));
  const items = new Map<string, Line>();
  for (const path of restored.filter((path) => path.includes("/items/"))) {
    const item = json(path);
    items.set(item.title, item);
    assert.equal(path, layout.item(item.vaultId, item.id));
    assert.equal(item.raw.uuid, item.id);
    expected.add(path);
  }
  for (const vault of data.accounts[0].vaults) {
    for (const item of vault.items) {
      const found = items.get(item.overview.title)!;
      assert.deepEqual(withoutIds(found.raw), withoutIds(JSON.parse(JSON.stringify(item))));
      expected.add(layout.vault(found.vaultId));
      assert.equal(json(layout.vault(found.vaultId)).title, vault.attrs.name);
      for (const file of found.files) expected.add(layout.file(found.vaultId, found.id, file.id));
    }
  }
  assert.deepEqual(restored.toSorted(), [...expected].sort());
  const content = (title: string, at: number) => {
    const { vaultId, id, files } = items.get(title)!;
    return Deno.readFileSync(`${to}/${layout.file(vaultId, id, files[at].id)}`);
  };
  assert.deepEqual(content("Contract", 0), CONTRACT);
  assert.deepEqual(content("Every kind of field", 0), SCAN);
  assert.deepEqual(content("Every kind of field", 1), new Uint8Array(0));
  assert.match(
    Deno.readTextFileSync(`${to}/index.tsv`),
    /^Private\tMail\tsample\.person\tactive\t\tvaults\//m,
  );
}

/** The same but for ids, which differ from sample to sample. */
function withoutIds(json: Json): Json {
  return JSON.parse(JSON.stringify(json).replace(/"(uuid|documentId)":"[a-z0-9]{26}"/g, '"$1":""'));
}

const BODY = new TextEncoder().encode("made-up body of a file\n".repeat(10_000));

exportStory("damaged, lying and missing files are gaps; everything else is saved", {
  data: accountWith(
    documentOf("damaged", "damaged", "x", BODY.length),
    documentOf("lying", "lying", "x", 10),
    documentOf("missing", "missing", "x", 10),
    documentOf("good", "good", "x", BODY.length),
    loginOf("login", "user", "made-up-mail-password"),
    null,
  ),
  entries: [
    { name: "files/damaged__x", content: BODY, directory: { crc: 1 } },
    { name: "files/lying__x", content: BODY },
    { name: "files/good__x", content: BODY },
  ],
}, async (story) => {
  const { lines } = await story.runs(3, "backup", "--json");
  const found = lines.filter(({ event }) => event === "shortfall");
  assert.deepEqual(found.map(({ shortfall, reason, fileId }) => [shortfall, reason, fileId]), [
    ["gap", "unreadable-item", undefined],
    ["gap", "unreadable-file", "damaged"],
    ["gap", "unreadable-file", "lying"],
    ["gap", "unreadable-file", "missing"],
  ]);
  assert.match(found[1]!.detail, /its content is damaged: the zip's checksum \(CRC-32\) does not fit it$/);
  assert.match(found[2]!.detail, /it has 230000 bytes in the export, its item says 10$/);
  assert.match(found[3]!.detail, /the export does not hold it$/);
  await story.runs(0, "verify", "--identity", story.key);
  const to = story.at("restored/all");
  await story.runs(3, "restore", "--to", to, "--identity", story.key);
  const bodies = [...filesBelow(to)].filter((path) => path.includes("/files/")).sort();
  const names = bodies.map((path) => path.replace(/.*\//, "")).sort();
  assert.deepEqual(names, ["damaged.incomplete", "good", "lying.incomplete"]);
  for (const path of bodies) assert.deepEqual(Deno.readFileSync(path), BODY);
});

exportStory("one id for two items, and one for two files, are gaps and never one in place of the other", {
  data: accountWith(
    { ...loginOf("one", "u", "p"), uuid: "same" },
    { ...loginOf("other", "u", "p"), uuid: "SAME" },
    documentOf("first", "doc", "x", 1),
  ),
  files: { "doc__x": "1" },
}, async (story) => {
  const { lines } = await story.runs(3, "backup", "--json");
  const found = lines.filter(({ event }) => event === "shortfall");
  assert.deepEqual(found.map(({ itemId, detail }) => [itemId, detail]), [
    ["SAME", "the source gave this id twice; only the first was kept"],
  ]);
});

exportStory("a hostile export leaves nothing behind but its own name", {
  data: {
    accounts: [{
      attrs: {},
      vaults: [{
        attrs: { uuid: "../../../escaped", name: "../\u202eescaped\n", type: "U" },
        items: [
          { ...documentOf("\u001b[2J\ud800", "../../escaped", "../../escaped", 1), uuid: "../../escaped" },
          { ...loginOf("con", "\u0000", "p"), uuid: "con" },
        ],
      }],
    }],
  },
  entries: [{ name: "files/../../escaped__../../escaped", content: "1" }],
}, async (story) => {
  await story.runs(0, "backup");
  const to = story.at("restored/all");
  await story.runs(0, "restore", "--to", to, "--identity", story.key);
  const paths = [...filesBelow(story.folder)].map((path) => path.slice(story.folder.length + 1));
  assert.deepEqual(paths.filter((path) => /escaped|\/con\b/.test(path)), []);
  assert.equal(paths.filter((path) => /^restored\/all\/vaults\/\w+\/(items|files)\//.test(path)).length, 3);
});

exportStory("an export that cannot be used ends the run with a sentence, and nothing is published", {
  data: accountWith(loginOf("login", "user", "made-up-mail-password")),
}, async (story) => {
  const path = story.at("safe/account.1pux");
  const whole = await Deno.readFile(path);
  const check = async (code: number, bytes: Uint8Array | undefined, sentence: RegExp) => {
    await Deno.remove(path);
    if (bytes) await Deno.writeFile(path, bytes, { mode: 0o600 });
    const { err } = await story.runs(code, "backup");
    assert.match(err, sentence);
    assert.deepEqual([story.stored(), story.spooled()], [[], []]);
    if (!bytes) await Deno.writeFile(path, whole, { mode: 0o600 });
  };
  await check(
    2,
    undefined,
    /^vaultferry: error: there is no export: .*\nvaultferry: hint: export the account/m,
  );
  await check(2, new Uint8Array(5000), /error: ".*account\.1pux" is not a 1PUX export: it is no zip file\n/);
  await check(15, whole.slice(0, -1), /error: ".*account\.1pux" is cut off/);
  const newer = writeExport({ attributes: { version: 4 }, data: { accounts: [] } });
  await check(
    1,
    newer,
    /error: ".*" has version 4 of the 1PUX format\nvaultferry: hint: this vaultferry knows version 3/,
  );
  await check(1, writeExport({ data: { accounts: [] } }), /error: /);
});
