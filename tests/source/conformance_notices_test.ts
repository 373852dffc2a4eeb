/** The suite itself, tried: a source with one defect fails the case that is about it. */
import assert from "node:assert/strict";
import { AppError, isAppError } from "../../src/base/errors.ts";
import type { Item } from "../../src/model/item.ts";
import { isShortfall, type Shortfall } from "../../src/model/shortfall.ts";
import { type ConformanceDoor, reasonsAgainst, sourceCases } from "../../src/source/conformance.ts";
import type { Source } from "../../src/source/contract.ts";
import { memoryDoor } from "./harness_memory.ts";

interface Defect {
  /** What the source does wrong. */
  what: string;
  /** The case that must notice it; others may as well. */
  noticedBy: RegExp;
  /** What it does in place of what the reference does. */
  does(source: Source): Partial<Source>;
}

const found =
  (change: (one: Item | Shortfall) => (Item | Shortfall)[]) => (source: Source): Partial<Source> => ({
    async *items(vault, signal, wanted) {
      for await (const one of source.items(vault, signal, wanted)) yield* change(one);
    },
  });

const item = (change: (item: Item) => Item | undefined) =>
  found((one) => isShortfall(one) ? [one] : [change(one)].filter((changed) => changed !== undefined));

const shortfall = (change: (shortfall: Shortfall) => Shortfall | undefined) =>
  found((one) => isShortfall(one) ? [change(one)].filter((changed) => changed !== undefined) : [one]);

const failure = (change: (error: AppError) => unknown) => (source: Source): Partial<Source> => ({
  vaults: (signal) => source.vaults(signal).catch((error) => Promise.reject(change(error))),
});

const DEFECTS: Defect[] = [
  {
    what: "an error while listing reads as an empty vault",
    noticedBy: /^the call "list" fails \(unreachable\)/,
    does: (source) => ({
      async *items(vault, signal, wanted) {
        try {
          yield* source.items(vault, signal, wanted);
        } catch { /* the defect */ }
      },
    }),
  },
  {
    what: "an error reads as no vaults",
    noticedBy: /^the call "vaults" fails \(garbage\)/,
    does: (source) => ({ vaults: (signal) => source.vaults(signal).catch(() => []) }),
  },
  {
    what: "an item is left out in silence",
    noticedBy: /^every item comes with title/,
    does: item((one) => one.title === "number 60 of many" ? undefined : one),
  },
  {
    what: "an item comes twice",
    noticedBy: /^every item comes with title/,
    does: found((one) => [one, one]),
  },
  {
    what: "archived items are called active",
    noticedBy: /^every item comes with title/,
    does: item((one) => ({ ...one, state: "active" })),
  },
  {
    what: "archived items are left out",
    noticedBy: /^archived items come/,
    does: item((one) => one.state === "archived" ? undefined : one),
  },
  {
    what: "what is lacking is not told",
    noticedBy: /always missing from its answer is a gap/,
    does: shortfall(() => undefined),
  },
  {
    what: "a deleted item is called a gap",
    noticedBy: /^an item deleted before it is read has moved/,
    does: shortfall((one) => ({ ...one, shortfall: "gap" })),
  },
  {
    what: "a gap is called a limit",
    noticedBy: /^a list that is shorter than the count/,
    does: shortfall((one) => ({ ...one, shortfall: "limit" })),
  },
  {
    what: "a shortfall tells a title",
    noticedBy: /always missing from its answer/,
    does: shortfall((one) => ({ ...one, detail: `"the two sample": ${one.detail}` })),
  },
  {
    what: "what is not wanted comes all the same",
    noticedBy: /^only what is wanted is yielded/,
    does: (source) => ({ items: (vault, signal) => source.items(vault, signal) }),
  },
  {
    what: "what is not wanted is dropped after it was fetched",
    noticedBy: /^what is not wanted is not fetched/,
    does: (source) => ({
      async *items(vault, signal, wanted = () => true) {
        for await (const one of source.items(vault, signal)) {
          const id = isShortfall(one) ? one.itemId : one.id;
          if (id === undefined || wanted(id)) yield one;
        }
      },
    }),
  },
  {
    what: "values are trimmed",
    noticedBy: /^items keep every field/,
    does: item((one) => ({
      ...one,
      fields: one.fields.map((field) => ({ ...field, value: field.value.trim() })),
    })),
  },
  {
    what: "of two fields of one title only the first is kept",
    noticedBy: /^items keep every field/,
    does: item((one) => ({
      ...one,
      fields: [...new Map(one.fields.map((field) => [field.title, field])).values()],
    })),
  },
  {
    what: "titles are normalised",
    noticedBy: /^every item comes with title/,
    does: item((one) => ({ ...one, title: one.title.normalize("NFC") })),
  },
  {
    what: "what the source said is not kept",
    noticedBy: /^a property that nobody knows yet/,
    does: item((one) => ({ ...one, raw: { id: one.id } })),
  },
  {
    what: "an empty file is left out",
    noticedBy: /^files have name, size/,
    does: item((one) => ({ ...one, files: one.files.filter(({ size }) => size > 0) })),
  },
  {
    what: "a body is cut at a block, and passes for whole",
    noticedBy: /^files of 0 bytes/,
    does: (source) => ({
      open: async (item, file, signal) => {
        const bytes = new Uint8Array(await new Response(await source.open(item, file, signal)).arrayBuffer());
        return new Response(bytes.subarray(0, 64 * 1024)).body ?? new ReadableStream();
      },
    }),
  },
  {
    what: "a body that breaks off is padded to its size",
    noticedBy: /^the call "file" fails \(cut\)/,
    does: (source) => ({
      open: async (item, file, signal) => {
        const body = await source.open(item, file, signal);
        const bytes = new Uint8Array(file.size);
        const read = async () => {
          let at = 0;
          for await (const piece of body) bytes.set(piece, at), at += piece.length;
        };
        await read().catch(() => {});
        return new Response(bytes).body!;
      },
    }),
  },
  {
    what: "any file that cannot be had is called lost with its item",
    noticedBy: /^the call "file" fails \(unreachable\)/,
    does: (source) => ({
      open: (item, file, signal) =>
        source.open(item, file, signal).catch(() => {
          throw new AppError("not-found", "it is gone", { origin: "source" });
        }),
    }),
  },
  {
    what: "a used-up quota passes for a dead network",
    noticedBy: /^the call "vaults" fails \(quota\)/,
    does: failure((error) =>
      error.code === "quota" ? new AppError("transient", error.message, { origin: "source" }) : error
    ),
  },
  {
    what: "errors do not say that they are the source's",
    noticedBy: /^the call "vaults" fails \(refused\)/,
    does: failure((error) => new AppError(error.code, error.message)),
  },
  {
    what: "errors of the language are not translated",
    noticedBy: /^the call "vaults" fails \(garbage\)/,
    does: failure(() => new TypeError("x is not a function")),
  },
  {
    what: "the token is in an error",
    noticedBy: /^a sign-in that was refused/,
    does: failure((error) =>
      new AppError(error.code, `${error.message}: made-up-memory-token`, { origin: "source" })
    ),
  },
  {
    what: "a value is in an error's hint",
    noticedBy: /^the call "vaults" fails \(cut\)/,
    does: failure((error) =>
      new AppError(error.code, error.message, { origin: "source", hint: "near made-up-first-password" })
    ),
  },
  {
    what: "the token can be printed with the source",
    noticedBy: /^no secret is in what a debugger shows/,
    does: () => ({ token: "made-up-memory-token" }) as Partial<Source>,
  },
  {
    what: "a refused sign-in is tried again",
    noticedBy: /^a sign-in that was refused is never tried again/,
    does: (source) => ({
      vaults: (signal) =>
        source.vaults(signal).catch((error) => {
          // As if a new source had been opened.
          if (isAppError(error, "denied")) tries.more++;
          throw error;
        }),
    }),
  },
  {
    what: "a cancelled call goes on",
    noticedBy: /^the call "vaults" ends soon when it is cancelled/,
    does: (source) => ({ vaults: () => source.vaults(new AbortController().signal) }),
  },
  {
    what: "a cancellation is called something else",
    noticedBy: /^calls with a cancelled signal/,
    does: failure((error) => new AppError("unknown", error.message, { origin: "source" })),
  },
  {
    what: "the source works on after its end",
    noticedBy: /^a source that is disposed of does nothing more/,
    does: () => ({ [Symbol.asyncDispose]: () => Promise.resolve() }),
  },
  {
    what: "disposing twice is an error",
    noticedBy: /^a source is disposed of twice/,
    does: (source) => {
      let times = 0;
      return {
        [Symbol.asyncDispose]: () => {
          if (times++ > 0) throw new Error("already disposed of");
          return source[Symbol.asyncDispose]();
        },
      };
    },
  },
  {
    what: "the estimate is always the same",
    noticedBy: /^the estimate is near/,
    does: () => ({ estimate: () => Promise.resolve({ reads: 10 }) }),
  },
  {
    what: "the counts are of all items",
    noticedBy: /^vaults count their active items/,
    does: (source) => ({
      vaults: async (signal) =>
        (await source.vaults(signal)).map((vault) => ({
          ...vault,
          activeItemCount: vault.activeItemCount! + 1,
        })),
    }),
  },
  {
    what: "vaults of one title are one",
    noticedBy: /^every vault is listed/,
    does: (source) => ({
      vaults: async (
        signal,
      ) => [...new Map((await source.vaults(signal)).map((vault) => [vault.title, vault])).values()],
    }),
  },
];

