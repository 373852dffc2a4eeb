import { toAppError } from "../base/errors.ts";
import { JobState } from "../host/state.ts";
import { readTokenRecord } from "../host/token_record.ts";
import { archivesOf } from "../model/archive_name.ts";
import type { Run } from "../model/run.ts";
import { isGood, timeOf } from "../policy/guards/baseline.ts";
import { type JobContext, stateOf } from "./context.ts";
import { Ledger } from "./deliver/ledger.ts";
import { type KnownBlock, knownBlock } from "./pruning_block.ts";
import { remembered, runOfChain } from "./remembered.ts";

/** How a job stands, as far as this host knows by itself. */
export interface Status {
  /** In config order. */
  destinations: DestinationStatus[];
  /** The vaults that the config expects, as the last run found them; undefined where it expects none. */
  expected: { seen: string[]; missing: string[]; notLookedFor: string[] } | undefined;
  /** When the token ends (RFC 3339, UTC), where that is known. */
  tokenExpires: string | undefined;
  block: KnownBlock | undefined;
}

export interface DestinationStatus {
  name: string;
  /**
   * The newest archive that can be relied on and was read back there, or sent where nobody here can read it back; one
   * that is dated in the future is none.
   */
  lastGood: Run | undefined;
  /** Whether {@linkcode DestinationStatus.lastGood} was sent and not read back. */
  lastGoodUnread: boolean;
  /** The newest that was read back there, whatever it holds. */
  readBack: Run | undefined;
  /** The newest that was sent there and cannot be read back from here, where it is newer than that. */
  sent: Run | undefined;
  /** The oldest of the newest archives, in a row, that were neither read back nor sent for good. */
  waiting: Run | undefined;
  /** The newest archive there that can be relied on, where it is dated in the future: a clock was wrong. */
  fromTheFuture: Run | undefined;
}

/** Clocks of one host differ by no more than this from one run to the next, in milliseconds. */
const TOLERATED = 10 * 60 * 1000;

/** Looks at this host's state only, at no destination, and changes nothing. */
export async function status(context: JobContext): Promise<Status> {
  const { world, job } = context;
  const state = await JobState.load(world, stateOf(context));
  const ledger = await Ledger.load(context, state);
  const { runs, lost } = await remembered(context, state);
  if (lost !== undefined) warn(context, `${lost}: the next backup has nothing to be compared with`);
  const known = new Map<number, Promise<Run | undefined>>();
  const runAt = (sequence: number) => {
    const run = known.get(sequence) ?? runOfChain(state, sequence);
    known.set(sequence, run);
    return run;
  };
  const destinations: DestinationStatus[] = [];
  for (const { name } of job.destinations) {
    destinations.push(await atDestination(name, ledger, runAt, world.clock.now()));
  }
  return {
    destinations,
    expected: job.vaults.expect.length > 0 ? expectedOf(job.vaults.expect, runs) : undefined,
    tokenExpires: await expiryOf(context),
    block: await knownBlock(context, state, runs),
  };
}

async function atDestination(
  name: string,
  { state, sent }: Ledger,
  runAt: (sequence: number) => Promise<Run | undefined>,
  now: Date,
): Promise<DestinationStatus> {
  const found: DestinationStatus = {
    name,
    lastGood: undefined,
    lastGoodUnread: false,
    readBack: undefined,
    sent: undefined,
    waiting: undefined,
    fromTheFuture: undefined,
  };
  const accepted = state.accepted();
  for (const sequence of state.sequences.toReversed()) {
    const run = await runAt(sequence);
    if (!run) continue;
    const readBack = state.hasReceipt(name, sequence);
    if (readBack) found.readBack ??= run;
    else if (archivesOf(run.run).some((archive) => sent.has(name, archive))) {
      found.sent ??= found.readBack ? undefined : run;
    } else {
      if (!found.readBack && !found.sent) found.waiting = run;
      continue;
    }
    if (!isGood(run, accepted)) continue;
    if (timeOf(run) <= now.getTime() + TOLERATED) {
      return { ...found, lastGood: run, lastGoodUnread: !readBack };
    }
    found.fromTheFuture ??= run;
  }
  return found;
}

/** What the last run that looked for them found of these vaults. */
function expectedOf(expect: readonly string[], runs: readonly Run[]): NonNullable<Status["expected"]> {
  const last = runs.findLast(({ expected }) => expected !== undefined)?.expected;
  const all = [...new Set(expect)];
  const of = (names: readonly string[] = []) => all.filter((name) => names.includes(name));
  const seen = of(last?.seen);
  const missing = of(last?.missing);
  return { seen, missing, notLookedFor: all.filter((name) => ![...seen, ...missing].includes(name)) };
}

async function expiryOf(context: JobContext): Promise<string | undefined> {
  try {
    return (await readTokenRecord(context.world, stateOf(context)))?.expiresAt;
  } catch (error) {
    warn(context, `when the token ends is not known: ${toAppError(error).message}`);
    return undefined;
  }
}

function warn(context: JobContext, message: string): void {
  context.emit({ event: "warning", job: context.job.name, code: "corrupt", message });
}
