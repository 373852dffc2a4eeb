import { hex } from "../../base/bytes.ts";
import { AppError, isAppError, throwIfCancelled, toAppError } from "../../base/errors.ts";
import { printable } from "../../base/safe_names.ts";
import { scrubbed } from "../../destination/scrub.ts";
import { bodyOf, sample } from "../../destination/conformance/bench.ts";
import { destinationCases } from "../../destination/conformance.ts";
import {
  type ConformanceHarness,
  type DestinationCase,
  lacking,
} from "../../destination/conformance/harness.ts";
import type { Destination } from "../../destination/contract.ts";
import { watched } from "../../destination/watchdog.ts";
import type { TriedCase } from "../../model/events.ts";
import type { JobContext } from "../context.ts";
import { destinationConfig, destinationNames, openDestination } from "../open.ts";
import { credentialsCases } from "./other_credentials.ts";
import { type Left, TrialFolder } from "./trial_folder.ts";

export type { Left };

/** What trying a destination has come to. */
export interface Trial {
  destination: string;
  /** Where in the destination it was tried; ends with a slash. */
  folder: string;
  cases: TriedCase[];
  /** What is still there. */
  left: Left[];
  /** Why nothing can be removed, where that is how the destination is set up; undefined where something can. */
  keeps: string | undefined;
  /** Why it ended before its last case. */
  stopped: AppError | undefined;
}

/** Milliseconds for one case. The slowest that is harmless takes seconds; a destination ends silence after two minutes. */
const LONGEST = 300_000;

/**
 * Runs the conformance cases that are safe against the destination `name`, below a folder of its own that nobody else
 * uses, and removes all that it stored there.
 *
 * @throws `misconfigured` when the job has no such destination; what opening throws, and what the first small file does:
 *   then no case would tell more
 */
export async function tryDestination(context: JobContext, name: string): Promise<Trial> {
  const [destination = name] = destinationNames(context, name);
  const safe = destinationCases.filter((one) => one.safe);
  const folder = new TrialFolder(`vaultferry-test-${hex(context.world.random(8))}/`, context.world.clock);
  // Not ended by a signal: it removes what the cases have stored.
  await using keeper = await openDestination(context, destination, "write");
  const trial: Trial = {
    ...{ destination, folder: folder.prefix, cases: [], left: [], keeps: undefined, stopped: undefined },
  };
  const others = credentialsCases(context, destination, folder, keeper);
  let removes = keeper.can.remove;
  try {
    trial.keeps = await whyNothingIsRemoved(folder, keeper, context.signal);
    removes = trial.keeps === undefined;
    const tries = [
      ...safe.map((one) => () => tryCase(context, one, destination, folder, trial.keeps)),
      ...others.map(({ name, run }) => () =>
        timed(context, name, (signal) => inTime(context, () => run(signal)))
      ),
    ];
    for (const [done, attempt] of tries.entries()) {
      throwIfCancelled(context.signal);
      tell(context, destination, done, tries.length);
      const tried = await attempt();
      throwIfCancelled(context.signal);
      trial.cases.push(tried);
      context.emit({ event: "case", job: context.job.name, destination, ...tried });
    }
    tell(context, destination, tries.length, tries.length);
  } catch (error) {
    trial.stopped = toAppError(error);
  }
  trial.left = await clear(context, folder, keeper, removes);
  return trial;
}

/** Stores a first small file and removes it. A lock, or credentials that may not remove, are no fault of a destination. */
async function whyNothingIsRemoved(
  folder: TrialFolder,
  keeper: Destination,
  signal: AbortSignal,
): Promise<string | undefined> {
  const first = folder.within(keeper, true, signal), key = `${folder.prefix}first`;
  await first.put(key, bodyOf(sample(100)), signal);
  if (!keeper.can.remove) return "its credentials may only create";
  try {
    await first.remove(key, signal);
    return undefined;
  } catch (error) {
    if (!isAppError(error, "denied", "unsupported")) throw error;
    return error.message;
  }
}

async function tryCase(
  context: JobContext,
  { name, needs, run }: DestinationCase,
  destination: string,
  folder: TrialFolder,
  keeps: string | undefined,
): Promise<TriedCase> {
  return await timed(context, name, async (signal) => {
    const open: ConformanceHarness["open"] = async (otherClock) => {
      const world = otherClock ? { ...context.world, clock: otherClock } : context.world;
      const opened = await openDestination({ ...context, world, signal }, destination, "write");
      return folder.within(opened, keeps === undefined, signal);
    };
    const harness: ConformanceHarness = { prefix: folder.prefix, open };
    const [first] = await inTime(context, async () => {
      await using opened = await open();
      return lacking(needs, harness, opened);
    });
    if (first !== undefined) return first === "remove" && keeps !== undefined ? keeps : `it cannot ${first}`;
    await inTime(context, () => run(harness));
    return undefined;
  });
}

/** A case with how long it took: `run` gives the reason why it was left out, or throws why it failed. */
async function timed(
  context: JobContext,
  name: string,
  run: (signal: AbortSignal) => Promise<string | undefined>,
): Promise<TriedCase> {
  const { clock } = context.world, begun = clock.monotonic();
  const over = new AbortController();
  const ended = (result: TriedCase["result"], reason?: string): TriedCase => ({
    case: name,
    result,
    ms: Math.round(clock.monotonic() - begun),
    ...(reason === undefined ? {} : { reason: printable(scrubbed(reason)) }),
  });
  try {
    const leftOut = await run(AbortSignal.any([context.signal, over.signal]));
    return leftOut === undefined ? ended("passed") : ended("left-out", leftOut);
  } catch (error) {
    return ended("failed", toAppError(error).message);
  } finally {
    over.abort(new AppError("cancelled", "the case is over")); // whatever of it hangs
  }
}

function inTime<T>({ world: { clock }, signal }: JobContext, action: () => Promise<T>): Promise<T> {
  return watched({ clock, signal, silence: LONGEST }, action);
}

/** Who may not remove with the credentials that it was stored with, perhaps may with those under `prune:`. */
async function clear(
  context: JobContext,
  folder: TrialFolder,
  keeper: Destination,
  removes: boolean,
): Promise<Left[]> {
  const left = await folder.clear(keeper, removes);
  const { prune } = destinationConfig(context, keeper.name);
  if (left.length === 0 || prune === undefined) return left;
  try {
    // Not ended by a signal either.
    await using pruner = await openDestination(context, keeper.name, "prune", new AbortController().signal);
    return await folder.clear(pruner, pruner.can.remove);
  } catch (error) {
    return left.map(({ key }) => ({ key, reason: toAppError(error).message }));
  }
}

function tell({ emit, job }: JobContext, destination: string, done: number, total: number): void {
  emit({ event: "progress", job: job.name, phase: "try", destination, done, total });
}
