import { quoted } from "../base/safe_names.ts";
import type { Vault } from "../model/vault.ts";
import type { Shortfall } from "../model/shortfall.ts";
import type { JobConfig } from "../config/schema.ts";

/** Which of the visible vaults a job wants. */
export interface Selection {
  chosen: Vault[];
  /** Left out on purpose. */
  excluded: Vault[];
  /** Vaults that the config asks for by name and the door does not show. */
  missing: Shortfall[];
  /** Names in the config that mean nothing here (a typo would silently include a vault). */
  warnings: string[];
}

/** Applies `vaults: {include, exclude, expect}`: each entry is an id or a title; no `include` means every vault. */
export function selectVaults(vaults: readonly Vault[], wanted: JobConfig["vaults"]): Selection {
  const include = wanted?.include ?? [];
  const exclude = wanted?.exclude ?? [];
  const expect = (wanted?.expect ?? []).filter((name) => !include.includes(name));
  const named = (names: readonly string[], vault: Vault) =>
    names.includes(vault.id) || names.includes(vault.title);
  const chosen = vaults.filter((vault) =>
    (include.length === 0 || named(include, vault)) && !named(exclude, vault)
  );
  const absent = (names: readonly string[]) =>
    names.filter((name) => !vaults.some((vault) => named([name], vault)));
  return {
    chosen,
    excluded: vaults.filter((vault) => !chosen.includes(vault)),
    missing: [
      ...absent(include).map((name) => notVisible(name, "to be included")),
      ...absent(expect).map((name) => notVisible(name, "expected")),
    ],
    warnings: absent(exclude).map((name) =>
      `the vault ${quoted(name)} is to be excluded, but there is none of that name or id`
    ),
  };
}

function notVisible(name: string, why: string): Shortfall {
  return {
    shortfall: "gap",
    reason: "vault-not-visible",
    vaultId: name,
    detail: `the vault ${quoted(name)} is ${why}, but this account does not show it`,
  };
}
