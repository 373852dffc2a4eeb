import { AppError } from "../../base/errors.ts";
import type { ArchiveWriter } from "../../archive/write.ts";
import type { Source } from "../../source/contract.ts";
import type { JobContext } from "../context.ts";
import { exportFiles } from "./export_files.ts";
import { exportItems } from "./export_items.ts";
import { type Exported, ExportRun } from "./export_run.ts";
import { failedDoors } from "../open_doors.ts";
import { preflight } from "./preflight.ts";
import type { Guard } from "./guard.ts";
import { selectVaults } from "./select_vaults.ts";

/**
 * Walks everything that the source shows into `writer`: vaults and items first, files after them, because a
 * quota that ends half-way shall cost files rather than items. What is lacking is recorded, never passed over.
 *
 * @throws what stops the whole run: the sign-in was refused, the account is another one, the quota ended before all items, there is nothing
 * at all to save, the run was cancelled, or the writer failed.
 */
export async function exportVaults(
  source: Source,
  writer: ArchiveWriter,
  context: JobContext,
  guard: Guard,
): Promise<Exported> {
  const run = new ExportRun(source, writer, context);
  const account = await source.account(context.signal);
  const shown = await source.vaults(context.signal);
  const { chosen, excluded, expected, missing, warnings } = selectVaults(shown, context.job.vaults);
  for (const message of warnings) {
    context.emit({ event: "warning", job: context.job.name, code: "unknown-vault", message });
  }
  if (chosen.length === 0) {
    throw new AppError("unknown", "1Password shows no vault to back up: nothing was published", {
      hint: "check which vaults the service account may read, and vaults: {include, exclude} in the config",
    });
  }
  await guard.checkAccount(shown, account);
  await preflight(source, chosen, context);
  await run.begin(account);
  for (const shortfall of [...missing, ...failedDoors(source)]) run.lacks(shortfall);
  await exportItems(run, chosen);
  await exportFiles(run);
  const exported = await run.end({
    time: guard.time.toISOString(),
    excludedVaults: excluded.map((vault) => vault.id),
    ...(account ? { account } : {}),
  });
  return { ...exported, expected };
}
