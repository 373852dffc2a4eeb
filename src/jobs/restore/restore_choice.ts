import { AppError } from "../../base/errors.ts";
import { quoted } from "../../base/safe_names.ts";

/** What a person asked for, by id or exact title; empty lists mean everything. */
export interface Wanted {
  vaults: readonly string[];
  items: readonly string[];
}

/** Learns from a first pass which entries are meant, then answers for a second. */
export interface Chooser {
  /** Present when titles must be looked at. */
  look?: (path: string, json: unknown) => void;
  /** Throws `not-found` when something that was asked for is not in the archive. */
  settle(): void;
  wants(path: string): boolean;
}

/** Titles are not unique, so a title means every item or vault that has it. */
export function chooser(wanted: Wanted): Chooser {
  if (wanted.vaults.length + wanted.items.length === 0) return { settle: () => {}, wants: () => true };
  const met = new Set<string>();
  const vaults = new Set<string>();
  const items = new Map<string, Set<string>>();
  const matches = (names: readonly string[], json: unknown) => {
    const { id, title } = json as { id?: unknown; title?: unknown };
    const hits = names.filter((name) => name === id || name === title);
    hits.forEach((name) => met.add(name));
    return hits.length > 0;
  };
  const inWantedVault = (vault: string) => wanted.vaults.length === 0 || vaults.has(vault);
  return {
    look(path, json) {
      const { kind, vault, item } = partsOf(path);
      // A vault's own entry comes before those of its items.
      if (kind === "vault" && matches(wanted.vaults, json)) vaults.add(vault);
      if (kind !== "item" || !inWantedVault(vault)) return;
      if (wanted.items.length === 0 || matches(wanted.items, json)) {
        items.set(vault, (items.get(vault) ?? new Set()).add(item));
      }
    },
    settle() {
      const unmet = [...wanted.vaults, ...wanted.items].filter((name) => !met.has(name));
      if (unmet.length === 0) return;
      throw new AppError("not-found", `the archive holds no ${unmet.map(quoted).join(" and no ")}`, {
        hint: "give the id or the exact title; index.tsv of a whole restore lists them all",
      });
    },
    wants(path) {
      const { kind, vault, item } = partsOf(path);
      if (kind === "vault") return vaults.has(vault) || items.has(vault);
      if (kind === "item" || kind === "file") return items.get(vault)?.has(item) ?? false;
      return false;
    },
  };
}

function partsOf(path: string): { kind: "vault" | "item" | "file" | "other"; vault: string; item: string } {
  const [root, vault = "", folder = "", item = ""] = path.split("/");
  if (root !== "vaults") return { kind: "other", vault: "", item: "" };
  if (folder === "vault.json") return { kind: "vault", vault, item: "" };
  if (folder === "items") return { kind: "item", vault, item: item.replace(/\.json$/, "") };
  return { kind: "file", vault, item };
}
