import type { Outcome } from "./counts.ts";

/** What a backup saw of one vault, in numbers. */
export interface VaultTally {
  id: string;
  /** Active items that were saved. */
  active: number;
  archived: number;
  files: number;
  /** Active items that gaps name: there, and not saved. */
  lacking?: number;
  /** The vault could not be read to its end, so that its numbers say nothing. */
  unread?: boolean;
}

/** Vaults that the config expects, in the config's own words. */
export interface ExpectedVaults {
  seen: string[];
  missing: string[];
}

/**
 * What this host remembers of one backup: ids and numbers, no title. Runs are kept in the order in which they were
 * made, whatever their clocks said.
 */
export interface Run {
  /** By which people speak of it: its archive's name without the ending. A refused run has one too, and no archive. */
  run: string;
  /** RFC 3339, UTC: its start. */
  time: string;
  /** `refused`: it would have saved another account, and nothing was published. */
  outcome: Outcome | "refused";
  /** Its number in the chain; absent where nothing was published. */
  sequence?: number;
  /** Bytes of the archive. */
  size?: number;
  items: number;
  archived: number;
  files: number;
  gaps: number;
  /** The account's id, where the source knows it. */
  account?: string;
  /** Absent where only the signed chain remembers this run. Of a refused run only the ids are known. */
  vaults?: VaultTally[];
  /** Ids of vaults that were shown and left out on purpose. */
  excluded?: string[];
  expected?: ExpectedVaults;
  /** Set where nothing was known any more of earlier runs, so that a loss could not be noticed. */
  noBaseline?: boolean;
  /** The last of the tries that a refused run stands for; RFC 3339, UTC. */
  lastTry?: string;
}

/** Why a run is suspicious, against an earlier run. */
export type Suspicion =
  | ({ reason: "fewer-items"; before: number; now: number } & Against)
  /** The vault is not shown any more. */
  | ({ reason: "vault-gone" } & VaultLoss)
  /** The vault is shown, and no active item is left in it. */
  | ({ reason: "vault-emptied" } & VaultLoss);

/** What a vault held in an earlier run. */
export interface VaultLoss extends Against {
  vaultId: string;
  /** Active items, or archived ones where it held no others. */
  before: number;
}

/** An earlier run that another is compared with. */
export interface Against {
  baseline: string;
  /** RFC 3339, UTC. */
  baselineTime: string;
}

/** What comparing a run with earlier ones has found. */
export type Finding =
  | { finding: "suspicious"; run: string; reasons: Suspicion[] }
  | { finding: "wrong-account"; run: string; last: string; lastTime: string; shown: number; known: number }
  | { finding: "no-baseline"; why: string }
  /** Vaults of the last complete run that are not shown any more, and held nothing. */
  | { finding: "no-longer-seen"; vaultIds: string[] };

/** Why nothing is pruned, and since when. */
export interface PruningBlock {
  /** RFC 3339, UTC. */
  since: string;
  reason: "incomplete" | "suspicious" | "wrong-account" | "no-baseline";
  /** The newest run of which it is true. */
  run: string;
  gaps: number;
}
