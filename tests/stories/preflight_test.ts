import assert from "node:assert/strict";
import type { Allowance } from "../../src/model/quota.ts";
import type { Source } from "../../src/source/contract.ts";
import { AppError } from "../../src/base/errors.ts";
import { type Line, type Story, story } from "./harness.ts";
import { memoryAccount } from "./memory_source.ts";
import { events, nothingPublished } from "./quota.ts";

const ACCOUNT = {
  name: "Acme",
  vaults: [
    { title: "Finance", items: [{ title: "bank" }, { title: "tax" }] },
    { title: "Servers", items: [{ title: "gateway" }] },
    { title: "Sandbox", items: [{ title: "toy" }] },
  ],
};

story(
  "a dry run shows what would be saved, what not, and what it costs",
  { account: ACCOUNT },
  async (story) => {
    story.job.vaults = { exclude: ["Sandbox"], expect: ["Payroll"] };
    story.job.quota = { plan: "teams" };
    const { out, err } = await story.runs(3, "backup", "--dry-run");
    const id = (title: string) => story.service.account.vault(title).id;
    assert.match(out, new RegExp(`^${id("Finance")} +Finance +2 +yes$`, "m"));
    assert.match(out, new RegExp(`^${id("Sandbox")} +Sandbox +1 +no, excluded$`, "m"));
    assert.match(out, /^Payroll +\? +no, not visible$/m);
    assert.match(out, /^would be saved: 2 vaults, 3 active items and what is archived$/m);
    assert.match(out, new RegExp(`^recipients: ${story.recipient}\ndestinations: nas\n`, "m"));
    assert.match(
      out,
      /^calls to 1Password: about 16 for .*, and 2 for each file; this look has cost the first few/m,
    );
    assert.match(
      out,
      /^quota on Teams: 1,000 reads an hour for a token and 5,000 calls a day for the account$/m,
    );
    assert.match(
      out,
      /^it fits; a run takes less than 1% of the account's day, a day has room for 312 of them/m,
    );
    assert.match(out, /nothing was written or sent\n$/);
    assert.match(err, /warning: the vault "Payroll" is expected, but this account does not show it/);
    assert.ok(story.service.requests.total() <= 6);
    assert.equal(story.service.requests.count("items/overviews"), 0);
    nothingPublished(story);
    assert.deepEqual([...Deno.readDirSync(story.at("host"))].map(({ name }) => name).toSorted(), [
      "token",
      "vaultferry.yaml",
    ]);
  },
);

story("a dry run tells programs the same", { account: ACCOUNT }, async (story) => {
  story.job.vaults = { exclude: ["Sandbox"], expect: ["Payroll"] };
  story.job.quota = { plan: "teams" };
  const { lines, summary } = await story.runs(3, "backup", "--dry-run", "--json");
  const [{ v: _, event: __, ...plan }] = events(lines, "plan") as [Line];
  const vaults = story.service.account.vaults.map(({ id, title, items }) => ({
    id,
    items: items.length,
    included: title !== "Sandbox",
  }));
  assert.deepEqual({ ...plan, vaults: plan.vaults.toSorted(byId), quota: {} }, {
    job: "acme",
    vaults: vaults.toSorted(byId),
    missing: ['the vault "Payroll" is expected, but this account does not show it'],
    quota: {},
    recipients: [story.recipient],
    destinations: ["nas"],
  });
  assert.deepEqual(plan.quota, {
    reads: 16,
    plan: "teams",
    windows: [
      { scope: "token", limit: 1000, period: 3600 },
      { scope: "account", limit: 5000, period: 86_400 },
    ],
    waitSeconds: 0,
    certainWaitSeconds: 0,
    runsPerDay: 312,
    percentOfDay: 0.32,
  });
  assert.deepEqual(summary.jobs[0].quota, plan.quota);
  assert.deepEqual(summary.jobs[0].estimate, { reads: 16 });
});

