import { ahead } from "../../../src/base/ahead.ts";
import { type AppError, isAppError, throwIfCancelled } from "../../../src/base/errors.ts";
import type { Item } from "../../../src/model/item.ts";
import type { Shortfall } from "../../../src/model/shortfall.ts";
import type { ConnectApi, Listed } from "./api.ts";
import { fromOverview, isActive } from "./item.ts";
import { archivedLimit, limitsOf } from "./limits.ts";
import { listNow } from "./whole_list.ts";

/** Items that are asked for before they are needed: Connect gives one a request, and each costs the way there. */
export const AT_ONCE = 6;

/** Items in a row at which Connect or the network fails before the rest is given up: each costs seconds of retries. */
const GIVE_UP_AFTER = 5;

/** What became of asking for an item: the item and what it lacks, or why it could not be read. */
type Outcome = { found: (Item | Shortfall)[] } | { failed: AppError };

interface Left {
  listed: Listed;
  failed: AppError;
}

/** Reads the listed items of a vault, in the order of the list; what could not be read at first comes at the end. */
export class ItemWalk {
  constructor(readonly api: ConnectApi, readonly vaultId: string, readonly signal: AbortSignal) {}

  /** @throws what befalls every item, not this or that one: a refused token, a server that cannot be reached */
  async *read(listed: Iterable<Listed>): AsyncGenerator<Item | Shortfall> {
    const left: Left[] = [];
    let inARow = 0;
    const work = async (one: Listed, signal: AbortSignal) => ({ one, outcome: await this.#ask(one, signal) });
    for await (const { one, outcome } of ahead(listed, work, { signal: this.signal, most: AT_ONCE })) {
      if ("found" in outcome) {
        inARow = 0;
        yield* outcome.found;
        continue;
      }
      inARow = outcome.failed.code === "transient" ? inARow + 1 : 0;
      if (inARow >= GIVE_UP_AFTER) throw outcome.failed;
      left.push({ listed: one, failed: outcome.failed });
    }
    if (left.length > 0) yield* this.#again(left);
  }

  async #ask({ overview: { id } }: Listed, signal: AbortSignal): Promise<Outcome> {
    try {
      const item = await this.api.item(this.vaultId, id, signal);
      const lacking = await this.#completeFiles(item, signal);
      return { found: [item, ...limitsOf(item), ...lacking] };
    } catch (error) {
      return { failed: itemsOwn(error) };
    }
  }

  /** A document names its file; one that does not is asked for it, so that the file cannot be missing in silence. */
  async #completeFiles(item: Item, signal: AbortSignal): Promise<Shortfall[]> {
    if (item.category !== "Document" || item.files.length > 0) return [];
    try {
      item.files = await this.api.files(item, signal);
      return [];
    } catch (error) {
      const { message } = itemsOwn(error);
      const detail =
        `the Connect server names no file of this document and does not list its files: ${message}`;
      const ids = { vaultId: this.vaultId, itemId: item.id };
      return [{ shortfall: "gap", reason: "unreadable-file", ...ids, detail }];
    }
  }

  /** Items that could not be read: listed again once; what is still there is asked for again. */
  async *#again(left: readonly Left[]): AsyncGenerator<Item | Shortfall> {
    const { items, whole, shortfall } = await listNow(this.api, this.vaultId, this.signal);
    if (shortfall) {
      yield { ...shortfall, expected: left.length, seen: 0 };
      return;
    }
    const now = new Map(items.map((one) => [one.overview.id, one]));
    let inARow = 0;
    for (const { listed, failed } of left) {
      throwIfCancelled(this.signal);
      const { id } = listed.overview;
      const current = now.get(id);
      if (!current && whole) {
        yield this.#moved(id, "deleted-meanwhile");
        continue;
      }
      // An archived item that was refused is refused again; a vault may hold thousands of them.
      const final = current && !isActive(current.overview) && !isActive(listed.overview) &&
        failed.code !== "transient";
      const outcome = final || inARow >= GIVE_UP_AFTER ? { failed } : await this.#ask(listed, this.signal);
      if ("found" in outcome) {
        inARow = 0;
        yield* outcome.found;
        continue;
      }
      inARow = outcome.failed.code === "transient" ? inARow + 1 : 0;
      yield* this.#lacking(listed, current, outcome.failed);
    }
  }

  /** What is said of an item that cannot be read, by what the list says of it now. */
  *#lacking(before: Listed, now: Listed | undefined, failed: AppError): Generator<Item | Shortfall> {
    const { id } = before.overview;
    if (now?.overview.state === "DELETED" && failed.code === "not-found") {
      yield this.#moved(id, "deleted-meanwhile");
      return;
    }
    if (now && !isActive(now.overview)) {
      yield fromOverview(this.vaultId, now.overview, now.raw);
      if (failed.code !== "transient") {
        yield isActive(before.overview)
          ? this.#moved(id, "archived-meanwhile")
          : archivedLimit(this.vaultId, id);
        return;
      }
    }
    const why = failed.code !== "not-found"
      ? failed.message
      : now
      ? "the Connect server lists it and does not have it when asked for it"
      : "the Connect server does not have it any more, and its list is too short to tell whether it was deleted";
    yield { shortfall: "gap", reason: "unreadable-item", vaultId: this.vaultId, itemId: id, detail: why };
  }

  #moved(itemId: string, reason: "deleted-meanwhile" | "archived-meanwhile"): Shortfall {
    // Not every Connect server lists archived items.
    const what = reason === "deleted-meanwhile" ? "deleted or archived" : "archived";
    const detail = `the item was ${what} while the backup was made`;
    return { shortfall: "moved", reason, vaultId: this.vaultId, itemId, detail };
  }
}

/** An error as this item's own; that the run was cancelled, and what nobody translated, is thrown on. */
function itemsOwn(error: unknown): AppError {
  if (!isAppError(error) || error.code === "cancelled") throw error;
  return error;
}
