import assert from "node:assert/strict";
import {
  type ArchivedPart,
  differenceOf,
  isSince,
  type Looked,
  suspectsOf,
} from "../../src/policy/against_source.ts";

const NONE: Looked = { old: [], since: 0 };
const set = (...items: string[]) => new Set(items);
const part = (more: Partial<ArchivedPart>): ArchivedPart => (
  { count: 0, named: new Set(), lacking: 0, partial: false, ...more }
);

Deno.test("by ids only what is neither in the archive nor named by it is looked at", () => {
  const archived = part({ count: 2, items: set("a", "gone"), named: set("b") });
  const now = set("a", "b", "c", "d");
  assert.deepEqual(suspectsOf(archived, now), { items: set("c", "d") });
  assert.deepEqual(differenceOf(archived, now, { old: ["c"], since: 1 }), {
    archived: 2,
    now: 4,
    missing: 1,
    since: 1,
    named: 1,
    removed: 1,
    missingItems: ["c"],
    removedItems: ["gone"],
  });
});

Deno.test("by numbers items are looked at only where there are more than the archive accounts for", () => {
  assert.deepEqual(suspectsOf(part({ count: 3 }), set("a", "b")).items.size, 0);
  assert.deepEqual(suspectsOf(part({ count: 1, lacking: 1 }), set("a", "b")).items.size, 0);
  assert.deepEqual(suspectsOf(part({ count: 1 }), set("a", "b", "c")), {
    items: set("a", "b", "c"),
    enough: 2,
  });
  assert.equal(differenceOf(part({ count: 3 }), set("a", "b"), NONE).removed, 1);
  // One is newer, one of the others must be missing.
  assert.equal(
    differenceOf(part({ count: 1 }), set("a", "b", "c"), { old: ["a", "b"], since: 1 }).missing,
    1,
  );
  assert.equal(
    differenceOf(part({ count: 1, lacking: 1 }), set("a", "b", "c"), { old: ["a", "b"], since: 1 }).missing,
    0,
  );
});

Deno.test("what an archive holds in part only raises no second alarm; what it says nothing of is looked at", () => {
  assert.equal(suspectsOf(part({ partial: true, items: set() }), set("a")).items.size, 0);
  assert.equal(differenceOf(part({ partial: true, items: set() }), set("a"), NONE).named, 1);
  assert.equal(differenceOf(part({ partial: true }), set("a"), NONE).named, 1);
  assert.deepEqual(suspectsOf(undefined, set("a", "b")), { items: set("a", "b") });
  assert.equal(differenceOf(undefined, set("a", "b"), { old: ["a"], since: 0 }).missing, 1);
});

Deno.test("the moment of the backup itself counts as since, and what has no time as old", () => {
  const moment = Date.parse("2026-01-02T03:04:05Z");
  assert.ok(isSince({ updatedAt: "2026-01-02T03:04:05Z" }, moment));
  assert.ok(isSince({ createdAt: "2026-01-03T00:00:00Z", updatedAt: "2025-01-01T00:00:00Z" }, moment));
  assert.ok(!isSince({ updatedAt: "2026-01-02T03:04:04Z" }, moment));
  assert.ok(!isSince({}, moment));
});
