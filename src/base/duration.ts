/** Milliseconds. A year is 366 days: what is to last so long must not end a day too early. */
const UNITS = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 366 * 86_400_000,
};

/** Milliseconds of a duration in one unit, whose form has been checked: `90s`, `5m` (minutes), `36h`, `30d`, `8w`, `1y`. */
export function milliseconds(duration: string): number {
  return Number(duration.slice(0, -1)) * UNITS[duration.at(-1) as keyof typeof UNITS];
}
