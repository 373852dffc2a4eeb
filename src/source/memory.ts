import { streamOf } from "../base/bytes.ts";
import { AppError, cancellation, throwIfCancelled, toAppError } from "../base/errors.ts";
import type { Item, ItemFile } from "../model/item.ts";
import { type DoorLimit, isShortfall, type Shortfall } from "../model/shortfall.ts";
import type { Account, Vault } from "../model/vault.ts";
import type { CallEstimate, Source, Wanted } from "./contract.ts";

/** What a source in memory gives; it may change while it is read, as 1Password does. */
export interface MemoryAccount {
  account?: Account;
  vaults: MemoryVault[];
  /** The body of a file; what it throws is the error of `open`. */
  body(item: Item, file: ItemFile): Body | Promise<Body>;
}

type Body = Uint8Array | ReadableStream<Uint8Array>;

export interface MemoryVault {
  vault: Vault;
  /** Active and archived items, and the shortfalls of those that cannot be had. */
  items: (Item | Shortfall)[];
}

/** What would be a call to 1Password: `items` is about one item. */
export type MemoryCall = "sign-in" | "vaults" | "list" | "items" | "file";

/** Where a test may step in. */
export interface MemoryHooks {
  /** Runs before every call: it may change the account, or wait, and what it throws is the call's error. */
  before?(call: MemoryCall, about: { vaultId?: string; itemId?: string }): void | Promise<void>;
  /** Whether an item is missing from the answer to a list, or to a call for itself. */
  leavesOut?(call: "list" | "items", itemId: string): boolean;
}

/** A source in memory: the reference of the contract, and the source of tests. Signs in with its first call. */
export class MemorySource implements Source {
  readonly limits: DoorLimit[] = [];
  readonly #account: MemoryAccount;
  readonly #hooks: MemoryHooks;
  #signedIn: Promise<void> | undefined;
  #closed = false;

  /** Two sources that share `account` are two openings of one door. */
  constructor(readonly name: string, account: MemoryAccount, hooks: MemoryHooks = {}) {
    this.#account = account;
    this.#hooks = hooks;
  }

  async account(signal: AbortSignal): Promise<Account | undefined> {
    await this.#signIn(signal);
    return this.#account.account;
  }

  async vaults(signal: AbortSignal): Promise<Vault[]> {
    await this.#call("vaults", {}, signal);
    return this.#account.vaults.map((held) => ({ ...held.vault, activeItemCount: countOf(held.items) }));
  }

  async *items(
    { id: vaultId }: Vault,
    signal: AbortSignal,
    wanted: Wanted = () => true,
  ): AsyncGenerator<Item | Shortfall> {
    const { listed, shortfall } = await this.#list(vaultId, signal);
    if (shortfall) yield shortfall;
    for (const one of listed) {
      const itemId = isShortfall(one) ? one.itemId : one.id;
      if (itemId !== undefined && !wanted(itemId)) continue;
      const found = isShortfall(one) ? one : await this.#item(one, signal);
      yield found;
      // Confirmed: nothing more of this vault can be had.
      if (isShortfall(found) && found.reason === "vault-removed-meanwhile") return;
    }
  }

