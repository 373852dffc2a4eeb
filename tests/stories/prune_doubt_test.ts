/** What stops pruning, who ends that, and that it goes on afterwards. */
import assert from "node:assert/strict";
import { runOf } from "../../src/model/archive_name.ts";
import { type Story, story } from "./harness.ts";
import { copyOf, recordsAt } from "./host_state.ts";
import { type MemoryAccount, memoryItem, sourceError } from "./memory_source.ts";
import { DAY, fate, nights, pruneStory, prunings } from "./pruning.ts";

const KEEP = { keepLast: 3 };

const items = (count: number) => Array.from({ length: count }, (_, at) => memoryItem("v1", `i${at}`));
const account = (count = 30): MemoryAccount => ({ vaults: [{ id: "v1", items: items(count) }] });

/** A story of an account that changes, with three archives that may stay and one more from the next night on. */
function guarded(name: string, tell: (story: Story, account: MemoryAccount) => Promise<void>): void {
  const source = account();
  story(name, { memory: source, inMemory: true }, async (story) => {
    story.job.retention = KEEP;
    await nights(story, 3);
    await tell(story, source);
  });
}

const newest = (story: Story) => runOf(story.archives().at(-1)!);

guarded(
  "a suspicious run prunes nothing until it is accepted; the next night does",
  async (story, source) => {
    source.vaults[0]!.items = items(15);
    for (let night = 0; night < 2; night++) {
      const ran = await nights(story, 1, 3);
      assert.deepEqual(fate(ran), ["blocked", `${newest(story)} is suspicious: items or vaults are gone`]);
      assert.match(prunings(ran)[0]!.hint, /vaultferry accept acme acme_/);
    }
    assert.equal(story.archives().length, 5);
    const asked = await story.runs(3, "prune");
    assert.match(
      asked.err,
      /nas: nothing is pruned: .* is suspicious: .*\n.*nas: hint: .*vaultferry accept acme /,
    );
    assert.equal(story.archives().length, 5);
    await story.runs(0, "accept", "acme", newest(story));
    const ran = await nights(story, 1);
    assert.deepEqual(ran.summary.jobs[0].outcome, "complete");
    // The accepted one counts; the suspicious one before it has a successor and goes, with the two oldest.
    assert.deepEqual(fate(ran), ["done", 3, 3]);
    assert.doesNotMatch((await story.runs(0, "status")).out, /blocked/);
    await story.runs(0, "verify", "--archive", "all");
  },
);

guarded('a suspicious run that is accepted is enough for "prune"', async (story, source) => {
  source.vaults[0]!.items = items(15);
  await nights(story, 1, 3);
  await story.runs(0, "accept", "acme", newest(story));
  assert.deepEqual(fate(await story.runs(0, "prune", "--json")), ["done", 1, 3]);
});

guarded("an incomplete run prunes nothing; the next clean one does", async (story, source) => {
  source.vaults[0]!.items = async function* () {
    yield* items(30);
    throw await Promise.resolve(sourceError("unknown", "the list ends early"));
  };
  const ran = await nights(story, 1, 3);
  assert.deepEqual(fate(ran), ["blocked", `${newest(story)} is incomplete: 1 gap`]);
  await story.runs(3, "prune");
  // Somebody accepts it: what is not there is still not there.
  await story.runs(0, "accept", "acme", newest(story));
  await story.runs(3, "prune");
  const lacking = story.archives().at(-1)!;
  source.vaults[0]!.items = items(30);
  const clean = await nights(story, 1);
  // It counts for nothing, and goes with the one that is too old.
  assert.deepEqual(fate(clean), ["done", 2, 3]);
  assert.ok(!story.archives().includes(lacking));
});

