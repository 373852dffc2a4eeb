import { AppError, throwIfCancelled, toAppError } from "../../base/errors.ts";
import type { Allowance, QuotaVerdict } from "../../model/quota.ts";
import type { Vault } from "../../model/vault.ts";
import { judgeQuota } from "../../policy/quota.ts";
import { quotaRefusal, quotaWarning } from "../../policy/quota_sentences.ts";
import type { Source } from "../../source/contract.ts";
import type { JobContext } from "../context.ts";

/** What reading these vaults will cost, set against what is known of the quota. */
export async function quotaOf(source: Source, vaults: Vault[], context: JobContext): Promise<QuotaVerdict> {
  const estimate = await source.estimate(vaults, context.signal);
  const allowances = estimate.reads === 0 ? undefined : await allowancesOf(source, context);
  return judgeQuota(estimate, allowances, context.job.quota?.plan);
}

/** A backup does not fail because nobody says what is left; that nobody does is said. */
async function allowancesOf(source: Source, context: JobContext): Promise<Allowance[] | undefined> {
  try {
    return await source.allowances?.(context.signal);
  } catch (error) {
    throwIfCancelled(context.signal);
    const message = `it is not known what is left of 1Password's quota: ${toAppError(error).message}`;
    context.emit({ event: "warning", job: context.job.name, code: "quota", message });
    return undefined;
  }
}

/**
 * Before a backup reads: warns when the quota may not last, and refuses when it surely will not, because such a run
 * would publish nothing and leave nothing of the quota for others. Only 1Password's own numbers make it sure; a plan
 * in the config says nothing of what has been used, and may be wrong. Costs nothing where neither is known.
 *
 * @throws `quota`
 */
export async function preflight(source: Source, vaults: Vault[], context: JobContext): Promise<void> {
  if (!source.allowances && !context.job.quota) return;
  const verdict = await quotaOf(source, vaults, context);
  const refusal = refusalOf(verdict, context);
  if (refusal) throw refusal;
  const warning = quotaWarning(verdict, waitOf(context));
  if (warning) context.emit({ event: "warning", job: context.job.name, code: "quota", ...warning });
}

/** The error of a run that would end before it has read all items, whatever it does. */
export function refusalOf(verdict: QuotaVerdict, context: JobContext): AppError | undefined {
  if (verdict.certainWaitSeconds <= waitOf(context)) return undefined;
  const { message, hint } = quotaRefusal(verdict);
  return new AppError("quota", message, { hint, origin: "source" });
}

/** Seconds. */
function waitOf({ wait = 0 }: JobContext): number {
  return wait / 1000;
}
