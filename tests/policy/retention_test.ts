/** Which archives stay, over a table of calendars, and what holds for every history. */
import assert from "node:assert/strict";
import { before } from "../../src/policy/calendar.ts";
import {
  type Candidate,
  FEWEST,
  judgeRetention,
  removalsOf,
  type RetentionRules,
} from "../../src/policy/retention.ts";

const DAY = 86_400_000;
const NOW = new Date("2026-11-27T03:00:00Z");

let counter = 0;
function archive(time: string | Date, standing: Candidate["standing"] = "whole"): Candidate {
  const date = typeof time === "string" ? new Date(`${time}Z`) : time;
  counter++;
  return { name: `${date.toISOString().slice(0, 19)} ${counter}`, time: date, sequence: counter, standing };
}

/** One archive a night for so many nights, the newest at `now`. */
const nights = (count: number, now = NOW) =>
  Array.from({ length: count }, (_, age) => archive(new Date(now.getTime() - (count - 1 - age) * DAY)));

/** Times (or days, where that tells them apart) of what is kept, newest first, with the reasons. */
function kept(archives: readonly Candidate[], rules: RetentionRules, now = NOW): Record<string, string> {
  return Object.fromEntries(
    judgeRetention(archives, rules, now).filter((verdict) => verdict.keep)
      .map(({ archive, reasons }) => [archive.time.toISOString().slice(0, 16), reasons.join(", ")]),
  );
}

Deno.test("a year of nights under the rules of the design", () => {
  const rules = { keepWithin: "7d", keepDaily: 14, keepWeekly: 8, keepMonthly: 24 };
  assert.deepEqual(kept(nights(365), rules), {
    "2026-11-27T03:00": "within 7d, daily, weekly, monthly",
    "2026-11-26T03:00": "within 7d, daily",
    "2026-11-25T03:00": "within 7d, daily",
    "2026-11-24T03:00": "within 7d, daily",
    "2026-11-23T03:00": "within 7d, daily",
    "2026-11-22T03:00": "within 7d, daily, weekly",
    "2026-11-21T03:00": "within 7d, daily",
    "2026-11-20T03:00": "within 7d, daily",
    "2026-11-19T03:00": "daily",
    "2026-11-18T03:00": "daily",
    "2026-11-17T03:00": "daily",
    "2026-11-16T03:00": "daily",
    "2026-11-15T03:00": "daily, weekly",
    "2026-11-14T03:00": "daily",
    "2026-11-08T03:00": "weekly",
    "2026-11-01T03:00": "weekly",
    "2026-10-31T03:00": "monthly",
    "2026-10-25T03:00": "weekly",
    "2026-10-18T03:00": "weekly",
    "2026-10-11T03:00": "weekly",
    "2026-09-30T03:00": "monthly",
    "2026-08-31T03:00": "monthly",
    "2026-07-31T03:00": "monthly",
    "2026-06-30T03:00": "monthly",
    "2026-05-31T03:00": "monthly",
    "2026-04-30T03:00": "monthly",
    "2026-03-31T03:00": "monthly",
    "2026-02-28T03:00": "monthly",
    "2026-01-31T03:00": "monthly",
    "2025-12-31T03:00": "monthly",
    "2025-11-30T03:00": "monthly",
    "2025-11-28T03:00": "oldest monthly",
  });
});

