const DAY = 86_400_000;

/** Days without a backup after which it is not sure that only time has gone by. */
const PAUSE = 7;

/** So many of the last pauses tell how often backups are made. */
const USUAL = 3;

/**
 * Why the clock may be wrong at a run, so that nothing may be removed by its word; undefined where nothing speaks
 * against it. `earlier` are the times of the runs before it, in the order of their chain.
 *
 * After a pause much longer than usual the second run counts again: a clock that was put forward once has not proved
 * itself, two backups a usual time apart have. Who backs up once a month has pauses of a month.
 */
export function clockDoubt(earlier: readonly Date[], run: Date): string | undefined {
  const before = earlier.at(-1);
  if (!before) return undefined;
  const pause = run.getTime() - before.getTime();
  if (pause < 0) return `the clock is behind the last backup, which was made at ${text(before)}`;
  const pauses = earlier.slice(-USUAL - 1).map((time, at, all) =>
    time.getTime() - (all[at - 1] ?? time).getTime()
  )
    .slice(1).sort((a, b) => a - b);
  // The lower middle: one leap does not make leaps usual.
  const usual = pauses[Math.floor((pauses.length - 1) / 2)] ?? 0;
  if (pause <= Math.max(PAUSE * DAY, 2 * usual)) return undefined;
  return `the last backup was made ${Math.floor(pause / DAY)} days before, at ${text(before)}: ` +
    "perhaps the clock was put forward";
}

function text(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
