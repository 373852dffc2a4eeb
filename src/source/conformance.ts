/**
 * What every source must do, as plain functions: tests run them over each door of 1Password with the same account
 * behind it. A door says what it lacks and why; nothing else is left out.
 */
import type { SourceCase } from "./conformance/bench.ts";
import { endingCases } from "./conformance/ending.ts";
import { faultCases } from "./conformance/faults.ts";
import { itemCases } from "./conformance/items.ts";
import { meanwhileCases } from "./conformance/meanwhile.ts";
import { readingCases } from "./conformance/reading.ts";
import { walkingCases } from "./conformance/walking.ts";

export type { SourceCase } from "./conformance/bench.ts";
export * from "./conformance/door.ts";

/** The cases; each has an account and a source of its own, so that their order never matters. */
export const sourceCases: readonly SourceCase[] = [
  ...readingCases,
  ...itemCases,
  ...walkingCases,
  ...faultCases,
  ...meanwhileCases,
  ...endingCases,
];
