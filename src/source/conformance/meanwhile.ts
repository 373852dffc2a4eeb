/** Cases in which 1Password changes while it is read, or answers with less than there is. */
import { seededId, smallAccount, TARGET, targetFile } from "./account.ts";
import { type Bench, check, given, never, same, type SourceCase } from "./bench.ts";
import { gaps, lostFile } from "./losses.ts";

export const meanwhileCases: readonly SourceCase[] = [
  ...(["list", "items"] as const).map((call) =>
    given(
      `a vault removed before the call "${call}" has moved`,
      smallAccount,
      [`${call} vault-gone`],
      async (bench) => {
        const fault = await bench.fault(`${call} vault-gone`);
        const source = await bench.open();
        const { shortfalls, error } = await bench.walk(source, await bench.vault(source));
        if (error !== undefined) throw error;
        check(fault.strikes() > 0, "the vault was never removed");
        const removed = shortfalls.filter(({ shortfall }) => shortfall !== "limit");
        same(
          removed.map(({ shortfall, reason, itemId }) => [shortfall, reason, itemId]),
          [["moved", "vault-removed-meanwhile", undefined]],
          "what is lacking",
        );
        same(
          (await source.vaults(never)).map(({ id }) => id),
          [seededId("second")],
          "the vaults that are left",
        );
      },
    )
  ),

  given("an item deleted before it is read has moved, and the others are there", smallAccount, [
    "items gone-meanwhile",
  ], async (bench) => {
    await bench.fault("items gone-meanwhile");
    const { items, shortfalls } = await walkTarget(bench);
    same(others(bench, items), [], "other items that are lacking");
    check(!items.has(TARGET.itemId), "the deleted item came all the same");
    const about = shortfalls.filter(({ shortfall }) => shortfall !== "limit");
    same(
      about.map(({ shortfall, reason, itemId }) => [shortfall, reason, itemId]),
      [["moved", "deleted-meanwhile", TARGET.itemId]],
      "what is lacking",
    );
  }),

  given("an item archived before it is read has moved or is there, and the others are there", smallAccount, [
    "items archived-meanwhile",
  ], async (bench) => {
    await bench.fault("items archived-meanwhile");
    const { items, shortfalls } = await walkTarget(bench);
    same(others(bench, items), [], "other items that are lacking");
    same(gaps(shortfalls), [], "gaps");
    // A door that never shows archived items cannot tell one from a deleted item.
    const reasons = [
      "archived-meanwhile",
      ...(bench.door.archived === "hidden" ? ["deleted-meanwhile"] : []),
    ];
    const moved = shortfalls.some(({ shortfall, reason, itemId }) =>
      shortfall === "moved" && reasons.includes(reason) && itemId === TARGET.itemId
    );
    const item = items.get(TARGET.itemId);
    check(moved || item?.contents === "full", "the archived item is not there, and nothing says so");
    check(!item || moved || item.notes !== "", "the archived item came without its contents");
  }),

  given("an item that is missing from an answer once is asked for again", smallAccount, [
    "items missing-from-answer",
  ], async (bench) => {
    const fault = await bench.fault("items missing-from-answer", { times: 1 });
    const { items, shortfalls } = await walkTarget(bench);
    same(
      [fault.strikes(), others(bench, items), gaps(shortfalls)],
      [1, [], []],
      "faults, lacking items, gaps",
    );
    check(items.get(TARGET.itemId)?.contents === "full", "the item is not there");
  }),

  given("an item that is always missing from its answer is a gap, and the others are there", smallAccount, [
    "items missing-from-answer",
  ], async (bench) => {
    const fault = await bench.fault("items missing-from-answer");
    const { items, shortfalls } = await walkTarget(bench);
    check(fault.strikes() > 1, "the item was not asked for again");
    same(others(bench, items), [], "other items that are lacking");
    const about = gaps(shortfalls).map(({ reason, itemId }) => [reason, itemId]);
    same(about, [["unreadable-item", TARGET.itemId]], "gaps");
  }),

  given("a list that is shorter than the count is a gap, and what it has is there", smallAccount, [
    "counts",
    "list missing-from-answer",
  ], async (bench) => {
    const fault = await bench.fault("list missing-from-answer", TARGET);
    const { items, shortfalls } = await walkTarget(bench);
    check(fault.strikes() > 1, "the list was not asked for again");
    same(others(bench, items), [], "other items that are lacking");
    same(
      gaps(shortfalls).map(({ reason, expected, seen }) => [reason, expected, seen]),
      [["short-list", 3, 2]],
      "gaps",
    );
  }),

  given("a list that is too short once is whole when asked for again", smallAccount, [
    "counts",
    "list missing-from-answer",
  ], async (bench) => {
    await bench.fault("list missing-from-answer", { ...TARGET, times: 1 });
    const { items, shortfalls } = await walkTarget(bench);
    same([items.size, gaps(shortfalls)], [bench.shown(TARGET.vaultId).length, []], "items and gaps");
  }),

  given(
    "an empty list of a vault that counts items is a gap",
    smallAccount,
    ["counts", "list empty-list"],
    async (bench) => {
      await bench.fault("list empty-list");
      const { shortfalls } = await walkTarget(bench);
      same(
        gaps(shortfalls).map(({ reason, expected, seen }) => [reason, expected, seen]),
        [["short-list", 3, 0]],
        "gaps",
      );
    },
  ),

  ...(["gone-meanwhile", "vault-gone"] as const).map((kind) =>
    given(
      `a file whose item is lost in the meantime (${kind}) is not found`,
      smallAccount,
      [`file ${kind}`],
      async (bench) => {
        await bench.fault(`file ${kind}`);
        const { error } = await bench.reach("file");
        bench.mustBe(error, ["not-found"], "the call for a lost file");
      },
    )
  ),

  given("a file whose item was archived meanwhile is not found, or whole", smallAccount, [
    "file archived-meanwhile",
  ], async (bench) => {
    await bench.fault("file archived-meanwhile");
    const { error, body } = await bench.reach("file");
    if (error !== undefined) bench.mustBe(error, ["not-found"], "the call for an archived file");
    else same(body?.length, targetFile.size, "the length of the archived file");
  }),

  given(
    "a file that is missing is neither moved nor a limit",
    smallAccount,
    ["file missing-from-answer"],
    async (bench) => {
      const fault = await bench.fault("file missing-from-answer");
      lostFile(bench, await bench.reach("file"));
      check(fault.strikes() > 0, "the fault never struck");
    },
  ),

  given(
    "a body of another size is an error or comes in its true length",
    smallAccount,
    ["file wrong-size"],
    async (bench) => {
      const fault = await bench.fault("file wrong-size");
      lostFile(bench, await bench.reach("file"));
      check(fault.strikes() > 0, "the fault never struck");
    },
  ),
];

/** Items of the first vault, beside the target, that did not come. */
function others(bench: Bench, items: ReadonlyMap<string, unknown>): string[] {
  return bench.shown(TARGET.vaultId).map(({ id }) => id).filter((id) =>
    id !== TARGET.itemId && !items.has(id)
  );
}

async function walkTarget(bench: Bench) {
  const source = await bench.open();
  return await bench.walkWhole(source, await bench.vault(source));
}
