import { quoted } from "../../base/safe_names.ts";
import type { Vault } from "../../model/vault.ts";
import type { Shortfall } from "../../model/shortfall.ts";
import type { JobConfig } from "../../config/schema.ts";
import { excludedKind } from "../../config/vault_choice.ts";
import type { ExpectedVaults } from "../../model/run.ts";
import { expectation, means } from "../../policy/coverage.ts";

/** Which of the visible vaults a job wants. */
export interface Selection {
  chosen: Vault[];
  /** Left out on purpose. */
  excluded: Vault[];
  /** Vaults that the config asks for by name and that are not saved: not shown, or left out by the same config. */
  missing: Shortfall[];
  expected: ExpectedVaults;
  /** Names in the config that mean nothing here (a typo would silently include a vault). */
  warnings: string[];
}

/**
 * Applies `vaults: {include, exclude, expect}`: each entry is an id or a title; no `include` means every vault. An
 * entry of `exclude` that begins with `kind:` is a kind, and never a title.
 */
export function selectVaults(vaults: readonly Vault[], wanted: JobConfig["vaults"]): Selection {
  const include = wanted?.include ?? [];
  const kinds = (wanted?.exclude ?? []).map(excludedKind).filter((kind) => kind !== undefined);
  const exclude = (wanted?.exclude ?? []).filter((entry) => excludedKind(entry) === undefined);
  const named = (names: readonly string[], vault: Vault) => names.some((name) => means(name, vault));
  const chosen = vaults.filter((vault) =>
    (include.length === 0 || named(include, vault)) && !named(exclude, vault) &&
    !kinds.some((kind) => kind === vault.kind)
  );
  const absent = (names: readonly string[]) =>
    names.filter((name) => !vaults.some((vault) => named([name], vault)));
  const { seen, missing, leftOut } = expectation(wanted?.expect ?? [], vaults, chosen);
  return {
    chosen,
    expected: { seen, missing },
    excluded: vaults.filter((vault) => !chosen.includes(vault)),
    missing: [
      ...absent(include).map((name) => notVisible(name, "to be included")),
      ...missing.filter((name) => !include.includes(name) && !leftOut.includes(name))
        .map((name) => notVisible(name, "expected")),
      ...leftOut.map(notSaved),
    ],
    warnings: [
      ...absent(exclude).map((name) =>
        `the vault ${quoted(name)} is to be excluded, but there is none of that name or id`
      ),
      ...(kinds.length > 0 ? chosen.flatMap(notExcluded) : []),
    ],
  };
}

/** Why a vault is not left out although kinds of vaults are, where somebody might think that it is. */
function notExcluded({ id, title, kind }: Vault): string[] {
  if (kind === "unknown") {
    return [`it is not known of what kind the vault ${quoted(id)} is, so no "kind:" excludes it`];
  }
  if (excludedKind(title) === undefined) return [];
  return [`the vault ${quoted(id)} is called ${quoted(title)}: to exclude it, give its id`];
}

function notSaved(name: string): Shortfall {
  return {
    shortfall: "gap",
    reason: "vault-left-out",
    vaultId: name,
    detail: `the vault ${quoted(name)} is expected, but "include" and "exclude" of the config leave it out`,
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
