import { digestOf } from "../../base/hash.ts";
import { isAppError } from "../../base/errors.ts";
import { retry } from "../../base/retry.ts";
import type { Destination } from "../../destination/contract.ts";
import { judgeRetention, type RetentionRules, type Verdict } from "../../policy/retention.ts";
import type { JobContext } from "../context.ts";
import type { Prunable } from "./candidates.ts";

/** How far an archive that nobody has read back yet is believed. */
export type Unread =
  /** It counts for nothing. */
  | "ignored"
  /** It is read now before it counts. */
  | "read"
  /** It counts: only for showing what would be done. */
  | "believed";

/**
 * What the rules keep, counting nothing that this destination has not given back unharmed: an archive that is listed and
 * cannot be read any more must not be the reason to remove one that can.
 */
export async function judge(
  context: JobContext,
  destination: Destination,
  candidates: readonly Prunable[],
  rules: RetentionRules,
  unread: Unread,
): Promise<Verdict<Prunable>[]> {
  const now = context.world.clock.now();
  let archives = candidates.map((one): Prunable =>
    unread === "ignored" && !one.readBack && one.doubt === undefined
      ? { ...one, standing: "strange", doubt: "it was never read back here" }
      : one
  );
  for (;;) {
    const verdicts = judgeTwice(archives, rules, now);
    if (unread !== "read") return verdicts;
    const open = verdicts.filter(({ keep, archive }) =>
      keep && !archive.readBack && archive.doubt === undefined
    );
    if (open.length === 0) return verdicts;
    const read = new Map<Prunable, Prunable>();
    for (const { archive } of open) read.set(archive, await readNow(context, destination, archive));
    archives = archives.map((one) => read.get(one) ?? one);
  }
}

/**
 * What a signed record says was removed here, and is there (the removal was cut off; it is locked; somebody has put it
 * back), takes nobody's place. It stays itself where the rules, which may have changed, want it now.
 */
function judgeTwice(
  archives: readonly Prunable[],
  rules: RetentionRules,
  now: Date,
): Verdict<Prunable>[] {
  const verdicts = judgeRetention(archives, rules, now);
  const others = archives.filter(({ cataloged }) => !cataloged.pruned);
  if (others.length === archives.length) return verdicts;
  const kept = new Map(
    judgeRetention(others, rules, now).filter(({ keep }) => keep).map((one) => [one.archive, one]),
  );
  return verdicts.map((one) => one.keep ? one : kept.get(one.archive) ?? one);
}

async function readNow(
  { job, signal, world, emit }: JobContext,
  destination: Destination,
  archive: Prunable,
): Promise<Prunable> {
  emit({ event: "phase", job: job.name, phase: "read-back", destination: destination.name });
  try {
    const found = await retry(
      async () => await digestOf(await destination.get(`${job.name}/${archive.name}`, undefined, signal)),
      { clock: world.clock, signal },
    );
    if (found.sha256 === archive.cataloged.entry?.manifest.archive.sha256) {
      return { ...archive, readBack: true };
    }
    return { ...archive, standing: "strange", doubt: "damaged: its SHA-256 is not the signed one" };
  } catch (error) {
    if (!isAppError(error, "corrupt", "not-found")) throw error;
    return { ...archive, standing: "strange", doubt: error.message };
  }
}
