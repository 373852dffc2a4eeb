import assert from "node:assert/strict";
import type { Item } from "../../src/model/item.ts";
import { isShortfall, type Shortfall } from "../../src/model/shortfall.ts";
import {
  combine,
  type Contents,
  doorTo,
  full,
  gap,
  listed,
  MONDAY,
  moved,
  TUESDAY,
  unsupported,
  walk,
} from "./doors.ts";

const IDS = ["a", "b", "c", "d", "e"];

/** Every way in which a door can tell of an item. */
const TELLINGS: ((id: string, updatedAt: string) => Contents)[] = [
  () => [],
  (id, updatedAt) => [full(id, { updatedAt })],
  (id, updatedAt) => [full(id, { updatedAt, favourite: true })],
  (id, updatedAt) => listed(id, { updatedAt }),
  (id, updatedAt) => unsupported(id, { updatedAt }),
  (id, updatedAt) => [full(id, { updatedAt }), gap(id)],
  (id) => [gap(id)],
  (id) => [moved(id)],
];

/** Whole numbers below `limit`, always the same ones for a seed. */
function dice(seed: number): (limit: number) => number {
  let state = seed * 2654435761 >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
}

Deno.test("whatever three doors tell, nothing is lost, doubled or passed off as newer than it is", async () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const roll = dice(seed);
    const told = Array.from({ length: 3 }, () =>
      IDS.map((id) => {
        const updatedAt = [MONDAY, TUESDAY, ""][roll(3)]!;
        return TELLINGS[roll(TELLINGS.length)]!(id, updatedAt);
      }));
    // The last is an export at times, and so is the first, which then is asked last.
    const past = [roll(8) === 0, false, roll(2) === 0];
    const doors = told.map((contents, at) =>
      doorTo({ v1: contents.flat() }, { name: `door${at}`, snapshot: past[at]! })
    );
    const { source } = await combine(...doors);
    const walked = await walk(source);
    assert.equal(walked.error, undefined);
    const order = [0, 1, 2].sort((one, other) => Number(past[one]) - Number(past[other]));
    for (const [at, id] of IDS.entries()) {
      const tellings = order.map((door) => ({
        door: `door${door}`,
        live: !past[door],
        told: told[door]![at]!,
      }));
      const items = walked.items.filter((item) => item.id === id);
      const lacking = walked.shortfalls.filter(({ itemId }) => itemId === id);
      check(tellings, items, lacking, `seed ${seed}, ${id}: ${JSON.stringify({ tellings, items, lacking })}`);
    }
  }
});

function check(
  tellings: { door: string; live: boolean; told: Contents }[],
  items: Item[],
  lacking: Shortfall[],
  why: string,
): void {
  const given = tellings.flatMap(({ told }) => told.filter((one): one is Item => !isShortfall(one)));
  const item = items[0];
  assert.equal(items.length, given.length > 0 ? 1 : 0, why);
  if (tellings.every(({ told }) => told.length === 0)) return assert.equal(lacking.length, 0, why);
  if (!item) return assert.ok(lacking.length > 0, why);
  if (given.some(({ contents }) => contents === "full")) assert.equal(item.contents, "full", why);
  if (item.contents === "overview") assert.ok(lacking.length > 0, why);
  // What the first to list it says of its age is not undercut in silence.
  const first = tellings.flatMap(({ told }) => told.slice(0, 1)).find((one) => !isShortfall(one));
  const older = Date.parse(item.updatedAt!) < Date.parse((first as Item).updatedAt!);
  if (older) assert.ok(lacking.some(({ reason }) => reason === "older-contents"), why);
  // What only an export gives of it may be outdated.
  const byLive = tellings.some(({ live, told }) => live && told.length > 0);
  const anyLive = tellings.some(({ live }) => live);
  if (anyLive && !byLive) assert.ok(lacking.some(({ reason }) => reason === "older-contents"), why);
  // An export does not make up for a gap: nobody knows whether what it has is the item as it is.
  const live = tellings.filter((one) => one.live && one.told.length > 0);
  if (live.length > 0 && live.every(({ told }) => isGap(told[0]!))) {
    assert.ok(lacking.some(isGap), why);
  }
}

function isGap(one: Item | Shortfall): boolean {
  return isShortfall(one) && one.shortfall === "gap";
}
