import type { Item } from "../../model/item.ts";
import { isShortfall, type Shortfall } from "../../model/shortfall.ts";
import type { Door } from "./door.ts";

/** What one door tells of one item: the item itself, where it gives it, and what of it is lacking. */
export interface Told {
  id: string;
  door: Door;
  item?: Item;
  shortfalls: Shortfall[];
  /** Whether a snapshot has it of the same moment, with nothing more in it. */
  confirmed?: boolean;
}

/** Everything there is to know of the item: no other door need be asked. */
export function isWhole({ item, shortfalls }: Told): boolean {
  return item?.contents === "full" && shortfalls.length === 0;
}

/**
 * Puts each item together with what is told right after it; what is lacking of the vault passes by itself. A walk
 * that breaks off gives what it had before.
 */
export async function* toldBy(
  door: Door,
  found: AsyncIterable<Item | Shortfall>,
): AsyncGenerator<Told | Shortfall> {
  let told: Told | undefined;
  let broken: { error: unknown } | undefined;
  try {
    for await (const one of found) {
      if (!isShortfall(one)) {
        if (told) yield told;
        told = { id: one.id, door, item: one, shortfalls: [] };
        continue;
      }
      const shortfall = { ...one, door: door.name };
      const { itemId } = shortfall;
      if (itemId === undefined) yield shortfall;
      else if (told?.id === itemId) told.shortfalls.push(shortfall);
      else {
        if (told) yield told;
        told = { id: itemId, door, shortfalls: [shortfall] };
      }
    }
  } catch (error) {
    broken = { error };
  }
  if (told) yield told;
  if (broken) throw broken.error;
}
