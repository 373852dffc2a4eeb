import type { Clock } from "../../base/world.ts";
import type { Destination } from "../contract.ts";

/** The place to try. A harness of its own for every case: nothing that one leaves is seen by the next. */
export interface ConformanceHarness {
  /**
   * Opens the same place anew, with `clock` in place of the World's own where one is given; every opening sees what the
   * others stored, and has connections of its own.
   */
  open(clock?: Clock): Promise<Destination>;
  /** Where the case may write: ends with a slash, and nothing is below it yet. */
  readonly prefix: string;
  /** Bytes that an upload sends at once; left out where a body goes in one piece whatever its size. */
  readonly block?: number;
  /** Keys that the service lists at once; 1,000 where left out. */
  readonly page?: number;
  /** What no error may hold: every password, key, token and signature that was configured. */
  readonly secrets?: readonly string[];
  /** What it can do to the service and to the way there. Each that is missing needs a reason in the test's target. */
  readonly faults?: Partial<Faults>;
}

/** Something that was done; disposing undoes it. */
export interface Strike extends AsyncDisposable {
  /** How often it has struck: requests, or connections. */
  times(): number;
}

/** Faults hold for every opening of the harness that is made while they do. */
export interface Faults {
  /** Opens with credentials that the service does not know; may throw what `open` throws. */
  wrongCredentials(): Promise<Destination>;
  /** Opens on a bucket, container or folder that does not exist; may throw what `open` throws. */
  missingPlace(): Promise<Destination>;
  /** Something is wrong with the connections. */
  network(fault: NetworkFault): Promise<Strike>;
  /** The next `times` requests of an upload are refused with "not now" (503), or as the service says it. */
  busy(times: number): Promise<Strike>;
  /** The next request that publishes is carried out; its answer never arrives, the connection is closed. */
  loseAnswer(): Promise<Strike>;
  /** The next upload is stored with its last byte missing, and confirmed. */
  truncate(): Promise<Strike>;
  /** The service has no room for another byte. */
  full(): Promise<Strike>;
  /** Whatever is asked, a web page with status 200 is the answer. */
  portal(): Promise<Strike>;
  /** Whatever is asked, the answer leads to another host; `times` counts what arrives there. */
  redirect(): Promise<Strike>;
  /** Stores something that is no key of ours next to ours, behind the destination's back. */
  plant(name: string): Promise<Planted>;
}

/** What somebody else has stored. */
export interface Planted {
  /** Whether it is still there, unchanged. */
  intact(): Promise<boolean>;
}

/** What is wrong with the next connections. `up` is the way to the service. */
export type NetworkFault =
  /** Ended, cleanly or by a reset, after so many bytes; the first `connections` of them. */
  | { kind: "cut"; how: "fin" | "rst"; way: "up" | "down"; after: number; connections: number }
  /** Open, and nothing gets through any more after so many bytes; all of them. */
  | { kind: "stall"; way: "up" | "down"; after: number }
  /** Slow, each of them. */
  | { kind: "throttle"; bytesPerSecond: number };

/** What a case needs: an ability of the destination, or one of its harness. */
export type Need = "read" | "list" | "remove" | "block" | keyof Faults;

export interface DestinationCase {
  /** What holds when the case returns. */
  name: string;
  /** The case means nothing, and is left out, where one of these is not to be had. */
  needs: readonly Need[];
  /** Small, and harmless even where the destination gets it wrong: may run against a user's own bucket. */
  safe: boolean;
  /** Many megabytes or many requests, or seconds of waiting. */
  slow: boolean;
  run(harness: ConformanceHarness): Promise<void>;
}

/** What a case needs and is not to be had here. */
export function lacking(
  needs: readonly Need[],
  harness: ConformanceHarness,
  { can }: Pick<Destination, "can">,
): Need[] {
  return needs.filter((need) => {
    if (need === "read" || need === "list" || need === "remove") return !can[need];
    if (need === "block") return harness.block === undefined;
    return harness.faults?.[need] === undefined;
  });
}
