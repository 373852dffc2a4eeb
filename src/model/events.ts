import type { Counts, DoorShare, Outcome } from "./counts.ts";
import type { QuotaVerdict } from "./quota.ts";
import type { Finding } from "./run.ts";
import type { DoorLimit, Shortfall } from "./shortfall.ts";

/**
 * What jobs tell while they work. Reports (progress bar, plain log, JSON lines) are made of these and of
 * nothing else. No event carries a secret, a title or the name of a file inside a vault.
 */
export type Event =
  | { event: "started"; job: string; command: string }
  | { event: "phase"; job: string; phase: Phase; destination?: string }
  | ({ event: "progress"; job: string; phase: Phase; destination?: string } & Progress)
  | ({ event: "shortfall"; job: string } & Shortfall)
  | ({ event: "door-limit"; job: string } & DoorLimit)
  /** Which door gave what, where a job has several. */
  | { event: "doors"; job: string; doors: readonly DoorShare[] }
  | { event: "warning"; job: string; code: string; message: string; hint?: string }
  /** Worth a line in the log, and nothing to be mended. */
  | { event: "note"; job: string; message: string }
  /** What comparing with earlier runs has found, in a sentence and for programs. */
  | ({ event: "finding"; job: string; message: string; hint?: string } & Finding)
  | ({ event: "pruning"; job: string; destination: string } & Pruning)
  | ({ event: "plan"; job: string } & PlannedBackup)
  /** The run pauses until `until` (RFC 3339, UTC), that is for so many seconds. */
  | { event: "waiting"; job: string; until: string; seconds: number; message: string }
  | {
    event: "sealed";
    job: string;
    archive: string;
    sequence: number;
    size: number;
    sha256: string;
    outcome: Outcome;
    counts: Counts;
    recipients: string[];
  }
  | ({ event: "destination"; job: string; destination: string; archive: string } & Delivery)
  | ({ event: "case"; job: string; destination: string } & TriedCase)
  | { event: "error"; job?: string; code: string; message: string; hint?: string };

export type Phase =
  | "sign-in"
  | "items"
  | "files"
  | "seal"
  | "send"
  | "read-back"
  | "fetch"
  | "check"
  | "extract"
  | "try";

/** What a dry run has found. */
export interface PlannedBackup {
  /** Every visible vault, with its active items where the door counts them. */
  vaults: { id: string; items?: number; included: boolean }[];
  /** Vaults that the config names and that are not visible, one sentence each. */
  missing: string[];
  quota: QuotaVerdict;
  recipients: string[];
  destinations: string[];
}

/** How far a phase has come; totals are absent while they are unknown. */
export interface Progress {
  /** Things done: items, files, archives. */
  done?: number;
  total?: number;
  bytes?: number;
  totalBytes?: number;
}

/** What became of one archive at one destination. */
export type Delivery =
  /** All of it was sent; where `readBack` is false, that is the last word. */
  | { state: "sent"; readBack: boolean }
  | { state: "read-back" }
  | { state: "failed"; code: string; message: string; hint?: string };

/** What became of one conformance case, tried at a destination. */
export interface TriedCase {
  /** What holds where it passed. */
  case: string;
  result: "passed" | "failed" | "left-out";
  /** Milliseconds. */
  ms: number;
  /** Why it did not pass. */
  reason?: string;
}

/** What became of the old archives at one destination. */
export type Pruning =
  /** Counts of archives: `notYet` may go and is locked, `later` may go and is for the next runs. */
  | { state: "done"; removed: number; kept: number; notYet: number; later: number }
  /** Nothing was removed, because something is in doubt. */
  | { state: "blocked"; message: string; hint?: string }
  | { state: "failed"; removed: number; code: string; message: string; hint?: string };

/** Where jobs send their events. */
export type Emit = (event: Event) => void;
