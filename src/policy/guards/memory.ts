import type { Run } from "../../model/run.ts";
import { DAY, isGood, timeOf } from "./baseline.ts";

/** Runs that are kept whatever their dates say: clocks jump. */
const NEWEST = 50;

/** Days before the last good run that may still be compared with, and days after which all is forgotten. */
const NEEDED = 31;
const LONGEST = 400;

/**
 * The runs that are still needed, in their order: the newest ones, the last good one, and of the days before it
 * that are compared with and of those after it the best and the first doubtful one of each day. What an older doubtful
 * run saw in which vault is left out.
 */
export function worthKeeping(runs: readonly Run[], accepted: ReadonlySet<string>, now: Date): Run[] {
  const last = runs.findLast((run) => isGood(run, accepted));
  const from = Math.max(
    Math.min(now.getTime(), last ? timeOf(last) : Infinity) - NEEDED * DAY,
    now.getTime() - LONGEST * DAY,
  );
  const newest = new Set(runs.slice(-NEWEST));
  if (last) newest.add(last);
  const older = runs.filter((run) => !newest.has(run) && timeOf(run) >= from);
  const chosen = new Map<string, Run>();
  for (const run of older) {
    const good = isGood(run, accepted);
    const day = `${run.time.slice(0, 10)} ${good}`;
    const before = chosen.get(day);
    if (!before || good && run.items > before.items) chosen.set(day, run);
  }
  const kept = new Set(chosen.values());
  return runs.flatMap((run) => {
    if (newest.has(run)) return [run];
    if (!kept.has(run)) return [];
    const { vaults: _, ...rest } = run;
    return [isGood(run, accepted) ? run : rest];
  });
}
