import { AppError } from "../../base/errors.ts";
import { withState } from "../chain/with_state.ts";
import type { JobContext } from "../context.ts";
import { doubtOfRuns } from "./doubt_of_runs.ts";
import { prune, type Pruned, rulesFor } from "./prune.ts";
import { tellPruned } from "./tell.ts";

/** Prunes without a backup, on this host or on one that only looks after archives. */
export async function pruneNow(context: JobContext, dryRun: boolean): Promise<Pruned[]> {
  const { job } = context;
  if (!job.destinations.some(({ name }) => rulesFor(context, name))) {
    throw new AppError(
      "misconfigured",
      `job "${job.name}" has no rules for what to keep: nothing is ever pruned`,
      {
        hint: 'give it some, such as "retention: {keepWithin: 7d, keepDaily: 14, keepMonthly: 24}"',
      },
    );
  }
  return await withState(context, async (held) => {
    const [alarm] = held.alarms;
    const block = alarm ? { message: alarm.message } : await doubtOfRuns(context, held.state);
    const pruned = await prune(context, held, {
      unread: dryRun ? "believed" : "read",
      dryRun,
      blockAt: () => block,
    });
    if (!dryRun) tellPruned(context, pruned);
    return pruned;
  });
}
