import type { JobState } from "../host/state.ts";

/** Names of the runs that a person has accepted, though they were suspicious or showed another account. */
export function acceptedRuns(_state: JobState): Promise<ReadonlySet<string>> {
  return Promise.resolve(new Set());
}
