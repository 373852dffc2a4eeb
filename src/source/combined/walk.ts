import { type AppError, cancellation, isAppError, toAppError } from "../../base/errors.ts";
import { isShortfall, type Shortfall } from "../../model/shortfall.ts";
import type { Vault } from "../../model/vault.ts";
import type { Wanted } from "../contract.ts";
import { compared, fuller, onlyInSnapshot } from "./choice.ts";
import { type Door, reasonOf } from "./door.ts";
import { VaultList } from "./list.ts";
import { isWhole, type Told, toldBy } from "./told.ts";

/** Items with something lacking that are kept back at most before the other doors are asked for them. */
const MOST_HELD = 1000;

/** Items that are compared with a snapshot at once: it is gone through once for so many. */
const MOST_COMPARED = 500;

/**
 * One walk through a vault by all doors that show it. What the first gives whole passes at once; what it does not is
 * kept back until the next have been asked for that, and for what only they list.
 */
export class VaultWalk {
  readonly #list: VaultList;
  readonly #failed = new Set<Door>();
  #mainFailure: AppError | undefined;

  /** @param doors in the order in which they are asked: live ones first */
  constructor(
    readonly vault: Vault,
    readonly doors: readonly Door[],
    readonly signal: AbortSignal,
    readonly wanted: Wanted,
    readonly warn: (message: string) => void,
  ) {
    this.#list = new VaultList(vault.id, doors);
  }

  /**
   * What every item has come to, and at the end what is lacking of the vault.
   *
   * @throws what the main door failed with, after everything that the others give, unless that is the whole vault.
   */
  async *tell(): AsyncGenerator<Told | Shortfall> {
    for await (const told of this.#compared(this.#from(0, this.wanted, true))) yield this.#annotated(told);
    yield* this.#list.remaining();
    if (!this.#mainFailure) return;
    if (!this.#list.isCovered()) throw this.#mainFailure;
    this.warn(
      `the main source could not read vault ${this.vault.id} (${this.#mainFailure.message}); ` +
        "another one gave all of it",
    );
  }

  /** What the door at this place and those after it tell. A final walk is one that asks for all that is lacking. */
  async *#from(at: number, wanted: Wanted, final: boolean): AsyncGenerator<Told> {
    const door = this.doors[at];
    if (!door) return;
    const seen = new Set<string>();
    const held = new Map<string, Told>();
    for await (const told of this.#ask(door, wanted, final)) {
      if (seen.has(told.id)) this.#again(told, held);
      else {
        seen.add(told.id);
        if (isWhole(told)) yield told;
        else held.set(told.id, told);
        if (held.size >= MOST_HELD) yield* this.#settled(at, held, (id) => held.has(id), false);
      }
    }
    yield* this.#settled(at, held, (id) => wanted(id) && (held.has(id) || !seen.has(id)), final);
  }

  /** What was kept back, and what the doors behind have beside it. */
  async *#settled(
    at: number,
    held: Map<string, Told>,
    wanted: Wanted,
    final: boolean,
  ): AsyncGenerator<Told> {
    for await (const told of this.#from(at + 1, wanted, final)) {
      const before = held.get(told.id);
      held.delete(told.id);
      yield before ? fuller(before, told) : told;
    }
    yield* held.values();
    held.clear();
  }

  /** The second telling of an id: the first item counts, as everywhere; what is lacking is never passed over. */
  #again({ id, door, item, shortfalls }: Told, held: ReadonlyMap<string, Told>): void {
    const before = held.get(id);
    if (before) before.shortfalls.push(...shortfalls);
    else shortfalls.forEach((one) => this.#list.lacks(one));
    if (!item) return;
    this.#list.lacks({
      shortfall: "gap",
      reason: "unreadable-item",
      vaultId: this.vault.id,
      itemId: id,
      detail: "the source gave this id twice; only the first was kept",
      door: door.name,
    });
  }

  /** Takes what a snapshot has of the same moment and with more in it: earlier passwords, for one. */
  async *#compared(tolds: AsyncIterable<Told>): AsyncGenerator<Told> {
    const snapshots = this.doors.filter(({ live }) => !live);
    const some = new Map<string, Told>();
    for await (const told of tolds) {
      if (snapshots.length === 0 || !isWhole(told) || !told.door.live) yield told;
      else if (some.set(told.id, told).size >= MOST_COMPARED) yield* this.#compareAll(some, snapshots);
    }
    yield* this.#compareAll(some, snapshots);
  }

  async *#compareAll(some: Map<string, Told>, snapshots: readonly Door[]): AsyncGenerator<Told> {
    for (const door of some.size > 0 ? snapshots : []) {
      for await (const theirs of this.#ask(door, (id) => some.has(id), false)) {
        const ours = some.get(theirs.id);
        if (ours) some.set(theirs.id, compared(ours, theirs));
      }
    }
    yield* some.values();
    some.clear();
  }

  /** What a door tells of the wanted items; its failure is noted, and ends its part only. */
  async *#ask(door: Door, wanted: Wanted, final: boolean): AsyncGenerator<Told> {
    if (this.#failed.has(door)) return;
    try {
      if (door.givenUp) throw door.givenUp;
      for await (const told of toldBy(door, door.source.items(this.vault, this.signal, wanted))) {
        if (isShortfall(told)) {
          // A door that is gone through more than once tells it each time.
          if (final) this.#list.lacks(told);
        } else if (wanted(told.id)) {
          this.#list.note(told);
          yield told;
        }
      }
      door.answered();
    } catch (error) {
      this.#fail(door, error);
    }
  }

  #fail(door: Door, error: unknown): void {
    if (this.signal.aborted) throw cancellation(this.signal);
    if (isAppError(error, "cancelled")) throw error;
    this.#failed.add(door);
    const known = toAppError(error);
    // What ends a run through one door ends it through several, when it is the main one.
    if (door.main && (known.code === "quota" || known.origin !== "source")) throw known;
    if (!door.givenUp) door.failed(known);
    if (door.main) {
      this.#mainFailure = known;
      return;
    }
    this.#list.lacks({
      shortfall: "gap",
      reason: door === this.doors[0] ? "unreadable-vault" : "door-failed",
      vaultId: this.vault.id,
      detail: `the source "${door.name}" could not be read to the end in this vault: ${reasonOf(error)}`,
      door: door.name,
    });
  }

  /** A telling with what its reader must know beyond what its door says. */
  #annotated(told: Told): Told {
    const shortfalls = told.shortfalls.map((one) => this.#withAnswers(one, told.door));
    return {
      ...told,
      shortfalls: this.#list.isOnlyInSnapshot(told) ? [...shortfalls, onlyInSnapshot(told)] : shortfalls,
    };
  }

  /** A limit that the other doors did not lift, though its text may name a kind of door that the job has. */
  #withAnswers(shortfall: Shortfall, door: Door): Shortfall {
    if (shortfall.shortfall !== "limit" || shortfall.reason === "older-contents") return shortfall;
    const asked = this.doors.filter((one) => one !== door && !this.#failed.has(one));
    if (asked.length === 0) return shortfall;
    const names = asked.map(({ name }) => `"${name}"`).join(", ");
    return { ...shortfall, detail: `${shortfall.detail}; asked in vain: ${names}` };
  }
}
