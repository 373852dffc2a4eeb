import type { Vault } from "../model/vault.ts";

/**
 * What a backup's way into 1Password reaches of a vault that an administrator sees:
 * - `covered`: it is seen and backed up.
 * - `missing`: it could be, and is not: what this is all about.
 * - `excluded`: the config leaves it out.
 * - `beyond`: no service account ever sees a vault of this kind.
 */
export type Reach = "covered" | "missing" | "excluded" | "beyond";

export interface VaultAccess {
  vault: Vault;
  reach: Reach;
  /** For people, where the word alone does not say it. */
  why: string;
  /** Whether the administrator sees it, and so may give access to it. */
  grantable: boolean;
}

export interface AccessView {
  /** What an administrator sees. */
  all: readonly Vault[];
  /** What the backup sees. */
  seen: readonly Vault[];
  /** Whether the config wants a vault. */
  wants(vault: Vault): boolean;
  /** Whether the backup signs in as a service account. */
  serviceAccount: boolean;
}

/** Every vault that either of both sees, those that are missing first, then by title. */
export function compareAccess({ all, seen, wants, serviceAccount }: AccessView): VaultAccess[] {
  const ids = new Set(seen.map(({ id }) => id)), known = new Set(all.map(({ id }) => id));
  const judge = (vault: Vault): VaultAccess => {
    const grantable = known.has(vault.id);
    const verdict = (reach: Reach, why: string) => ({ vault, reach, why, grantable });
    if (!wants(vault)) return verdict("excluded", "the config leaves it out");
    if (ids.has(vault.id)) return verdict("covered", grantable ? "" : "the administrator does not see it");
    const beyond = serviceAccount ? BEYOND[vault.kind] : undefined;
    return beyond === undefined
      ? verdict("missing", "the backup does not see it")
      : verdict("beyond", beyond);
  };
  return [...all, ...seen.filter(({ id }) => !known.has(id))].map(judge).sort((a, b) =>
    ORDER.indexOf(a.reach) - ORDER.indexOf(b.reach) || a.vault.title.localeCompare(b.vault.title, "en") ||
    (a.vault.id < b.vault.id ? -1 : 1)
  );
}

const ORDER: readonly Reach[] = ["missing", "covered", "excluded", "beyond"];

/** Kinds of vaults that 1Password gives to no service account. */
const BEYOND: Partial<Record<Vault["kind"], string>> = {
  personal: "a personal vault: only its owner can back it up",
  everyone: "the vault shared by everybody: no service account may see it",
};
