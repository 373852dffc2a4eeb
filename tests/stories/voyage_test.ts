import assert from "node:assert/strict";
import { sampleAccount } from "../service/mod.ts";
import { story } from "./harness.ts";
import { checkRestored } from "./compare.ts";

story("everything that the SDK gives is in the restored folder, and what it does not give is named", {
  account: sampleAccount(),
}, async (story) => {
  await story.runs(0, "config", "check");
  const backup = await story.runs(0, "backup", "--json");
  const sealed = backup.lines.find((line) => line.event === "sealed")!;
  assert.equal(sealed.outcome, "complete");
  assert.deepEqual(sealed.counts, {
    ...sealed.counts,
    vaults: 4,
    items: 64,
    archived: 3,
    files: 22,
    limits: 5,
    moved: 0,
    gaps: 0,
  });

  const list = await story.runs(0, "list");
  assert.match(list.out, new RegExp(`^${sealed.archive} .* 1 +64 +22 .*complete +nas$`, "m"));
  assert.match((await story.runs(0, "verify")).out, /1 copy checked, all good/);
  const opened = await story.runs(0, "verify", "--identity", story.key);
  assert.match(opened.out, /good, opened: 64 items, 22 files/);

  const to = story.at("restored/all");
  const restore = await story.runs(0, "restore", "--to", to, "--identity", story.key, "--json");
  const [restored] = restore.summary.jobs;
  await checkRestored(story.service, to);
  const shortfalls = backup.lines.filter((line) => line.event === "shortfall")
    .map(({ v: _, event: __, job: ___, ...shortfall }) => shortfall);
  assert.deepEqual(restored.limits.toSorted(byItem), shortfalls.toSorted(byItem));
  assert.deepEqual(restored.gaps, []);
  assert.deepEqual(restored.moved, []);
});

story("limits name exactly the archived items and those with what the SDK cannot show", {
  account: sampleAccount(),
}, async (story) => {
  const { lines } = await story.runs(0, "backup", "--json");
  const everyday = story.service.account.vault("Everyday");
  const categories = story.service.account.vault("Every category");
  const expected = [
    ...["Old bank", "Old forum", "Old contract"].map((title) => ({
      reason: "archived-contents",
      vaultId: everyday.id,
      itemId: everyday.item(title).id,
    })),
    ...[["unsupported-item", "A category from the future"], ["unsupported-field", "Every kind of field"]]
      .map(([reason, title]) => ({
        reason,
        vaultId: categories.id,
        itemId: categories.item(title!).id,
      })),
  ];
  const found = lines.filter((line) => line.event === "shortfall");
  for (const { shortfall } of found) assert.equal(shortfall, "limit");
  assert.deepEqual(
    found.map(({ reason, vaultId, itemId }) => ({ reason, vaultId, itemId })).toSorted(byItem),
    expected.toSorted(byItem),
  );
  assert.deepEqual(
    lines.filter((line) => line.event === "door-limit").map(({ reason }) => reason),
    ["personal-vaults", "passkeys", "password-history", "form-details"],
  );
});

story(
  "two backups are the entries 1 and 2 of one chain, and the second names the first by its hash",
  {},
  async (story) => {
    const first = (await story.runs(0, "backup", "--json")).summary.jobs[0].archive;
    story.clockOffset = 60_000;
    story.service.account.vault("Servers").add({ title: "New server", password: "made-up-new-password" });
    const second = (await story.runs(0, "backup", "--json")).summary.jobs[0].archive;
    const manifest = (name: string) => Deno.readFileSync(story.at(`nas/acme/${name}.manifest.json`));
    const [one, two] = [first, second].map((name) => JSON.parse(new TextDecoder().decode(manifest(name))));
    assert.deepEqual([one.sequence, two.sequence], [1, 2]);
    assert.equal(one.previous, null);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", manifest(first)));
    assert.equal(two.previous, hash.toHex());
    assert.equal(two.chain, one.chain);
    assert.deepEqual([one.receipts, two.receipts], [{}, { nas: [[1, 1]] }]);

    const all = await story.runs(0, "verify", "--archive", "all", "--identity", story.key, "--json");
    assert.deepEqual(all.summary.jobs[0].copies.map((copy: { archive: string }) => copy.archive), [
      first,
      second,
    ]);
    const latest = await story.runs(0, "restore", "--to", story.at("restored/new"), "--identity", story.key);
    assert.match(latest.out, new RegExp(`made from ${second}`));
    await story.runs(
      0,
      "restore",
      "--to",
      story.at("restored/old"),
      "--identity",
      story.key,
      "--archive",
      first,
    );
    const index = (name: string) => Deno.readTextFileSync(story.at(`restored/${name}/index.tsv`));
    assert.match(index("new"), /New server/);
    assert.doesNotMatch(index("old"), /New server/);
  },
);

story("gzip opens as zstd does", {}, async (story) => {
  story.job.compression = "gzip";
  await story.runs(0, "backup");
  assert.match(story.archives()[0]!, /\.tar\.gz\.age$/);
  await story.runs(0, "verify", "--identity", story.key);
  await story.runs(0, "restore", "--to", story.at("restored/all"), "--identity", story.key);
  await checkRestored(story.service, story.at("restored/all"));
});

story("a dry run signs in, shows the vaults, and writes and sends nothing", {}, async (story) => {
  const { out } = await story.runs(0, "backup", "--dry-run");
  assert.match(out, /Finance +3 {2}yes/);
  assert.match(out, /nothing was written or sent/);
  assert.equal(story.service.requests.count("items/overviews"), 0);
  assert.deepEqual([...Deno.readDirSync(story.at("nas"))], []);
  assert.throws(() => Deno.statSync(story.state), Deno.errors.NotFound);
});

story("a job's include and exclude choose vaults by id or name, and the archive says which were left out", {
  account: sampleAccount(),
}, async (story) => {
  const { account } = story.service;
  story.job.vaults = { exclude: ["Documents", account.vault("Everyday").id] };
  await story.runs(0, "backup");
  await story.runs(0, "restore", "--to", story.at("restored/all"), "--identity", story.key);
  const manifest = JSON.parse(Deno.readTextFileSync(story.at("restored/all/manifest.json")));
  assert.equal(manifest.counts.vaults, 1);
  assert.deepEqual(
    manifest.excludedVaults.toSorted(),
    account.vaults.filter(({ title }) => title !== "Every category").map(({ id }) => id).toSorted(),
  );
});

function byItem(a: { itemId?: string }, b: { itemId?: string }): number {
  return (a.itemId ?? "") < (b.itemId ?? "") ? -1 : 1;
}
