import { AppError } from "../../base/errors.ts";
import { quoted } from "../../base/safe_names.ts";
import { archivesOf, parseRunName, runOf } from "../../model/archive_name.ts";
import type { JobContext } from "../context.ts";
import { tellAlarms } from "./tell_alarms.ts";
import { type Recorded, withState } from "./with_state.ts";

/** What `accept` has come to. */
export interface Accepted {
  run: string;
  /** Undefined when it had been accepted before: then nothing was signed. */
  recorded: Recorded | undefined;
  /** Whether the run published an archive; one that published nothing is known by its name only. */
  published: boolean;
}

/**
 * Signs that a run which raised suspicion is what somebody wanted; `state.accepted()` names it from then on.
 *
 * @param given an archive's file name with or without its ending, also of a run that published nothing.
 * @throws `misconfigured` when that is no name of a run of this job.
 */
export async function acceptRun(context: JobContext, given: string): Promise<Accepted> {
  const run = runOf(given);
  if (parseRunName(run)?.job !== context.job.name) {
    throw new AppError(
      "misconfigured",
      `${quoted(given)} is not the name of a run of job "${context.job.name}"`,
      {
        hint: 'give the name of an archive as "vaultferry list" shows it, or the one that the run told',
      },
    );
  }
  return await withState(context, async ({ state, alarms, record }) => {
    tellAlarms(context, alarms);
    const published = archivesOf(run).some((name) => state.sequenceOf(name) !== undefined);
    if (state.accepted().has(run)) return { run, recorded: undefined, published };
    return { run, recorded: await record({ kind: "accept", run }), published };
  });
}
