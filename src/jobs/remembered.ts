import { isAppError, toAppError } from "../base/errors.ts";
import { quoted } from "../base/safe_names.ts";
import { memoryPath, readRuns } from "../host/run_memory.ts";
import { isArchive } from "../archive/manifest.ts";
import type { JobState } from "../host/state.ts";
import { runOf } from "../model/archive_name.ts";
import type { Run } from "../model/run.ts";
import { type JobContext, stateOf } from "./context.ts";

/** What this host still knows of earlier runs. */
export interface Remembered {
  /** In the order in which they were made. */
  runs: Run[];
  /** Set where what was in which vault is not known any more: why. */
  lost: string | undefined;
}

/** So many runs are taken from the chain when the memory is lost: enough to compare the number of items with. */
const FROM_CHAIN = 50;

/**
 * The memory of a job's runs, brought in line with the chain, which is what has been signed: a run that never came to
 * be signed is left out, and of one that the memory does not know the chain's numbers are taken. Changes nothing.
 */
export async function remembered(context: JobContext, state: JobState): Promise<Remembered> {
  const { runs, lost } = await fromMemory(context, state);
  const known = new Set(runs.map(({ run }) => run));
  const added: Run[] = [];
  for (const sequence of state.sequences.toReversed().slice(0, FROM_CHAIN)) {
    const run = await runOfChain(state, sequence);
    if (run && known.has(run.run)) break;
    if (run) added.unshift(run);
  }
  return { runs: [...runs, ...added], lost };
}

async function fromMemory(context: JobContext, state: JobState): Promise<Remembered> {
  const path = quoted(memoryPath(stateOf(context)));
  try {
    const runs = await readRuns(context.world, stateOf(context));
    if (!runs) return { runs: [], lost: state.head ? `${path} is missing` : undefined };
    return { runs: await withoutUnsigned(runs, state), lost: undefined };
  } catch (error) {
    return { runs: [], lost: toAppError(error).message };
  }
}

/** A run is remembered just before it is signed for good: the last one may have been killed in between. */
async function withoutUnsigned(runs: Run[], state: JobState): Promise<Run[]> {
  const last = runs.findLast(({ sequence }) => sequence !== undefined);
  const head = state.head?.sequence ?? 0;
  if (last?.sequence === undefined || last.sequence > head + 1) return runs;
  const signed = last.sequence <= head && (await runOfChain(state, last.sequence))?.run === last.run;
  return signed ? runs : runs.filter((run) => run !== last);
}

/** What the chain knows of a run; undefined for a damaged entry. */
export async function runOfChain(state: JobState, sequence: number): Promise<Run | undefined> {
  try {
    const { manifest } = await state.entry(sequence);
    if (!isArchive(manifest)) return undefined;
    const { archive, time, outcome, counts } = manifest;
    const { items, archived, files, gaps } = counts;
    const run = runOf(archive.name);
    return { run, time, outcome, sequence, size: archive.size, items, archived, files, gaps };
  } catch (error) {
    // Other commands tell of the damage; the other entries say enough to compare with.
    if (isAppError(error, "corrupt", "not-found", "unsupported")) return undefined;
    throw error;
  }
}
