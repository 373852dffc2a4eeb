import { z } from "zod";
import { AppError } from "../../src/base/errors.ts";
import type { Item, ItemFile } from "../../src/model/item.ts";
import type { Shortfall } from "../../src/model/shortfall.ts";
import type { Vault } from "../../src/model/vault.ts";
import type { Wanted } from "../../src/source/contract.ts";
import { MemorySource } from "../../src/source/memory.ts";
import type { SourcePlugin } from "../../src/source/plugin.ts";

/** A source without 1Password, for stories about what comes after it. */
export interface MemoryAccount {
  vaults: MemoryVault[];
  /** The body of a file; a few bytes of its id when left out. */
  open?(item: Item, file: ItemFile): ReadableStream<Uint8Array> | Promise<ReadableStream<Uint8Array>>;
  /** Runs when the source is opened. */
  opening?(): void | Promise<void>;
}

export interface MemoryVault {
  id: string;
  title?: string;
  /** What it yields; a function may throw instead, or wait. */
  items: (Item | Shortfall)[] | ((signal: AbortSignal) => AsyncIterable<Item | Shortfall>);
}

export function memoryItem(vaultId: string, id: string, files: Partial<ItemFile>[] = []): Item {
  return {
    id,
    vaultId,
    title: `title of ${id}`,
    category: "Login",
    state: "active",
    contents: "full",
    tags: [],
    urls: [],
    notes: "",
    sections: [],
    fields: [{ id: "username", title: "username", kind: "Text", value: `user of ${id}` }],
    files: files.map((file, at): ItemFile => ({
      id: `file${at}`,
      name: `name ${at}.txt`,
      role: "attachment",
      size: bodyOf(file.id ?? `file${at}`).length,
      ...file,
    })),
    raw: { id },
  };
}

/** The bytes of a file without a body of its own. */
export function bodyOf(fileId: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`body of ${fileId}\n`);
}

/** Two vaults, four items, two files. */
export function memoryAccount(): MemoryAccount {
  return {
    vaults: [
      { id: "v1", items: [memoryItem("v1", "a", [{ id: "f1" }]), memoryItem("v1", "b")] },
      { id: "v2", items: [memoryItem("v2", "a"), memoryItem("v2", "c", [{ id: "f2" }])] },
    ],
  };
}

/** An error as a source plugin translates it. */
export function sourceError(code: ConstructorParameters<typeof AppError>[0], message: string): AppError {
  return new AppError(code, message, { origin: "source" });
}

export function memorySource(account: MemoryAccount): SourcePlugin {
  return {
    type: "memory",
    summary: "a source in memory",
    config: z.strictObject({}),
    async open() {
      await account.opening?.();
      const source = new StorySource(account);
      // A plain object, so that a story can spread it and replace a part.
      return {
        name: source.name,
        limits: source.limits,
        account: (signal) => source.account(signal),
        vaults: (signal) => source.vaults(signal),
        items: (vault, signal, wanted) => source.items(vault, signal, wanted),
        open: (item, file, signal) => source.open(item, file, signal),
        estimate: () => Promise.resolve({ reads: 0 }),
        [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
      };
    },
  };
}

/** The reference of the contract, except where a story has a vault do something else. */
class StorySource extends MemorySource {
  constructor(readonly story: MemoryAccount) {
    super("memory", {
      vaults: story.vaults.map(({ id, title = `title of ${id}`, items }) => ({
        vault: { id, title, description: "", kind: "created", raw: { id } },
        items: typeof items === "function" ? [] : items,
      })),
      body: async (item, file) => await story.open?.(item, file) ?? bodyOf(file.id),
    });
  }

  /** Without counts, because not every vault of a story knows what it will yield. */
  override async vaults(signal: AbortSignal): Promise<Vault[]> {
    return (await super.vaults(signal)).map(({ activeItemCount: _, ...vault }) => vault);
  }

  override async *items(
    vault: Vault,
    signal: AbortSignal,
    wanted?: Wanted,
  ): AsyncGenerator<Item | Shortfall> {
    const { items } = this.story.vaults.find(({ id }) => id === vault.id)!;
    if (typeof items === "function") yield* items(signal);
    else yield* super.items(vault, signal, wanted);
  }
}
