import type { PruningBlock, Run } from "../../model/run.ts";

/**
 * Why nothing is pruned after the newest run, and since which run in a row; undefined where nothing is in doubt.
 * What a person has accepted is in doubt no longer, but for its gaps.
 */
export function pruningBlock(
  runs: readonly Run[],
  accepted: ReadonlySet<string>,
): PruningBlock | undefined {
  let block: PruningBlock | undefined;
  for (const run of runs.toReversed()) {
    if (run.outcome === "refused" && accepted.has(run.run)) continue;
    const reason = doubtOf(run, accepted);
    if (!reason) break;
    block = { reason, run: run.run, gaps: run.gaps, ...block, since: run.time };
  }
  return block;
}

function doubtOf(run: Run, accepted: ReadonlySet<string>): PruningBlock["reason"] | undefined {
  if (run.outcome === "refused") return "wrong-account";
  if (run.outcome === "suspicious" && !accepted.has(run.run)) return "suspicious";
  if (run.outcome === "incomplete" || run.gaps > 0) return "incomplete";
  return run.noBaseline && !accepted.has(run.run) ? "no-baseline" : undefined;
}
