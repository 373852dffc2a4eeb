import assert from "node:assert/strict";
import { clockDoubt } from "../../src/policy/clock_doubt.ts";

const DAY = 86_400_000;
const START = Date.UTC(2026, 9, 1, 3);

/** Times so many days after the start; the last is the run. */
function doubt(...days: number[]): string | undefined {
  const times = days.map((day) => new Date(START + day * DAY));
  return clockDoubt(times.slice(0, -1), times.at(-1)!);
}

Deno.test("a first run and runs a usual time apart are in no doubt", () => {
  for (const days of [[0], [0, 1], [0, 1, 2, 3, 4], [0, 7], [0, 0.01, 0.02, 7]]) {
    assert.equal(doubt(...days), undefined);
  }
});

Deno.test("after more than a week the second run counts again", () => {
  assert.match(
    doubt(0, 1, 2, 10) ?? "",
    /^the last backup was made 8 days before, at 2026-10-03 03:00 UTC: /,
  );
  assert.match(doubt(0, 7.1) ?? "", /7 days before/);
  assert.equal(doubt(0, 1, 2, 10, 11), undefined);
});

Deno.test("who backs up every month is in no doubt from the third on, and notices a year", () => {
  assert.match(doubt(0, 30) ?? "", /30 days/);
  assert.equal(doubt(0, 30, 61), undefined);
  assert.equal(doubt(0, 30, 61, 92, 122), undefined);
  assert.match(doubt(0, 30, 61, 92, 457) ?? "", /365 days/);
});

Deno.test("a clock that is behind the last backup is in doubt, however little", () => {
  assert.match(
    doubt(0, 1, 2, 1.99) ?? "",
    /^the clock is behind the last backup, which was made at 2026-10-03 03:00 UTC$/,
  );
  // The backup made by the wrong clock does not stop those after it.
  assert.equal(doubt(0, 1, 2, 1.5, 2.5), undefined);
});

Deno.test("a clock that was put forward once and back again is in doubt twice, then no more", () => {
  assert.match(doubt(0, 1, 400) ?? "", /399 days/);
  assert.match(doubt(0, 1, 400, 2) ?? "", /behind/);
  assert.equal(doubt(0, 1, 400, 2, 3), undefined);
  assert.match(doubt(0, 1, 2, 3, 400, 401, 900) ?? "", /499 days/, "one leap does not make leaps usual");
});
