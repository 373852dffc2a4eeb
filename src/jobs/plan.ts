import { parseRecipients } from "../custody/recipients.ts";
import type { Shortfall } from "../model/shortfall.ts";
import type { Vault } from "../model/vault.ts";
import type { CallEstimate } from "../source/contract.ts";
import type { JobContext } from "./context.ts";
import { openSource } from "./open.ts";
import { selectVaults } from "./select_vaults.ts";

/** What a backup would do. */
export interface Plan {
  vaults: { vault: Vault; included: boolean }[];
  missing: Shortfall[];
  estimate: CallEstimate;
  recipients: string[];
  destinations: string[];
}

/** Signs in and looks, without reading an item and without writing anything. */
export async function planBackup(context: JobContext): Promise<Plan> {
  const recipients = parseRecipients(context.job.recipients);
  context.emit({ event: "phase", job: context.job.name, phase: "sign-in" });
  const source = await openSource(context);
  await using _ = source;
  const vaults = await source.vaults(context.signal);
  const { chosen, missing, warnings } = selectVaults(vaults, context.job.vaults);
  for (const message of [...warnings, ...missing.map((one) => one.detail)]) {
    context.emit({ event: "warning", job: context.job.name, code: "unknown-vault", message });
  }
  return {
    vaults: vaults.map((vault) => ({ vault, included: chosen.includes(vault) })),
    missing,
    estimate: await source.estimate(chosen, context.signal),
    recipients: recipients.map((recipient) => recipient.key),
    destinations: context.job.destinations.map((one) => one.name),
  };
}