const table: [
  name: string,
  archives: () => Candidate[],
  rules: RetentionRules,
  kept: Record<string, string>,
][] = [
  ["the last so many", () => nights(10), { keepLast: 4 }, {
    "2026-11-27T03:00": "last",
    "2026-11-26T03:00": "last",
    "2026-11-25T03:00": "last",
    "2026-11-24T03:00": "last",
  }],
  [
    "several in an hour, in a day",
    () => [
      archive("2026-11-26T10:00:00"),
      archive("2026-11-26T10:59:59"),
      archive("2026-11-26T11:00:00"),
      archive("2026-11-25T23:59:59"),
      archive("2026-11-25T00:00:00"),
      archive("2026-11-24T12:00:00"),
      archive("2026-11-23T12:00:00"),
    ],
    { keepHourly: 2, keepDaily: 3 },
    {
      "2026-11-26T11:00": "hourly, daily",
      "2026-11-26T10:59": "hourly",
      "2026-11-25T23:59": "daily",
      "2026-11-24T12:00": "daily",
    },
  ],
  [
    "periods without any archive count for nothing",
    () => [
      archive("2026-11-26T10:00:00"),
      archive("2026-07-01T10:00:00"),
      archive("2026-07-01T09:00:00"),
      archive("2024-02-29T10:00:00"),
      archive("2023-01-01T10:00:00"),
    ],
    { keepDaily: 3 },
    {
      "2026-11-26T10:00": "daily",
      "2026-07-01T10:00": "daily",
      "2024-02-29T10:00": "daily",
    },
  ],
  [
    "years and the turn of a year's weeks",
    () => [
      archive("2026-01-01T00:00:00"),
      archive("2025-12-31T23:00:00"),
      archive("2025-12-29T00:00:00"),
      archive("2025-12-28T12:00:00"),
      archive("2024-12-31T12:00:00"),
      archive("2024-12-30T12:00:00"),
    ],
    { keepWeekly: 2, keepYearly: 2 },
    {
      "2026-01-01T00:00": "weekly, yearly",
      "2025-12-31T23:00": "yearly",
      "2025-12-28T12:00": "weekly",
    },
  ],
  ["while a rule has room the oldest stays too", () => nights(5), { keepMonthly: 12 }, {
    "2026-11-27T03:00": "monthly",
    "2026-11-23T03:00": "oldest monthly",
    "2026-11-26T03:00": "never fewer than 3",
  }],
  ["never fewer than three", () => nights(10), { keepLast: 1 }, {
    "2026-11-27T03:00": "last",
    "2026-11-26T03:00": "never fewer than 3",
    "2026-11-25T03:00": "never fewer than 3",
  }],
  [
    "after a long silence the last ones stay, however old",
    () => nights(10, new Date("2020-01-10T03:00:00Z")),
    {
      keepWithin: "30d",
    },
    {
      "2020-01-10T03:00": "never fewer than 3",
      "2020-01-09T03:00": "never fewer than 3",
      "2020-01-08T03:00": "never fewer than 3",
    },
  ],
  [
    "what is dated in the future stays and takes nobody's place",
    () => [
      archive("2027-01-01T00:00:00"),
      archive("2099-01-01T00:00:00"),
      ...nights(5),
    ],
    { keepLast: 3 },
    {
      "2099-01-01T00:00": "dated in the future",
      "2027-01-01T00:00": "dated in the future",
      "2026-11-27T03:00": "last",
      "2026-11-26T03:00": "last",
      "2026-11-25T03:00": "last",
    },
  ],
  [
    "what is strange stays and takes nobody's place",
    () => [
      archive("2026-11-27T02:59:00", "strange"),
      ...nights(5),
      archive("2020-01-01T00:00:00", "strange"),
    ],
    { keepLast: 3 },
    {
      "2026-11-27T03:00": "last",
      "2026-11-27T02:59": "not known to be ours, so not ours to remove",
      "2026-11-26T03:00": "last",
      "2026-11-25T03:00": "last",
      "2020-01-01T00:00": "not known to be ours, so not ours to remove",
    },
  ],
  [
    "what is lacking takes nobody's place, and stays until a whole one has outlived keepWithin",
    () => [
      ...nights(4),
      archive("2026-11-26T12:00:00", "lacking"),
      archive("2026-11-20T12:00:00", "lacking"),
    ],
    { keepLast: 3, keepWithin: "2d" },
    {
      "2026-11-27T03:00": "within 2d, last",
      "2026-11-26T12:00": "within 2d",
      "2026-11-26T03:00": "within 2d, last",
      "2026-11-25T03:00": "within 2d, last",
      // 24 November is the first whole one after 20 November that is older than two days.
    },
  ],
  [
    "lacking and no whole one old enough",
    () => [
      archive("2026-11-27T03:00:00"),
      archive("2026-11-26T03:00:00"),
      archive("2026-11-25T12:00:00"),
      archive("2026-11-20T12:00:00", "lacking"),
    ],
    { keepLast: 3, keepWithin: "2d" },
    {
      "2026-11-27T03:00": "within 2d, last",
      "2026-11-26T03:00": "within 2d, last",
      "2026-11-25T12:00": "within 2d, last",
      "2026-11-20T12:00": "no whole archive has replaced it for long enough",
    },
  ],
  ["only lacking ones: all of them stay", () => nights(5).map((one) => ({ ...one, standing: "lacking" })), {
    keepLast: 1,
  }, {
    "2026-11-27T03:00": "no whole archive has replaced it for long enough",
    "2026-11-26T03:00": "no whole archive has replaced it for long enough",
    "2026-11-25T03:00": "no whole archive has replaced it for long enough",
    "2026-11-24T03:00": "no whole archive has replaced it for long enough",
    "2026-11-23T03:00": "no whole archive has replaced it for long enough",
  }],
  [
    "two lacking ones and one whole one within the time: two older whole ones stay",
    () => [
      archive("2026-11-27T03:00:00"),
      archive("2026-11-26T03:00:00", "lacking"),
      archive("2026-11-25T03:00:00", "lacking"),
      ...["12", "11", "10"].map((day) => archive(`2026-11-${day}T03:00:00`)),
    ],
    { keepWithin: "7d" },
    {
      "2026-11-27T03:00": "within 7d",
      "2026-11-26T03:00": "within 7d",
      "2026-11-25T03:00": "within 7d",
      "2026-11-12T03:00": "never fewer than 3",
      "2026-11-11T03:00": "never fewer than 3",
    },
  ],
  [
    "one whole among lacking ones: three stay, the whole one first",
    () => [
      archive("2026-11-20T00:00:00"),
      ...["16", "17", "18", "19"].map((day) => archive(`2026-11-${day}T00:00:00`, "lacking")),
    ],
    { keepLast: 5 },
    {
      "2026-11-20T00:00": "last",
      "2026-11-19T00:00": "never fewer than 3",
      "2026-11-18T00:00": "never fewer than 3",
    },
  ],
];

