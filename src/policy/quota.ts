import type { Allowance, CallEstimate, Plan, QuotaVerdict, QuotaWindow } from "../model/quota.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

/**
 * What the plans allow service accounts, from https://developer.1password.com/docs/service-accounts/rate-limits: reads
 * in an hour for each token, and calls of every kind in a day for the whole account. The hour and the day begin with
 * the first call in them. Writes have a limit of their own, and a backup makes none.
 */
const LIMITS: Record<Plan, { readsPerHour: number; callsPerDay: number }> = {
  business: { readsPerHour: 10_000, callsPerDay: 50_000 },
  teams: { readsPerHour: 1_000, callsPerDay: 5_000 },
  families: { readsPerHour: 1_000, callsPerDay: 1_000 },
  individual: { readsPerHour: 1_000, callsPerDay: 1_000 },
};

/** What a door reads of a file takes two calls: its item's key, then the body. */
export const CALLS_PER_FILE = 2;

/** The allowances of a plan, with nothing said of what is left. */
export function planWindows(plan: Plan): QuotaWindow[] {
  const { readsPerHour, callsPerDay } = LIMITS[plan];
  return [
    { scope: "token", limit: readsPerHour, period: HOUR },
    { scope: "account", limit: callsPerDay, period: DAY },
  ];
}

/** What bounds reading: what 1Password told, and where it told nothing, what the plan says. */
export function quotaWindows(allowances: readonly Allowance[] | undefined, plan?: Plan): QuotaWindow[] {
  const told = (allowances ?? []).filter((one) => one.action !== "write" && one.limit > 0).map(
    ({ scope, limit, used, resetSeconds }): QuotaWindow => ({
      scope,
      limit,
      period: scope === "token" ? HOUR : DAY,
      left: Math.max(0, limit - used),
      ...(resetSeconds === undefined ? {} : { resetSeconds }),
    }),
  );
  const rest = plan === undefined ? [] : planWindows(plan);
  return [...told, ...rest.filter(({ scope }) => !told.some((one) => one.scope === scope))];
}

/** Sets what a run will cost against what it may: pure arithmetic, the caller decides what follows. */
export function judgeQuota(
  estimate: CallEstimate,
  allowances: readonly Allowance[] | undefined,
  plan?: Plan,
): QuotaVerdict {
  const { reads } = estimate;
  const windows = quotaWindows(allowances, plan);
  const told = windows.filter(({ left }) => left !== undefined);
  const day = windows.find(({ scope }) => scope === "account");
  return {
    reads,
    ...(plan === undefined ? {} : { plan }),
    windows,
    ...(windows.length === 0 ? {} : { waitSeconds: longestWait(windows, reads) }),
    certainWaitSeconds: longestWait(told, Math.ceil(reads / 2)),
    ...(windows.length === 0 || reads === 0 ? {} : { runsPerDay: runsPerDay(windows, reads) }),
    ...(day === undefined ? {} : { percentOfDay: 100 * reads / day.limit }),
  };
}

/** The plans in whose hour and day so many reads fit, when nothing else has been read in them. */
export function plansThatFit(reads: number): Plan[] {
  return (Object.keys(LIMITS) as Plan[]).filter((plan) => longestWait(planWindows(plan), reads) === 0);
}

/**
 * Seconds until calls are possible again after 1Password has refused one: until the last of the allowances that are
 * used up begins anew, or what the refusal itself said, whichever is later. Undefined where nobody tells.
 */
export function renewsIn(
  allowances: readonly Allowance[] | undefined,
  retryAfter: number | undefined,
): number | undefined {
  const resets = usedUp(allowances).flatMap(({ resetSeconds }) => resetSeconds ?? []);
  const all = retryAfter === undefined ? resets : [...resets, retryAfter];
  return all.length === 0 ? undefined : Math.max(...all);
}

/** The allowances with nothing left. */
export function usedUp(allowances: readonly Allowance[] | undefined): QuotaWindow[] {
  return quotaWindows(allowances).filter(({ left }) => left === 0);
}

function longestWait(windows: readonly QuotaWindow[], reads: number): number {
  return Math.max(0, ...windows.map((window) => waitIn(window, reads)));
}

/** Seconds until so many calls have been allowed, in one window. */
function waitIn({ limit, period, left = limit, resetSeconds = period }: QuotaWindow, reads: number): number {
  if (reads <= left) return 0;
  return resetSeconds + (Math.ceil((reads - left) / limit) - 1) * period;
}

/** Whole runs that the tightest of the windows has room for in a day. */
function runsPerDay(windows: readonly QuotaWindow[], reads: number): number {
  // A run that needs more than one period of a window can still take its turn: what counts is the day's sum.
  return Math.min(...windows.map(({ limit, period }) => Math.floor(limit * (DAY / period) / reads)));
}
