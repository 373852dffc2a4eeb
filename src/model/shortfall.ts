/**
 * What a run could not save, by name. DESIGN.md "What a run may lack" is the rule:
 *
 * - `limit`: the door is known never to give it; the run is still complete.
 * - `moved`: gone or archived between list and get, confirmed by listing again; the run is still complete.
 * - `gap`: should have been readable and was not; the archive is incomplete and nothing is pruned.
 */
export interface Shortfall {
  shortfall: "limit" | "moved" | "gap";
  /** A stable word for programs. */
  reason: ShortfallReason;
  /** Empty where a whole door could not be read, so that nobody knows which vaults it would have shown. */
  vaultId: string;
  itemId?: string;
  fileId?: string;
  /** One sentence for people, without secrets, titles or file names (ids only: it may reach a log). */
  detail: string;
  /** Which door it is about, where a job has several. */
  door?: string;
  /** For files of another length than declared: what was really there. */
  actual?: { size: number; sha256: string };
  /** For lists that are too short. */
  expected?: number;
  seen?: number;
}

export type ShortfallReason =
  | "archived-contents"
  | "unsupported-field"
  | "unsupported-item"
  | "file-too-large"
  | "deleted-meanwhile"
  | "archived-meanwhile"
  | "vault-removed-meanwhile"
  | "vault-not-visible"
  | "vault-left-out"
  | "short-list"
  | "unreadable-vault"
  | "unreadable-item"
  | "unreadable-file"
  | "file-shorter"
  | "file-longer"
  | "door-failed"
  | "older-contents"
  | "quota";

/** Something that a door never gives and that is not visible by id: said once per run. */
export interface DoorLimit {
  /** A stable word for programs, such as `passkeys`. */
  reason: string;
  /** One sentence for people, with the door that would give it where there is one. */
  detail: string;
  /** The door that it is about. */
  door?: string;
  /** Config types of doors that would give it for any item they show; absent where none does, or only for some. */
  elsewhere?: readonly string[];
  /** Of how many items of this run, where other doors of the job gave it for the rest. */
  items?: number;
}

/** What a walk through a vault yields: an item, or the record of one that is lacking. */
export function isShortfall<T extends object>(found: T | Shortfall): found is Shortfall {
  return "shortfall" in found;
}
