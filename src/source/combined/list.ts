import type { Shortfall } from "../../model/shortfall.ts";
import type { Door } from "./door.ts";
import type { Told } from "./told.ts";

/**
 * What several doors together know of a vault's list, and what is in doubt about it. A doubt is settled only by doors
 * that show 1Password as it is; a file of a past moment may hold items that are not there any more.
 */
export class VaultList {
  readonly #shortfalls: Shortfall[] = [];
  readonly #listed = new Set<string>();
  readonly #active = new Set<string>();

  /** @param doors those that show the vault */
  constructor(readonly vaultId: string, readonly doors: readonly Door[]) {}

  note({ id, door, item, shortfalls }: Told): void {
    if (!door.live) return;
    this.#listed.add(id);
    const unread = !item && shortfalls.some(({ reason }) => reason === "unreadable-item");
    if (item?.state === "active" || unread) this.#active.add(id);
  }

  /** Something that is lacking of the vault as a whole. */
  lacks(shortfall: Shortfall): void {
    this.#shortfalls.push(shortfall);
  }

  /** Whether this comes from nothing but a snapshot, of a vault that a live door shows. */
  isOnlyInSnapshot({ id, door }: Told): boolean {
    return !door.live && this.doors.some(({ live }) => live) && !this.#listed.has(id);
  }

  /** What is still in doubt. */
  remaining(): Shortfall[] {
    const main = this.doors.find((door) => door.main);
    return this.#shortfalls.filter((one) =>
      !this.#isMadeUp(one) &&
      !(one.reason === "unreadable-vault" && one.door === main?.name && this.isCovered())
    );
  }

  /**
   * Whether a door beside the main one gave the whole vault, as far as anybody can tell: nothing is lacking of it by
   * that door, which would also say when it failed.
   */
  isCovered(): boolean {
    const counts = this.doors.flatMap(({ live, vaults }) =>
      live ? vaults.get(this.vaultId)?.activeItemCount ?? [] : []
    );
    return this.#active.size >= Math.max(0, ...counts) &&
      this.doors.some((door) =>
        !door.main && door.live &&
        this.#shortfalls.every((one) => one.door !== door.name || this.#isMadeUp(one))
      );
  }

  /** Whether a list was short, and the doors together have as many active items as it should have had. */
  #isMadeUp({ reason, expected }: Shortfall): boolean {
    return reason === "short-list" && expected !== undefined && this.#active.size >= expected;
  }
}
