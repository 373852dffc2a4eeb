import { isAppError } from "../base/errors.ts";
import type { Item, ItemFile } from "../model/item.ts";
import type { CallEstimate } from "../model/quota.ts";
import { isShortfall, type Shortfall } from "../model/shortfall.ts";
import type { Account, Vault } from "../model/vault.ts";
import type { Allowance, Source, Wanted } from "./contract.ts";
import type { Patience, Telling } from "./patience.ts";

/** Opens a door that outlasts a used-up quota, the sign-in included, as far as `patience` goes. */
export async function openPatiently(
  open: () => Promise<Source>,
  patience: Patience,
  signal: AbortSignal,
): Promise<Source> {
  return new PatientSource(await patience.outlast(open, signal), patience);
}

/** A door whose calls are made again when the quota has renewed; what was yielded is not asked for again. */
export class PatientSource implements Source {
  /** Absent where the door behind has none, so that nobody takes it for one that tells. */
  readonly allowances?: (signal: AbortSignal) => Promise<Allowance[] | undefined>;

  constructor(readonly source: Source, readonly patience: Patience) {
    if (source.allowances) this.allowances = (signal) => source.allowances!(signal);
  }

  get name() {
    return this.source.name;
  }

  get limits() {
    return this.source.limits;
  }

  get snapshot() {
    return this.source.snapshot ?? false;
  }

  account(signal: AbortSignal): Promise<Account | undefined> {
    return this.#outlast(() => this.source.account(signal), signal);
  }

  vaults(signal: AbortSignal): Promise<Vault[]> {
    return this.#outlast(() => this.source.vaults(signal), signal);
  }

  /**
   * The walk, begun anew after each wait without the ids that it has yielded. A door may overlook `wanted`: nothing
   * is yielded again all the same.
   */
  async *items(vault: Vault, signal: AbortSignal, wanted?: Wanted): AsyncGenerator<Item | Shortfall> {
    /** In which walk each item, and each thing lacking, was first yielded. */
    const first = new Map<string, number>();
    let walk = 1;
    // Compared with earlier walks only: an id that one walk gives twice is for the caller to see.
    const earlier = (key: string) => (first.get(key) ?? walk) < walk;
    const note = (key: string) => first.has(key) || first.set(key, walk);
    const lacked = (id: string) => !earlier(id) && (wanted?.(id) ?? true);
    for (let round = 1;; round++) {
      const before = first.size;
      try {
        for await (const found of this.source.items(vault, signal, lacked)) {
          const key = isShortfall(found) ? keyOf(found) : found.id;
          if (earlier(key)) continue;
          note(key);
          if (isShortfall(found) && found.itemId !== undefined) note(found.itemId);
          yield found;
        }
        return;
      } catch (error) {
        if (first.size > before) round = 1; // it went on for a while
        walk++;
        await this.patience.pause(error, round, signal, this.#told(signal));
      }
    }
  }

  async open(item: Item, file: ItemFile, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    try {
      return await this.#outlast(() => this.source.open(item, file, signal), signal);
    } catch (error) {
      // A file that is lacking does not end the run, so nobody else would pass on when the quota renews.
      if (isAppError(error, "quota")) this.patience.tellFilesLack(error);
      throw error;
    }
  }

  estimate(vaults: Vault[], signal: AbortSignal): Promise<CallEstimate> {
    return this.#outlast(() => this.source.estimate(vaults, signal), signal);
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.source[Symbol.asyncDispose]();
  }

  #outlast<T>(action: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.patience.outlast(action, signal, this.#told(signal));
  }

  /** What 1Password tells of the quota, where the door passes it on. */
  #told(signal: AbortSignal): Telling | undefined {
    const { allowances } = this;
    return allowances && (() => allowances(signal));
  }
}

/** What makes two records of something lacking the same; numbers in them may have changed meanwhile. */
function keyOf({ reason, vaultId, itemId, fileId }: Shortfall): string {
  return JSON.stringify([reason, vaultId, itemId, fileId]);
}
