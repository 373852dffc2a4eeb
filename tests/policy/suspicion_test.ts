import assert from "node:assert/strict";
import type { Run } from "../../src/model/run.ts";
import { baselineOf } from "../../src/policy/guards/baseline.ts";
import { suspicions } from "../../src/policy/guards/suspicion.ts";
import { day, type Holding, run, tallies, thin } from "./runs.ts";

interface Look {
  before: Run[];
  now: Holding;
  /** Day of the run that is judged; the day after the last by default. */
  at?: number;
  excluded?: string[];
  partial?: boolean;
  accepted?: string[];
}

/** What is suspicious, in short: `fewer-items 100>75 run 1`, `vault-gone a 4 run 1`. */
function look({ before, now, at, excluded = [], partial = false, accepted = [] }: Look): string[] {
  const vaults = tallies(now);
  const shown = new Set([...vaults.map(({ id }) => id), ...excluded]);
  const baseline = baselineOf(before, new Set(accepted), shown, day(at ?? before.length));
  return suspicions({ vaults, excluded, partial }, baseline).map((one) =>
    one.reason === "fewer-items"
      ? `${one.reason} ${one.before}>${one.now} ${one.baseline}`
      : `${one.reason} ${one.vaultId} ${one.before} ${one.baseline}`
  );
}

