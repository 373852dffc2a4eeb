import { throwIfCancelled } from "../../../src/base/errors.ts";
import type { Item, ItemFile } from "../../../src/model/item.ts";
import type { Shortfall } from "../../../src/model/shortfall.ts";
import type { Account, Vault } from "../../../src/model/vault.ts";
import type { CallEstimate, Source, Wanted } from "../../../src/source/contract.ts";
import { sourceError } from "./errors.ts";
import type { ExportedData } from "./export.ts";
import { itemId, itemJson, toItem } from "./item.ts";
import { type FileIndex, type FileReference, filesOf } from "./item_files.ts";
import { isObject, isTooDeep, madeId, objectOf } from "./json.ts";
import { DOOR_LIMITS } from "./limits.ts";

/** 1Password through an export that somebody made: everything is at hand, and only files are fetched when asked for. */
export class OnepuxSource implements Source {
  readonly name = "onepux";
  readonly limits = DOOR_LIMITS;
  readonly snapshot = true;

  /** Private to the letter, because it holds every secret of the account: printing the source must not show it. */
  readonly #data: ExportedData;
  #closed = false;

  constructor(data: ExportedData, readonly files: FileIndex) {
    this.#data = data;
  }

  async account(signal: AbortSignal): Promise<Account | undefined> {
    this.#check(signal);
    return await Promise.resolve(this.#data.account);
  }

  async vaults(signal: AbortSignal): Promise<Vault[]> {
    this.#check(signal);
    return await Promise.resolve(this.#data.vaults.map(({ vault }) => vault));
  }

  async *items(
    vault: Vault,
    signal: AbortSignal,
    wanted: Wanted = () => true,
  ): AsyncGenerator<Item | Shortfall> {
    this.#check(signal);
    const list = this.#data.vaults.find((one) => one.vault.id === vault.id)?.items;
    if (!list) {
      yield lacking(vault, "unreadable-vault", "the export has no list of items for this vault");
      return;
    }
    const made = new Set<string>();
    for (const raw of list) {
      this.#check(signal);
      const known = itemId(raw);
      const ids = known === undefined ? {} : { itemId: known };
      if (!isObject(raw)) {
        yield lacking(vault, "unreadable-item", "the export has something else in place of an item");
      } else if (isTooDeep(raw)) {
        if (known !== undefined && !wanted(known)) continue;
        yield { ...lacking(vault, "unreadable-item", "the item is nested deeper than any item is"), ...ids };
      } else {
        const id = known ?? newId(vault, raw, made);
        if (wanted(id)) yield toItem(vault.id, id, raw, (file) => this.#size(file));
      }
    }
  }

  async open(item: Item, file: ItemFile, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    this.#check();
    const reference = filesOf(itemJson(objectOf(item.raw))).find(({ id }) => id === file.id);
    const [entry, ...others] = reference ? this.files.find(reference) : [];
    // Never "not-found" or "unsupported", which would mean that nothing is amiss.
    if (!entry) throw sourceError("unknown", "the export does not hold it");
    if (others.length > 0) throw sourceError("corrupt", "the export holds more than one file of its id");
    const content = await this.files.zip.read(entry, signal);
    const declared = reference?.declared;
    return declared === undefined || declared === entry.size
      ? content
      : ReadableStream.from(otherThanDeclared(content, entry.size, declared));
  }

  estimate(_vaults: Vault[], _signal: AbortSignal): Promise<CallEstimate> {
    return Promise.resolve({ reads: 0 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true; // the file itself is open only while something of it is read
    return Promise.resolve();
  }

  /** Without a signal only whether the source is still open: what is read later checks the signal itself. */
  #check(signal?: AbortSignal): void {
    if (signal) throwIfCancelled(signal);
    if (this.#closed) throw sourceError("cancelled", "the source was closed");
  }

  /**
   * A file is as long as the zip says, so that all of it is saved even where its item says otherwise. What the
   * item says counts only where the file is not there at all.
   */
  #size(file: FileReference): number {
    return this.files.find(file)[0]?.size ?? file.declared ?? 0;
  }
}

function lacking(vault: Vault, reason: Shortfall["reason"], detail: string): Shortfall {
  return { shortfall: "gap", reason, vaultId: vault.id, detail };
}

/** An id for an item without one; the second of two equal items gets another. */
function newId(vault: Vault, raw: unknown, made: Set<string>): string {
  let id = madeId("item", vault.id, raw);
  while (made.has(id)) id = madeId(id);
  made.add(id);
  return id;
}

/** Everything that is there, and then an error: that the item says otherwise may mean that it is another file. */
async function* otherThanDeclared(content: ReadableStream<Uint8Array>, size: number, declared: number) {
  yield* content;
  throw sourceError("corrupt", `it has ${size} bytes in the export, its item says ${declared}`);
}