/** How many tries more than the reference makes are pretended. */
const tries = { more: 0 };

for (const { what, noticedBy, does } of DEFECTS) {
  Deno.test(`the suite notices when ${what}`, async () => {
    const door = doorWith(does);
    const failed: string[] = [];
    for (const { name, needs, run } of sourceCases.filter(({ name }) => noticedBy.test(name))) {
      assert.deepEqual(reasonsAgainst(door, needs), []);
      tries.more = 0;
      await run(door).catch(() => failed.push(name));
    }
    assert.ok(failed.length > 0, `no case like ${noticedBy} failed`);
  });
}

/** The reference behind a defect. */
function doorWith(does: Defect["does"]): ConformanceDoor {
  return {
    ...memoryDoor,
    async start(account) {
      const harness = await memoryDoor.start(account);
      return {
        account: harness.account,
        secrets: harness.secrets,
        said: harness.said,
        fault: (name, options) => harness.fault(name, options),
        counted: () => {
          const { signIns, ...counted } = harness.counted();
          return { ...counted, signIns: signIns + tries.more };
        },
        [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose](),
        open: async (signal) => {
          const source = await harness.open(signal);
          return {
            name: source.name,
            limits: source.limits,
            account: (signal) => source.account(signal),
            vaults: (signal) => source.vaults(signal),
            items: (vault, signal, wanted) => source.items(vault, signal, wanted),
            open: (item, file, signal) => source.open(item, file, signal),
            estimate: (vaults, signal) => source.estimate(vaults, signal),
            [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
            ...does(source),
          };
        },
      };
    },
  };
}

Deno.test("the suite finds nothing where there is no defect", async () => {
  const door = doorWith(() => ({}));
  for (const { needs, run } of sourceCases) {
    if (reasonsAgainst(door, needs).length === 0) await run(door);
  }
});