guarded("a loss with gaps beside it is no keeper, accepted or not", async (story, source) => {
  source.vaults[0]!.items = async function* () {
    yield* items(10);
    yield {
      shortfall: "gap",
      reason: "unreadable-item",
      vaultId: "v1",
      itemId: "i11",
      detail: "it cannot be read",
    };
  };
  await nights(story, 1, 3);
  await story.runs(0, "accept", "acme", newest(story));
  source.vaults[0]!.items = items(10);
  const lacking = story.archives().at(-1)!;
  const ran = await nights(story, 1);
  assert.ok(!story.archives().includes(lacking), ran.out);
  assert.equal(story.archives().length, 3);
});

guarded(
  "another account's token: refused, nothing pruned; accepted: published, and pruned",
  async (story, source) => {
    source.vaults = [{ id: "theirs", items: [memoryItem("theirs", "x")] }];
    story.clockOffset += DAY;
    const refused = await story.runs(15, "backup", "--json");
    assert.deepEqual([prunings(refused), story.archives().length], [[], 3]);
    const { run } = refused.lines.find(({ event }) => event === "finding")!;
    assert.match(
      (await story.runs(15, "prune")).err,
      /nas: nothing is pruned: the source shows another account/,
    );
    await story.runs(0, "accept", "acme", run);
    const ran = await nights(story, 1);
    assert.deepEqual([ran.summary.jobs[0].outcome, fate(ran)], ["complete", ["done", 1, 3]]);
  },
);

guarded("a memory that is lost: one night nothing, then it prunes", async (story) => {
  Deno.removeSync(`${story.state}/acme/runs.json`);
  assert.match(
    (await story.runs(3, "prune")).err,
    /nothing is pruned: .*runs\.json" is missing: the next backup has/,
  );
  const ran = await nights(story, 1, 3);
  assert.match(fate(ran)[1] as string, /is not known; the next one is compared with it$/);
  assert.equal(story.archives().length, 4);
  assert.deepEqual(fate(await nights(story, 1)), ["done", 2, 3]);
});

pruneStory(
  "more than seven days after the last one nothing goes, until a second run",
  KEEP,
  async (story) => {
    await nights(story, 2);
    story.clockOffset += 8 * DAY;
    const ran = await nights(story, 1);
    assert.match(
      fate(ran)[1] as string,
      /^the last backup was made 9 days before, at .* UTC: perhaps the clock was put/,
    );
    assert.match(
      prunings(ran)[0]!.hint,
      /^the next backup prunes again, or "vaultferry accept acme acme_\S+" and prune$/,
    );
    await story.runs(3, "prune");
    const { out } = await story.runs(0, "status");
    assert.match(out, /^pruning blocked since .* because the last backup was made 9 days before, .*$/m);
    assert.equal(story.archives().length, 4);
    assert.deepEqual(fate(await nights(story, 1)), ["done", 2, 3]);
    assert.doesNotMatch((await story.runs(0, "status")).out, /blocked/);
  },
);

pruneStory(
  "more than seven days after the last one nothing goes, until it is accepted",
  KEEP,
  async (story) => {
    await nights(story, 2);
    story.clockOffset += 8 * DAY;
    await nights(story, 1);
    await story.runs(0, "accept", "acme", newest(story));
    assert.doesNotMatch((await story.runs(0, "status")).out, /blocked/);
    assert.deepEqual(fate(await story.runs(0, "prune", "--json")), ["done", 1, 3]);
  },
);

pruneStory("seven days and no more are no reason to wait", KEEP, async (story) => {
  await nights(story, 2);
  story.clockOffset += 6 * DAY - 60_000;
  assert.deepEqual(fate(await nights(story, 1)), ["done", 1, 3]);
});

pruneStory('"prune" without a new backup trusts no clock that has leapt', KEEP, async (story) => {
  await nights(story, 3, 0, "--no-prune");
  story.clockOffset += 20 * DAY;
  const { err } = await story.runs(3, "prune");
  assert.match(
    err,
    /the last backup was made 20 days before, .*\n.*hint: nothing is removed before there is a new backup/,
  );
  story.clockOffset -= 21 * DAY;
  assert.match((await story.runs(3, "prune")).err, /the clock is behind the last backup/);
  assert.equal(story.archives().length, 4);
});

