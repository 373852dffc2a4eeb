import { cancellation, isAppError, toAppError } from "../../base/errors.ts";
import type { Item, ItemFile } from "../../model/item.ts";
import type { Allowance, CallEstimate } from "../../model/quota.ts";
import { type DoorLimit, isShortfall, type Shortfall } from "../../model/shortfall.ts";
import type { Account, Vault } from "../../model/vault.ts";
import type { Source, Wanted } from "../contract.ts";
import { seemsAnothers } from "./account.ts";
import { type Door, reasonOf } from "./door.ts";
import { FileDoors } from "./files.ts";
import { VaultWalk } from "./walk.ts";

/**
 * Several doors to one account: a main one, and others for what it does not give. Vaults and items are joined by
 * id, and the fuller of two tellings wins; which door gave what can be asked afterwards.
 *
 * The main door's errors are those of the whole. What fails beside it never harms what it gives: that is a gap.
 */
export class CombinedSource implements Source {
  /** Doors that could not be opened or that do not list their vaults: gaps that belong to no vault. */
  readonly failed: Shortfall[] = [];
  /** Absent where no door tells, so that nobody takes this for one that does. */
  readonly allowances?: (signal: AbortSignal) => Promise<Allowance[] | undefined>;
  readonly #doors: readonly Door[];
  readonly #files = new FileDoors();
  /** Where an item, or one of its files, is from another door than the first that shows its vault. */
  readonly #givenBy = new Map<string, Door>();

  /** @param doors the main one first */
  constructor(readonly main: Door, others: readonly Door[], readonly warn: (message: string) => void) {
    this.#doors = [main, ...others];
    if (this.#doors.some(({ source }) => source.allowances)) {
      this.allowances = (signal) => this.#allowances(signal);
    }
  }

  get name(): string {
    return this.main.source.name;
  }

