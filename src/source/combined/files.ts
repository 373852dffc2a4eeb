import { AppError, cancellation, isAppError, toAppError } from "../../base/errors.ts";
import type { Item, ItemFile } from "../../model/item.ts";
import { isShortfall, type Shortfall } from "../../model/shortfall.ts";
import { type Door, reasonOf } from "./door.ts";

/** Items that another door gave for the sake of a file; the next files are often of the same. */
const REMEMBERED = 16;

/** Opens files through the door that gave their item, else through another that has the same file. */
export class FileDoors {
  readonly #items = new Map<string, Promise<Item | undefined>>();

  /**
   * @param doors those that show the item's vault, the one that gave the item first
   * @throws what the first failed with; but a limit or a used-up quota of one door is that of the whole only when no
   * other could have helped
   */
  async open(
    doors: readonly Door[],
    item: Item,
    file: ItemFile,
    signal: AbortSignal,
  ): Promise<{ body: ReadableStream<Uint8Array>; door: Door }> {
    const [first, ...others] = doors;
    if (!first) throw new AppError("unknown", "no source shows its vault any more", { origin: "source" });
    let failure: AppError;
    try {
      return { body: await this.#openAt(first, item, file, signal), door: first };
    } catch (error) {
      failure = known(error, signal);
    }
    const doubts: string[] = [];
    for (const door of others) {
      try {
        const body = await this.#openElsewhere(door, item, file, signal);
        if (body) return { body, door };
      } catch (error) {
        if (isAppError(known(error, signal), "unsupported", "not-found")) continue;
        doubts.push(`"${door.name}": ${reasonOf(error)}`);
      }
    }
    throw verdict(failure, doubts, doors);
  }

  async #openAt(
    door: Door,
    item: Item,
    file: ItemFile,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const before = door.spent ?? (door.main ? undefined : door.givenUp);
    if (before) throw before;
    try {
      const body = await door.source.open(item, file, signal);
      door.answered();
      return body;
    } catch (error) {
      const failure = known(error, signal);
      if (failure.code === "quota") door.spent = failure;
      if (!isAppError(failure, "unsupported", "not-found")) door.failed(failure);
      throw failure;
    }
  }

  /** The same file through a door that did not give the item: undefined where it does not have it. */
  async #openElsewhere(
    door: Door,
    item: Item,
    file: ItemFile,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array> | undefined> {
    if (door.spent ?? door.givenUp) throw door.spent ?? door.givenUp;
    const theirs = await this.#itemOf(door, item, signal);
    // Of another size, it would be another file.
    const same = theirs?.files.find(({ id, size }) => id === file.id && size === file.size);
    return theirs && same && await this.#openAt(door, theirs, same, signal);
  }

  /** The item as another door has it: a door opens what it gave itself. Costs that door a list and a read. */
  #itemOf(door: Door, { vaultId, id }: Item, signal: AbortSignal): Promise<Item | undefined> {
    const key = JSON.stringify([door.name, vaultId, id]);
    const asked = this.#items.get(key) ?? ask(door, vaultId, id, signal);
    this.#items.delete(key);
    this.#items.set(key, asked);
    const [oldest] = this.#items.keys();
    if (this.#items.size > REMEMBERED && oldest !== undefined) this.#items.delete(oldest);
    return asked;
  }
}

async function ask(door: Door, vaultId: string, id: string, signal: AbortSignal): Promise<Item | undefined> {
  const vault = door.vaults.get(vaultId);
  if (!vault) return undefined;
  let gap: Shortfall | undefined;
  try {
    for await (const found of door.source.items(vault, signal, (one) => one === id)) {
      if (!isShortfall(found)) {
        if (found.id === id) return found;
      } else if (found.shortfall === "gap") gap = found;
    }
    if (gap) throw new AppError("unknown", gap.detail, { origin: "source" });
    return undefined;
  } catch (error) {
    const failure = known(error, signal);
    if (failure.code === "quota") door.spent = failure;
    door.failed(failure);
    throw failure;
  }
}

/** What to say of a file that no door gave. */
function verdict(failure: AppError, doubts: readonly string[], doors: readonly Door[]): AppError {
  if (failure.code === "quota" && doors.some(({ spent, givenUp }) => !spent && !givenUp)) {
    // The files of other items may still be had, which nobody would ask for after "quota".
    return new AppError("unknown", failure.message, { origin: "source", cause: failure });
  }
  if (failure.code !== "unsupported" || doubts.length === 0) return failure;
  const message = `${failure.message}; ${doubts.join("; ")}`;
  return new AppError("unknown", message, { origin: "source", cause: failure });
}

function known(error: unknown, signal: AbortSignal): AppError {
  if (signal.aborted) throw cancellation(signal);
  const failure = toAppError(error);
  if (failure.code === "cancelled") throw failure;
  return failure;
}
