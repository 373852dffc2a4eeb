import type { Allowance, Plan, QuotaVerdict, QuotaWindow } from "../model/quota.ts";
import { moment, number } from "./words.ts";
import { CALLS_PER_FILE, plansThatFit, planWindows, usedUp } from "./quota.ts";

const PLAN_NAMES: Record<Plan, string> = {
  business: "Business",
  teams: "Teams",
  families: "Families",
  individual: "Individual",
};

/** What people read of a verdict before anything was read: lines without an end of line. */
export function quotaSentences(verdict: QuotaVerdict, now: Date): string[] {
  if (verdict.reads === 0) return ["calls to 1Password: none that count: this source costs no quota"];
  return [
    `calls to 1Password: about ${number(verdict.reads)} for the sign-in, vaults and items, and ` +
    `${CALLS_PER_FILE} for each file; this look has cost the first few of them`,
    ...allowed(verdict, now),
    ...judged(verdict),
  ];
}

/** The warning of a run that will not, or may not, get through; undefined where it will, or nothing is known. */
export function quotaWarning(verdict: QuotaVerdict, waitSeconds: number): Warning | undefined {
  const needed = verdict.waitSeconds ?? 0;
  if (needed === 0) return undefined;
  const message = `1Password's quota may not last for this backup: about ${number(verdict.reads)} calls ` +
    `for vaults and items, and ${shortOf(verdict)}`;
  if (needed <= waitSeconds) return { message: `${message}; it will wait for it to renew` };
  return {
    message: `${message}; if it ends before all items are read, nothing is published`,
    hint: `"--wait ${durationText(needed)}" would let the backup go on when the quota renews`,
  };
}

/** The refusal of a run that cannot get through, before it has spent what is left. */
export function quotaRefusal(verdict: QuotaVerdict): { message: string; hint: string } {
  const certain = Math.ceil(verdict.reads / 2);
  const waiting = `"--wait ${durationText(verdict.waitSeconds ?? verdict.certainWaitSeconds)}"`;
  const never = verdict.windows.some(({ left, limit }) => left !== undefined && limit < certain);
  return {
    message: "1Password's quota does not last for this backup, so it was not begun: " +
      `${number(certain)} calls at least, and ${shortOf(verdict)}`,
    hint: never
      ? `that is more than is ever allowed at once: let the backup wait for more of it with ${waiting}`
      : `try again in ${durationText(verdict.certainWaitSeconds)}, or let the backup wait: ${waiting}`,
  };
}

/** What to do after 1Password has refused a call for its quota: when it goes on, as far as anybody told. */
export function renewalHint(
  known: { allowances?: readonly Allowance[] | undefined; retryAfter?: number | undefined; plan?: Plan },
  now: Date,
): string {
  return `wait for it to renew (${
    whenRenewed(known, now)
  }), or let "backup --wait 1h" wait so long by itself; ` +
    "a new token does not help with the account's day";
}

function whenRenewed(
  { allowances, retryAfter, plan }: Parameters<typeof renewalHint>[0],
  now: Date,
): string {
  const spent = usedUp(allowances);
  if (spent.length > 0) {
    return spent.map((window) => `${limitText(window)}${renewedAt(window, now)}`).join("; ");
  }
  if (retryAfter !== undefined) return `1Password says: at ${momentText(now, retryAfter)}`;
  const begins = "an hour and a day begin with the first call in them";
  if (plan === undefined) return `hourly for a token, daily for the account: ${begins}`;
  return `${PLAN_NAMES[plan]} has ${planWindows(plan).map(limitText).join(" and ")}: ${begins}`;
}

/** Something to say before a run. */
export interface Warning {
  message: string;
  hint?: string;
}

function allowed({ windows, plan }: QuotaVerdict, now: Date): string[] {
  if (windows.length === 0) return [];
  const told = windows.filter(({ left }) => left !== undefined);
  const lines = told.map((window) =>
    `quota: ${number(window.left!)} left of ${limitText(window)}${renewedAt(window, now)}`
  );
  const rest = windows.filter(({ left }) => left === undefined);
  if (plan !== undefined && rest.length > 0) {
    lines.push(`quota on ${PLAN_NAMES[plan]}: ${rest.map(limitText).join(" and ")}`);
  }
  return lines;
}

function judged(verdict: QuotaVerdict): string[] {
  const { reads, windows, waitSeconds, runsPerDay = 0, percentOfDay } = verdict;
  if (windows.length === 0) {
    return [`quota: not known; ${fitting(reads)} ("quota: {plan: …}" in the job tells which it is)`];
  }
  const share = percentOfDay === undefined
    ? []
    : [`a run takes ${percentText(percentOfDay)} of the account's day`];
  const often = runsPerDay === 0
    ? "a day has no room for a whole one"
    : `a day has room for ${number(runsPerDay)} of them`;
  const fits = waitSeconds
    ? `it does not fit into what is allowed at once: "--wait ${durationText(waitSeconds)}" lets it go on`
    : "it fits";
  return [`${fits}; ${[...share, often].join(", ")}, files not counted`];
}

function fitting(reads: number): string {
  const plans = plansThatFit(reads);
  if (plans.length === Object.keys(PLAN_NAMES).length) return "it fits into an hour and a day of every plan";
  if (plans.length === 0) return "it fits into an hour and a day of no plan";
  return `it fits into an hour and a day of ${plans.map((plan) => PLAN_NAMES[plan]).join(" and ")} only`;
}

/** The tightest window, in the words of a complaint. */
function shortOf({ windows, plan }: QuotaVerdict): string {
  const room = (window: QuotaWindow) => window.left ?? window.limit;
  const [tightest] = windows.toSorted((one, other) => room(one) - room(other));
  if (!tightest) return "nothing is known of what is allowed";
  if (tightest.left !== undefined) return `${number(tightest.left)} are left of ${limitText(tightest)}`;
  return `${plan ? PLAN_NAMES[plan] : "the plan"} allows ${limitText(tightest)}`;
}

function limitText({ scope, limit }: QuotaWindow): string {
  return scope === "token"
    ? `${number(limit)} reads an hour for a token`
    : `${number(limit)} calls a day for the account`;
}

function renewedAt({ resetSeconds }: QuotaWindow, now: Date): string {
  return resetSeconds === undefined ? "" : `, renewed at ${momentText(now, resetSeconds)}`;
}

/** `2026-11-20 17:30 UTC`, never too early. */
function momentText(now: Date, seconds: number): string {
  const minute = 60_000;
  const time = new Date(Math.ceil((now.getTime() + seconds * 1000) / minute) * minute);
  return moment(time.toISOString());
}

/** `1d2h5m` as options take it, rounded up to minutes. */
export function durationText(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  const parts = [[Math.floor(minutes / 1440), "d"], [Math.floor(minutes / 60) % 24, "h"], [
    minutes % 60,
    "m",
  ]];
  return parts.filter(([count]) => count !== 0).map(([count, unit]) => `${count}${unit}`).join("") || "0m";
}

function percentText(percent: number): string {
  return percent < 1 ? "less than 1%" : `${Math.ceil(percent)}%`;
}