  /**
   * What the doors do not give, as far as it holds for what they gave in this run: complete once all items have been
   * read. A door beside the main one has its say only when something of it is in the archive.
   */
  get limits(): DoorLimit[] {
    const snapshots = this.#doors.filter(({ live }) => !live).map(({ source }) => source.name);
    return this.#doors.filter(({ main, full }) => main || full > 0).flatMap((door) =>
      door.source.limits.flatMap((limit): DoorLimit[] => {
        const covered = limit.elsewhere?.some((type) => snapshots.includes(type)) ? door.confirmed : 0;
        if (covered === 0) return [{ ...limit, door: door.name }];
        const items = door.full - covered;
        return items === 0 ? [] : [{ ...limit, door: door.name, items }];
      })
    );
  }

  /** The main door's, else the first that another tells; asked when the doors were opened. */
  account(signal: AbortSignal): Promise<Account | undefined> {
    if (signal.aborted) return Promise.reject(cancellation(signal));
    return Promise.resolve(this.#doors.find(({ account }) => account !== undefined)?.account);
  }

  /** The main door's vaults, then those that only others show; none where the main door shows none. */
  async vaults(signal: AbortSignal): Promise<Vault[]> {
    const shown = await this.main.source.vaults(signal);
    this.main.vaults = byId(shown);
    const vaults = [...shown];
    for (const door of shown.length === 0 ? [] : this.#doors.slice(1)) {
      if (door.givenUp) continue;
      try {
        door.vaults = byId(await door.source.vaults(signal));
      } catch (error) {
        this.failedDoor(door.name, error, signal);
        door.givenUp = toAppError(error);
        continue;
      }
      if (seemsAnothers(door, this.main)) {
        this.warn(
          `the source "${door.name}" shows none of the vaults that the main source shows: is it the same account's?`,
        );
      }
      vaults.push(...door.vaults.values().filter(({ id }) => !vaults.some((vault) => vault.id === id)));
    }
    return vaults;
  }

  async *items(
    vault: Vault,
    signal: AbortSignal,
    wanted: Wanted = () => true,
  ): AsyncGenerator<Item | Shortfall> {
    const doors = this.#showing(vault.id);
    for await (const told of new VaultWalk(vault, doors, signal, wanted, this.warn).tell()) {
      if (isShortfall(told)) {
        yield told;
        continue;
      }
      if (told.item) {
        this.#note(told.door, told.item, told.confirmed ?? false);
        yield told.item;
      }
      yield* told.shortfalls;
    }
  }

  async open(item: Item, file: ItemFile, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const giving = this.#doorOf(item);
    const doors = [giving, ...this.#showing(item.vaultId).filter((door) => door !== giving)];
    const { body, door } = await this.#files.open(doors, item, file, signal);
    if (door !== giving) this.#givenBy.set(keyOf(item, file.id), door);
    return body;
  }

  /** All calls of the first door of each vault, and of the others at least their lists. */
  async estimate(vaults: Vault[], signal: AbortSignal): Promise<CallEstimate> {
    let reads = 0;
    for (const door of this.#doors) {
      const shown = vaults.filter(({ id }) => door.vaults.has(id));
      const own = shown.filter(({ id }) => this.#showing(id)[0] === door);
      try {
        const all = (await door.source.estimate(own, signal)).reads;
        reads += all === 0 ? 0 : all + shown.length - own.length;
      } catch (error) {
        if (door.main) throw error;
        throwIfStopped(error, signal); // it is not asked in vain: its walk will tell
      }
    }
    return { reads };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const results = await Promise.allSettled(this.#doors.map(({ source }) => source[Symbol.asyncDispose]()));
    const [main] = results;
    if (main?.status === "rejected") throw main.reason;
  }

  /** The names of the doors, the main one's first. */
  get doorNames(): string[] {
    return this.#doors.map(({ name }) => name);
  }

  /** Which door gave a vault's own description. */
  doorOfVault(vaultId: string): string {
    return (this.#doors.find(({ vaults }) => vaults.has(vaultId)) ?? this.main).name;
  }

  /** Which door gave an item, or one of its files. */
  doorOfItem(item: Item, fileId?: string): string {
    const own = fileId === undefined ? undefined : this.#givenBy.get(keyOf(item, fileId));
    return (own ?? this.#doorOf(item)).name;
  }

  /** Notes a door that cannot be used at all. */
  failedDoor(name: string, error: unknown, signal: AbortSignal): void {
    throwIfStopped(error, signal);
    this.failed.push({
      shortfall: "gap",
      reason: "door-failed",
      vaultId: "",
      detail: `the source "${name}" could not be read: ${reasonOf(error)}`,
      door: name,
    });
  }

  /** What the main door tells, else what another knows of the account as a whole: tokens have counters of their own. */
  async #allowances(signal: AbortSignal): Promise<Allowance[] | undefined> {
    if (this.main.source.allowances) return await this.main.source.allowances(signal);
    for (const { source } of this.#doors) {
      try {
        const told = await source.allowances?.(signal);
        if (told) return told.filter(({ scope }) => scope === "account");
      } catch (error) {
        throwIfStopped(error, signal); // nobody relies on it
      }
    }
    return undefined;
  }

  /** Doors that show a vault, in the order in which they are asked: what may be outdated comes last. */
  #showing(vaultId: string): Door[] {
    const doors = this.#doors.filter(({ vaults }) => vaults.has(vaultId));
    return [...doors.filter(({ live }) => live), ...doors.filter(({ live }) => !live)];
  }

  #doorOf(item: Item): Door {
    return this.#givenBy.get(keyOf(item)) ?? this.#showing(item.vaultId)[0] ?? this.main;
  }

  #note(door: Door, item: Item, confirmed: boolean): void {
    if (door !== this.#showing(item.vaultId)[0]) this.#givenBy.set(keyOf(item), door);
    if (item.contents !== "full") return;
    door.full++;
    if (confirmed) door.confirmed++;
  }
}

function throwIfStopped(error: unknown, signal: AbortSignal): void {
  if (signal.aborted) throw cancellation(signal);
  if (isAppError(error, "cancelled")) throw toAppError(error);
}

function byId(vaults: readonly Vault[]): Map<string, Vault> {
  return new Map(vaults.map((vault) => [vault.id, vault]));
}

function keyOf({ vaultId, id }: Item, fileId?: string): string {
  return JSON.stringify(fileId === undefined ? [vaultId, id] : [vaultId, id, fileId]);
}
