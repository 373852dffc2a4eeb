/** Cases in which nothing goes wrong: vaults, archived and unusual items, bodies of files, and nothing at all. */
import { sha256Hex } from "../../base/hash.ts";
import type { Source } from "../contract.ts";
import { emptyAccount, seededBody, seededId, type SeededItem, UNKNOWN_CATEGORY } from "./account.ts";
import { type Bench, check, found, given, never, same, type SourceCase, type Walked } from "./bench.ts";
import { fieldsOf, holds, loses } from "./items.ts";
import { wholeAccount } from "./whole_account.ts";

export const readingCases: readonly SourceCase[] = [
  given("every vault is listed with id, title and kind", wholeAccount, [], async (bench) => {
    const source = await bench.open();
    const vaults = await source.vaults(never);
    same(
      vaults.map(({ id, title, kind }) => ({ id, title, kind })).sort(byId),
      bench.account.vaults.map(({ id, title, kind }) => ({ id, title, kind: bench.door.vaultKind(kind) }))
        .sort(byId),
      "the vaults",
    );
    for (const { id, raw } of vaults) {
      check(holds(raw, id), `vault "${id}" does not keep what the source said`);
    }
    same(await source.vaults(never), vaults, "the vaults, listed again");
  }),

  given("vaults tell their descriptions", wholeAccount, ["descriptions"], async (bench) => {
    for (const { id, description } of await (await bench.open()).vaults(never)) {
      same(description, bench.seeded(id).description, `the description of "${id}"`);
    }
  }),

  given("vaults count their active items", wholeAccount, ["counts"], async (bench) => {
    for (const { id, activeItemCount } of await (await bench.open()).vaults(never)) {
      const active = bench.seeded(id).items.filter(({ state }) => state === "active");
      // Some doors leave out a number that is nought.
      same(activeItemCount ?? 0, active.length, `the active items of "${id}"`);
    }
  }),

  given(
    "archived items come as far as the door gives them, and a limit says where that ends",
    wholeAccount,
    [],
    async (bench) => {
      const source = await bench.open();
      for (const vault of await source.vaults(never)) {
        const walked = await bench.walkWhole(source, vault);
        for (const item of bench.seeded(vault.id).items) {
          if (item.state === "archived") archivedAsGiven(bench, source, walked, item);
        }
      }
    },
  ),

  given("nothing else is lacking", wholeAccount, [], async (bench) => {
    const source = await bench.open();
    for (const vault of await source.vaults(never)) {
      const { shortfalls } = await bench.walkWhole(source, vault);
      same(shortfalls.filter(({ shortfall }) => shortfall !== "limit"), [], `what "${vault.id}" lacks`);
      for (const { itemId } of shortfalls) {
        const item = bench.seeded(vault.id).items.find(({ id }) => id === itemId);
        check(
          item !== undefined && unusual(bench, item),
          `a limit of "${itemId}", which has nothing unusual`,
        );
      }
    }
  }),

  given(
    "an unknown category and an unknown kind of field are kept, or said to be lacking",
    wholeAccount,
    [],
    async (bench) => {
      const source = await bench.open();
      const { items, shortfalls } = await bench.walkWhole(
        source,
        await bench.vault(source, seededId("kinds")),
      );
      for (
        const [word, value] of [["future", "made-up notes from the future"], ["odd", "made-up-hologram"]]
      ) {
        const { raw, id } = found(items.get(seededId(word!)), `the item "${word}"`);
        const limit = shortfalls.some(({ shortfall, itemId }) => shortfall === "limit" && itemId === id);
        check(
          holds(raw, value!) || limit,
          `what is unknown in the item "${word}" is lost, and no limit says so`,
        );
      }
    },
  ),

  given("files of 0 bytes, 1 byte, a block ± 1 and 5 MiB come unchanged", wholeAccount, [], async (bench) => {
    const source = await bench.open();
    const bodies = await bodiesOf(bench, source, seededId("files"));
    for (const { expected, body } of bodies) {
      const equal = body.length === expected.length && sha256Hex(body) === sha256Hex(expected);
      check(equal, `a file of ${expected.length} bytes came as ${body.length} other ones`);
    }
    same(bodies.length, 9, "the number of files");
  }),

  given(
    "files of archived items come unchanged, or are a limit of the door",
    wholeAccount,
    [],
    async (bench) => {
      const source = await bench.open();
      try {
        for (const { expected, body } of await bodiesOf(bench, source, seededId("everyday"))) {
          same(sha256Hex(body), sha256Hex(expected), "the file of an archived item");
        }
      } catch (error) {
        bench.mustBe(error, ["unsupported"], "the call for the file of an archived item");
      }
    },
  ),

  given("an empty account is an empty list and no error", emptyAccount, [], async (bench) => {
    const source = await bench.open();
    same(await source.vaults(never), [], "the vaults");
    check((await source.estimate([], never)).reads >= 0, "the estimate of nothing is less than nothing");
  }),

  given("an empty vault has no items and lacks nothing", wholeAccount, [], async (bench) => {
    const source = await bench.open();
    const vault = await bench.vault(source, seededId("empty"));
    check((vault.activeItemCount ?? 0) === 0, "the empty vault counts items");
    const { items, shortfalls } = await bench.walkWhole(source, vault);
    same([items.size, shortfalls], [0, []], "what is in the empty vault");
  }),
];

/** Fails unless an archived item came as far as the door says, with the limit that belongs to it. */
function archivedAsGiven({ door }: Bench, source: Source, walked: Walked, { id, fields }: SeededItem): void {
  const item = walked.items.get(id);
  const limits = walked.shortfalls.filter(({ itemId }) => itemId === id).map(({ reason }) => reason);
  const what = `archived item "${id}"`;
  if (door.archived === "contents") {
    same([item?.contents, item?.fields.length, limits], ["full", fields.length, []], what);
  } else if (door.archived === "overview") {
    same([item?.contents, limits], ["overview", ["archived-contents"]], what);
  } else {
    same([item, limits], [undefined, []], what);
    const told = source.limits.some(({ reason }) => /archive/.test(reason));
    check(told, "no limit of the door tells of archived items");
  }
}

/** The bodies of all files in a vault, each with the one that it should be. */
async function bodiesOf(bench: Bench, source: Source, vaultId: string) {
  const { items } = await bench.walkWhole(source, await bench.vault(source, vaultId));
  const bodies: { expected: Uint8Array; body: Uint8Array }[] = [];
  for (const seeded of bench.seeded(vaultId).items) {
    const item = items.get(seeded.id);
    for (const file of item?.files ?? []) {
      const expected = found(seeded.files.find(({ name }) => name === file.name), "the seeded file");
      bodies.push({ expected: seededBody(expected), body: await bench.fetch(source, item!, file) });
    }
  }
  return bodies;
}

/** Whether a door may have something to say of an item: it is archived, or the door loses something of it. */
function unusual({ door }: Bench, item: SeededItem): boolean {
  return item.state === "archived" || door.category(item.category) !== item.category ||
    item.category === UNKNOWN_CATEGORY ||
    fieldsOf(item).some(({ field, section }) => loses(door, field, section));
}

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1;
}