for (const [name, archives, rules, expected] of table) {
  Deno.test(`retention: ${name}`, () => assert.deepEqual(kept(archives(), rules), expected));
}

Deno.test("in one second the place in the chain decides, not the order of the list", () => {
  const twins = ["c", "a", "b", "d"].map((name, at) => ({
    ...archive("2026-11-26T10:00:00"),
    name,
    sequence: at,
  }));
  for (const list of [twins, twins.toReversed()]) {
    const verdicts = judgeRetention(list, { keepLast: 3 }, NOW);
    assert.deepEqual(verdicts.map(({ archive, keep }) => [archive.name, keep]), [
      ["d", true],
      ["b", true],
      ["a", true],
      ["c", false],
    ]);
  }
});

Deno.test("why something goes is told", () => {
  const verdicts = judgeRetention(
    [...nights(5), archive("2026-11-01T00:00:00", "lacking")],
    { keepLast: 3 },
    NOW,
  );
  assert.deepEqual(
    verdicts.filter(({ keep }) => !keep).map(({ archive, reasons }) => [archive.standing, reasons]),
    [
      ["whole", ["no rule keeps it"]],
      ["whole", ["no rule keeps it"]],
      ["lacking", [`replaced by "${verdicts[4]!.archive.name}"`]],
    ],
  );
});

Deno.test("a run removes the oldest, thirty or a tenth at the most; the next ones the rest", () => {
  for (const [count, most] of [[20, 17], [33, 30], [200, 30], [999, 99], [1000, 100]] as const) {
    let left: Candidate[] = nights(count);
    const removals = removalsOf(judgeRetention(left, { keepLast: 3 }, NOW)).map(({ archive }) => archive);
    assert.deepEqual(removals, left.slice(0, most));
    for (let runs = 0; left.length > 3 && runs < 40; runs++) {
      const gone = new Set(
        removalsOf(judgeRetention(left, { keepLast: 3 }, NOW)).map(({ archive }) => archive),
      );
      left = left.filter((one) => !gone.has(one));
    }
    assert.equal(left.length, 3, `${count} come down to three in the end`);
  }
  const forged = Array.from({ length: 5000 }, () => archive(NOW, "strange"));
  const verdicts = judgeRetention([...forged, ...nights(100)], { keepLast: 3 }, NOW);
  assert.equal(removalsOf(verdicts).length, 30, "what strangers add is no part of the tenth");
});

