import { AppError, isAppError, throwIfCancelled } from "../../../src/base/errors.ts";
import { streamOf } from "../../../src/base/bytes.ts";
import type { Item, ItemFile } from "../../../src/model/item.ts";
import { isShortfall, type Shortfall } from "../../../src/model/shortfall.ts";
import type { Account, Vault } from "../../../src/model/vault.ts";
import type { CallEstimate, Source } from "../../../src/source/contract.ts";
import type { Core } from "./core.ts";
import { fromOverview, toItem } from "./item.ts";
import { archivedLimit, DOOR_LIMITS, LARGEST_FILE, limitsOf } from "./limits.ts";
import { type Listed, listItems, listVaults } from "./lists.ts";

/** What `getAll` takes at once. */
const BATCH = 50;

/** Items in a row that cannot be read singly before the rest is not asked for: each costs a call of the quota. */
const GIVE_UP_AFTER = 5;

/** 1Password through the official SDK's core, signed in with a service account token. */
export class SdkSource implements Source {
  readonly name = "onepassword-sdk";
  readonly limits = DOOR_LIMITS;

  constructor(readonly core: Core, readonly signedInTo: Account | undefined) {}

  async account(_signal: AbortSignal): Promise<Account | undefined> {
    return await Promise.resolve(this.signedInTo);
  }

  vaults(signal: AbortSignal): Promise<Vault[]> {
    return listVaults(this.core, signal);
  }

  async *items(vault: Vault, signal: AbortSignal): AsyncGenerator<Item | Shortfall> {
    let listed: Listed[];
    try {
      const { items, shortfall } = await this.#wholeList(vault, signal);
      listed = items;
      if (shortfall) yield shortfall;
    } catch (error) {
      const removed = await this.#ifRemoved(vault, error, signal);
      yield removed;
      return;
    }
    for (const { overview, raw } of listed.filter((one) => one.overview.state === "archived")) {
      yield fromOverview(vault.id, overview, raw);
      yield archivedLimit(vault.id, overview.id);
    }
    const active = listed.filter((one) => one.overview.state !== "archived").map((one) => one.overview.id);
    const left: string[] = [];
    yield* this.#inBatches(vault, active, left, signal);
    if (left.length > 0) yield* this.#again(vault, left, signal);
  }

  async open(item: Item, file: ItemFile, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    if (file.size > LARGEST_FILE) throw tooLarge(file.size);
    const { id, name, size } = file;
    try {
      return streamOf(
        await this.core.bytes(
          "ItemsFilesRead",
          { vault_id: item.vaultId, item_id: item.id, attr: { id, name, size } },
          signal,
        ),
      );
    } catch (error) {
      if (!isAppError(error, "not-found", "denied", "unknown")) throw error;
      const now = await listItems(this.core, item.vaultId, signal);
      if (now.some(({ overview }) => overview.id === item.id && overview.state !== "archived")) {
        throw new AppError("unknown", error.message, { origin: "source", cause: error });
      }
      throw new AppError("not-found", "its item was deleted or archived while the backup was made", {
        origin: "source",
        cause: error,
      });
    }
  }

  estimate(vaults: Vault[], _signal: AbortSignal): Promise<CallEstimate> {
    const batches = vaults.reduce((sum, vault) => sum + Math.ceil((vault.activeItemCount ?? 0) / BATCH), 0);
    return Promise.resolve({ reads: 8 + 3 * vaults.length + batches });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.core[Symbol.asyncDispose]();
  }

