/** Cases about the walk itself: what is wanted, twice, two at once, leaving early; and what a door tells of itself. */
import type { Item } from "../../model/item.ts";
import type { DoorLimit } from "../../model/shortfall.ts";
import type { Vault } from "../../model/vault.ts";
import type { Source } from "../contract.ts";
import { seededId, smallAccount, TARGET } from "./account.ts";
import {
  type Bench,
  check,
  found,
  given,
  never,
  same,
  type SourceCase,
  type Walked,
  within,
} from "./bench.ts";
import { wholeAccount } from "./whole_account.ts";

const MANY = seededId("many");

export const walkingCases: readonly SourceCase[] = [
  given("two walks in a row give the same, and so does a second opening", wholeAccount, [], async (bench) => {
    const source = await bench.open();
    const first = await everything(bench, source);
    same(await everything(bench, source), first, "the second walk");
    same(await everything(bench, await bench.open()), first, "the walk of a second opening");
  }),

  given("two vaults are walked at once", wholeAccount, [], async (bench) => {
    const source = await bench.open();
    const vaults = await source.vaults(never);
    const together = await Promise.all(vaults.map((vault) => bench.walkWhole(source, vault)));
    for (const [at, vault] of vaults.entries()) {
      same(
        plain(together[at]!),
        plain(await bench.walkWhole(source, vault)),
        `the walk of "${vault.id}" beside others`,
      );
    }
  }),

  given(
    "files of two items are fetched at once, while a vault is walked",
    wholeAccount,
    [],
    async (bench) => {
      const source = await bench.open();
      const files = await bench.walkWhole(source, await bench.vault(source, seededId("files")));
      const items = ["plans", "paper", "both"].map((word) => found(files.items.get(seededId(word)), word));
      const [walked, ...bodies] = await Promise.all([
        bench.walkWhole(source, await bench.vault(source, MANY)),
        ...items.flatMap((item) => item.files.map((file) => bench.fetch(source, item, file))),
      ]);
      same(walked.items.size, bench.shown(MANY).length, "the items beside the files");
      same(
        bodies.map(({ length }) => length),
        items.flatMap(({ files }) => files.map(({ size }) => size)),
        "the lengths",
      );
    },
  ),

  given("only what is wanted is yielded, and each id is asked about", wholeAccount, [], async (bench) => {
    const source = await bench.open();
    const shown = bench.shown(MANY).map(({ id }) => id);
    const chosen = shown.filter((_, at) => at === 0 || at === 7 || at === 60 || at === shown.length - 1);
    const asked = new Set<string>();
    const { items, shortfalls } = await bench.walkWhole(source, await bench.vault(source, MANY), (id) => {
      asked.add(id);
      return chosen.includes(id);
    });
    same([...items.keys()].sort(), chosen.sort(), "what was yielded");
    same(
      [...asked].filter((id) => !bench.seeded(MANY).items.some((item) => item.id === id)),
      [],
      "unknown ids asked about",
    );
    same(shown.filter((id) => !asked.has(id)), [], "the ids that nobody asked about");
    same(
      shortfalls.filter(({ itemId }) => itemId !== undefined && !chosen.includes(itemId)),
      [],
      "other shortfalls",
    );
  }),

  given("where nothing is wanted nothing is yielded", wholeAccount, [], async (bench) => {
    const source = await bench.open();
    for (const vault of await source.vaults(never)) {
      const { items, shortfalls } = await bench.walkWhole(source, vault, () => false);
      same([items.size, shortfalls], [0, []], `what came of "${vault.id}"`);
    }
  }),

  given("what is not wanted is not fetched", wholeAccount, ["fetches known"], async (bench) => {
    const source = await bench.open();
    const wanted = found(
      bench.seeded(MANY).items.find(({ state }) => state === "active"),
      "an active item",
    ).id;
    const vault = await bench.vault(source, MANY);
    await bench.walkWhole(source, vault, () => false);
    same(bench.harness.counted().fetched, [], "what was fetched though nothing was wanted");
    await bench.walkWhole(source, vault, (id) => id === wanted);
    same([...new Set(bench.harness.counted().fetched)], [wanted], "what was fetched");
  }),

  given("a list that is too short is told also where nothing of it is wanted", smallAccount, [
    "counts",
    "list missing-from-answer",
  ], async (bench) => {
    await bench.fault("list missing-from-answer", TARGET);
    const source = await bench.open();
    const { shortfalls } = await bench.walkWhole(source, await bench.vault(source), () => false);
    same(
      shortfalls.map(({ shortfall, reason }) => [shortfall, reason]),
      [["gap", "short-list"]],
      "what is lacking",
    );
  }),

  given(
    "a walk that the quota ended goes on with what is lacking",
    smallAccount,
    ["items quota"],
    async (bench) => {
      await bench.fault("items quota", { times: 1 });
      const source = await bench.open();
      const vault = await bench.vault(source);
      const first = await bench.walk(source, vault);
      bench.mustBe(first.error, ["quota"], "the first walk");
      const had = new Set([...first.items.keys(), ...first.shortfalls.map(({ itemId }) => itemId)]);
      const second = await bench.walkWhole(source, vault, (id) => !had.has(id));
      const ids = [...first.items.keys(), ...second.items.keys()].sort();
      same(ids, bench.shown(vault.id).map(({ id }) => id).sort(), "the items of both walks");
    },
  ),

  given("a walk that is left ends there, and the next one is whole", wholeAccount, [], async (bench) => {
    const source = await bench.open();
    const vault = await bench.vault(source, MANY);
    const leave = async () => {
      for await (const _ of source.items(vault, never)) break;
    };
    await leave();
    await within(leave(), "leaving a walk");
    same(
      (await bench.walkWhole(source, vault)).items.size,
      bench.shown(MANY).length,
      "the items of the next walk",
    );
  }),

  given("a body that is left ends there, and the next one is whole", wholeAccount, [], async (bench) => {
    const source = await bench.open();
    const { items } = await bench.walkWhole(source, await bench.vault(source, seededId("files")));
    const item = found(items.get(seededId("large")), "the item with the large file"),
      file = found(item.files[0], "it");
    await within((await source.open(item, file, never)).cancel(), "leaving a body before its beginning");
    const reader = (await source.open(item, file, never)).getReader();
    await reader.read();
    await within(reader.cancel(), "leaving a body");
    same((await bench.fetch(source, item, file)).length, file.size, "the length of the next one");
  }),

  given("the estimate is near the calls that a run costs", wholeAccount, ["calls counted"], async (bench) => {
    const source = await bench.open();
    const vaults = await source.vaults(never);
    const { reads } = await source.estimate(vaults, never);
    for (const vault of vaults) await bench.walkWhole(source, vault);
    const { calls } = bench.harness.counted();
    check(calls <= 2 * reads && reads <= 2 * calls, `${reads} calls were estimated, and ${calls} were made`);
    const few = (await source.estimate(vaults.slice(0, 1), never)).reads;
    check(few < reads, "the estimate does not depend on the vaults");
  }),

  given("the door tells its name, its account and its limits", smallAccount, [], async (bench) => {
    const source = await bench.open();
    same(source.name, bench.door.name, "the name");
    same(await source.account(never), bench.harness.account, "the account");
    for (const limit of source.limits) checkLimit(limit);
    same(
      new Set(source.limits.map(({ reason }) => reason)).size,
      source.limits.length,
      "different reasons of limits",
    );
    for (const { limit, used } of await source.allowances?.(never) ?? []) {
      check(
        limit > 0 && used >= 0 && used <= limit,
        `an allowance of ${limit} calls of which ${used} are used`,
      );
    }
  }),

  given("no secret is in what a debugger shows of the source", wholeAccount, [], async (bench) => {
    const source = await bench.open();
    bench.cleanInside(source, "the source");
    const [vault] = await source.vaults(never);
    bench.cleanInside(source.items(vault!, never), "a walk");
    await everything(bench, source);
    bench.cleanInside(source, "the source after a walk");
  }),
];

function checkLimit({ reason, detail }: DoorLimit): void {
  check(/^[a-z]+(-[a-z]+)*$/.test(reason), `a limit's reason is no word for programs: "${reason}"`);
  check(detail.length > 20 && !/\.$|\n/.test(detail), `the limit "${reason}" has no sentence: "${detail}"`);
}

async function everything(bench: Bench, source: Source): Promise<unknown> {
  const vaults: Vault[] = await source.vaults(never);
  const walks = [];
  for (const vault of vaults) walks.push(plain(await bench.walkWhole(source, vault)));
  return { vaults: vaults.map(({ raw: _, ...vault }) => vault), walks };
}

/** Without what may differ from minute to minute: what the source said, and codes of the moment. */
function plain({ items, shortfalls }: Walked): unknown {
  const stripped = ({ raw: _, fields, ...item }: Item) => ({
    ...item,
    fields: fields.map((field) => field.kind === "Totp" ? { ...field, details: undefined } : field),
  });
  return { items: [...items.values()].map(stripped), shortfalls };
}