pruneStory(
  "what is dated in the future stays and counts for nothing, and stops nothing for long",
  KEEP,
  async (story) => {
    await nights(story, 2);
    story.clockOffset += 300 * DAY;
    assert.equal(fate(await nights(story, 1))[0], "blocked");
    const future = story.archives().at(-1)!;
    story.clockOffset -= 300 * DAY;
    assert.match(fate(await nights(story, 1))[1] as string, /^the clock is behind the last backup/);
    assert.deepEqual(fate(await nights(story, 1)), ["done", 2, 4]);
    assert.ok(story.archives().includes(future));
    await nights(story, 2, 0, "--no-prune");
    assert.deepEqual(fate(await story.runs(0, "prune", "--json")), ["done", 2, 4]);
    assert.match(
      (await story.runs(0, "prune", "--dry-run")).out,
      new RegExp(`${future} .* keep +dated in the future\n`),
    );
  },
);

pruneStory(
  "recipients whom nobody has accepted: published without them, nothing pruned",
  KEEP,
  async (story) => {
    await nights(story, 2);
    story.job.recipients = [...story.job.recipients, await story.makeKey("other")];
    assert.match(
      fate(await nights(story, 1, 15))[1] as string,
      /^recipients were added to the config and are left out/,
    );
    assert.match((await story.runs(15, "prune")).err, /nas: nothing is pruned: recipients were added/);
    assert.match(
      (await story.runs(0, "status")).out,
      /^pruning blocked because recipients were added to the config/m,
    );
    assert.equal(story.archives().length, 4);
    await story.runs(0, "keys", "accept");
    assert.deepEqual(fate(await nights(story, 1)), ["done", 2, 3]);
  },
);

pruneStory(
  "a state that was lost: nothing is pruned until somebody trusts, then all chains count",
  KEEP,
  async (story) => {
    await nights(story, 2);
    Deno.removeSync(story.state, { recursive: true });
    const ran = await nights(story, 2, 15);
    assert.match(fate(ran)[1] as string, /^the destinations hold another chain of this job/);
    assert.match(
      (await story.runs(15, "prune")).err,
      /nas: nothing is pruned: the destinations hold another chain/,
    );
    assert.match(
      (await story.runs(0, "status")).out,
      /^pruning blocked since .* because another chain of this job/m,
    );
    assert.equal(story.archives().length, 5);
    const [signer] = /SHA256:[A-Za-z0-9+/]{43}/.exec((await story.runs(15, "keys", "trust")).err)!;
    await story.runs(0, "keys", "trust", "--signer", signer!);
    const [done, removed] = fate(await nights(story, 1));
    // Of the old chain the last entry speaks of no receipt of its own: it stays.
    assert.deepEqual([done, removed], ["done", 2]);
    assert.equal(story.archives().length, 4);
    assert.equal((await story.runs(0, "prune", "--json")).code, 0);
  },
);

pruneStory(
  "a chain that is broken at the destination keeps everything there, and alarms",
  KEEP,
  async (story) => {
    const back = copyOf(story.state);
    await nights(story, 1);
    back();
    // A second host with a copy of the state, which cannot see what the first has done.
    Deno.renameSync(story.at("nas/acme"), story.at("nas-away"));
    await nights(story, 1);
    for (const name of Deno.readDirSync(story.at("nas-away"))) {
      Deno.renameSync(story.at(`nas-away/${name.name}`), story.at(`nas/acme/${name.name}`));
    }
    const ran = await nights(story, 2, 15);
    assert.equal(fate(ran)[0], "blocked");
    assert.equal(story.archives().length, 5);
    await story.runs(0, "keys", "trust");
    assert.equal(fate(await nights(story, 1))[0], "done");
    assert.ok(recordsAt(story, "prune").length === 1);
  },
);