const TABLE: Record<string, Look & { is: string[] }> = {
  "the first run ever": { before: [], now: { a: 3 }, is: [] },
  "nothing changed": { before: [run(0, { a: 100 })], now: { a: 100 }, is: [] },
  "more than before": { before: [run(0, { a: 100 })], now: { a: 150, b: 1 }, is: [] },
  "a fifth gone": { before: [run(0, { a: 100 })], now: { a: 80 }, is: ["fewer-items 100>80 run 0"] },
  "a little less than a fifth gone": { before: [run(0, { a: 100 })], now: { a: 81 }, is: [] },
  "nine items gone, most of what there was": { before: [run(0, { a: 12 })], now: { a: 3 }, is: [] },
  "ten items gone, all but two": {
    before: [run(0, { a: 12 })],
    now: { a: 2 },
    is: ["fewer-items 12>2 run 0"],
  },
  "thousands gone, and no fifth": { before: [run(0, { a: 100_000 })], now: { a: 81_000 }, is: [] },
  "a small vault not shown any more": {
    before: [run(0, { a: 1000, b: 4 })],
    now: { a: 1000 },
    is: ["vault-gone b 4 run 0"],
  },
  "a small vault emptied": {
    before: [run(0, { a: 1000, b: 4 })],
    now: { a: 1000, b: 0 },
    is: ["vault-emptied b 4 run 0"],
  },
  "a small vault with one item left": { before: [run(0, { a: 1000, b: 4 })], now: { a: 1000, b: 1 }, is: [] },
  "an account of four items, all gone but one": { before: [run(0, { a: 4 })], now: { a: 1 }, is: [] },
  "a vault archived to the last item": {
    before: [run(0, { a: 1000, b: { active: 4 } })],
    now: { a: 1000, b: { archived: 4 } },
    is: ["vault-emptied b 4 run 0"],
  },
  "items archived in great numbers": {
    before: [run(0, { a: { active: 100, archived: 5 } })],
    now: { a: { active: 70, archived: 35 } },
    is: ["fewer-items 100>70 run 0"],
  },
  "the archive cleared out": {
    before: [run(0, { a: { active: 100, archived: 90 } })],
    now: { a: 100 },
    is: [],
  },
  "a vault of archived items not shown any more": {
    before: [run(0, { a: 100, b: { archived: 3 } })],
    now: { a: 100 },
    is: ["vault-gone b 3 run 0"],
  },
  "an empty vault not shown any more": { before: [run(0, { a: 100, b: 0 })], now: { a: 100 }, is: [] },
  "a vault excluded on purpose": {
    before: [run(0, { a: 100, b: 400 })],
    now: { a: 100 },
    excluded: ["b"],
    is: [],
  },
  "a vault excluded on purpose while another loses": {
    before: [run(0, { a: 100, b: 400 })],
    now: { a: 70 },
    excluded: ["b"],
    is: ["fewer-items 100>70 run 0"],
  },
  "a vault excluded on purpose, and removed the day after": {
    before: [run(0, { a: 100, b: 400 }), run(1, { a: 100 }, { excluded: ["b"] })],
    now: { a: 100 },
    is: [],
  },
  "a vault that was excluded once and is gone later": {
    before: [run(0, { a: 100 }, { excluded: ["b"] }), run(1, { a: 100, b: 4 })],
    now: { a: 100 },
    is: ["vault-gone b 4 run 1"],
  },
  "a vault included anew does not make up for a loss": {
    before: [run(0, { a: 100 }, { excluded: ["b"] })],
    now: { a: 70, b: 400 },
    is: ["fewer-items 100>70 run 0"],
  },
  "items moved to a new vault": { before: [run(0, { a: 100 })], now: { a: 60, b: 40 }, is: [] },
  "all items moved, and the old vault removed": {
    before: [run(0, { a: 100 }), run(1, { a: 100, b: 0 })],
    now: { b: 100 },
    is: ["vault-gone a 100 run 1"],
  },
  "what gaps name is there": {
    before: [run(0, { a: 100 })],
    now: { a: { active: 70, lacking: 30 } },
    is: [],
  },
  "gaps, and a loss besides": {
    before: [run(0, { a: 100, b: 50 })],
    now: { a: { active: 70, lacking: 10 }, b: 10 },
    is: ["fewer-items 150>90 run 0"],
  },
  "a vault that could not be read is not gone": {
    before: [run(0, { a: 100, b: 400 })],
    now: { a: 100, b: { unread: true } },
    is: [],
  },
  "a vault that could not be read while another is gone": {
    before: [run(0, { a: 100, b: 400, c: 30 })],
    now: { a: 100, b: { unread: true } },
    is: ["fewer-items 130>100 run 0", "vault-gone c 30 run 0"],
  },
  "a whole source that could not be read may be the one that shows a vault": {
    before: [run(0, { a: 100, b: 400 })],
    now: { a: 100 },
    partial: true,
    is: [],
  },
  "a whole source that could not be read hides no loss in what the others show": {
    before: [run(0, { a: 100, b: 400 })],
    now: { a: 60 },
    partial: true,
    is: ["fewer-items 100>60 run 0"],
  },
  "a slow leak, 19 in a hundred every night": {
    before: [run(0, { a: 1000 }), run(1, { a: 810 })],
    now: { a: 657 },
    is: ["fewer-items 1000>657 run 0"],
  },
  "a leak that began more than 30 days ago": {
    before: [run(0, { a: 1000 }), run(25, { a: 900 })],
    now: { a: 750 },
    at: 31,
    is: [],
  },
  "a leak that began 30 days ago": {
    before: [run(0, { a: 1000 }), run(25, { a: 900 })],
    now: { a: 750 },
    at: 30,
    is: ["fewer-items 1000>750 run 0"],
  },
  "a doubtful run is no baseline": {
    before: [
      run(0, { a: 100 }),
      run(1, { a: 50 }, { outcome: "suspicious" }),
      run(2, { a: 50 }, {
        outcome: "incomplete",
        gaps: 1,
      }),
    ],
    now: { a: 50 },
    is: ["fewer-items 100>50 run 0"],
  },
  "what came back is not gone": {
    before: [run(0, { a: 100, b: 4 }), run(1, { a: 50 }, { outcome: "suspicious" })],
    now: { a: 100, b: 4 },
    is: [],
  },
  "an accepted run is the new baseline": {
    before: [run(0, { a: 100, b: 4 }), run(1, { a: 50 }, { outcome: "suspicious" })],
    now: { a: 45 },
    accepted: ["run 1"],
    is: [],
  },
  "a loss after an accepted one": {
    before: [run(0, { a: 100 }), run(1, { a: 50 }, { outcome: "suspicious" })],
    now: { a: 40 },
    accepted: ["run 1"],
    is: ["fewer-items 50>40 run 1"],
  },
  "a run accepted with gaps counts what they name": {
    before: [
      run(0, { a: 100 }),
      run(1, { a: { active: 40, lacking: 10 } }, { outcome: "suspicious", gaps: 10 }),
    ],
    now: { a: 40 },
    accepted: ["run 1"],
    is: ["fewer-items 50>40 run 1"],
  },
  "after months without a backup": {
    before: [run(0, { a: 1000 }), run(1, { a: 850 })],
    now: { a: 750 },
    at: 200,
    is: ["fewer-items 1000>750 run 0"],
  },
  "a clock put back a year": {
    before: [run(0, { a: 1000 }), run(1, { a: 850 })],
    now: { a: 750 },
    at: -365,
    is: ["fewer-items 1000>750 run 0"],
  },
  "a clock put forward ten years": {
    before: [run(0, { a: 1000 }), run(1, { a: 850 })],
    now: { a: 750 },
    at: 3650,
    is: ["fewer-items 1000>750 run 0"],
  },
  "a run from the future counts": {
    before: [run(900, { a: 1000 }), run(1, { a: 1000 })],
    now: { a: 700, b: 1 },
    at: 2,
    is: ["fewer-items 1000>701 run 1"],
  },
  "only the chain remembers: the number of items": {
    before: [thin(run(0, { a: 996, b: 4 }))],
    now: { a: 700 },
    is: ["fewer-items 1000>700 run 0"],
  },
  "only the chain remembers: nothing of vaults": {
    before: [thin(run(0, { a: 1000, b: 4 }))],
    now: { a: 1000 },
    is: [],
  },
  "the chain remembers the last, the memory the one before": {
    before: [run(0, { a: 1000, b: 4 }), thin(run(1, { a: 1000, b: 4 }))],
    now: { a: 1000 },
    is: ["vault-gone b 4 run 0"],
  },
  "ids that objects have properties of": {
    before: [run(0, { constructor: 4, a: 20 })],
    now: { a: 20 },
    is: ["vault-gone constructor 4 run 0"],
  },
};