/** Reproducible: the seed is in every message. */
function random(seed: number): () => number {
  return () => {
    seed = Math.imul(seed ^ seed >>> 15, seed | 1);
    seed ^= seed + Math.imul(seed ^ seed >>> 7, seed | 61);
    return ((seed ^ seed >>> 14) >>> 0) / 2 ** 32;
  };
}

Deno.test("over random histories no rule is ever broken", () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const next = random(seed), upTo = (most: number) => Math.floor(next() * (most + 1));
    const rules: RetentionRules = {};
    for (
      const rule of [
        "keepLast",
        "keepHourly",
        "keepDaily",
        "keepWeekly",
        "keepMonthly",
        "keepYearly",
      ] as const
    ) {
      if (next() < 0.4) rules[rule] = 1 + upTo(12);
    }
    if (next() < 0.5) rules.keepWithin = ["5h", "7d", "2w", "3m", "1y"][upTo(4)]!;
    const span = [DAY / 2, 30 * DAY, 900 * DAY][upTo(2)]!;
    const history = Array.from({ length: upTo(80) }, () => {
      const time = new Date(Math.floor((NOW.getTime() - next() * span + next() * span * 0.02) / 1000) * 1000);
      const luck = next();
      return archive(time, luck < 0.75 ? "whole" : luck < 0.9 ? "lacking" : "strange");
    });
    const verdicts = judgeRetention(history, rules, NOW);
    const say = `seed ${seed}: ${JSON.stringify(rules)}`;
    assert.equal(verdicts.length, history.length, say);
    const gone = verdicts.filter(({ keep }) => !keep).map(({ archive }) => archive);
    const past = history.filter(({ standing, time }) => standing !== "strange" && time <= NOW);
    const stay = past.filter((one) => !gone.includes(one));
    const horizon = rules.keepWithin ? before(NOW, rules.keepWithin) : NOW;
    assert.ok(stay.length >= Math.min(FEWEST, past.length), `${say}: too few`);
    for (const one of gone) {
      assert.ok(past.includes(one), `${say}: strange or of the future`);
      assert.ok(!rules.keepWithin || one.time < horizon, `${say}: within`);
      if (one.standing === "lacking") {
        const heirs = history.filter(({ standing, time }) =>
          standing === "whole" && time > one.time && time <= horizon
        );
        assert.ok(heirs.length > 0, `${say}: lacking without an heir`);
      }
    }
    // The newest whole ones stay, and so many of them as the largest rule asks for.
    const whole = stay.filter(({ standing }) => standing === "whole");
    const all = past.filter(({ standing }) => standing === "whole");
    assert.ok(whole.length >= Math.min(FEWEST, all.length), `${say}: too few whole ones`);
    const newest = all.toSorted((a, b) => b.time.getTime() - a.time.getTime())[0];
    if (newest) {
      assert.ok(whole.some(({ time }) => time.getTime() === newest.time.getTime()), `${say}: the newest`);
    }
    assert.ok(whole.length >= Math.min(all.length, rules.keepLast ?? 0), `${say}: keepLast`);

    // Whatever strangers add, what stays of ours is the same.
    const forged = Array.from(
      { length: 40 },
      () => archive(new Date(NOW.getTime() - next() * span), "strange"),
    );
    const again = judgeRetention([...forged, ...history], rules, NOW).filter(({ keep }) => !keep);
    assert.deepEqual(again.map(({ archive }) => archive), gone, `${say}: forged archives push none out`);
    // What has stayed once stays as long as nothing changes.
    const second = judgeRetention(history.filter((one) => !gone.includes(one)), rules, NOW);
    assert.deepEqual(second.filter(({ keep }) => !keep), [], `${say}: pruned twice`);
  }
});
