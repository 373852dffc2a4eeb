import assert from "node:assert/strict";
import type { Run } from "../../src/model/run.ts";
import { pruningBlock } from "../../src/policy/guards/block.ts";
import { worthKeeping } from "../../src/policy/guards/memory.ts";
import { day, run, thin } from "./runs.ts";

const NONE: ReadonlySet<string> = new Set();
const nights = (from: number, count: number, changes: Partial<Run> = {}) =>
  Array.from({ length: count }, (_, at) => run(from + at, { a: 10 }, changes));

Deno.test("a short memory is kept whole, whatever the clock says", () => {
  const runs = [run(-4000, { a: 1 }), ...nights(0, 40), run(9000, { a: 1 })];
  for (const now of [-9000, 0, 9000]) assert.deepEqual(worthKeeping(runs, NONE, day(now)), runs);
});

Deno.test("hourly backups: the newest fifty, and a run a day of the month before", () => {
  const runs = Array.from({ length: 24 * 60 }, (_, hour) => run(hour / 24, { a: 10 + hour % 24 }));
  const kept = worthKeeping(runs, NONE, day(60));
  assert.deepEqual(kept.slice(-50), runs.slice(-50));
  const older = kept.slice(0, -50);
  assert.ok(older.length >= 28 && older.length <= 33, `${older.length} runs`);
  assert.ok(older.every(({ time }) => time >= day(28).toISOString()));
  const byDay = Map.groupBy(runs, ({ time }) => time.slice(0, 10));
  for (const one of older.slice(1, -1)) {
    const best = Math.max(...byDay.get(one.time.slice(0, 10))!.map(({ items }) => items));
    assert.equal(one.items, best);
  }
});

Deno.test("a year in doubt: what there was before is still there to be compared with, and all is forgotten at last", () => {
  const good = nights(0, 60);
  const doubtful = nights(60, 500, { outcome: "suspicious" });
  const kept = worthKeeping([...good, ...doubtful.slice(0, 300)], NONE, day(360));
  assert.deepEqual(kept.filter(({ outcome }) => outcome === "complete"), good.slice(28));
  assert.equal(kept.find(({ outcome }) => outcome === "suspicious")?.run, "run 60", "since when");
  assert.equal(kept.filter(({ vaults }) => vaults === undefined).length, 250);
  const later = worthKeeping([...good, ...doubtful], NONE, day(560));
  assert.deepEqual(
    later.filter(({ outcome }) => outcome === "complete"),
    good.slice(-1),
    "the last good run",
  );
  assert.ok(later.length <= 402);
});

Deno.test("what is kept is kept the next time too", () => {
  let runs: Run[] = [];
  for (let hour = 0; hour < 24 * 80; hour += 3) {
    const changes: Partial<Run> = hour % 5 === 0 ? { outcome: "incomplete", gaps: 1 } : {};
    runs = worthKeeping([...runs, run(hour / 24, { a: 10 }, changes)], NONE, day(hour / 24));
  }
  assert.deepEqual(worthKeeping(runs, NONE, day(80 - 1 / 8)), runs);
  assert.ok(runs.length < 50 + 2 * 33, `${runs.length} runs`);
});

/** Since when and why, in short. */
function blocked(runs: Run[], ...accepted: string[]): string | undefined {
  const block = pruningBlock(runs, new Set(accepted));
  return block && `${block.reason} ${block.run} since ${block.since.slice(0, 10)}`;
}

Deno.test("pruning is blocked since the first doubtful run in a row, for what is wrong with the newest", () => {
  const gaps = { outcome: "incomplete", gaps: 2 } as const;
  assert.equal(blocked([]), undefined);
  assert.equal(blocked(nights(0, 3)), undefined);
  assert.equal(blocked([run(0, {}, gaps), run(1, {})]), undefined);
  assert.equal(blocked([run(0, {}), run(1, {}, gaps)]), "incomplete run 1 since 2026-01-02");
  assert.equal(
    blocked([run(0, {}), run(1, {}, gaps), run(2, {}, { outcome: "suspicious" }), run(3, {}, gaps)]),
    "incomplete run 3 since 2026-01-02",
  );
  assert.equal(
    blocked([run(0, {}), run(1, {}, { outcome: "refused" })]),
    "wrong-account run 1 since 2026-01-02",
  );
  assert.equal(blocked([run(0, {}), run(1, {}, { noBaseline: true })]), "no-baseline run 1 since 2026-01-02");
  assert.equal(blocked([thin(run(0, {}, { outcome: "suspicious" }))]), "suspicious run 0 since 2026-01-01");
});

Deno.test("what a person has accepted blocks no longer, but for its gaps", () => {
  const suspicious = (at: number, gaps = 0) => run(at, {}, { outcome: "suspicious", gaps });
  assert.equal(blocked([run(0, {}), suspicious(1)], "run 1"), undefined);
  assert.equal(
    blocked([run(0, {}), suspicious(1), suspicious(2)], "run 1"),
    "suspicious run 2 since 2026-01-03",
  );
  assert.equal(blocked([suspicious(1, 3)], "run 1"), "incomplete run 1 since 2026-01-02");
  const refused = run(1, {}, { outcome: "refused" });
  assert.equal(blocked([run(0, {}), refused], "run 1"), undefined);
});
