import type { JobContext } from "../context.ts";
import type { Pruned } from "./prune.ts";

/** Tells what has become of each destination. */
export function tellPruned({ emit, job }: JobContext, pruned: readonly Pruned[]): void {
  for (const { destination, verdicts, removals, removed, notYet, block, error } of pruned) {
    const about = { event: "pruning", job: job.name, destination } as const;
    if (block) {
      const { about: _, ...sentence } = block;
      emit({ ...about, state: "blocked", ...sentence });
    } else if (error) {
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      emit({
        ...about,
        state: "failed",
        removed: removed.length,
        code: error.code,
        message: error.message,
        ...hint,
      });
    } else {
      const due = verdicts.filter(({ keep }) => !keep).length;
      emit({
        ...about,
        state: "done",
        removed: removed.length,
        kept: verdicts.length - due,
        notYet: notYet.length,
        later: due - removals.length,
      });
    }
  }
}
