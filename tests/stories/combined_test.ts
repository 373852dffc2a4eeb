import assert from "node:assert/strict";
import { layout } from "../../src/archive/layout.ts";
import { accountOf, documentOf, fieldOf, type Json, loginOf, writeExport } from "../onepux/export_writer.ts";
import type { AccountDescription, LiveVault } from "../service/mod.ts";
import { type Line, type Story, story } from "./harness.ts";

/** One byte more than the SDK reads. */
const TOO_LARGE = 50_000_001;
const SMALL = 1000;

const account = (size: number): AccountDescription => ({
  name: "Combined",
  vaults: [{
    title: "Finance",
    items: [
      { title: "Bank", username: "sample.person", password: "made-up-bank-password" },
      { title: "Changed", password: "made-up-new-password", updatedAt: "2024-03-01T00:00:00Z" },
      { title: "Old forum", state: "archived", password: "made-up-forum-password" },
      { title: "Since archived", state: "archived", updatedAt: "2024-03-01T00:00:00Z" },
      {
        title: "Odd card",
        category: "CreditCard",
        fields: [{ title: "odd", kind: "Unsupported", value: "made-up-odd-value" }],
      },
      {
        title: "Scan",
        category: "Document",
        document: { name: "scan.bin", content: "\x07".repeat(Math.min(size, SMALL)), declaredSize: size },
      },
    ],
  }, { title: "Servers", items: [{ title: "Gateway", password: "made-up-gateway-password" }] }],
});

/** When the account's items were last changed, unless said otherwise, in seconds. */
const CHANGED = Date.UTC(2024, 0, 2) / 1000;

/** The vault Finance as its owner exported it, before two items were changed; and one that is only the owner's. */
function exportOf(finance: LiveVault, size: number, changes: Json = {}): Uint8Array<ArrayBuffer> {
  const same = (title: string, more: Json = {}) => ({
    uuid: finance.item(title).id,
    updatedAt: CHANGED,
    ...more,
  });
  const scan = finance.item("Scan").file("scan.bin");
  const odd = { title: "", name: "s", fields: [fieldOf("odd", "odd", { string: "made-up-odd-value" })] };
  const items = [
    loginOf("Bank", "sample.person", "made-up-bank-password", {
      ...same("Bank"),
      details: { passwordHistory: [{ value: "made-up-older-password", time: CHANGED - 1 }] },
    }),
    loginOf("Changed", "", "made-up-old-password", same("Changed")),
    loginOf("Old forum", "", "made-up-forum-password", { ...same("Old forum"), state: "archived" }),
    loginOf("Since archived", "", "made-up-since-password", same("Since archived")),
    loginOf("Odd card", "", "", { ...same("Odd card"), categoryUuid: "002", details: { sections: [odd] } }),
    { ...documentOf("Scan", scan.id, "scan.bin", size), ...same("Scan") },
  ];
  const vault = (uuid: string, name: string, type: string, list: Json[]) => (
    { attrs: { uuid, name, desc: "", avatar: "", type }, items: list }
  );
  const owner = accountOf(
    vault(finance.id, "Finance", "U", items),
    vault("privatevault", "Private", "P", [
      loginOf("Diary", "", "made-up-diary-password", { uuid: "diary" }),
    ]),
  );
  return writeExport({
    data: { accounts: [{ ...owner, attrs: { ...owner.attrs, ...changes } }] },
    files: { [`${scan.id}__scan.bin`]: new Uint8Array(size).fill(7) },
  });
}

/** A story of the SDK as the main source and an export beside it. */
function pair(
  name: string,
  tell: (story: Story, finance: LiveVault) => Promise<void>,
  size = SMALL,
): void {
  story(name, { account: account(size) }, async (story) => {
    const finance = story.service.account.vault("Finance");
    const path = story.at("safe/account.1pux");
    await Deno.writeFile(path, exportOf(finance, size), { mode: 0o600 });
    story.job.also = [{ type: "onepux", path }];
    for (const text of ["made-up-older-password", "made-up-old-password", "made-up-diary-password"]) {
      story.private.push({ what: "a value of the export", text });
    }
    await tell(story, finance);
  });
}

const eventsOf = (lines: Line[], event: string) => lines.filter((line) => line.event === event);

