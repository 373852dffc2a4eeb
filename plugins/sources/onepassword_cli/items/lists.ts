import { isAppError } from "../../../../src/base/errors.ts";
import type { Shortfall } from "../../../../src/model/shortfall.ts";
import type { Vault } from "../../../../src/model/vault.ts";
import { isArchived } from "./item.ts";
import { type JsonObject, listOf } from "../op/json.ts";
import type { Op } from "../op/program.ts";
import { activeItems, listVaults } from "../vaults.ts";

/** An item as `op` lists it: without its fields. */
export type ListedItem = JsonObject & { id: string };

/** Every item of a vault, active and archived, by id. */
export async function listItems(
  op: Op,
  vaultId: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ListedItem>> {
  const json = await op.json(["item", "list", "--vault", vaultId, "--include-archive"], signal);
  return new Map(listOf(json, "items").map((item) => [item.id, item]));
}

/**
 * The vault's list, compared with 1Password's own count: one that is shorter is asked for once more and then called
 * a gap. `first` is a list that is at hand already.
 */
export async function wholeList(
  op: Op,
  vault: Vault,
  signal: AbortSignal,
  first?: ReadonlyMap<string, ListedItem>,
): Promise<{ items: ReadonlyMap<string, ListedItem>; shortfall?: Shortfall }> {
  const items = new Map(first ?? await listItems(op, vault.id, signal));
  if (vault.activeItemCount === undefined || activeIn(items) >= vault.activeItemCount) return { items };
  // Some may have gone since the vaults were listed: the count is asked for again too.
  const now = (await listVaults(op, signal)).find(({ id }) => id === vault.id);
  const expected = (now && activeItems(now)) ?? vault.activeItemCount;
  if (activeIn(items) < expected) {
    for (const [id, item] of await listItems(op, vault.id, signal)) items.set(id, item);
  }
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

/** The shortfall for a vault that is gone, confirmed by listing the vaults again; throws `error` when it is not. */
export async function removed(
  op: Op,
  vault: Vault,
  error: unknown,
  signal: AbortSignal,
): Promise<Shortfall> {
  if (!isAppError(error, "not-found", "denied")) throw error;
  op.throwIfRefused();
  if ((await listVaults(op, signal)).some(({ id }) => id === vault.id)) throw error;
  return {
    shortfall: "moved",
    reason: "vault-removed-meanwhile",
    vaultId: vault.id,
    detail: "the vault was removed, or this account's access to it, while the backup was made",
  };
}

function activeIn(items: ReadonlyMap<string, ListedItem>): number {
  return [...items.values()].filter((item) => !isArchived(item)).length;
}