for (const [name, { is, ...given }] of Object.entries(TABLE)) {
  Deno.test(`suspicion: ${name}`, () => assert.deepEqual(look(given), is));
}

Deno.test("a leak of 19 in a hundred every night is caught in its second night, and stays caught", () => {
  const runs: Run[] = [run(0, { a: 1000 })];
  const caught: number[] = [];
  let left = 1000;
  for (let night = 1; night <= 10; night++) {
    left = Math.ceil(left * 0.81);
    const found = look({ before: runs, now: { a: left }, at: night });
    if (found.length > 0) caught.push(night);
    runs.push(run(night, { a: left }, found.length > 0 ? { outcome: "suspicious" } : {}));
  }
  assert.deepEqual(caught, [2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

/** Numbers that are the same in every run of the tests. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

Deno.test("whatever happened before: no loss within 30 days of a fifth and ten items goes unnoticed, and no growth is one", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const any = chance(seed);
    const vaults = ["a", "b", "c"].slice(0, 1 + any(3));
    const holding = () => Object.fromEntries(vaults.map((id) => [id, 20 + any(400)]));
    const runs = Array.from(
      { length: 1 + any(20) },
      (_, at) => run(at, holding(), any(4) === 0 ? { outcome: "suspicious" } : {}),
    );
    const good = runs.filter(({ outcome }) => outcome === "complete");
    const now = holding();
    const items = Object.values(now).reduce((sum, count) => sum + count, 0);
    const most = Math.max(0, ...good.map((one) => one.items));
    const lost = most - items;
    const found = look({ before: runs, now, at: 21 });
    assert.equal(
      found.length > 0,
      lost >= 10 && lost * 5 >= most,
      `seed ${seed}: ${most} > ${items}: ${found}`,
    );
    const grown = Object.fromEntries(vaults.map((id) => [id, 500]));
    assert.deepEqual(look({ before: runs, now: grown, at: 21 }), [], `seed ${seed}`);
  }
});
