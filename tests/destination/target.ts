import type { ConformanceHarness, Faults } from "../../src/destination/conformance.ts";

/** A destination to try. */
export interface Target {
  readonly name: string;
  /** Why it cannot run here; undefined where it can. */
  readonly unavailable?: string | undefined;
  /** Why something of the runtime is left to the garbage collector after a case; undefined where nothing is. */
  readonly untidy?: string | undefined;
  /** Why its harness lacks a fault, or `block`. What is missing without a reason is a failure. */
  readonly lacks: Partial<Record<keyof Faults | "block", string>>;
  /** A fresh place for one case, or a fresh folder of a place that all cases share. */
  start(): Promise<ConformanceHarness & AsyncDisposable>;
}
