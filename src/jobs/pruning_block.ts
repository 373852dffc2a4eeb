import { toAppError } from "../base/errors.ts";
import type { JobState } from "../host/state.ts";
import type { PruningBlock, Run } from "../model/run.ts";
import { clockDoubt } from "../policy/clock_doubt.ts";
import { pruningBlock } from "../policy/guards/block.ts";
import { blockSentence } from "../policy/guards/sentences.ts";
import type { JobContext } from "./context.ts";
import { alarmOfRecipients, chooseRecipients } from "./chain/recipients.ts";

/** Why nothing is pruned, as far as this host knows without asking anybody. */
export interface KnownBlock {
  /** RFC 3339, UTC; undefined where nothing that is signed says when it began. */
  since: string | undefined;
  reason: PruningBlock["reason"] | "alarm" | "recipients" | "clock";
  /** The newest run that it is about. */
  run?: string;
  gaps?: number;
  message: string;
  hint?: string;
}

/** Pauses that tell how often backups are made, and the last one. */
const RECENT = 5;

/** The gravest thing that stops pruning; undefined where nothing is known that does. */
export async function knownBlock(
  context: JobContext,
  state: JobState,
  runs: readonly Run[],
): Promise<KnownBlock | undefined> {
  return await unsettledBlock(context, state) ?? await recipientsBlock(context, state) ??
    blockOfRuns(context, state, runs) ?? clockBlock(context, state, runs);
}

async function unsettledBlock({ job }: JobContext, state: JobState): Promise<KnownBlock | undefined> {
  const [place] = state.unsettled();
  if (!place) return undefined;
  const fork = place.chain === state.head?.chain;
  return {
    reason: "alarm",
    since: await firstTold(state, place),
    message: fork
      ? `no. ${place.sequence} of this host's chain was signed twice, by ${place.signer}`
      : `another chain of this job lies at the destinations, signed by ${place.signer}`,
    hint: `vaultferry keys trust ${job.name}`,
  };
}

/** When an entry of this host first told of it. */
async function firstTold(
  state: JobState,
  place: ReturnType<JobState["unsettled"]>[number],
): Promise<string | undefined> {
  for (const sequence of state.sequences.toReversed()) {
    try {
      const { time, beside = [] } = (await state.entry(sequence)).manifest;
      if (beside.some((one) => state.same(one, place))) return time;
    } catch {
      // Other commands tell of damaged entries; this one asks for no more than a date.
    }
  }
  return undefined;
}

async function recipientsBlock(context: JobContext, state: JobState): Promise<KnownBlock | undefined> {
  if (!await state.acceptedRecipients()) return undefined;
  try {
    const [alarm] = alarmOfRecipients(context, await chooseRecipients(context, state));
    if (!alarm) return undefined;
    const hint = alarm.hint === undefined ? {} : { hint: alarm.hint };
    return { reason: "recipients", since: undefined, message: alarm.message, ...hint };
  } catch (error) {
    const { code, message } = toAppError(error);
    context.emit({ event: "warning", job: context.job.name, code, message });
    return undefined;
  }
}

function blockOfRuns({ job }: JobContext, state: JobState, runs: readonly Run[]): KnownBlock | undefined {
  const block = pruningBlock(runs, state.accepted());
  return block && { ...block, ...blockSentence(job.name, block) };
}

function clockBlock({ job }: JobContext, state: JobState, runs: readonly Run[]): KnownBlock | undefined {
  const recent = runs.filter(({ sequence }) => sequence !== undefined).slice(-RECENT);
  const last = recent.at(-1);
  if (!last || state.accepted().has(last.run)) return undefined;
  const message = clockDoubt(recent.slice(0, -1).map(({ time }) => new Date(time)), new Date(last.time));
  if (message === undefined) return undefined;
  const hint = `the next backup prunes again, or "vaultferry accept ${job.name} ${last.run}" and prune`;
  return { reason: "clock", since: last.time, run: last.run, message, hint };
}
