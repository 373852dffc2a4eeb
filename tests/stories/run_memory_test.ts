import assert from "node:assert/strict";
import { runOf } from "../../src/model/archive_name.ts";
import { type Line, type Story, story } from "./harness.ts";
import { type MemoryAccount, memoryItem } from "./memory_source.ts";

const NIGHT = 24 * 3600 * 1000;

const items = (vaultId: string, count: number) =>
  Array.from({ length: count }, (_, at) => memoryItem(vaultId, `${vaultId}i${at}`));

/** Two vaults with 30 items and 4. */
const account = (): MemoryAccount => ({
  vaults: [{ id: "big", items: items("big", 30) }, { id: "small", items: items("small", 4) }],
});

const runsPath = (story: Story) => `${story.state}/acme/runs.json`;
const remembered = (story: Story): Line[] => JSON.parse(Deno.readTextFileSync(runsPath(story))).runs;

async function night(story: Story, code: number) {
  story.clockOffset += NIGHT;
  const { lines, summary, err } = await story.runs(code, "backup", "--json");
  const findings = lines.filter(({ event }) => event === "finding");
  return { findings, job: summary.jobs[0] as Line, err };
}

for (
  const [what, harm, said] of [
    ["missing", (path: string) => Deno.removeSync(path), /runs\.json" is missing: what earlier/],
    [
      "damaged",
      (path: string) => Deno.writeTextFileSync(path, '{"v":1,"ru', { mode: 0o600 }),
      /runs\.json" is damaged: what earlier/,
    ],
    ["a folder", (path: string) => {
      Deno.removeSync(path);
      Deno.mkdirSync(path, { mode: 0o700 });
    }, /runs\.json".*: what earlier/],
  ] as const
) {
  const given = account();
  story(`a memory that is ${what}: published, told, and the next night is compared again`, {
    memory: given,
    inMemory: true,
  }, async (story) => {
    await night(story, 0);
    await night(story, 0);
    harm(runsPath(story));
    if (what === "a folder") {
      // It cannot be replaced either: what is not remembered is not signed.
      const { err } = await night(story, 1);
      assert.match(err, /error: cannot .*runs\.json/);
      assert.equal(story.archives().length, 2);
      Deno.removeSync(runsPath(story));
    }
    const blind = await night(story, 3);
    assert.deepEqual(blind.findings.map(({ finding }) => finding), ["no-baseline"]);
    if (what !== "a folder") assert.match(blind.findings[0]!.message, said);
    assert.deepEqual([blind.job.outcome, blind.job.pruningBlocked.reason], ["complete", "no-baseline"]);
    assert.equal(story.archives().length, 3);
    assert.equal(remembered(story).length, 3, "the chain's numbers are taken up again");
    assert.match((await story.runs(0, "status")).out, /in doubt since .* because what backups before acme_/);
    const next = await night(story, 0);
    assert.deepEqual([next.findings, next.job.pruningBlocked], [[], undefined]);
    given.vaults.pop();
    const gone = await night(story, 3);
    assert.match(gone.findings[0]!.message, /the vault "small" with 4 items$/);
    given.vaults.push({ id: "small", items: items("small", 4) });
  });
}

const falling = account();
story(
  "without its memory the chain still tells of a great loss",
  { memory: falling, inMemory: true },
  async (story) => {
    await night(story, 0);
    Deno.removeSync(runsPath(story));
    falling.vaults[0]!.items = items("big", 10);
    const { findings, job } = await night(story, 3);
    assert.deepEqual(findings.map(({ finding }) => finding), ["suspicious", "no-baseline"]);
    assert.match(findings[0]!.message, /20 of 34 items are gone/);
    assert.equal(job.outcome, "suspicious");
  },
);

story("only ids and numbers are remembered", { memory: account(), inMemory: true }, async (story) => {
  story.job.vaults = { expect: ["title of big", "small"] };
  await night(story, 0);
  const [run] = remembered(story) as [Line];
  assert.deepEqual(run.vaults, [
    { id: "big", active: 30, archived: 0, files: 0 },
    { id: "small", active: 4, archived: 0, files: 0 },
  ]);
  assert.deepEqual([run.sequence, run.run, run.outcome, run.items], [
    1,
    runOf(story.archives()[0]!),
    "complete",
    34,
  ]);
  // The config's own words are on this host anyway.
  assert.deepEqual(run.expected, { seen: ["title of big", "small"], missing: [] });
  assert.doesNotMatch(JSON.stringify({ ...run, expected: [] }), /title|user of/);
});

story("a run that was killed before it was signed is not compared with", {
  memory: account(),
  inMemory: true,
}, async (story) => {
  await night(story, 0);
  story.files = { link: () => Promise.reject(new Error("the power is gone")) };
  await night(story, 1);
  story.files = {};
  const [first, second] = remembered(story);
  assert.deepEqual([first!.sequence, second!.sequence, story.archives().length], [1, 2, 1]);
  assert.doesNotMatch((await story.runs(0, "status")).out, new RegExp(second!.run));
  await night(story, 0);
  assert.deepEqual(remembered(story).map(({ run }) => run), story.archives().map(runOf));
});

const missing = account();
story("expected vaults that are missing are named, and one that the config itself leaves out", {
  memory: missing,
  inMemory: true,
}, async (story) => {
  story.job.vaults = { expect: ["title of big", "Payroll", "small"], exclude: ["small"] };
  story.clockOffset += NIGHT;
  const { err } = await story.runs(3, "backup");
  assert.match(err, /vault Payroll: the vault "Payroll" is expected, but this account does not show it\n/);
  assert.match(
    err,
    /vault small: the vault "small" is expected, but "include" and "exclude" of the config leave it out\n/,
  );
  assert.match(err, /, incomplete\n/);
  assert.equal(story.archives().length, 1);
  const { out } = await story.runs(0, "status");
  assert.match(out, /1 of 3\n/);
  assert.match(out, /^expected vaults missing: "Payroll", "small"$/m);
  story.job.vaults = { expect: ["title of big", "Sales"] };
  assert.match((await story.runs(0, "status")).out, /^not looked for yet: "Sales"$/m);
  assert.equal((await night(story, 3)).job.outcome, "incomplete");
});
