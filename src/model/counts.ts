/** What an archive holds, in numbers. */
export interface Counts {
  vaults: number;
  /** Items with their contents. */
  items: number;
  /** Archived items, whether with contents or listed only. */
  archived: number;
  files: number;
  /** Bytes of everything in the archive before compression. */
  bytes: number;
  limits: number;
  moved: number;
  gaps: number;
}

/** What one of several doors gave of an archive. */
export interface DoorShare {
  /** Its config type, with a number from the second of a type on: `onepux-2`. */
  name: string;
  vaults: number;
  /** Items, active and archived, with contents or listed only. */
  items: number;
  files: number;
}

/** Whether an archive can be relied on; only `complete` ones count when old archives are pruned. */
export type Outcome = "complete" | "incomplete" | "suspicious";

export function noCounts(): Counts {
  return { vaults: 0, items: 0, archived: 0, files: 0, bytes: 0, limits: 0, moved: 0, gaps: 0 };
}
