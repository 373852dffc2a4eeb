import type { Account, Vault } from "../model/vault.ts";
import type { Item, ItemFile } from "../model/item.ts";
import type { Allowance, CallEstimate } from "../model/quota.ts";
import type { DoorLimit, Shortfall } from "../model/shortfall.ts";

export type { Allowance, CallEstimate } from "../model/quota.ts";

/**
 * 1Password through one door (the SDK, a 1PUX file, the `op` program, Connect).
 *
 * What must never happen, whatever the door does:
 * - a list that is shorter than what is there and says nothing: a list is whole, or the call throws,
 *   or a shortfall names what is lacking;
 * - an error that reads as "nothing there";
 * - a sign-in tried twice with a token that was refused (it burns the account's daily quota).
 *
 * Errors are AppErrors with `origin: "source"`: `denied` when 1Password refuses the sign-in or the whole
 * account, `quota` when its allowance is used up, `transient` when it cannot be reached, `cancelled`.
 */
export interface Source extends AsyncDisposable {
  readonly name: string;
  /** What this door is known never to give. */
  readonly limits: DoorLimit[];
  /** True for a file of a past moment: what it shows may be outdated, and asking it costs nothing. */
  readonly snapshot?: boolean;
  /** The account, where the door knows it. */
  account(signal: AbortSignal): Promise<Account | undefined>;
  /** All visible vaults, with `activeItemCount` where the door knows it. */
  vaults(signal: AbortSignal): Promise<Vault[]>;
  /**
   * Every item of the vault, active and archived, and a shortfall for each that is lacking: an id listed is an
   * id yielded, as item or shortfall. A vault that vanished meanwhile is a shortfall; one that cannot be listed throws.
   *
   * With `wanted`, only the ids that it says yes to are fetched and yielded; the list itself stays whole. What is
   * lacking of an item follows it at once, before the next call to 1Password: a walk that a used-up quota interrupts
   * is resumed without the ids that it has yielded.
   */
  items(vault: Vault, signal: AbortSignal, wanted?: Wanted): AsyncIterable<Item | Shortfall>;
  /**
   * The body of a file. It may turn out shorter or longer than declared: the caller compares. Throws
   * `unsupported` for what this door cannot fetch (too large), `not-found` only when its item is gone or archived
   * meanwhile, confirmed by listing again; anything else is a gap.
   */
  open(item: Item, file: ItemFile, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Calls needed to read these vaults, against the quota. */
  estimate(vaults: Vault[], signal: AbortSignal): Promise<CallEstimate>;
  /** What 1Password says is left of the quota; absent, or undefined, where the door does not tell. */
  allowances?(signal: AbortSignal): Promise<Allowance[] | undefined>;
}

/** Whether the caller still lacks the item of this id: asked once the door has listed it, before it is fetched. */
export type Wanted = (itemId: string) => boolean;
