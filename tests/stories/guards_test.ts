import assert from "node:assert/strict";
import { bigAccount } from "../service/mod.ts";
import { runOf } from "../../src/model/archive_name.ts";
import { type Line, type Story, story } from "./harness.ts";

const NIGHT = 24 * 3600 * 1000;

const ACCOUNT = {
  name: "Guarded",
  vaults: [
    { title: "Big", items: Array.from({ length: 16 }, (_, at) => ({ title: `item number ${at}` })) },
    { title: "Small", items: ["one", "two", "three", "four"].map((title) => ({ title: `small ${title}` })) },
    { title: "Empty", items: [] },
  ],
};

/** The backup of the next night. */
async function night(story: Story, code: number, ...flags: string[]) {
  story.clockOffset += NIGHT;
  const ran = await story.runs(code, "backup", "--json", ...flags);
  const of = (event: string) => ran.lines.filter((line) => line.event === event);
  const plain = ({ v: _, event: __, job: ___, ...rest }: Line) => rest;
  return {
    ...ran,
    job: ran.summary.jobs[0] as Line,
    sealed: of("sealed")[0],
    run: runOf(of("sealed")[0]?.archive ?? ""),
    findings: of("finding").map(plain),
    errors: of("error").map(plain),
  };
}

function remove(story: Story, title: string, count: number, how: "delete" | "archive" = "delete"): void {
  const active = story.service.account.vault(title).items.filter(({ state }) => state === "active");
  for (const item of active.slice(0, count)) item[how]();
}

story("a fifth of all items gone: published, told, and told again until it is back", {
  account: ACCOUNT,
}, async (story) => {
  const first = await night(story, 0);
  assert.deepEqual([first.findings, first.job.pruningBlocked], [[], undefined]);
  remove(story, "Big", 10);
  story.clockOffset += NIGHT;
  const people = await story.runs(3, "backup");
  const run = runOf(story.archives()[1]!);
  const firstTime = first.run.replace(
    /.*_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d).*/,
    "$1-$2-$3 $4:$5 UTC",
  );
  assert.deepEqual(
    people.err.split("\n").filter((line) => !/never through|1Password|reading|opening|backup$/.test(line)),
    [
      people.err.split("\n").find((line) => line.includes("sealed"))!,
      `vaultferry: warning: suspicious: 10 of 20 items are gone since ${first.run} (${firstTime})`,
      `vaultferry: hint: nothing is pruned until this is cleared up; if it is meant to be so: vaultferry accept acme ${run}`,
      "vaultferry: nas: sent and read back, every byte compared",
      "",
    ],
  );
  assert.match(people.err, /sealed .*, suspicious\n/);
  const third = await night(story, 3);
  assert.equal(third.job.outcome, "suspicious");
  const reasons = [{
    reason: "fewer-items",
    baseline: first.run,
    baselineTime: `${firstTime.slice(0, 16).replace(" ", "T")}`,
    before: 20,
    now: 10,
  }];
  assert.deepEqual(
    third.findings[0]!.reasons.map((one: Line) => ({ ...one, baselineTime: one.baselineTime.slice(0, 16) })),
    reasons,
  );
  assert.equal(third.findings[0]!.run, third.run);
  assert.equal(third.job.pruningBlocked.reason, "suspicious");
  assert.ok(
    third.job.pruningBlocked.since <
      third.job.pruningBlocked.run.replace(/.*_(\d{4})(\d\d)(\d\d)T.*/, "$1-$2-$3T24"),
  );
  for (let at = 0; at < 10; at++) story.service.account.vault("Big").add({ title: `restored item ${at}` });
  const back = await night(story, 0);
  assert.deepEqual([back.findings, back.job.outcome, back.job.pruningBlocked], [[], "complete", undefined]);
  assert.equal(story.archives().length, 4);
  const { out } = await story.runs(0, "verify", "--archive", "all", "--identity", story.key);
  assert.equal(out.match(/good, suspicious, opened: 10 items/g)?.length, 2, out);
});

story("items archived in great numbers are as good as gone", { account: ACCOUNT }, async (story) => {
  await night(story, 0);
  remove(story, "Big", 11, "archive");
  const { findings, sealed } = await night(story, 3);
  assert.deepEqual([findings[0]!.reasons[0].before, findings[0]!.reasons[0].now], [20, 9]);
  assert.equal(sealed!.counts.archived, 11);
});

story(
  "a small vault that is not shown any more, and one that is emptied",
  { account: ACCOUNT },
  async (story) => {
    const { id } = story.service.account.vault("Small");
    await night(story, 0);
    remove(story, "Small", 4);
    const emptied = await night(story, 3);
    assert.match(
      emptied.findings[0]!.message,
      new RegExp(`^suspicious: emptied since acme_.*: the vault "${id}" with 4 items$`),
    );
    story.service.account.removeVault("Small");
    const gone = await night(story, 3);
    assert.match(
      gone.findings[0]!.message,
      new RegExp(`^suspicious: not shown any more since acme_.*: the vault "${id}" with 4 items$`),
    );
    assert.equal(gone.findings.length, 1);
  },
);

