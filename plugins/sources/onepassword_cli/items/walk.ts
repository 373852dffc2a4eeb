import { isAppError, throwIfCancelled } from "../../../../src/base/errors.ts";
import type { Item } from "../../../../src/model/item.ts";
import { isShortfall, type Shortfall } from "../../../../src/model/shortfall.ts";
import type { Vault } from "../../../../src/model/vault.ts";
import type { Wanted } from "../../../../src/source/contract.ts";
import { batch, isPassing, single } from "./batch.ts";
import { fromOverview, isArchived } from "./item.ts";
import { limitsOf } from "../limits.ts";
import { type ListedItem, listItems, removed, wholeList } from "./lists.ts";
import { type Op, OutOfTime } from "../op/program.ts";

/** Ids for one process: what is lost when it dies is asked for again, so a vault is rarely more than a few of them. */
const BATCH = 2000;

/** Failures in a row after which the rest is not asked for: each costs calls of the quota, and time. */
const GIVE_UP_AFTER = 5;

/** Tries of a batch that 1Password cannot be reached for. */
const TRIES = 3;

/** One walk through a vault. */
export class Walk {
  constructor(readonly op: Op, readonly vault: Vault, readonly signal: AbortSignal) {}

  async *items(wanted: Wanted): AsyncGenerator<Item | Shortfall> {
    let listed: ReadonlyMap<string, ListedItem>;
    try {
      const { items, shortfall } = await wholeList(this.op, this.vault, this.signal);
      listed = items;
      if (shortfall) yield shortfall;
    } catch (error) {
      yield await removed(this.op, this.vault, error, this.signal);
      return;
    }
    const left: string[] = [];
    yield* this.#inBatches([...listed.keys()].filter(wanted), left);
    if (left.length > 0) yield* this.#again(left, listed);
  }

  /** Items in batches; the ids of those that did not come are put into `left`. */
  async *#inBatches(ids: readonly string[], left: string[]): AsyncGenerator<Item | Shortfall> {
    let waiting = [...ids];
    let fruitless = 0;
    let tries = 0;
    while (waiting.length > 0) {
      throwIfCancelled(this.signal);
      const asked = waiting.slice(0, BATCH);
      const rest = waiting.slice(BATCH);
      const { came, missing, stoppedAt, error } = yield* batch(this.op, this.vault.id, asked, this.signal);
      if (came > 0) fruitless = tries = 0;
      if (error && isPassing(error)) {
        if (++tries >= TRIES) throw error;
        await this.op.options.world.clock.sleep(1000 * 2 ** (tries - 1), this.signal);
        waiting = [...missing, ...rest];
        continue;
      }
      if (error instanceof OutOfTime && came === 0) throw error;
      // The one at which it stopped may be to blame; those after it were never tried.
      left.push(...missing.slice(0, stoppedAt + 1));
      waiting = [...missing.slice(stoppedAt + 1), ...rest];
      if (came === 0 && error && ++fruitless >= GIVE_UP_AFTER) {
        left.push(...waiting);
        return;
      }
    }
  }

  /** Items that their batch did not give: listed again once; what is still there is asked for again, at last singly. */
  async *#again(
    ids: readonly string[],
    before: ReadonlyMap<string, ListedItem>,
  ): AsyncGenerator<Item | Shortfall> {
    let now: ReadonlyMap<string, ListedItem>;
    let whole: boolean;
    try {
      now = await listItems(this.op, this.vault.id, this.signal);
      whole = ids.every((id) => now.has(id));
      if (!whole) {
        // What a short list leaves out has not been deleted: only a whole one may say so.
        const { items, shortfall } = await wholeList(this.op, this.vault, this.signal, now);
        now = items;
        whole = shortfall === undefined;
      }
    } catch (error) {
      const gone = await removed(this.op, this.vault, error, this.signal);
      yield { ...gone, expected: ids.length, seen: 0 };
      return;
    }
    const there: string[] = [];
    for (const id of ids) {
      if (now.has(id) || !whole) there.push(id);
      else yield this.#moved(id, "deleted-meanwhile");
    }
    const left: string[] = [];
    yield* this.#inBatches(there, left);
    let failures = 0;
    for (const id of left) {
      throwIfCancelled(this.signal);
      const found = failures < GIVE_UP_AFTER ? await this.#single(id, before.get(id), now.get(id)) : [
        this.#unreadable(
          id,
          `not asked for singly after ${GIVE_UP_AFTER} others in a row could not be read`,
        ),
      ];
      failures = found.some((one) => isShortfall(one) && one.reason === "unreadable-item") ? failures + 1 : 0;
      yield* found;
    }
  }

  async #single(
    id: string,
    before: ListedItem | undefined,
    now: ListedItem | undefined,
  ): Promise<(Item | Shortfall)[]> {
    try {
      const item = await single(this.op, this.vault.id, id, this.signal);
      return [item, ...limitsOf(item)];
    } catch (error) {
      if (isAppError(error, "quota", "cancelled", "transient", "misconfigured")) throw error;
      this.op.throwIfRefused();
      if (now && isArchived(now) && before && !isArchived(before)) {
        return [fromOverview(this.vault.id, now), this.#moved(id, "archived-meanwhile")];
      }
      return [
        this.#unreadable(id, isAppError(error) ? error.message : "op answered with an item of unknown shape"),
      ];
    }
  }

  #moved(itemId: string, reason: "deleted-meanwhile" | "archived-meanwhile"): Shortfall {
    const what = reason === "deleted-meanwhile" ? "deleted" : "archived";
    return {
      shortfall: "moved",
      reason,
      vaultId: this.vault.id,
      itemId,
      detail: `the item was ${what} while the backup was made`,
    };
  }

  #unreadable(itemId: string, detail: string): Shortfall {
    return { shortfall: "gap", reason: "unreadable-item", vaultId: this.vault.id, itemId, detail };
  }
}
