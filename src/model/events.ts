import type { Counts, Outcome } from "./counts.ts";
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
  | { event: "warning"; job: string; code: string; message: string; hint?: string }
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
  | "extract";

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
  | { state: "sent" }
  | { state: "read-back" }
  | { state: "failed"; code: string; message: string; hint?: string };

/** Where jobs send their events. */
export type Emit = (event: Event) => void;