/** A source in memory that estimates and tells what it is told to; the stories see what was asked of it. */
function quotas(story: Story, given: { reads: number; allowances?: () => Promise<Allowance[] | undefined> }) {
  const asked: string[] = [];
  const [plugin] = story.registry.sources;
  story.registry.sources = [{
    ...plugin!,
    open: async (...args) => {
      const source = await plugin!.open(...args);
      const door: Source = {
        ...source,
        estimate: () => (asked.push("estimate"), Promise.resolve({ reads: given.reads })),
        async *items(...args) {
          asked.push("items");
          yield* source.items(...args);
        },
        [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
      };
      const { allowances } = given;
      return allowances ? { ...door, allowances: () => (asked.push("allowances"), allowances()) } : door;
    },
  }];
  return asked;
}

const left = (count: number, resetSeconds = 1200): Allowance[] => [
  { scope: "token", action: "read", limit: 1000, used: 1000 - count, resetSeconds },
  { scope: "account", action: "any", limit: 5000, used: 10, resetSeconds: 80_000 },
];

const MEMORY = { memory: memoryAccount() };

story("a backup that cannot get through is not begun, and says when it could", MEMORY, async (story) => {
  const asked = quotas(story, { reads: 300, allowances: () => Promise.resolve(left(149)) });
  const { err, lines } = await story.runs(14, "backup", "--json");
  assert.match(
    err,
    /error: 1Password's quota does not last for this backup, so it was not begun: 150 calls at least, and 149 are left of 1,000 reads an hour for a token\nvaultferry: hint: try again in 20m, or let the backup wait: "--wait 20m"\n/,
  );
  assert.equal(events(lines, "error")[0]!.code, "quota");
  assert.deepEqual(asked, ["estimate", "allowances"]);
  nothingPublished(story);
  const dry = await story.runs(14, "backup", "--dry-run");
  assert.match(dry.out, /quota: 149 left of 1,000 reads an hour for a token, renewed at /);
  assert.match(dry.err, /warning: 1Password's quota does not last .*\n.*hint: try again in 20m/);
  await story.runs(14, "backup", "--wait", "19m");
  nothingPublished(story);
});

story("with a --wait that reaches it is begun, with a warning", MEMORY, async (story) => {
  quotas(story, { reads: 300, allowances: () => Promise.resolve(left(149)) });
  const { lines } = await story.runs(0, "backup", "--wait", "20m", "--json");
  const [{ code, message }] = events(lines, "warning") as [Line];
  assert.equal(code, "quota");
  assert.match(message, /may not last .*149 are left .*; it will wait for it to renew$/);
});

story("a backup that may get through is begun, with a warning", MEMORY, async (story) => {
  quotas(story, { reads: 300, allowances: () => Promise.resolve(left(150)) });
  const { err } = await story.runs(0, "backup");
  assert.match(
    err,
    /warning: 1Password's quota may not last .* if it ends before all items are read, nothing is pub/,
  );
  assert.match(err, /hint: "--wait 20m" would let the backup go on/);
});

story("a plan says nothing of what is left: it warns at most", MEMORY, async (story) => {
  const asked = quotas(story, { reads: 100_000 });
  story.job.quota = { plan: "families" };
  const { err } = await story.runs(0, "backup");
  assert.match(
    err,
    /warning: 1Password's quota may not last .*Families allows 1,000 reads an hour for a token/,
  );
  assert.deepEqual(asked, ["estimate", "items", "items"]);
});

story("what fits is not spoken of", MEMORY, async (story) => {
  quotas(story, { reads: 300, allowances: () => Promise.resolve(left(300)) });
  story.job.quota = { plan: "business" };
  const { lines } = await story.runs(0, "backup", "--json");
  assert.deepEqual(events(lines, "warning"), []);
});

story("where nothing can be known nothing is asked for", MEMORY, async (story) => {
  const asked = quotas(story, { reads: 100_000 });
  const { lines } = await story.runs(0, "backup", "--json");
  assert.deepEqual([events(lines, "warning"), asked], [[], ["items", "items"]]);
});

story("a door that fails to tell what is left costs a warning, not the backup", MEMORY, async (story) => {
  const fails = () => Promise.reject(new AppError("transient", "the program does not answer"));
  quotas(story, { reads: 100, allowances: fails });
  const { err } = await story.runs(0, "backup");
  assert.match(
    err,
    /warning: it is not known what is left of 1Password's quota: the program does not answer\n/,
  );
});

story("a source that costs nothing is not asked what is left, and says so", MEMORY, async (story) => {
  const asked = quotas(story, { reads: 0, allowances: () => assert.fail("asked") });
  story.job.quota = { plan: "families" };
  const { out } = await story.runs(0, "backup", "--dry-run");
  assert.match(out, /^calls to 1Password: none that count: this source costs no quota$/m);
  const { lines } = await story.runs(0, "backup", "--json");
  assert.deepEqual(events(lines, "warning"), []);
  assert.deepEqual(asked, ["estimate", "estimate", "items", "items"]);
});

story(
  "durations and plans that are none are refused before anybody is asked",
  { account: ACCOUNT },
  async (story) => {
    for (const wait of ["", "soon", "5", "1.5h", "-1h", "5m3h", "8d", "99999999999s", "1w"]) {
      const { err } = await story.runs(2, "backup", `--wait=${wait}`);
      assert.match(
        err,
        /'--wait <duration>' argument .* is invalid. it is a duration such as 30m, 2h or 1d12h/,
      );
    }
    for (const wait of ["0s", "7d", "1d23h59m60s", "90m"]) {
      await story.runs(
        0,
        "backup",
        "--dry-run",
        `--wait=${wait}`,
      );
    }
    story.service.requests.reset();
    for (const quota of [{ plan: "enterprise" }, {}, { plan: "teams", left: 3 }, "teams"]) {
      story.job.quota = quota;
      assert.match((await story.runs(2, "config", "check")).err, /jobs\.acme\.quota/);
    }
    assert.equal(story.service.requests.total(), 0);
  },
);

function byId(one: { id: string }, other: { id: string }): number {
  return one.id < other.id ? -1 : 1;
}
