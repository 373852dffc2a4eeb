/** Cases about ends: a cancelled call, a closed source. */
import { isAppError } from "../../base/errors.ts";
import type { Source } from "../contract.ts";
import { seededId, smallAccount, TARGET } from "./account.ts";
import { check, found, given, never, same, type SourceCase, within } from "./bench.ts";
import { CALLS, type Fault } from "./door.ts";
import { wholeAccount } from "./whole_account.ts";

const gone = AbortSignal.abort();

export const endingCases: readonly SourceCase[] = [
  given(
    "opening with a cancelled signal is refused, at the latest with the first call",
    smallAccount,
    [],
    async (bench) => {
      const opened = async () => await (await bench.open(gone)).vaults(gone);
      await bench.refused(within(opened(), "a cancelled opening"), ["cancelled"], "a cancelled opening");
    },
  ),

  given("calls with a cancelled signal are refused", smallAccount, [], async (bench) => {
    const source = await bench.open();
    const vault = await bench.vault(source);
    const item = found(
      (await bench.walkWhole(source, vault)).items.get(TARGET.itemId),
      "the item with the file",
    );
    const calls = callsOf(source, await source.vaults(never), item, gone);
    for (const [name, call] of calls) {
      await bench.refused(within(call(), `a cancelled ${name}`), ["cancelled"], `a cancelled ${name}`);
    }
    // And nothing of it stays.
    same(
      (await bench.walkWhole(source, vault)).items.size,
      bench.shown(vault.id).length,
      "the items afterwards",
    );
  }),

  ...CALLS.map((call) =>
    given(
      `the call "${call}" ends soon when it is cancelled while it waits`,
      smallAccount,
      [`${call} slow`],
      async (bench) => {
        const fault = await bench.fault(`${call} slow`);
        const cancel = new AbortController();
        const reached = bench.reach(call, cancel.signal);
        await struck(fault, reached);
        cancel.abort();
        const { error } = await within(reached, "the cancelled call");
        bench.mustBe(error, ["cancelled"], "the cancelled call");
      },
    )
  ),

  given(
    "a walk that is cancelled midway ends soon, with an error or whole",
    wholeAccount,
    [],
    async (bench) => {
      const source = await bench.open();
      const vault = await bench.vault(source, seededId("many"));
      const cancel = new AbortController(), ids = new Set<string>();
      const walk = async () => {
        for await (const one of source.items(vault, cancel.signal)) {
          if ("id" in one) ids.add(one.id);
          cancel.abort();
        }
        same(
          ids.size,
          bench.shown(vault.id).length,
          "the items of a cancelled walk that ended without an error",
        );
      };
      await within(walk(), "the cancelled walk").catch((error) =>
        bench.mustBe(error, ["cancelled"], "the cancelled walk")
      );
      check(ids.size > 0, "the walk gave nothing");
    },
  ),

  given("a body that is cancelled midway never ends as if it were whole", wholeAccount, [], async (bench) => {
    const source = await bench.open();
    const { items } = await bench.walkWhole(source, await bench.vault(source, seededId("files")));
    const item = found(items.get(seededId("large")), "the item with the large file");
    const file = found(item.files[0], "the large file"), cancel = new AbortController();
    const reader = (await source.open(item, file, cancel.signal)).getReader();
    let size = (await reader.read()).value?.length ?? 0;
    cancel.abort();
    const rest = async () => {
      for (let next = await reader.read(); !next.done; next = await reader.read()) size += next.value.length;
      same(size, file.size, "the length of a cancelled body that ended without an error");
    };
    await within(rest(), "the cancelled body").catch((error) =>
      bench.mustBe(error, ["cancelled"], "the cancelled body")
    );
  }),

  given("a source is disposed of twice, also before its first call", smallAccount, [], async (bench) => {
    const [idle, used] = [await bench.open(), await bench.open()];
    await used.vaults(never);
    for (const source of [idle, used, idle, used]) {
      await within(source[Symbol.asyncDispose](), "disposing of the source");
    }
  }),

  given("a source that is disposed of does nothing more", smallAccount, [], async (bench) => {
    const source = await bench.open();
    const vaults = await source.vaults(never);
    const walk = await bench.walkWhole(
      source,
      found(vaults.find(({ id }) => id === TARGET.vaultId), "the vault"),
    );
    await source[Symbol.asyncDispose]();
    const item = found(walk.items.get(TARGET.itemId), "the item with the file");
    const before = bench.harness.counted();
    for (const [name, call] of callsOf(source, vaults, item, never)) {
      const error = await within(call(), `${name} after the end`).then(() => undefined, (error) => error);
      check(isAppError(error), `"${name}" works after the source was disposed of: ${error}`);
    }
    same(bench.harness.counted(), before, "what 1Password was asked after the end");
  }),
];

function callsOf(
  source: Source,
  vaults: Awaited<ReturnType<Source["vaults"]>>,
  item: Parameters<Source["open"]>[0],
  signal: AbortSignal,
) {
  const vault = found(vaults.find(({ id }) => id === TARGET.vaultId), "the first vault");
  const file = found(item.files[0], "the file");
  const calls: [name: string, call: () => Promise<unknown>][] = [
    ["vaults", () => source.vaults(signal)],
    ["items", async () => await source.items(vault, signal)[Symbol.asyncIterator]().next()],
    ["open", async () => {
      const body = await source.open(item, file, signal);
      return await body.getReader().read();
    }],
  ];
  return calls;
}

/** Resolves when the fault has struck; fails when the call ends without it. */
async function struck(fault: Fault, call: Promise<unknown>): Promise<void> {
  let ended = false;
  call.then(() => ended = true, () => ended = true);
  while (fault.strikes() === 0) {
    check(!ended, "the call ended, and nothing was slow");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