pair(
  "what the SDK does not give comes from an export, and the archive tells what came from where",
  async (story, finance) => {
    const { lines } = await story.runs(0, "backup", "--json");
    const since = finance.item("Since archived").id;
    assert.deepEqual(
      eventsOf(lines, "shortfall").map(({ shortfall, reason, itemId, door }) => [
        shortfall,
        reason,
        itemId,
        door,
      ]),
      [["limit", "older-contents", since, "onepux"]],
    );
    const doors = [
      { name: "onepassword-sdk", vaults: 2, items: 3, files: 0 },
      { name: "onepux", vaults: 1, items: 5, files: 1 },
    ];
    assert.deepEqual(eventsOf(lines, "doors").map((one) => one.doors), [doors]);
    // Of "Changed" and "Gateway" the export does not have earlier passwords, of "Scan" it knows that there are none.
    assert.deepEqual(
      eventsOf(lines, "door-limit").filter(({ door }) => door === "onepassword-sdk")
        .map(({ reason, items }) => [reason, items]),
      [["personal-vaults", undefined], ["passkeys", undefined], ["password-history", 2], ["form-details", 2]],
    );
    const { counts, outcome } = eventsOf(lines, "sealed")[0]!;
    assert.deepEqual([outcome, counts.vaults, counts.items, counts.archived, counts.files, counts.limits], [
      "complete",
      3,
      6,
      2,
      1,
      1,
    ]);

    await story.runs(0, "verify", "--identity", story.key);
    const to = story.at("restored/all");
    await story.runs(0, "restore", "--to", to, "--identity", story.key);
    const json = (path: string): Line => JSON.parse(Deno.readTextFileSync(`${to}/${path}`));
    const manifest = json(layout.manifest);
    assert.deepEqual([manifest.source, manifest.doors], ["onepassword-sdk", doors]);
    const pathOf = (title: string) => layout.item(finance.id, finance.item(title).id);
    const doorOf = (path: string) => manifest.entries.find((entry: Line) => entry.path === path).door;
    for (const title of ["Changed", "Scan"]) assert.equal(doorOf(pathOf(title)), "onepassword-sdk", title);
    for (const title of ["Bank", "Old forum", "Since archived", "Odd card"]) {
      assert.equal(doorOf(pathOf(title)), "onepux", title);
    }
    assert.equal(doorOf(layout.vault(finance.id)), "onepassword-sdk");
    assert.equal(doorOf(layout.vault("privatevault")), "onepux");
    assert.equal(doorOf(layout.index), undefined);

    const passwordOf = (path: string) => json(path).fields.find(({ id }: Line) => id === "password")?.value;
    assert.deepEqual(json(pathOf("Bank")).passwordHistory.map(({ value }: Line) => value), [
      "made-up-older-password",
    ]);
    assert.equal(passwordOf(pathOf("Changed")), "made-up-new-password");
    assert.equal(passwordOf(pathOf("Old forum")), "made-up-forum-password");
    assert.deepEqual([passwordOf(pathOf("Since archived")), json(pathOf("Since archived")).state], [
      "made-up-since-password",
      "archived",
    ]);
    assert.ok(json(pathOf("Odd card")).fields.some(({ value }: Line) => value === "made-up-odd-value"));
    assert.equal(passwordOf(layout.item("privatevault", "diary")), "made-up-diary-password");
    const { id, files } = json(pathOf("Scan"));
    const scan = layout.file(finance.id, id, files[0].id);
    assert.equal(doorOf(scan), "onepux");
    assert.deepEqual(Deno.readFileSync(`${to}/${scan}`), new Uint8Array(TOO_LARGE).fill(7));
  },
  TOO_LARGE,
);

pair("people read in a few lines what came from where and what is lacking", async (story) => {
  const { err } = await story.runs(0, "backup");
  const lines = err.split("\n").map((line) => line.replace("vaultferry: ", ""));
  for (
    const line of [
      "from onepassword-sdk: 3 items, 1 file; from onepux: 5 items",
      "limits: 1 item with older contents",
      "never through onepassword-sdk: personal vaults, passkeys; " +
      "but through onepux: password history (of 2 items), favourites and web form details (of 2 items)",
      "never through onepux: what changed since the export, vaults that were not exported, " +
      "earlier versions of items, permissions, pictures",
    ]
  ) assert.ok(lines.includes(line), `${line}\n${err}`);
});

