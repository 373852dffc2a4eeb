import type { Item } from "../../model/item.ts";
import type { VaultTally } from "../../model/run.ts";
import type { Shortfall } from "../../model/shortfall.ts";

/** Counts by vault what a run saves, and what gaps say is there and was not saved. */
export class Tally {
  readonly #vaults = new Map<string, VaultTally>();
  /** Whether a whole source could not be read. */
  partial = false;

  /** In the order in which they were read. */
  get vaults(): VaultTally[] {
    return [...this.#vaults.values()];
  }

  vault(id: string): void {
    this.#vaults.set(id, { id, active: 0, archived: 0, files: 0 });
  }

  item(vaultId: string, state: Item["state"]): void {
    const vault = this.#vaults.get(vaultId);
    if (vault) vault[state]++;
  }

  file(vaultId: string): void {
    const vault = this.#vaults.get(vaultId);
    if (vault) vault.files++;
  }

  lacks({ shortfall, reason, vaultId, expected = 0, seen = 0 }: Shortfall): void {
    if (shortfall !== "gap") return;
    if (vaultId === "") this.partial = true;
    const vault = this.#vaults.get(vaultId);
    if (!vault) return;
    if (reason === "unreadable-vault") vault.unread = true;
    if (reason === "unreadable-item") vault.lacking = (vault.lacking ?? 0) + 1;
    if (reason === "short-list") vault.lacking = (vault.lacking ?? 0) + Math.max(0, expected - seen);
  }
}
