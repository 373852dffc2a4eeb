/**
 * What every destination must do, as plain functions: tests run them over each plugin and decorator, and
 * `vaultferry destination test` runs the safe ones against the user's own bucket.
 */
import { cancels } from "./conformance/cancels.ts";
import type { DestinationCase } from "./conformance/harness.ts";
import { names } from "./conformance/names.ts";
import { network } from "./conformance/network.ts";
import { puts } from "./conformance/puts.ts";
import { reads } from "./conformance/reads.ts";
import { service } from "./conformance/service.ts";

export type {
  ConformanceHarness,
  DestinationCase,
  Faults,
  Need,
  NetworkFault,
  Planted,
  Strike,
} from "./conformance/harness.ts";
export { lacking } from "./conformance/harness.ts";

/** The cases; each has a harness and a folder of its own, so that their order never matters, and clears it afterwards. */
export const destinationCases: readonly DestinationCase[] = [
  ...puts,
  ...reads,
  ...names,
  ...cancels,
  ...network,
  ...service,
];