pair("vaults are chosen from what all sources show, and a dry run shows them", async (story) => {
  const { out } = await story.runs(0, "backup", "--dry-run");
  for (const title of ["Finance", "Servers", "Private"]) assert.match(out, new RegExp(`${title} +\\d +yes`));
  story.job.vaults = { include: ["Private", "Servers"] };
  const { lines } = await story.runs(0, "backup", "--json");
  assert.deepEqual(eventsOf(lines, "sealed")[0]!.counts.items, 2);
});

pair("a source beside the main one that cannot be read is a gap; all the rest is saved", async (story) => {
  const path = story.at("safe/none.1pux");
  story.job.also[0].path = path;
  const dry = await story.runs(3, "backup", "--dry-run");
  assert.match(dry.err, /warning: the source "onepux" could not be read: there is no export/);
  const { lines } = await story.runs(3, "backup", "--json");
  const gaps = eventsOf(lines, "shortfall").filter(({ shortfall }) => shortfall === "gap");
  assert.deepEqual(gaps.map(({ reason, vaultId, door }) => [reason, vaultId, door]), [
    ["door-failed", "", "onepux"],
  ]);
  const { counts, outcome } = eventsOf(lines, "sealed")[0]!;
  assert.deepEqual([outcome, counts.items, counts.archived, counts.limits], ["incomplete", 5, 2, 3]);
  const { err } = await story.runs(3, "backup");
  assert.match(
    err,
    /missing: 1 source that could not be read\nvaultferry: {3}the source "onepux" could not be/,
  );
  await story.runs(0, "verify", "--identity", story.key);
  await story.runs(3, "restore", "--to", story.at("restored/x"), "--identity", story.key);
});

pair(
  "a second door of a type has a name of its own, and its refused sign-in harms nothing",
  async (story) => {
    await Deno.writeTextFile(story.at("host/token-2"), "ops_bm90aGluZw==\n", { mode: 0o600 });
    story.job.also.push({ type: "onepassword-sdk", token: `file:${story.at("host/token-2")}` });
    const { lines } = await story.runs(3, "backup", "--json");
    const gaps = eventsOf(lines, "shortfall").filter(({ shortfall }) => shortfall === "gap");
    assert.deepEqual(gaps.map(({ reason, door }) => [reason, door]), [["door-failed", "onepassword-sdk-2"]]);
    assert.equal(eventsOf(lines, "sealed")[0]!.counts.archived, 2);
    assert.deepEqual(eventsOf(lines, "doors")[0]!.doors.map(({ name, items }: Line) => [name, items]), [
      ["onepassword-sdk", 3],
      ["onepux", 5],
    ]);
  },
);

pair(
  "a main source whose sign-in is refused publishes nothing, whatever the others could give",
  async (story) => {
    story.service.account.revokeToken();
    await story.runs(13, "backup");
    assert.deepEqual([story.stored(), story.spooled()], [[], []]);
  },
);

pair("sources of two accounts are refused before anything is published", async (story, finance) => {
  const other = story.at("safe/other.1pux");
  await Deno.writeFile(other, exportOf(finance, SMALL, { uuid: "ANOTHERACCOUNT" }), { mode: 0o600 });
  story.job.source = story.job.also[0];
  story.job.also = [{ type: "onepux", path: other }];
  const { err } = await story.runs(2, "backup");
  assert.match(
    err,
    /error: the sources "onepux" and "onepux-2" belong to different accounts\n.*hint: a job backs up/,
  );
  assert.deepEqual(story.stored(), []);
});

pair("the same source twice is a mistake in the config", async (story) => {
  const path = story.job.also[0].path;
  story.job.also.push({ type: "onepux", path: path.replace("/safe/", "/safe/./") }, { ...story.job.source });
  const { err } = await story.runs(2, "config", "check");
  assert.match(err, /jobs\.acme\.also\[1\]: is the same as \[0\]/);
  assert.match(err, /jobs\.acme\.also\[2\]: is the same as the job's source/);
  story.job.also = [{ type: "onepux", pth: path }];
  assert.match(
    (await story.runs(2, "config", "check")).err,
    /also\[0\].*: unknown key "pth" \(did you mean "path"\?\)/,
  );
});
