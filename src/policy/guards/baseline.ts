import type { Run } from "../../model/run.ts";

/** Milliseconds. */
export const DAY = 24 * 3600 * 1000;

/** Days over which a slow loss is noticed. */
const WINDOW = 30;

/** Days after which it is not sure that only time has gone by, and not the clock forward. */
const PAUSE = 7;

/** What a run is compared with. */
export interface Baseline {
  /** The newest run to rely on; absent where there is none, or all of them are of another account. */
  last: Run | undefined;
  /** The newest of them of which it is known what was in which vault. */
  detailed: Run | undefined;
  /** Those of the last 30 days, the last one always among them. */
  recent: Run[];
}

/** Whether a run can be relied on: neither incomplete nor suspicious, or accepted by a person. */
export function isGood(run: Run, accepted: ReadonlySet<string>): boolean {
  return run.outcome === "complete" || run.outcome !== "refused" && accepted.has(run.run);
}

/** The ids of all vaults that a run was shown; undefined where that is not known. */
export function shownTo(run: Run): string[] | undefined {
  return run.vaults && [...run.vaults.map(({ id }) => id), ...run.excluded ?? []];
}

/** Whether a run was shown any of these vaults; undefined where that is not known. */
export function shares(run: Run, shown: ReadonlySet<string>): boolean | undefined {
  return shownTo(run)?.some((id) => shown.has(id));
}

/**
 * What a run that is shown these vaults is compared with. A run or another account that a person has accepted is a
 * new beginning: nothing before it counts.
 *
 * A clock that jumps does not take the window away: after a pause of more than 7 days it reaches 30 days back from the
 * last good run, not from `now`, and what is dated in the future is in it.
 */
export function baselineOf(
  runs: readonly Run[],
  accepted: ReadonlySet<string>,
  shown: ReadonlySet<string>,
  now: Date,
): Baseline {
  const good: Run[] = [];
  for (const run of runs.toReversed()) {
    const ours = shares(run, shown) ?? run.outcome !== "refused";
    if (!ours) continue;
    if (run.outcome === "refused") {
      if (accepted.has(run.run)) break;
      continue;
    }
    if (!isGood(run, accepted)) continue;
    good.push(run);
    if (accepted.has(run.run)) break;
  }
  const [last] = good;
  const paused = last && now.getTime() - timeOf(last) > PAUSE * DAY;
  const from = (paused ? timeOf(last) : now.getTime()) - WINDOW * DAY;
  return {
    last,
    detailed: good.find(({ vaults }) => vaults !== undefined),
    recent: good.filter((run) => run === last || timeOf(run) >= from),
  };
}

/** Milliseconds since 1970. */
export function timeOf({ time }: Run): number {
  return Date.parse(time);
}
