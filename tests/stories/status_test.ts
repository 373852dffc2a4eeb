import assert from "node:assert/strict";
import { runOf } from "../../src/model/archive_name.ts";
import { type Line, type Story, story } from "./harness.ts";
import { type MemoryAccount, memoryAccount, memoryItem, sourceError } from "./memory_source.ts";

const HOUR = 3600 * 1000;

const at = (story: Story) =>
  new Date(Date.now() + story.clockOffset).toISOString().slice(0, 16).replace("T", " ");

const runs = (story: Story) => story.archives().map(runOf);

async function looks(story: Story, code: number, ...flags: string[]): Promise<Line> {
  return (await story.runs(code, "status", "--json", ...flags)).summary.jobs[0];
}

story("before the first backup there is nothing, and that is said", {
  memory: memoryAccount(),
  inMemory: true,
}, async (story) => {
  const { out } = await story.runs(10, "status");
  assert.match(out, /^destination .*\nnas +never +never\n$/);
  const { err } = await story.runs(3, "status", "--max-age", "26h");
  assert.match(err, /warning: there is no good backup at "nas"\n/);
  assert.deepEqual((await looks(story, 10)).destinations, [{ destination: "nas" }]);
  assert.throws(() => Deno.statSync(`${story.state}/acme`), Deno.errors.NotFound, "looking makes nothing");
});

story("how old the last good backup is, from this host's state alone", {
  memory: memoryAccount(),
  destinations: ["nas", "usb"],
  inMemory: true,
}, async (story) => {
  await story.runs(0, "backup");
  const first = at(story);
  // No destination is there to be asked.
  for (const name of ["nas", "usb"]) Deno.renameSync(story.at(name), story.at(`${name}-away`));
  story.clockOffset = 25 * HOUR;
  await story.runs(0, "status", "--max-age", "26h");
  story.clockOffset = 27 * HOUR;
  const people = await story.runs(3, "status", "--max-age", "26h");
  assert.match(people.out, /^destination +last good +age +items +files +size +newest read back\n/);
  const rows = people.out.split("\n").slice(1, 3);
  for (const [row, name] of [[rows[0]!, "nas"], [rows[1]!, "usb"]] as const) {
    assert.match(
      row,
      new RegExp(
        `^${name} +${first.slice(0, 13)}:\\d\\d UTC +2[67] h +4 +2 +[\\d.]+ KiB +${first.slice(0, 10)}`,
      ),
    );
  }
  assert.equal(people.out.split("\n").length, 4);
  assert.match(people.err, /warning: the last good backup at "usb" is older than it may be: \d{4}-/);
  const { destinations, tooOld, retention, ...rest } = await looks(story, 3, "--max-age", "1d");
  assert.deepEqual([tooOld, retention, rest], [["nas", "usb"], false, { job: "acme", exitCode: 3 }]);
  const [{ lastGood, newestReadBack }] = destinations;
  const { ageSeconds, ...copy } = lastGood;
  assert.ok(Math.abs(ageSeconds - 27 * 3600) < 600, `${ageSeconds}`);
  assert.deepEqual(copy, newestReadBack);
  assert.deepEqual([copy.sequence, copy.outcome, copy.items, copy.files], [1, "complete", 4, 2]);
  for (const name of ["nas", "usb"]) Deno.renameSync(story.at(`${name}-away`), story.at(name));
});

story("a destination that is behind is told apart from one that is not", {
  memory: memoryAccount(),
  destinations: ["nas", "usb"],
  inMemory: true,
}, async (story) => {
  await story.runs(0, "backup");
  const [first] = runs(story);
  Deno.renameSync(story.at("usb"), story.at("away"));
  for (const night of [1, 2]) {
    story.clockOffset = night * 24 * HOUR;
    await story.runs(4, "backup");
  }
  const { out } = await story.runs(0, "status");
  assert.match(out, new RegExp(`^usb: not read back since ${runs(story)[1]} \\(.* UTC\\)$`, "m"));
  assert.doesNotMatch(out, /^nas: /m);
  const { destinations, tooOld } = await looks(story, 3, "--max-age", "26h");
  assert.deepEqual(tooOld, ["usb"]);
  assert.equal(destinations[1].lastGood.run, first);
  assert.equal(destinations[1].notReadBackSince.run, runs(story)[1]);
  Deno.renameSync(story.at("away"), story.at("usb"));
  await story.runs(0, "backup");
  assert.doesNotMatch((await story.runs(0, "status")).out, /not read back/);
});

