import type { ExpectedVaults } from "../model/run.ts";

/** As much of a vault as it takes to know which one the config means. */
export interface NamedVault {
  id: string;
  title: string;
}

/** Which of the expected vaults are saved. */
export interface Expectation extends ExpectedVaults {
  /** Of those missing, the ones that are shown and that the same config leaves out. */
  leftOut: string[];
}

/** Whether an entry of the config means this vault: by its id, or by its title. */
export function means(entry: string, { id, title }: NamedVault): boolean {
  return entry === id || entry === title;
}

/**
 * Holds `expect` of the config against what is shown and what of it is saved. Of several vaults of one title each has
 * to be saved.
 */
export function expectation(
  expect: readonly string[],
  shown: readonly NamedVault[],
  saved: readonly NamedVault[],
): Expectation {
  const ids = new Set(saved.map(({ id }) => id));
  const result: Expectation = { seen: [], missing: [], leftOut: [] };
  for (const entry of new Set(expect)) {
    const meant = shown.filter((vault) => means(entry, vault));
    const whole = meant.length > 0 && meant.every(({ id }) => ids.has(id));
    (whole ? result.seen : result.missing).push(entry);
    if (!whole && meant.length > 0) result.leftOut.push(entry);
  }
  return result;
}

/** Ids that were shown before and are not any more. */
export function noLongerSeen(before: readonly string[], shown: readonly string[]): string[] {
  const now = new Set(shown);
  return before.filter((id) => !now.has(id));
}
