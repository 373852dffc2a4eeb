import { isAppError, toAppError } from "../../base/errors.ts";
import type { SecretReference } from "../../model/secret_reference.ts";
import { readTokenRecord, tokenFingerprint, type TokenRecord } from "../../host/token_record.ts";
import { type JobContext, stateOf } from "../context.ts";
import { pluginContext, pluginOf } from "../open.ts";
import { hasToken } from "./compare.ts";

const DAY = 86_400_000;

/** Days before the end of a token from which on every backup warns. */
const NOTICE = 14;

/** Warns when the token in use is about to end; says nothing of one that `sync-access` has not made. */
export async function warnOfExpiry(context: JobContext): Promise<void> {
  const { job, emit, world } = context;
  const warn = (message: string, hint?: string) =>
    emit({
      event: "warning",
      job: job.name,
      code: "token",
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  try {
    const record = await readTokenRecord(world, stateOf(context));
    if (record?.expiresAt === undefined) return;
    const left = Date.parse(record.expiresAt) - world.clock.now().getTime();
    if (left > NOTICE * DAY || !await isInUse(context, record)) return;
    const day = record.expiresAt.slice(0, 10);
    const days = Math.floor(left / DAY);
    const when = left <= 0
      ? `ended on ${day}`
      : days === 0
      ? "ends within a day"
      : `ends in ${days} days, on ${day}`;
    warn(
      `the token of the service account "${record.name}" ${when}`,
      "vaultferry sync-access --renew makes a new one",
    );
  } catch (error) {
    if (isAppError(error, "cancelled")) throw error;
    // A backup does not wait for a note about its token.
    warn(`it is not known when the token ends: ${toAppError(error).message}`);
  }
}

/** Whether the job signs in by the very token that the record is about. */
async function isInUse(context: JobContext, record: TokenRecord): Promise<boolean> {
  if (!hasToken(context)) return false;
  const { job, registry, signal } = context;
  const reference = job.source[pluginOf(registry, job.source).tokenKey!] as SecretReference;
  const token = await pluginContext({ ...context, emit: () => {} }).secret(reference, signal);
  return tokenFingerprint(token) === record.sha256;
}
