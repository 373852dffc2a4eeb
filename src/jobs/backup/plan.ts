import type { AppError } from "../../base/errors.ts";
import { JobState } from "../../host/state.ts";
import type { QuotaVerdict } from "../../model/quota.ts";
import type { Shortfall } from "../../model/shortfall.ts";
import type { Vault } from "../../model/vault.ts";
import { findingSentence } from "../../policy/guards/sentences.ts";
import { quotaSentences } from "../../policy/quota_sentences.ts";
import { alarmOfRecipients, chooseRecipients } from "../chain/recipients.ts";
import { type JobContext, stateOf } from "../context.ts";
import { type Closed, rehearse } from "../deliver/rehearse.ts";
import { failedDoors, openDoors } from "../open_doors.ts";
import { Guard } from "./guard.ts";
import { quotaOf, refusalOf } from "./preflight.ts";
import { DryRunFolders } from "../private_folders.ts";
import { selectVaults } from "./select_vaults.ts";

/** What a backup would do. */
export interface Plan {
  vaults: { vault: Vault; included: boolean }[];
  missing: Shortfall[];
  /** Set when the vaults are another account's than those of the last complete backup. */
  wrongAccount: string | undefined;
  quota: QuotaVerdict;
  /** The verdict for people, a sentence a line. */
  sentences: string[];
  /** Set when the backup would not be begun for lack of quota. */
  refusal: AppError | undefined;
  recipients: string[];
  /** Recipients of the config that would be left out, as an alarm. */
  alarms: AppError[];
  destinations: string[];
  /** Those of them that cannot be opened as things are. */
  closed: Closed[];
}

/** Signs in and looks, without reading an item and without writing anything. */
export async function planBackup(context: JobContext): Promise<Plan> {
  const { job, world, emit, signal } = context;
  const state = await JobState.load(world, stateOf(context));
  const who = await chooseRecipients(context, state);
  const closed = await rehearse(context);
  emit({ event: "phase", job: job.name, phase: "sign-in" });
  await using folders = new DryRunFolders(context);
  const source = await openDoors({ ...context, folders });
  await using _ = source;
  const vaults = await source.vaults(signal);
  const { chosen, missing: notVisible, warnings } = selectVaults(vaults, job.vaults);
  const missing = [...notVisible, ...failedDoors(source)];
  const wrongAccount = await anothers(context, state, vaults);
  for (const message of [...warnings, ...missing.map((one) => one.detail)]) {
    emit({ event: "warning", job: job.name, code: "unknown-vault", message });
  }
  const quota = await quotaOf(source, chosen, context);
  const plan: Plan = {
    vaults: vaults.map((vault) => ({ vault, included: chosen.includes(vault) })),
    missing,
    wrongAccount,
    quota,
    sentences: quotaSentences(quota, world.clock.now()),
    refusal: refusalOf(quota, context),
    recipients: who.sealed.map((recipient) => recipient.key),
    alarms: alarmOfRecipients(context, who),
    destinations: job.destinations.map((one) => one.name),
    closed,
  };
  emit({
    event: "plan",
    job: job.name,
    vaults: plan.vaults.map(({ vault, included }) => ({
      id: vault.id,
      ...(vault.activeItemCount === undefined ? {} : { items: vault.activeItemCount }),
      included,
    })),
    missing: missing.map((one) => one.detail),
    quota,
    recipients: plan.recipients,
    destinations: plan.destinations,
  });
  return plan;
}

async function anothers(
  context: JobContext,
  state: JobState,
  vaults: readonly Vault[],
): Promise<string | undefined> {
  const guard = await Guard.load(context, state, "", context.world.clock.now());
  const finding = guard.wrongAccount(vaults);
  return finding && findingSentence(context.job.name, finding).message;
}
