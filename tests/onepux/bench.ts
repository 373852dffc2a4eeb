import { onepux } from "../../plugins/sources/onepux/mod.ts";
import type { Item, ItemFile } from "../../src/model/item.ts";
import { isShortfall, type Shortfall } from "../../src/model/shortfall.ts";
import type { Vault } from "../../src/model/vault.ts";
import type { Files } from "../../src/base/world.ts";
import type { Source } from "../../src/source/contract.ts";
import { collect } from "../../src/base/bytes.ts";
import { Scratch, worldWith } from "../base/scratch.ts";
import { MADE_AT, writeExport, type WrittenExport } from "./export_writer.ts";
import type { ZipLies } from "./zip_writer.ts";

export const never = new AbortController().signal;

/** An export on disk, opened; and everything that was said about it. */
export class Bench implements AsyncDisposable {
  readonly warnings: string[] = [];
  /** Now, as the plugin sees it: a day after the export was made. */
  now = new Date((MADE_AT + 24 * 3600) * 1000);
  files: Partial<Files> = {};

  private constructor(readonly scratch: Scratch, readonly path: string) {}

  static async of(given: WrittenExport | Uint8Array, lies?: ZipLies): Promise<Bench> {
    const scratch = await Scratch.make();
    const bytes = given instanceof Uint8Array ? given : writeExport(given, lies);
    return new Bench(scratch, await scratch.write("sample.1pux", bytes));
  }

  async open(path = this.path, signal = never): Promise<Source> {
    const world = worldWith(this.files);
    return await onepux.open({ path }, {
      world: { ...world, clock: { ...world.clock, now: () => this.now } },
      version: "0.0.0",
      secret: () => Promise.reject(new Error("an export has no secret")),
      privateFolder: () => Promise.reject(new Error("an export needs no folder")),
      warn: (message) => this.warnings.push(message),
    }, signal);
  }

  /** Everything in the export, vault by vault. */
  async read(): Promise<Contents> {
    const source = await this.open();
    const vaults = await source.vaults(never);
    const items: Item[] = [];
    const lacking: Shortfall[] = [];
    for (const vault of vaults) {
      for await (const found of source.items(vault, never)) {
        if (isShortfall(found)) lacking.push(found);
        else items.push(found);
      }
    }
    return { source, vaults, items, lacking };
  }

  /** The one item of an export. */
  async readItem(): Promise<Item> {
    const { items: [item] } = await this.read();
    return item!;
  }

  async [Symbol.asyncDispose]() {
    await this.scratch[Symbol.asyncDispose]();
  }
}

export interface Contents {
  source: Source;
  vaults: Vault[];
  items: Item[];
  lacking: Shortfall[];
}

/** The content of a file, which fits into memory. */
export async function contentOf(source: Source, item: Item, file: ItemFile): Promise<Uint8Array> {
  return await collect(await source.open(item, file, never), 2 ** 26, "a file");
}

/** What comes of a file whose content ends in an error, and the error. */
export async function brokenContent(source: Source, item: Item, file: ItemFile) {
  const reader = (await source.open(item, file, never)).getReader();
  let size = 0;
  while (true) {
    let next;
    try {
      next = await reader.read();
    } catch (error) {
      return { size, error };
    }
    if (next.done) return { size, error: undefined };
    size += next.value.length;
  }
}
