import type { Secret } from "../base/secret.ts";
import type { Account, Vault } from "../model/vault.ts";

/**
 * An account as one of its administrators sees it, to be compared with what a backup's service account sees, and to
 * make a new service account. Errors are AppErrors with `origin: "source"`, as those of a source.
 */
export interface Administration extends AsyncDisposable {
  account(signal: AbortSignal): Promise<Account | undefined>;
  /** Every vault that this person sees, with its kind; or throws. Other people's personal vaults are never among them. */
  vaults(signal: AbortSignal): Promise<Vault[]>;
  /** Everybody who belongs to the account; or throws. */
  people(signal: AbortSignal): Promise<Person[]>;
  /**
   * Makes a service account that may read the items of these vaults, and nothing else; returns its token, which
   * 1Password shows this one time. Tried once: after an error there may be a service account without a user.
   */
  createServiceAccount(wanted: WantedServiceAccount, signal: AbortSignal): Promise<Secret>;
  /** The command line by which {@linkcode createServiceAccount} does it, for people. */
  commandFor(wanted: WantedServiceAccount): string[];
}

/** A member or guest of the account. */
export interface Person {
  id: string;
  name: string;
  email: string;
  /** Whether they can sign in: neither suspended nor still invited. */
  active: boolean;
}

/** What a service account is to be. */
export interface WantedServiceAccount {
  name: string;
  /** Ids. */
  vaults: readonly string[];
  /** Days after which its token ends; for ever where left out. */
  days?: number | undefined;
}

/** How an administrator is signed in. */
export interface AdministratorOptions {
  /** Which account, where several are known: its sign-in address, e-mail address or id. */
  account?: string | undefined;
  /** The program, where it is not the usual one. */
  program?: string | undefined;
}
