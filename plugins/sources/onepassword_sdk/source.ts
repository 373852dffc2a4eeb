import { AppError, isAppError, throwIfCancelled } from "../../../src/base/errors.ts";
import { streamOf } from "../../../src/base/bytes.ts";
import type { Item, ItemFile } from "../../../src/model/item.ts";
import { type DoorLimit, isShortfall, type Shortfall } from "../../../src/model/shortfall.ts";
import type { Account, Vault } from "../../../src/model/vault.ts";
import type { CallEstimate, Source, Wanted } from "../../../src/source/contract.ts";
import { BATCH, inBatches, single, unreadable } from "./batches.ts";
import type { Core } from "./core.ts";
import { fromOverview } from "./item.ts";
import { archivedLimit, LARGEST_FILE } from "./limits.ts";
import { type Listed, listItems, listVaults } from "./lists.ts";

/** Items in a row that cannot be read singly before the rest is not asked for: each costs a call of the quota. */
const GIVE_UP_AFTER = 5;

/** 1Password through the official SDK's core, which is signed in. */
export class SdkSource implements Source {
  readonly name = "onepassword-sdk";

  constructor(
    readonly core: Core,
    readonly signedInTo: Account | undefined,
    readonly limits: DoorLimit[],
  ) {}

  async account(_signal: AbortSignal): Promise<Account | undefined> {
    return await Promise.resolve(this.signedInTo);
  }

  vaults(signal: AbortSignal): Promise<Vault[]> {
    return listVaults(this.core, signal);
  }

  async *items(
    vault: Vault,
    signal: AbortSignal,
    wanted: Wanted = () => true,
  ): AsyncGenerator<Item | Shortfall> {
    let list: Sorted & { shortfall?: Shortfall };
    try {
      list = await this.#wholeList(vault, wanted, signal);
    } catch (error) {
      yield await this.#ifRemoved(vault, error, signal);
      return;
    }
    if (list.shortfall) yield list.shortfall;
    for (const { overview, raw } of list.archived) {
      yield fromOverview(vault.id, overview, raw);
      yield archivedLimit(vault.id, overview.id);
    }
    const left: string[] = [];
    yield* inBatches(this.core, vault.id, list.active, left, signal);
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
      if (!await this.#isGone(item, signal)) {
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
  async #wholeList(
    vault: Vault,
    wanted: Wanted,
    signal: AbortSignal,
  ): Promise<Sorted & { shortfall?: Shortfall }> {
    const first = await listItems(this.core, vault.id, signal);
    if (vault.activeItemCount === undefined || activeIn(first) >= vault.activeItemCount) {
      return sorted(first, wanted);
    }
    const now = (await this.vaults(signal)).find((one) => one.id === vault.id);
    const second = await listItems(this.core, vault.id, signal);
    const items = [...new Map([...first, ...second].map((one) => [one.overview.id, one])).values()];
    const expected = now?.activeItemCount ?? vault.activeItemCount;
    const seen = activeIn(items);
    if (seen >= expected) return sorted(items, wanted);
    return {
      ...sorted(items, wanted),
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
    const whole = ids.every((id) => now.has(id)) || await this.#isWhole(vault.id, now, signal);
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
    yield* inBatches(this.core, vault.id, active, left, signal);
    let failures = 0;
    for (const id of left) {
      throwIfCancelled(signal);
      const found = failures < GIVE_UP_AFTER ? await single(this.core, vault.id, id, signal) : [
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
  async #isWhole(
    vaultId: string,
    listed: ReadonlyMap<string, Listed>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const count = (await this.vaults(signal)).find((vault) => vault.id === vaultId)?.activeItemCount;
    return count === undefined || activeIn([...listed.values()]) >= count;
  }

  /** Whether an item that was read before is gone or archived: only a whole list may say so, or that of the vaults. */
  async #isGone({ id, vaultId }: Item, signal: AbortSignal): Promise<boolean> {
    let now: Map<string, Listed>;
    try {
      now = new Map((await listItems(this.core, vaultId, signal)).map((one) => [one.overview.id, one]));
    } catch (error) {
      if (!isAppError(error, "not-found", "denied")) throw error;
      return !(await this.vaults(signal)).some((vault) => vault.id === vaultId);
    }
    const listed = now.get(id);
    return listed ? listed.overview.state === "archived" : await this.#isWhole(vaultId, now, signal);
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

/** What is kept of a list while its items are read: of an active item its id, for there may be thousands. */
interface Sorted {
  archived: Listed[];
  active: string[];
}

function sorted(listed: readonly Listed[], wanted: Wanted): Sorted {
  const lacking = listed.filter(({ overview }) => wanted(overview.id));
  return {
    archived: lacking.filter(isArchived),
    active: lacking.filter((one) => !isArchived(one)).map(({ overview }) => overview.id),
  };
}

function isArchived({ overview }: Listed): boolean {
  return overview.state === "archived";
}

function activeIn(listed: readonly Listed[]): number {
  return listed.filter((one) => !isArchived(one)).length;
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
