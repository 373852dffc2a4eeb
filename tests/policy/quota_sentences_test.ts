import assert from "node:assert/strict";
import type { Allowance, Plan } from "../../src/model/quota.ts";
import { judgeQuota } from "../../src/policy/quota.ts";
import {
  durationText,
  quotaRefusal,
  quotaSentences,
  quotaWarning,
  renewalHint,
} from "../../src/policy/quota_sentences.ts";

const NOW = new Date("2026-11-20T23:10:20Z");

const told: Allowance[] = [
  { scope: "token", action: "read", limit: 1000, used: 880, resetSeconds: 1200 },
  { scope: "account", action: "any", limit: 5000, used: 900, resetSeconds: 80_000 },
];

const look = (reads: number, allowances?: Allowance[], plan?: Plan) =>
  quotaSentences(judgeQuota({ reads }, allowances, plan), NOW);

Deno.test("a source without a quota says so and nothing else", () => {
  assert.deepEqual(look(0), ["calls to 1Password: none that count: this source costs no quota"]);
  assert.deepEqual(look(0, told, "teams"), look(0));
});

Deno.test("a run that fits: what it costs, of what, and how often it is possible", () => {
  assert.deepEqual(look(45, undefined, "families"), [
    "calls to 1Password: about 45 for the sign-in, vaults and items, and 2 for each file; this look has cost the first few of them",
    "quota on Families: 1,000 reads an hour for a token and 1,000 calls a day for the account",
    "it fits; a run takes 5% of the account's day, a day has room for 22 of them, files not counted",
  ]);
  assert.match(look(45, undefined, "business")[2]!, /a run takes less than 1% of the account's day/);
});

Deno.test("a run that does not fit: what to do", () => {
  assert.equal(
    look(2400, undefined, "teams")[2],
    'it does not fit into what is allowed at once: "--wait 2h" lets it go on; ' +
      "a run takes 48% of the account's day, a day has room for 2 of them, files not counted",
  );
  assert.match(
    look(1700, undefined, "families")[2]!,
    /"--wait 1d" .* takes 170% .* a day has no room for a whole one/,
  );
});

Deno.test("what 1Password says is left, and until when", () => {
  assert.deepEqual(look(45, told, "business").slice(1), [
    "quota: 120 left of 1,000 reads an hour for a token, renewed at 2026-11-20 23:31 UTC",
    "quota: 4,100 left of 5,000 calls a day for the account, renewed at 2026-11-21 21:24 UTC",
    "it fits; a run takes less than 1% of the account's day, a day has room for 111 of them, files not counted",
  ]);
  assert.deepEqual(look(45, [told[0]!], "teams").slice(1, 3), [
    "quota: 120 left of 1,000 reads an hour for a token, renewed at 2026-11-20 23:31 UTC",
    "quota on Teams: 5,000 calls a day for the account",
  ]);
});

Deno.test("an unknown plan: what is known without it", () => {
  const which = (reads: number) => look(reads)[1]!;
  assert.equal(
    which(45),
    'quota: not known; it fits into an hour and a day of every plan ("quota: {plan: …}" in the job tells which it is)',
  );
  assert.match(which(4000), /it fits into an hour and a day of Business only/);
  assert.match(which(40_000), /it fits into an hour and a day of no plan/);
});

Deno.test("a run is warned of a quota that may not last, with what would help", () => {
  const warn = (reads: number, wait: number, allowances?: Allowance[], plan?: Plan) =>
    quotaWarning(judgeQuota({ reads }, allowances, plan), wait);
  assert.equal(warn(1000, 0, undefined, "teams"), undefined);
  assert.equal(warn(1000, 0), undefined, "nothing is known");
  assert.deepEqual(warn(1700, 3599, undefined, "teams"), {
    message:
      "1Password's quota may not last for this backup: about 1,700 calls for vaults and items, and Teams " +
      "allows 1,000 reads an hour for a token; if it ends before all items are read, nothing is published",
    hint: '"--wait 1h" would let the backup go on when the quota renews',
  });
  assert.deepEqual(warn(1700, 3600, undefined, "teams"), {
    message:
      "1Password's quota may not last for this backup: about 1,700 calls for vaults and items, and Teams " +
      "allows 1,000 reads an hour for a token; it will wait for it to renew",
  });
  assert.match(
    warn(130, 0, told)!.message,
    /and 120 are left of 1,000 reads an hour for a token; if it ends/,
  );
});

Deno.test("a run is refused with when it would work", () => {
  const refuse = (reads: number, allowances: Allowance[]) => quotaRefusal(judgeQuota({ reads }, allowances));
  assert.deepEqual(refuse(300, told), {
    message:
      "1Password's quota does not last for this backup, so it was not begun: 150 calls at least, and 120 are " +
      "left of 1,000 reads an hour for a token",
    hint: 'try again in 20m, or let the backup wait: "--wait 20m"',
  });
  assert.equal(
    refuse(2400, told).hint,
    'that is more than is ever allowed at once: let the backup wait for more of it with "--wait 2h20m"',
  );
});

Deno.test("after a refused call people learn when it goes on, from whoever knows best", () => {
  const spent = [{ ...told[0]!, used: 1000 }, told[1]!];
  const when = (known: Parameters<typeof renewalHint>[0]) => /\((.*)\)/.exec(renewalHint(known, NOW))![1];
  const begins = "an hour and a day begin with the first call in them";
  assert.equal(when({}), `hourly for a token, daily for the account: ${begins}`);
  assert.equal(
    when({ plan: "teams" }),
    `Teams has 1,000 reads an hour for a token and 5,000 calls a day for the account: ${begins}`,
  );
  assert.equal(when({ plan: "teams", retryAfter: 3540 }), "1Password says: at 2026-11-21 00:10 UTC");
  assert.equal(
    when({ allowances: told, retryAfter: 60 }),
    "1Password says: at 2026-11-20 23:12 UTC",
    "none is used up",
  );
  assert.equal(
    when({ allowances: spent, retryAfter: 60, plan: "teams" }),
    "1,000 reads an hour for a token, renewed at 2026-11-20 23:31 UTC",
  );
  assert.match(
    renewalHint({}, NOW),
    /^wait for it to renew \(.*; a new token does not help with the account's day$/,
  );
});

Deno.test("durations are written as the option takes them, and never too short", () => {
  const cases = {
    0: "0m",
    1: "1m",
    60: "1m",
    61: "2m",
    3600: "1h",
    3660: "1h1m",
    86_400: "1d",
    90_061: "1d1h2m",
  };
  for (const [seconds, text] of Object.entries(cases)) assert.equal(durationText(Number(seconds)), text);
});
