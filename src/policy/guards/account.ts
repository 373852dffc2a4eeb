import type { Run } from "../../model/run.ts";
import { isGood, shares, shownTo } from "./baseline.ts";

/**
 * The last complete run, when it was shown none of these vaults and so was another account's: nothing may be published
 * then. Undefined where all is well, where nothing is known, and where a person has accepted the other account.
 */
export function anothersRun(
  runs: readonly Run[],
  accepted: ReadonlySet<string>,
  shown: ReadonlySet<string>,
): Run | undefined {
  const last = runs.findLast((run) => isGood(run, accepted) && run.vaults !== undefined);
  if (!last || shares(last, shown)) return undefined;
  return isAccepted(runs, accepted, shown) ? undefined : last;
}

/**
 * The refused run that an attempt with these vaults is another try of: night after night it keeps the name under which
 * a person can accept it. What was accepted once is not taken up again.
 */
export function refusedBefore(
  runs: readonly Run[],
  accepted: ReadonlySet<string>,
  shown: ReadonlySet<string>,
): Run | undefined {
  return runs.findLast((run) => run.outcome === "refused" && !accepted.has(run.run) && shares(run, shown));
}

/** An accepted account stays so until a good run has taken it over: the next change is to be accepted anew. */
function isAccepted(
  runs: readonly Run[],
  accepted: ReadonlySet<string>,
  shown: ReadonlySet<string>,
): boolean {
  return runs.some((run, at) => {
    if (run.outcome !== "refused" || !accepted.has(run.run) || !shares(run, shown)) return false;
    const own = new Set(shownTo(run));
    return !runs.slice(at + 1).some((later) => isGood(later, accepted) && shares(later, own));
  });
}
