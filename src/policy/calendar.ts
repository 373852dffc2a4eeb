/**
 * Hours, days, ISO weeks, months and years, all in UTC, as archives are named: the same archive falls into the same
 * day on the backup host and on the computer that prunes, whatever their time zones, and no day has 23 or 25 hours.
 */

/** The part of the calendar by which archives are told apart. */
export type Period = "hour" | "day" | "week" | "month" | "year";

/** The form of a span: years, months, weeks, days, hours, in this order, as in `1y5m7d2h`; `m` is months. */
export const SPAN =
  /^(?=.)(?:([1-9]\d{0,3})y)?(?:([1-9]\d{0,3})m)?(?:([1-9]\d{0,3})w)?(?:([1-9]\d{0,3})d)?(?:([1-9]\d{0,3})h)?$/;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A text that two moments share exactly when they lie in the same period. */
export function periodOf(time: Date, period: Period): string {
  const text = time.toISOString();
  switch (period) {
    case "hour":
      return text.slice(0, "2026-11-27T23".length);
    case "day":
      return text.slice(0, "2026-11-27".length);
    case "week":
      return isoWeek(time);
    case "month":
      return text.slice(0, "2026-11".length);
    case "year":
      return String(time.getUTCFullYear());
  }
}

/** ISO 8601: weeks begin on Monday and belong to the year of their Thursday. */
function isoWeek(time: Date): string {
  const weekday = (time.getUTCDay() + 6) % 7;
  const thursday = new Date(Math.floor(time.getTime() / DAY) * DAY + (3 - weekday) * DAY);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY)) + 1;
  return `${year}-W${String(week).padStart(2, "0")}`;
}

/**
 * The moment that lies `span` before `now`. Where a month is too short for the day (one month before 31 March) it is
 * that month's last day: the earlier of what could be meant, which keeps more.
 */
export function before(now: Date, span: string): Date {
  const [, years = 0, months = 0, weeks = 0, days = 0, hours = 0] = (SPAN.exec(span) ?? []).map((part) =>
    Number(part ?? 0)
  );
  const moved = new Date(now);
  moved.setUTCDate(1);
  moved.setUTCMonth(moved.getUTCMonth() - months - 12 * years);
  const last = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate();
  moved.setUTCDate(Math.min(now.getUTCDate(), last));
  return new Date(moved.getTime() - (weeks * 7 + days) * DAY - hours * HOUR);
}
