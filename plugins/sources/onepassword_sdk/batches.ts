import { ahead } from "../../../src/base/ahead.ts";
import { AppError, isAppError } from "../../../src/base/errors.ts";
import type { Item } from "../../../src/model/item.ts";
import type { Shortfall } from "../../../src/model/shortfall.ts";
import type { Core } from "./core.ts";
import { toItem } from "./item.ts";
import { limitsOf } from "./limits.ts";

/** What `getAll` takes at once. */
export const BATCH = 50;

/**
 * Batches that are asked for before their items are used up. Measured with 30 ms a request: 4,000 items take 6.4 s
 * one after the other, 3.3 s with two and 2.6 s with four; more gain nothing, because then the core is always busy.
 */
const AHEAD = 4;

/** Items by id, in batches; the ids of those that their batch did not give are put into `left`. */
export async function* inBatches(
  core: Core,
  vaultId: string,
  ids: readonly string[],
  left: string[],
  signal: AbortSignal,
): AsyncGenerator<Item | Shortfall> {
  const ask = async (batch: readonly string[], signal: AbortSignal) => {
    try {
      return { batch, got: await getAll(core, vaultId, batch, signal) };
    } catch (error) {
      // One item that was archived meanwhile fails its whole batch, so the rest of it is not lost yet.
      if (isAppError(error, "quota", "cancelled", "transient")) throw error;
      return { batch, got: new Map<string, Item>() };
    }
  };
  for await (const { batch, got } of ahead(batchesOf(ids), ask, { signal, most: AHEAD })) {
    for (const item of got.values()) yield* withLimits(item);
    left.push(...batch.filter((id) => !got.has(id)));
  }
}

/** One item, or why there is none. */
export async function single(
  core: Core,
  vaultId: string,
  id: string,
  signal: AbortSignal,
): Promise<(Item | Shortfall)[]> {
  try {
    const item = (await getAll(core, vaultId, [id], signal)).get(id);
    if (item) return [...withLimits(item)];
    return [unreadable(vaultId, id, "1Password lists it and leaves it out when asked for it")];
  } catch (error) {
    if (isAppError(error, "quota", "cancelled", "transient")) throw error;
    const why = isAppError(error) ? error.message : "the SDK's answer has an unknown shape";
    return [unreadable(vaultId, id, why)];
  }
}

/** The gap for an item that is listed and cannot be had. */
export function unreadable(vaultId: string, itemId: string, detail: string): Shortfall {
  return { shortfall: "gap", reason: "unreadable-item", vaultId, itemId, detail };
}

/** Items by id; answers have no order, and an id that the service omits is simply not among them. */
async function getAll(
  core: Core,
  vaultId: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Item>> {
  const answer = await core.call("ItemsGetAll", { vault_id: vaultId, item_ids: ids }, signal);
  const responses = (answer as { individualResponses?: { content?: unknown }[] } | null)?.individualResponses;
  if (!Array.isArray(responses)) {
    throw new AppError("unknown", "1Password's SDK answered with items of an unknown shape", {
      origin: "source",
    });
  }
  const items = new Map<string, Item>();
  for (const response of responses) {
    if (response?.content == null) continue;
    let item: Item;
    try {
      item = toItem(vaultId, response.content);
    } catch (error) {
      // Asked for alone, it is told why; among others it must not keep them from being saved.
      if (ids.length === 1) throw error;
      continue;
    }
    if (ids.includes(item.id)) items.set(item.id, item);
  }
  return items;
}

function* batchesOf(ids: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < ids.length; at += BATCH) yield ids.slice(at, at + BATCH);
}

function* withLimits(item: Item): Generator<Item | Shortfall> {
  yield item;
  yield* limitsOf(item);
}
