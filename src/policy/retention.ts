import { before, type Period, periodOf } from "./calendar.ts";

/** Which archives to keep, as the config says it; every rule that is left out keeps nothing. */
export interface RetentionRules {
  keepLast?: number | undefined;
  keepHourly?: number | undefined;
  keepDaily?: number | undefined;
  keepWeekly?: number | undefined;
  keepMonthly?: number | undefined;
  keepYearly?: number | undefined;
  /** A span such as `7d` (`calendar.ts`). */
  keepWithin?: string | undefined;
}

/** An archive at a destination, and what may be said of it. */
export interface Candidate {
  name: string;
  /** The signed one; that of the name where nothing is signed. */
  time: Date;
  /** Its place in its chain; 0 where nothing is signed. */
  sequence: number;
  /**
   * - `whole`: signed by a trusted key, of the size that was signed, complete (or accepted by a person).
   * - `lacking`: the same, but incomplete or suspicious. Counts for nothing.
   * - `strange`: unsigned, signed by a stranger, of another size. Not ours to judge: never removed, counts for nothing.
   */
  standing: "whole" | "lacking" | "strange";
}

/** What is to become of an archive, and why. */
export interface Verdict<T extends Candidate = Candidate> {
  archive: T;
  keep: boolean;
  /** At least one; for a person who reads `prune --dry-run`, and for the signed record of a removal. */
  reasons: string[];
}

/** No policy leaves fewer. */
export const FEWEST = 3;

/** What one run removes at the most: so many, or a tenth of ours, whichever is more. A mistake is noticed in time. */
const MOST = 30;

const PERIODS = [
  ["keepHourly", "hour", "hourly"],
  ["keepDaily", "day", "daily"],
  ["keepWeekly", "week", "weekly"],
  ["keepMonthly", "month", "monthly"],
  ["keepYearly", "year", "yearly"],
] as const;

/**
 * What `rules` keep of `archives` at the moment `now`; a verdict for each, newest first.
 *
 * As users of restic know it, an archive stays when any rule wants it: `keepDaily: 14` the last one of each of the
 * newest 14 days that have any (and the oldest of all while fewer than 14 have), `keepWithin: 7d` everything younger.
 * Around that: never fewer than {@linkcode FEWEST}; what is dated in the future or strange stays and counts for
 * nothing; so does what is lacking, until a newer whole one has itself outlived `keepWithin`.
 */
export function judgeRetention<T extends Candidate>(
  archives: readonly T[],
  rules: RetentionRules,
  now: Date,
): Verdict<T>[] {
  const newest = [...archives].sort(newestFirst);
  const wanted = new Map<T, string[]>(newest.map((archive) => [archive, []]));
  const keep = (archive: T, reason: string) => void wanted.get(archive)!.push(reason);
  const kept = (archive: T) => wanted.get(archive)!.length > 0;

  for (const archive of newest) {
    if (archive.standing === "strange") keep(archive, "not known to be ours, so not ours to remove");
    else if (archive.time > now) keep(archive, "dated in the future");
  }
  const past = newest.filter((archive) => !kept(archive));
  const whole = past.filter(({ standing }) => standing === "whole");
  const lacking = past.filter(({ standing }) => standing === "lacking");

  const { keepWithin } = rules;
  const horizon = keepWithin === undefined ? now : before(now, keepWithin);
  if (keepWithin !== undefined) {
    for (const archive of past) if (archive.time >= horizon) keep(archive, `within ${keepWithin}`);
  }
  for (const archive of whole.slice(0, rules.keepLast ?? 0)) keep(archive, "last");
  for (const [rule, period, word] of PERIODS) {
    for (const [archive, which] of newestOfEach(whole, period, rules[rule] ?? 0)) {
      keep(archive, `${which}${word}`);
    }
  }
  const heirOf = (archive: T) =>
    whole.findLast(({ time }) => time > archive.time && (keepWithin === undefined || time < horizon));
  for (const archive of lacking) {
    if (!kept(archive) && !heirOf(archive)) keep(archive, "no whole archive has replaced it for long enough");
  }
  // So many whole ones, which are what somebody will want to restore; only where there are not so many, lacking ones too.
  for (const some of [whole, [...whole, ...lacking]]) {
    const missing = FEWEST - some.filter(kept).length;
    for (const archive of some.filter((archive) => !kept(archive)).slice(0, Math.max(0, missing))) {
      keep(archive, `never fewer than ${FEWEST}`);
    }
  }
  return newest.map((archive) => {
    if (kept(archive)) return { archive, keep: true, reasons: wanted.get(archive)! };
    const heir = archive.standing === "lacking" ? heirOf(archive) : undefined;
    return { archive, keep: false, reasons: [heir ? `replaced by "${heir.name}"` : "no rule keeps it"] };
  });
}

/** What a run removes now, oldest first; the rest is for the next run. */
export function removalsOf<T extends Candidate>(verdicts: readonly Verdict<T>[]): Verdict<T>[] {
  const ours = verdicts.filter(({ archive }) => archive.standing !== "strange").length;
  const most = Math.max(MOST, Math.floor(ours / 10));
  return verdicts.filter((verdict) => !verdict.keep).reverse().slice(0, most);
}

/** The newest of each of the newest `count` periods; while fewer have any, the oldest of all too. */
function* newestOfEach<T extends Candidate>(
  newest: readonly T[],
  period: Period,
  count: number,
): Generator<[archive: T, which: "" | "oldest "]> {
  let left = count, last: string | undefined, taken: T | undefined;
  for (const archive of newest) {
    if (left === 0) return;
    const at = periodOf(archive.time, period);
    if (at === last) continue;
    last = at;
    taken = archive;
    left--;
    yield [archive, ""];
  }
  const oldest = newest.at(-1);
  if (left > 0 && oldest && oldest !== taken) yield [oldest, "oldest "];
}

/** By time; in the same second by their place in the chain, then by name, so that the order never depends on a list. */
function newestFirst(a: Candidate, b: Candidate): number {
  return b.time.getTime() - a.time.getTime() || b.sequence - a.sequence || (a.name < b.name ? 1 : -1);
}
