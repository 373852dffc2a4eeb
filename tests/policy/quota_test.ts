import assert from "node:assert/strict";
import type { Allowance, Plan } from "../../src/model/quota.ts";
import { judgeQuota, plansThatFit, quotaWindows, renewsIn } from "../../src/policy/quota.ts";

/** As `op service-account ratelimit` tells of a Teams account. */
function teams(read: number, day: number): Allowance[] {
  return [
    { scope: "token", action: "write", limit: 100, used: 100, resetSeconds: 10 },
    { scope: "token", action: "read", limit: 1000, used: read, ...(read ? { resetSeconds: 1200 } : {}) },
    { scope: "account", action: "any", limit: 5000, used: day, ...(day ? { resetSeconds: 7200 } : {}) },
  ];
}

const wait = (reads: number, allowances?: Allowance[], plan?: Plan) =>
  judgeQuota({ reads }, allowances, plan).waitSeconds;

Deno.test("the plans are those of 1Password's table", () => {
  const limits = (plan: Plan) =>
    quotaWindows(undefined, plan).map(({ scope, limit, period }) => [scope, limit, period]);
  assert.deepEqual(limits("business"), [["token", 10_000, 3600], ["account", 50_000, 86_400]]);
  assert.deepEqual(limits("teams"), [["token", 1000, 3600], ["account", 5000, 86_400]]);
  assert.deepEqual(limits("families"), [["token", 1000, 3600], ["account", 1000, 86_400]]);
  assert.deepEqual(limits("individual"), limits("families"));
});

Deno.test("a run fits up to the last call of an hour and of a day", () => {
  assert.equal(wait(1000, undefined, "teams"), 0);
  assert.equal(wait(1001, undefined, "teams"), 3600);
  assert.equal(wait(2000, undefined, "teams"), 3600);
  assert.equal(wait(2001, undefined, "teams"), 7200);
  assert.equal(wait(5000, undefined, "teams"), 4 * 3600);
  assert.equal(wait(5001, undefined, "teams"), 24 * 3600, "the day is longer than its hours");
  assert.equal(wait(1001, undefined, "families"), 24 * 3600);
  assert.equal(wait(10_000, undefined, "business"), 0);
  assert.equal(wait(10_001, undefined, "business"), 3600);
});

Deno.test("what 1Password tells counts more than the plan, window by window", () => {
  assert.equal(wait(100, teams(900, 900)), 0);
  assert.equal(wait(101, teams(900, 900)), 1200);
  assert.equal(wait(1101, teams(900, 900)), 1200 + 3600);
  assert.equal(wait(101, teams(0, 4900)), 7200);
  assert.equal(wait(101, teams(900, 4900)), 7200, "the later of both");
  assert.equal(wait(101, teams(900, 4900), "business"), 7200, "a wrong plan changes nothing");
  const [, token] = teams(900, 0);
  assert.equal(wait(1100, [token!], "families"), 24 * 3600, "what is not told is the plan's");
  assert.equal(
    wait(101, [{ ...token!, resetSeconds: undefined } as unknown as Allowance]),
    3600,
    "an hour at most",
  );
  assert.equal(wait(1, teams(2000, 0)), 1200, "used may be more than allowed");
});

Deno.test("writes and limits of nought say nothing of reading", () => {
  assert.deepEqual(quotaWindows([{ scope: "token", action: "write", limit: 5, used: 5 }]), []);
  assert.deepEqual(quotaWindows([{ scope: "account", action: "any", limit: 0, used: 0 }]), []);
  assert.equal(wait(10, []), undefined);
});

Deno.test("only what 1Password told is certain, and only half of an estimate", () => {
  const certain = (reads: number, allowances?: Allowance[], plan?: Plan) =>
    judgeQuota({ reads }, allowances, plan).certainWaitSeconds;
  assert.equal(certain(1_000_000, undefined, "families"), 0, "a plan says nothing of what is left");
  assert.equal(certain(200, teams(900, 0)), 0);
  assert.equal(certain(201, teams(900, 0)), 1200);
  assert.equal(certain(201, teams(900, 4900)), 7200);
  assert.equal(certain(201, [], "families"), 0);
  assert.equal(certain(0, teams(1000, 5000)), 0, "what costs nothing is never refused");
  const [, token] = teams(0, 0);
  assert.equal(certain(5000, [token!], "families"), 3600 * 2, "the plan's day is not among what was told");
});

Deno.test("how often, and how much of a day", () => {
  const of = (reads: number, plan: Plan) => {
    const { runsPerDay, percentOfDay } = judgeQuota({ reads }, undefined, plan);
    return [runsPerDay, percentOfDay];
  };
  assert.deepEqual(of(100, "families"), [10, 10]);
  assert.deepEqual(of(300, "families"), [3, 30]);
  assert.deepEqual(of(1001, "families"), [0, 100.1]);
  assert.deepEqual(of(50, "business"), [1000, 0.1]);
  const [, token] = teams(0, 0);
  assert.equal(judgeQuota({ reads: 2400 }, [token!]).runsPerDay, 10, "24 hours of 1,000");
  assert.equal(judgeQuota({ reads: 2400 }, [token!]).percentOfDay, undefined);
  const nothing = judgeQuota({ reads: 10 }, undefined);
  assert.deepEqual(nothing, { reads: 10, windows: [], certainWaitSeconds: 0 });
});

Deno.test("a run that costs nothing fits anywhere", () => {
  const { waitSeconds, runsPerDay, percentOfDay } = judgeQuota({ reads: 0 }, teams(1000, 5000));
  assert.deepEqual([waitSeconds, runsPerDay, percentOfDay], [0, undefined, 0]);
});

Deno.test("without a plan it is known at least which ones would do", () => {
  assert.deepEqual(plansThatFit(1000), ["business", "teams", "families", "individual"]);
  assert.deepEqual(plansThatFit(1001), ["business"]);
  assert.deepEqual(plansThatFit(10_001), []);
});

Deno.test("calls are possible again when the last of what is used up has renewed", () => {
  assert.equal(renewsIn(undefined, undefined), undefined);
  assert.equal(renewsIn(undefined, 90), 90);
  assert.equal(renewsIn(teams(10, 10), undefined), undefined, "nothing is used up");
  assert.equal(renewsIn(teams(1000, 10), undefined), 1200);
  assert.equal(renewsIn(teams(1000, 5000), 60), 7200);
  assert.equal(renewsIn(teams(1000, 10), 3540), 3540);
});
