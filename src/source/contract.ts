import type { Account, Vault } from "../model/vault.ts";
import type { Item, ItemFile } from "../model/item.ts";
import type { DoorLimit, Shortfall } from "../model/shortfall.ts";

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
  /** The account, where the door knows it. */
  account(signal: AbortSignal): Promise<Account | undefined>;
  /** All visible vaults, with `activeItemCount` where the door knows it. */
  vaults(signal: AbortSignal): Promise<Vault[]>;
  /**
   * Every item of the vault, active and archived, and a shortfall for each that is lacking: an id listed is an
   * id yielded, as item or shortfall. A vault that vanished meanwhile is a shortfall; one that cannot be listed throws.
   */
  items(vault: Vault, signal: AbortSignal): AsyncIterable<Item | Shortfall>;
  /**
   * The body of a file. It may turn out shorter or longer than declared: the caller compares. Throws
   * `unsupported` for what this door cannot fetch (too large), `not-found` only when its item is gone or archived
   * meanwhile, confirmed by listing again; anything else is a gap.
   */
  open(item: Item, file: ItemFile, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Calls needed to read these vaults, against the quota. */
  estimate(vaults: Vault[], signal: AbortSignal): Promise<CallEstimate>;
}

/** Calls to 1Password that a run is expected to cost. */
export interface CallEstimate {
  /** At least this many; files are known only once items have been read. */
  reads: number;
}
