import { throwIfCancelled } from "../../base/errors.ts";
import { layout } from "../../archive/layout.ts";
import { isShortfall, type Shortfall } from "../../model/shortfall.ts";
import type { Vault } from "../../model/vault.ts";
import { isSince, type Looked, type Suspects } from "../../policy/against_source.ts";
import type { Source } from "../../source/contract.ts";
import type { JobContext } from "../context.ts";

/** Asks a source for lists, and for as few items as will do. */
export class Asking {
  /** What could not be read: of this nobody can say whether it is the same. */
  readonly unread: Shortfall[] = [];
  readonly #told = new Set<string>();

  /** @param moment when the archive was begun, in milliseconds */
  constructor(readonly context: JobContext, readonly source: Source, readonly moment: number) {}

  /** What is in a vault now, by its path in an archive; fetches no item where the door heeds that none is wanted. */
  async list(vault: Vault): Promise<Set<string>> {
    const now = new Set<string>();
    const note = (itemId: string) => void now.add(layout.item(vault.id, itemId));
    const none = (itemId: string) => (note(itemId), false);
    for await (const found of this.source.items(vault, this.context.signal, none)) {
      if (!isShortfall(found)) note(found.id);
      else if (found.itemId !== undefined) note(found.itemId);
      else this.#note(found);
    }
    throwIfCancelled(this.context.signal);
    return now;
  }

  /** Looks at suspects in a vault until it is known what is to be known; where `first`, until one is old. */
  async look(vault: Vault, { items, enough }: Suspects, looked: Looked, first: boolean): Promise<void> {
    const path = (itemId: string) => layout.item(vault.id, itemId);
    const wanted = (itemId: string) => items.has(path(itemId));
    for await (const found of this.source.items(vault, this.context.signal, wanted)) {
      if (isShortfall(found)) {
        if (found.itemId === undefined || wanted(found.itemId)) this.#note(found);
        continue;
      }
      if (!wanted(found.id)) continue; // the door overlooked what is wanted
      if (isSince(found, this.moment)) looked.since++;
      else looked.old.push(path(found.id));
      if (first && looked.old.length > 0) break;
      if (enough !== undefined && looked.since >= enough) break;
    }
    throwIfCancelled(this.context.signal);
  }

  /** A limit is nothing to wonder at, and what has moved meanwhile was changed since. */
  #note(found: Shortfall): void {
    const { shortfall, reason, vaultId, itemId, door } = found;
    const key = JSON.stringify([reason, vaultId, itemId, door]);
    if (shortfall !== "gap" || this.#told.has(key)) return;
    this.#told.add(key);
    this.unread.push(found);
    this.context.emit({ event: "shortfall", job: this.context.job.name, ...found });
  }
}
