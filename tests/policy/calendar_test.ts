import assert from "node:assert/strict";
import { before, type Period, periodOf } from "../../src/policy/calendar.ts";

const at = (text: string) => new Date(`${text}Z`);

Deno.test("periods are those of UTC and of ISO 8601", () => {
  const table: [time: string, period: Period, text: string][] = [
    ["2026-11-27T23:59:59", "hour", "2026-11-27T23"],
    ["2026-11-27T23:59:59", "day", "2026-11-27"],
    ["2026-11-28T00:00:00", "day", "2026-11-28"],
    ["2024-02-29T12:00:00", "day", "2024-02-29"],
    ["2024-02-29T12:00:00", "month", "2024-02"],
    ["2026-12-31T23:59:59", "year", "2026"],
    // A year's first days may belong to the last week of the one before, and the other way round.
    ["2026-01-01T00:00:00", "week", "2026-W01"],
    ["2025-12-29T00:00:00", "week", "2026-W01"],
    ["2025-12-28T23:59:59", "week", "2025-W52"],
    ["2027-01-03T23:59:59", "week", "2026-W53"],
    ["2027-01-04T00:00:00", "week", "2027-W01"],
    ["2020-12-31T10:00:00", "week", "2020-W53"],
    ["2021-01-03T10:00:00", "week", "2020-W53"],
    ["2024-12-30T10:00:00", "week", "2025-W01"],
    ["1970-01-01T00:00:00", "week", "1970-W01"],
  ];
  for (const [time, period, text] of table) {
    assert.equal(periodOf(at(time), period), text, `${time} ${period}`);
  }
});

Deno.test("every day of 60 years is in a week that begins on a Monday and has seven days", () => {
  let last = "", length = 7;
  for (let day = Date.UTC(1999, 0, 4); day < Date.UTC(2059, 0, 1); day += 86_400_000) {
    const week = periodOf(new Date(day), "week");
    if (week !== last) {
      assert.equal(length, 7, `${last} has ${length} days`);
      assert.equal(new Date(day).getUTCDay(), 1, `${week} begins on a Monday`);
      [last, length] = [week, 0];
    }
    length++;
  }
});

Deno.test("spans go back by the calendar, to the last day of a month that is too short", () => {
  const table: [now: string, span: string, then: string][] = [
    ["2026-11-27T10:30:00", "12h", "2026-11-26T22:30:00"],
    ["2026-11-27T10:30:00", "7d", "2026-11-20T10:30:00"],
    ["2026-11-27T10:30:00", "2w", "2026-11-13T10:30:00"],
    ["2026-11-27T10:30:00", "3m", "2026-08-27T10:30:00"],
    ["2026-03-31T10:30:00", "1m", "2026-02-28T10:30:00"],
    ["2024-03-31T10:30:00", "1m", "2024-02-29T10:30:00"],
    ["2024-02-29T00:00:00", "1y", "2023-02-28T00:00:00"],
    ["2028-02-29T00:00:00", "4y", "2024-02-29T00:00:00"],
    ["2026-01-15T00:00:00", "1y5m7d2h", "2024-08-07T22:00:00"],
    ["2026-01-31T00:00:00", "13m", "2024-12-31T00:00:00"],
    // The nights in which clocks are changed have no effect.
    ["2026-03-29T01:30:00", "1d", "2026-03-28T01:30:00"],
    ["2026-10-25T01:30:00", "1d", "2026-10-24T01:30:00"],
  ];
  for (const [now, span, then] of table) {
    assert.deepEqual(before(at(now), span), at(then), `${span} before ${now}`);
  }
});