  async open(item: Item, file: ItemFile, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const { vaultId, id: itemId } = item;
    return await this.#call("file", { vaultId, itemId }, signal, async () => {
      if (!this.#find(vaultId)?.items.some((one) => !isShortfall(one) && one.id === itemId)) {
        throw new AppError("not-found", "its item was deleted while the backup was made");
      }
      const body = await this.#account.body(item, file);
      return body instanceof Uint8Array ? streamOf(body) : body;
    });
  }

  async estimate(vaults: Vault[], signal: AbortSignal): Promise<CallEstimate> {
    await this.#signIn(signal);
    return { reads: vaults.reduce((sum, vault) => sum + 1 + (vault.activeItemCount ?? 0), 2) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #find(vaultId: string): MemoryVault | undefined {
    return this.#account.vaults.find(({ vault }) => vault.id === vaultId);
  }

  /** The vault's list, asked for again where it holds fewer active items than are counted. */
  async #list(
    vaultId: string,
    signal: AbortSignal,
  ): Promise<{ listed: MemoryVault["items"]; shortfall?: Shortfall }> {
    let [seen, expected] = [0, 0];
    let listed: MemoryVault["items"] = [];
    for (let times = 0; times < 2; times++) {
      await this.#call("list", { vaultId }, signal);
      const held = this.#find(vaultId);
      if (!held) return { listed: [], shortfall: removed(vaultId) };
      listed = held.items.filter((one) => isShortfall(one) || !this.#leftOut("list", one.id));
      [seen, expected] = [countOf(listed), countOf(held.items)];
      if (seen >= expected) return { listed };
    }
    const detail =
      `${expected} active items are counted in this vault and ${seen} listed, also when asked again`;
    return {
      listed,
      shortfall: { shortfall: "gap", reason: "short-list", vaultId, detail, expected, seen },
    };
  }

  /** A listed item as it is now, or why it is lacking; one that is missing from its answer is asked for again. */
  async #item(item: Item, signal: AbortSignal): Promise<Item | Shortfall> {
    const { vaultId, id: itemId } = item;
    for (let times = 0; times < 2; times++) {
      await this.#call("items", { vaultId, itemId }, signal);
      const held = this.#find(vaultId);
      if (!held) return removed(vaultId);
      // The very one that was listed where it is still there: a story may hold two of one id.
      const now = held.items.includes(item)
        ? item
        : held.items.find((one) => !isShortfall(one) && one.id === itemId);
      if (!now) return { ...lacking(item, "the item was deleted while the backup was made"), ...DELETED };
      if (!this.#leftOut("items", itemId)) return now;
    }
    return lacking(item, "it is listed and left out when asked for, also singly");
  }

  #leftOut(call: "list" | "items", itemId: string): boolean {
    return this.#hooks.leavesOut?.(call, itemId) ?? false;
  }

  /** Once; a refusal stays, so that a token is never tried twice. */
  async #signIn(signal: AbortSignal): Promise<void> {
    try {
      throwIfCancelled(signal);
      if (this.#closed) throw new AppError("cancelled", "the source was closed");
      this.#signedIn ??= this.#before("sign-in", {});
      await unlessCancelled(this.#signedIn, signal);
    } catch (error) {
      const known = translated(error);
      if (known.code !== "denied") this.#signedIn = undefined;
      throw known;
    }
  }

  async #before(call: MemoryCall, about: { vaultId?: string; itemId?: string }): Promise<void> {
    await this.#hooks.before?.(call, about);
  }

  async #call<T>(
    call: MemoryCall,
    about: { vaultId?: string; itemId?: string },
    signal: AbortSignal,
    action: () => Promise<T> = () => Promise.resolve(undefined as T),
  ): Promise<T> {
    await this.#signIn(signal);
    try {
      await unlessCancelled(this.#before(call, about), signal);
      throwIfCancelled(signal);
      return await action();
    } catch (error) {
      throw translated(error);
    }
  }
}

const DELETED = { shortfall: "moved", reason: "deleted-meanwhile" } as const;

function lacking({ vaultId, id: itemId }: Item, detail: string): Shortfall {
  return { shortfall: "gap", reason: "unreadable-item", vaultId, itemId, detail };
}

function removed(vaultId: string): Shortfall {
  const detail = "the vault was removed while the backup was made";
  return { shortfall: "moved", reason: "vault-removed-meanwhile", vaultId, detail };
}

/** Active items among these. */
function countOf(items: MemoryVault["items"]): number {
  return items.filter((one) => !isShortfall(one) && one.state === "active").length;
}

/** What `work` comes to, or `cancelled` as soon as `signal` is aborted. */
async function unlessCancelled<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {};
  const cancelled = new Promise<never>((_, reject) => stop = () => reject(cancellation(signal)));
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, cancelled]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function translated(error: unknown): AppError {
  if (error instanceof AppError && error.origin === "source") return error;
  const { code, message, hint, retryAfter } = toAppError(error);
  return new AppError(code, message, {
    cause: error,
    origin: "source",
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}
