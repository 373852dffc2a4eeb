/** Remembered runs for tests, a line each. */
import type { Run, VaultTally } from "../../src/model/run.ts";

/** Noon of a day in 2026, counted from 1 January; fractions and negative ones too. */
export function day(at: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 12) + at * 24 * 3600 * 1000);
}

/** Vaults by id with their active items, or with more of a tally. */
export type Holding = Record<string, number | Partial<VaultTally>>;

export function tallies(holding: Holding): VaultTally[] {
  return Object.entries(holding).map(([id, held]) => ({
    id,
    active: 0,
    archived: 0,
    files: 0,
    ...(typeof held === "number" ? { active: held } : held),
  }));
}

/** A complete run of that day, called `run DAY`. */
export function run(at: number, holding: Holding, changes: Partial<Run> = {}): Run {
  const vaults = tallies(holding);
  return {
    run: `run ${at}`,
    time: day(at).toISOString(),
    outcome: "complete",
    items: vaults.reduce((sum, { active }) => sum + active, 0),
    archived: 0,
    files: 0,
    gaps: 0,
    vaults,
    ...changes,
  };
}

/** The same run as only the chain remembers it. */
export function thin({ vaults: _, excluded: __, ...rest }: Run): Run {
  return rest;
}
