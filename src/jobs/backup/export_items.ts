import { AppError, throwIfCancelled, toAppError } from "../../base/errors.ts";
import { isShortfall } from "../../model/shortfall.ts";
import type { Vault } from "../../model/vault.ts";
import type { ExportRun } from "./export_run.ts";

/** Vaults in a row that cannot be reached before the rest is given up: each costs minutes of retries. */
const GIVE_UP_AFTER = 2;

/**
 * Writes all vaults with their items; a vault that cannot be read to its end is a gap and does not stop the next.
 *
 * @throws what makes the rest of the run pointless, and when there is no item at all.
 */
export async function exportItems(run: ExportRun, vaults: readonly Vault[]): Promise<void> {
  const total = totalOf(vaults);
  let unreachable = 0;
  let failure: AppError | undefined;
  for (const vault of vaults) {
    throwIfCancelled(run.context.signal);
    if (!await run.addVault(vault)) continue;
    // Several doors give up one by one: what cannot be had through the main one may be had through another.
    if (unreachable >= GIVE_UP_AFTER && failure && !run.doors) {
      unreadable(run, vault, failure);
      continue;
    }
    try {
      await exportVault(run, vault, total);
      unreachable = 0;
    } catch (error) {
      failure = oneVaultsOwn(run, error);
      unreachable = failure.code === "transient" ? unreachable + 1 : 0;
      unreadable(run, vault, failure);
    }
  }
  if (run.counts.items + run.counts.archived === 0) {
    throw failure ?? new AppError("unknown", "1Password shows no item in any vault: nothing was published", {
      hint: "check that the service account may read the items of its vaults",
    });
  }
}

async function exportVault(run: ExportRun, vault: Vault, total: number | undefined): Promise<void> {
  for await (const found of run.source.items(vault, run.context.signal)) {
    if (isShortfall(found)) {
      run.lacks(found);
      continue;
    }
    await run.addItem(vault, found);
    run.context.emit({
      event: "progress",
      job: run.context.job.name,
      phase: "items",
      done: run.counts.items,
      ...(total === undefined ? {} : { total }),
    });
  }
}

/** Active items of all vaults, where the door counts them. */
function totalOf(vaults: readonly Vault[]): number | undefined {
  if (vaults.some((vault) => vault.activeItemCount === undefined)) return undefined;
  return vaults.reduce((sum, vault) => sum + (vault.activeItemCount ?? 0), 0);
}

/** An error of one vault that leaves the rest of the run sensible; others are thrown on. */
function oneVaultsOwn(run: ExportRun, error: unknown): AppError {
  const known = toAppError(error);
  if (run.context.signal.aborted || known.code === "cancelled") throw known;
  if (known.code === "quota" || known.origin !== "source") throw known;
  return known;
}

function unreadable(run: ExportRun, vault: Vault, error: AppError): void {
  run.lacks({
    shortfall: "gap",
    reason: "unreadable-vault",
    vaultId: vault.id,
    detail: `the vault could not be read to its end: ${error.message}`,
  });
}
