/** Calls to 1Password that a run is expected to cost. */
export interface CallEstimate {
  /**
   * Calls for the sign-in, all vaults and all items; fewer only where the door does not count items beforehand, and
   * never more than twice what it takes, so that half of it is certain. Files cost more, and are known only later.
   */
  reads: number;
}

/** One of 1Password's counters, such as reads per hour of a token or calls per day of the whole account. */
export interface Allowance {
  scope: "token" | "account";
  action: "read" | "write" | "any";
  /** Calls in one period. */
  limit: number;
  used: number;
  /** Seconds until the period begins anew; absent where it has not begun. */
  resetSeconds?: number;
}

/** What 1Password calls the kinds of accounts, whose quotas differ. */
export const PLANS = ["business", "teams", "families", "individual"] as const;

export type Plan = typeof PLANS[number];

/** An allowance that bounds how much a run can read. */
export interface QuotaWindow {
  /** A token's reads in an hour, or all calls of an account in a day. */
  scope: "token" | "account";
  /** Calls in one period. */
  limit: number;
  /** Seconds: an hour for a token, a day for an account. */
  period: number;
  /** Calls left in the present period; absent where only the plan is known. */
  left?: number;
  /** Seconds until the present period ends; absent where nobody tells. */
  resetSeconds?: number;
}

/** An estimate set against what is known of the quota. */
export interface QuotaVerdict {
  /** Calls for vaults and items, as estimated. */
  reads: number;
  /** The plan, where the config names it. */
  plan?: Plan;
  /** Empty where nothing is known. */
  windows: QuotaWindow[];
  /** Seconds that a run has to wait in all before every item is read; 0: it fits. Absent where nothing is known. */
  waitSeconds?: number;
  /** The same for the half of the estimate that is certain, and counting only what 1Password itself told. */
  certainWaitSeconds: number;
  /** How many runs fit into a day that is theirs alone, files not counted. */
  runsPerDay?: number;
  /** A run's part of the calls that the whole account has in a day, in percent. */
  percentOfDay?: number;
}