  /**
   * The vault's list, compared with the service's own count: the core ignores "there is more" and gives a short
   * list without a word, so a list shorter than the count is asked for once more and then called a gap.
   */
  async #wholeList(vault: Vault, signal: AbortSignal): Promise<{ items: Listed[]; shortfall?: Shortfall }> {
    const activeIn = (items: Listed[]) => items.filter((one) => one.overview.state !== "archived").length;
    const first = await listItems(this.core, vault.id, signal);
    if (vault.activeItemCount === undefined || activeIn(first) >= vault.activeItemCount) {
      return { items: first };
    }
    const now = (await this.vaults(signal)).find((one) => one.id === vault.id);
    const second = await listItems(this.core, vault.id, signal);
    const items = [...new Map([...first, ...second].map((one) => [one.overview.id, one])).values()];
    const expected = now?.activeItemCount ?? vault.activeItemCount;
    const seen = activeIn(items);
    if (seen >= expected) return { items };
    return {
      items,
      shortfall: {
        shortfall: "gap",
        reason: "short-list",
        vaultId: vault.id,
        detail:
          `1Password counts ${expected} active items in this vault and lists ${seen}, also when asked again`,
        expected,
        seen,
      },
    };
  }

  /** A batch's items by id; answers have no order, and an id that the service omits is simply not among them. */
  async #batch(vault: Vault, ids: readonly string[], signal: AbortSignal): Promise<Map<string, Item>> {
    const answer = await this.core.call("ItemsGetAll", { vault_id: vault.id, item_ids: ids }, signal);
    const responses = (answer as { individualResponses?: { content?: unknown }[] }).individualResponses ?? [];
    const items = new Map<string, Item>();
    for (const { content } of responses) {
      if (content == null) continue;
      const item = toItem(vault.id, content);
      if (ids.includes(item.id)) items.set(item.id, item);
    }
    return items;
  }

  /** Items in batches; the ids of those that their batch did not give are put into `left`. */
  async *#inBatches(
    vault: Vault,
    ids: readonly string[],
    left: string[],
    signal: AbortSignal,
  ): AsyncGenerator<Item | Shortfall> {
    for (let at = 0; at < ids.length; at += BATCH) {
      throwIfCancelled(signal);
      const batch = ids.slice(at, at + BATCH);
      try {
        const got = await this.#batch(vault, batch, signal);
        for (const item of got.values()) yield* withLimits(item);
        left.push(...batch.filter((id) => !got.has(id)));
      } catch (error) {
        // One item that was archived meanwhile fails its whole batch, so the rest of it is not lost yet.
        if (isAppError(error, "quota", "cancelled", "transient")) throw error;
        left.push(...batch);
      }
    }
  }

  /** Items that their batch did not give: listed again once; what is still active is asked for again, at last singly. */
  async *#again(vault: Vault, ids: readonly string[], signal: AbortSignal): AsyncGenerator<Item | Shortfall> {
    let now: Map<string, Listed>;
    try {
      now = new Map((await listItems(this.core, vault.id, signal)).map((one) => [one.overview.id, one]));
    } catch (error) {
      const removed = await this.#ifRemoved(vault, error, signal);
      yield { ...removed, expected: ids.length, seen: 0 };
      return;
    }
    const active: string[] = [];
    // What a short list leaves out has not been deleted: only a whole one may say so.
    const whole = ids.every((id) => now.has(id)) || await this.#isWhole(vault, now, signal);
    for (const id of ids) {
      const listed = now.get(id);
      if (!listed && !whole) active.push(id);
      else if (!listed) yield moved(vault.id, id, "deleted-meanwhile");
      else if (listed.overview.state === "archived") {
        yield fromOverview(vault.id, listed.overview, listed.raw);
        yield moved(vault.id, id, "archived-meanwhile");
      } else active.push(id);
    }
    const left: string[] = [];
    yield* this.#inBatches(vault, active, left, signal);
    let failures = 0;
    for (const id of left) {
      throwIfCancelled(signal);
      const found = failures < GIVE_UP_AFTER ? await this.#single(vault, id, signal) : [
        unreadable(
          vault.id,
          id,
          `not asked for singly after ${failures} others in a row could not be read`,
        ),
      ];
      failures = found.some(isShortfallOfItem) ? failures + 1 : 0;
      yield* found;
    }
  }

  /** Whether a list has as many active items as the service counts at this moment. */
  async #isWhole(vault: Vault, listed: ReadonlyMap<string, Listed>, signal: AbortSignal): Promise<boolean> {
    const count = (await this.vaults(signal)).find((one) => one.id === vault.id)?.activeItemCount;
    const seen = [...listed.values()].filter((one) => one.overview.state !== "archived").length;
    return count === undefined || seen >= count;
  }

  async #single(vault: Vault, id: string, signal: AbortSignal): Promise<(Item | Shortfall)[]> {
    let why = "1Password lists it and leaves it out when asked for it";
    try {
      const item = (await this.#batch(vault, [id], signal)).get(id);
      if (item) return [...withLimits(item)];
    } catch (error) {
      if (isAppError(error, "quota", "cancelled", "transient")) throw error;
      why = isAppError(error) ? error.message : "the SDK's answer has an unknown shape";
    }
    return [unreadable(vault.id, id, why)];
  }

  /** The shortfall for a vault that is gone, confirmed by listing the vaults again; throws `error` when it is not. */
  async #ifRemoved(vault: Vault, error: unknown, signal: AbortSignal): Promise<Shortfall> {
    if (!isAppError(error, "not-found", "denied")) throw error;
    if ((await this.vaults(signal)).some((one) => one.id === vault.id)) throw error;
    return {
      shortfall: "moved",
      reason: "vault-removed-meanwhile",
      vaultId: vault.id,
      detail: "the vault was removed, or this account's access to it, while the backup was made",
    };
  }
}

function* withLimits(item: Item): Generator<Item | Shortfall> {
  yield item;
  yield* limitsOf(item);
}

function moved(
  vaultId: string,
  itemId: string,
  reason: "deleted-meanwhile" | "archived-meanwhile",
): Shortfall {
  const what = reason === "deleted-meanwhile" ? "deleted" : "archived";
  return {
    shortfall: "moved",
    reason,
    vaultId,
    itemId,
    detail: `the item was ${what} while the backup was made`,
  };
}

function unreadable(vaultId: string, itemId: string, detail: string): Shortfall {
  return { shortfall: "gap", reason: "unreadable-item", vaultId, itemId, detail };
}

function isShortfallOfItem(found: Item | Shortfall): boolean {
  return isShortfall(found) && found.reason === "unreadable-item";
}

function tooLarge(size: number): AppError {
  return new AppError(
    "unsupported",
    `the file has ${size} bytes, the SDK reads up to 50 MB; other sources can`,
    {
      origin: "source",
    },
  );
}
