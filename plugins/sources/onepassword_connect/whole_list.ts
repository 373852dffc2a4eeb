import { isAppError } from "../../../src/base/errors.ts";
import type { Shortfall } from "../../../src/model/shortfall.ts";
import type { Vault } from "../../../src/model/vault.ts";
import { type ConnectApi, countActive, type Listed } from "./api.ts";
import { connectError } from "./errors.ts";

/** What is listed of a vault, and what keeps that from being all of it. */
export interface VaultList {
  items: Listed[];
  shortfall?: Shortfall;
}

/**
 * A vault's list, compared with the vault's own count of active items: a list shorter than the count is asked for once
 * more and then called a gap. A vault that is gone is an empty list and a shortfall that says so; one that cannot be
 * listed throws.
 */
export function wholeList(api: ConnectApi, vault: Vault, signal: AbortSignal): Promise<VaultList> {
  return unlessRemoved(api, vault.id, signal, async () => {
    const first = await api.list(vault.id, signal);
    if (vault.activeItemCount === undefined || countActive(first) >= vault.activeItemCount) {
      return { items: first };
    }
    const expected = (await api.vault(vault.id, signal)).activeItemCount ?? vault.activeItemCount;
    const second = await api.list(vault.id, signal);
    const items = [...new Map([...first, ...second].map((one) => [one.overview.id, one])).values()];
    const seen = countActive(items);
    if (seen >= expected) return { items };
    const detail =
      `the Connect server counts ${expected} active items in this vault and lists ${seen}, also when asked again`;
    return {
      items,
      shortfall: { shortfall: "gap", reason: "short-list", vaultId: vault.id, detail, expected, seen },
    };
  });
}

/**
 * What is listed of a vault at this moment. `items` being whole means that an id which is not among them is gone: only
 * a list as long as the vault counts may say so.
 */
export function listNow(
  api: ConnectApi,
  vaultId: string,
  signal: AbortSignal,
): Promise<VaultList & { whole: boolean }> {
  return unlessRemoved(api, vaultId, signal, async () => {
    const items = await api.list(vaultId, signal);
    const { activeItemCount } = await api.vault(vaultId, signal);
    return { items, whole: activeItemCount === undefined || countActive(items) >= activeItemCount };
  });
}

/**
 * Does what needs the vault. Where Connect then does not have it, or refuses it, its list of vaults decides: the vault
 * is gone, or it is asked for once more, because servers have refused vaults for a moment that they show all the while.
 */
async function unlessRemoved<List extends VaultList>(
  api: ConnectApi,
  vaultId: string,
  signal: AbortSignal,
  action: () => Promise<List>,
): Promise<List | VaultList & { whole: boolean }> {
  for (let tries = 1;; tries++) {
    try {
      return await action();
    } catch (error) {
      if (!isAppError(error, "not-found", "denied")) throw error;
      const shown = await api.vaults(signal);
      if (!shown.some(({ id }) => id === vaultId)) {
        return { items: [], shortfall: removed(vaultId), whole: true };
      }
      if (tries < 2) continue;
      if (error.code === "denied") throw error;
      throw connectError(
        "unknown",
        "the Connect server shows the vault and does not have it when asked for it",
        {
          cause: error,
        },
      );
    }
  }
}

function removed(vaultId: string): Shortfall {
  return {
    shortfall: "moved",
    reason: "vault-removed-meanwhile",
    vaultId,
    detail: "the vault was removed, or this token's access to it, while the backup was made",
  };
}
