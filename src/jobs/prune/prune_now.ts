import { AppError } from "../../base/errors.ts";
import type { JobState } from "../../host/state.ts";
import { alarmOfRecipients, chooseRecipients } from "../chain/recipients.ts";
import { lookState, withState } from "../chain/with_state.ts";
import type { JobContext } from "../context.ts";
import { doubtOfRuns } from "./doubt_of_runs.ts";
import { type Block, prune, type Pruned, rulesFor } from "./prune.ts";
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
  return await (dryRun ? lookState : withState)(context, async (held) => {
    const [alarm] = [...held.alarms, ...await alarmsOfRecipients(context, held.state)];
    const block: Block | undefined = alarm ? alarmBlock(alarm) : await doubtOfRuns(context, held.state);
    const pruned = await prune(context, held, {
      unread: dryRun ? "believed" : "read",
      dryRun,
      blockAt: () => block,
    });
    if (!dryRun) tellPruned(context, pruned);
    return pruned;
  });
}

function alarmBlock({ message, hint }: AppError): Block {
  return { message, ...(hint === undefined ? {} : { hint }), about: "trust" };
}

/** Where no backup was ever made, as on a host that only prunes, nobody has been accepted who could be another. */
async function alarmsOfRecipients(context: JobContext, state: JobState): Promise<AppError[]> {
  if (!await state.acceptedRecipients()) return [];
  return alarmOfRecipients(context, await chooseRecipients(context, state));
}
