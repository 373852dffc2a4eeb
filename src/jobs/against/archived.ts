import { isAppError } from "../../base/errors.ts";
import { safeId } from "../../model/safe_id.ts";
import type { Contents } from "../../archive/contents.ts";
import { layout } from "../../archive/layout.ts";
import type { ArchiveManifest } from "../../archive/manifest.ts";
import { readRuns } from "../../host/run_memory.ts";
import { runOf } from "../../model/archive_name.ts";
import type { Run, VaultTally } from "../../model/run.ts";
import type { Shortfall } from "../../model/shortfall.ts";
import type { Vault } from "../../model/vault.ts";
import type { ArchivedPart } from "../../policy/against_source.ts";
import { means, type NamedVault } from "../../policy/coverage.ts";
import { type JobContext, stateOf } from "../context.ts";

/** What is known of an archive's contents. */
export interface Archived {
  /** How closely it can be compared: item by item, by the number of items in each vault, or in all of them. */
  by: "items" | "vaults" | "total";
  /** Ids of the vaults that it holds; empty where only totals are known. */
  vaults: readonly string[];
  /** Those, and the ones that were shown to it and left out. */
  shown: readonly string[];
  /** What it says of a vault; undefined where it says nothing of it. Not for totals. */
  of(vault: NamedVault): ArchivedPart | undefined;
  total: ArchivedPart;
}

const NAMED_BY_ITSELF: ArchivedPart = { count: 0, named: new Set(), lacking: 0, partial: true };

/** Reasons of shortfalls after which nobody knows what of the vault is in the archive. */
const OF_VAULTS: readonly Shortfall["reason"][] = [
  "short-list",
  "unreadable-vault",
  "vault-not-visible",
  "vault-left-out",
  "vault-removed-meanwhile",
  "door-failed",
];

/** From the inner manifest: which item is in which vault. */
export function archivedByContents(contents: Contents): Archived {
  const paths = contents.entries.map(({ path }) => path);
  const items = Map.groupBy(
    paths.filter((path) => /^vaults\/[^/]+\/items\//.test(path)),
    (path) => path.split("/")[1]!,
  );
  const vaults = paths.flatMap((path) => /^vaults\/([^/]+)\/vault\.json$/.exec(path)?.[1] ?? []);
  const lacking = [...contents.gaps, ...contents.limits, ...contents.moved];
  const excluded = contents.excludedVaults ?? [];
  const of = (vault: NamedVault): ArchivedPart | undefined => {
    const id = safeId(vault.id);
    const own = lacking.filter(({ vaultId }) => means(vaultId, vault));
    const partial = own.some(({ reason, itemId }) => itemId === undefined && OF_VAULTS.includes(reason)) ||
      lacking.some(({ vaultId }) => vaultId === "");
    if (!vaults.includes(id)) return partial || excluded.includes(vault.id) ? NAMED_BY_ITSELF : undefined;
    const held = new Set(items.get(id));
    const named = own.flatMap(({ itemId, fileId }) =>
      itemId === undefined || fileId !== undefined ? [] : [layout.item(vault.id, itemId)]
    );
    return { count: held.size, items: held, named: new Set(named), lacking: 0, partial };
  };
  const count = contents.counts.items + contents.counts.archived;
  const total = { ...NAMED_BY_ITSELF, count, partial: contents.counts.gaps > 0 };
  return { by: "items", vaults, shown: [...vaults, ...excluded], of, total };
}

/** From what this host remembers of the run, else from the numbers in the signed manifest. */
export async function archivedByNumbers(context: JobContext, manifest: ArchiveManifest): Promise<Archived> {
  const run = await runThatMade(context, manifest);
  const { items, archived, gaps } = manifest.counts;
  const total = { ...NAMED_BY_ITSELF, count: items + archived, partial: gaps > 0 };
  if (!run?.vaults) return { by: "total", vaults: [], shown: [], of: () => undefined, total };
  const tallies = new Map(run.vaults.map((one) => [one.id, one]));
  const excluded = run.excluded ?? [];
  const of = (vault: NamedVault): ArchivedPart | undefined => {
    const tally = tallies.get(vault.id);
    if (tally) return partOf(tally);
    // Which vaults its gaps name is in the archive only.
    return gaps > 0 || excluded.includes(vault.id) ? NAMED_BY_ITSELF : undefined;
  };
  const vaults = [...tallies.keys()];
  return { by: "vaults", vaults, shown: [...vaults, ...excluded], of, total };
}

function partOf({ active, archived, lacking = 0, unread = false }: VaultTally): ArchivedPart {
  return { count: active + archived, named: new Set(), lacking, partial: unread };
}

/** The memory is no proof: one that says something else than was signed is left aside. */
async function runThatMade(context: JobContext, manifest: ArchiveManifest): Promise<Run | undefined> {
  try {
    const runs = await readRuns(context.world, stateOf(context)) ?? [];
    const run = runs.find((one) => one.run === runOf(manifest.archive.name));
    const { items, archived } = manifest.counts;
    return run?.items === items && run.archived === archived ? run : undefined;
  } catch (error) {
    if (!isAppError(error, "corrupt")) throw error;
    const message = `what this host remembers is left aside: ${error.message}`;
    context.emit({ event: "warning", job: context.job.name, code: error.code, message });
    return undefined;
  }
}

/** Vaults of the archive that are not shown any more. */
export function vaultsGone({ vaults }: Archived, shown: readonly Vault[]): string[] {
  const ids = new Set(shown.map(({ id }) => safeId(id)));
  return vaults.filter((id) => !ids.has(safeId(id)));
}