const doubtful: MemoryAccount = {
  vaults: [{ id: "v1", items: Array.from({ length: 30 }, (_, at) => memoryItem("v1", `i${at}`)) }],
};
story("a doubtful backup is no good one, and says since when nothing is pruned and why", {
  memory: doubtful,
  inMemory: true,
}, async (story) => {
  story.job.retention = { keepLast: 3 };
  await story.runs(0, "backup");
  const [good] = runs(story);
  const all = doubtful.vaults[0]!.items as ReturnType<typeof memoryItem>[];
  doubtful.vaults[0]!.items = all.slice(0, 15);
  story.clockOffset = 24 * HOUR;
  const since = at(story).slice(0, 10);
  await story.runs(3, "backup");
  story.clockOffset = 48 * HOUR;
  await story.runs(3, "backup");
  const newest = runs(story)[2];
  const { out } = await story.runs(0, "status");
  assert.match(
    out,
    new RegExp(
      `^pruning blocked since ${since} \\d\\d:\\d\\d UTC because ${newest} is suspicious: items or vaults are gone\n` +
        `hint: if they are meant to be gone: vaultferry accept acme ${newest}$`,
      "m",
    ),
  );
  const { destinations: [nas], pruningBlocked } = await looks(story, 3, "--max-age", "26h");
  assert.deepEqual([nas.lastGood.run, nas.newestReadBack.run], [good, newest]);
  assert.deepEqual([pruningBlocked.reason, pruningBlocked.run], ["suspicious", newest]);
  assert.equal(pruningBlocked.since.slice(0, 10), since);
  doubtful.vaults[0]!.items = async function* () {
    yield* all;
    throw await Promise.resolve(sourceError("unknown", "the list ends early"));
  };
  story.clockOffset = 72 * HOUR;
  await story.runs(3, "backup");
  assert.match(
    (await story.runs(0, "status")).out,
    new RegExp(`blocked since ${since} .* is incomplete: 1 gap$`, "m"),
  );
  doubtful.vaults[0]!.items = all;
  story.clockOffset = 96 * HOUR;
  await story.runs(0, "backup");
  assert.doesNotMatch((await story.runs(0, "status", "--max-age", "1h")).out, /blocked/);
});

story("a backup that is dated in the future does not make a host look fresh", {
  memory: memoryAccount(),
  inMemory: true,
}, async (story) => {
  story.clockOffset = 700 * 24 * HOUR;
  await story.runs(0, "backup");
  story.clockOffset = 0;
  const { out, err } = await story.runs(3, "status", "--max-age", "26h");
  assert.match(out, /^nas: acme_.* is dated in the future and does not count: a clock was wrong$/m);
  assert.match(err, /there is no good backup at "nas"/);
  await story.runs(0, "backup");
  await story.runs(0, "status", "--max-age", "26h");
});

story(
  "when the token ends is shown where it is known",
  { memory: memoryAccount(), inMemory: true },
  async (story) => {
    await story.runs(0, "backup");
    const path = `${story.state}/acme/token.json`;
    Deno.writeTextFileSync(
      path,
      JSON.stringify({
        name: "acme",
        createdAt: "2026-11-03T00:00:00Z",
        expiresAt: "2027-02-01T00:00:00Z",
        sha256: "",
      }),
      { mode: 0o600 },
    );
    assert.match((await story.runs(0, "status")).out, /token ends\n.* 2027-02-01\n/);
    assert.equal((await looks(story, 0)).tokenExpires, "2027-02-01T00:00:00Z");
    Deno.writeTextFileSync(path, "soon", { mode: 0o600 });
    const { out, err } = await story.runs(0, "status");
    assert.doesNotMatch(out, /token ends/);
    assert.match(err, /warning: when the token ends is not known: ".*token\.json" is damaged\n/);
    Deno.removeSync(path);
  },
);

story("all jobs are looked at, and the worst of them is the exit code", {
  memory: memoryAccount(),
  inMemory: true,
}, async (story) => {
  story.config.jobs.other = { ...story.job };
  await story.runs(0, "backup", "acme");
  const { summary } = await story.runs(10, "status", "--all", "--json");
  assert.deepEqual(summary.jobs.map(({ job, exitCode }: Line) => [job, exitCode]), [["acme", 0], [
    "other",
    10,
  ]]);
  await story.runs(3, "status", "--all", "--max-age", "26h");
  await story.runs(2, "status");
  await story.runs(2, "status", "acme", "--max-age", "0h");
  await story.runs(2, "status", "acme", "--max-age", "yesterday");
});