story("a vault that is excluded on purpose is not gone", { account: ACCOUNT }, async (story) => {
  await night(story, 0);
  story.job.vaults = { exclude: ["Big"] };
  const { findings, job } = await night(story, 0);
  assert.deepEqual([findings, job.outcome], [[], "complete"]);
  // The day after it is deleted altogether: it was not in yesterday's backup.
  story.service.account.removeVault("Big");
  assert.deepEqual((await night(story, 0)).findings, []);
});

story(
  "an empty vault that is not shown any more is told and nothing else",
  { account: ACCOUNT },
  async (story) => {
    const { id } = story.service.account.vault("Empty");
    await night(story, 0);
    story.service.account.removeVault("Empty");
    const { findings } = await night(story, 0);
    assert.deepEqual(findings, [{
      finding: "no-longer-seen",
      vaultIds: [id],
      message: `not shown any more, and empty in the last complete backup: the vault "${id}"`,
    }]);
    assert.deepEqual((await night(story, 0)).findings, [], "once");
  },
);

story("a slow leak of 19 in a hundred a night is told in its second night", {
  account: { name: "Leaking", vaults: bigAccount({ vaults: 1, items: 60, files: 0 }).vaults },
}, async (story) => {
  const title = story.service.account.vaults[0]!.title;
  const first = await night(story, 0);
  remove(story, title, 11);
  assert.deepEqual((await night(story, 0)).findings, []);
  remove(story, title, 9);
  const { findings } = await night(story, 3);
  assert.match(
    findings[0]!.message,
    new RegExp(`suspicious: 20 of 60 items are gone since ${first.run}`),
  );
});

story("gaps are no loss, and a loss with gaps beside it is suspicious with its gaps counted", {
  account: ACCOUNT,
}, async (story) => {
  await night(story, 0);
  const big = story.service.account.vault("Big");
  await story.service.account.addVault({ title: "New", items: [{ title: "a new item" }] });
  story.service.faults.status("items/overviews", 500, { id: big.id });
  const unread = await night(story, 3);
  assert.deepEqual([unread.job.outcome, unread.findings], ["incomplete", []]);
  assert.deepEqual([unread.job.pruningBlocked.reason, unread.job.pruningBlocked.gaps], ["incomplete", 1]);
  story.service.account.removeVault("Small");
  const both = await night(story, 3);
  assert.deepEqual([both.job.outcome, both.sealed!.outcome, both.sealed!.counts.gaps], [
    "suspicious",
    "suspicious",
    1,
  ]);
  assert.equal(both.findings[0]!.reasons[0].reason, "vault-gone");
});

story("another account's token: nothing is published, whoever looks, until the right one is back", {
  account: ACCOUNT,
}, async (story) => {
  const first = await night(story, 0);
  const token = Deno.readTextFileSync(story.token);
  const vaults = story.service.account.vaults.map(({ id }) => id);
  const others = [{ title: "Theirs", items: [{ title: "an item of theirs" }] }];
  // The same service, with other vaults: as another account's token would show them.
  for (const id of vaults) story.service.account.removeVault(id);
  for (const vault of others) await story.service.account.addVault(vault);
  const refused = await night(story, 15);
  assert.deepEqual([refused.sealed, story.archives().length, story.spooled()], [undefined, 1, []]);
  assert.equal(story.service.requests.count("items/overviews") > 0, true);
  const [{ run, message, hint, ...finding }] = refused.findings as [Line];
  assert.deepEqual(
    { ...finding, lastTime: finding.lastTime.slice(0, 4) },
    {
      finding: "wrong-account",
      last: first.run,
      lastTime: first.run.slice(5, 9),
      shown: 1,
      known: 3,
    },
  );
  assert.deepEqual(refused.errors, [{ code: "untrusted", message, hint }]);
  assert.match(
    message,
    /^this is another account: no vault of the last complete backup is shown \(acme_\S*, 20.* UTC\); nothing was published$/,
  );
  assert.equal(
    hint,
    `check the token in the config; if the account has changed on purpose: vaultferry accept acme ${run}`,
  );
  const before = story.service.requests.count("items/overviews");
  story.clockOffset += NIGHT;
  const again = await story.runs(15, "backup");
  assert.equal(again.err.match(/another account/g)?.length, 1, "said once");
  assert.ok(again.err.includes(`vaultferry accept acme ${run}`), "the name stays");
  assert.equal(story.service.requests.count("items/overviews"), before, "no item was asked for");
  const dry = await story.runs(15, "backup", "--dry-run");
  assert.match(dry.err, /warning: this is another account: .*\n.*hint: check the token in the config\n/);
  Deno.writeTextFileSync(story.token, token);
});
