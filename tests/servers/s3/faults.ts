import type { Strike } from "../../../src/destination/conformance.ts";
import { S3Refusal } from "./refusal.ts";
import type { S3Answer, S3Request } from "./request.ts";

/** What becomes of a request, after its signature was checked. */
export type Fault =
  /** Refused, in the service's words. */
  | { do: "refuse"; with: S3Refusal }
  /** This answer, and nothing done. */
  | { do: "answer"; status: number; headers?: Record<string, string>; body?: string }
  /** Carried out; then the connection is closed without an answer. */
  | { do: "lose answer" }
  /** Carried out with the last byte missing, and confirmed as if it were whole. */
  | { do: "truncate" }
  /** Carried out; this is made of the answer. */
  | { do: "alter"; alter(answer: S3Answer): S3Answer }
  /** Carried out so many milliseconds later. */
  | { do: "wait"; ms: number };

interface Rule {
  operations: readonly string[];
  times: number;
  fault: Fault;
  when(request: S3Request): boolean;
  struck: number;
}

/** The service is busy, and says so as S3 does. */
export const SLOW_DOWN: Fault = {
  do: "refuse",
  with: new S3Refusal(503, "SlowDown", "Please reduce your request rate."),
};

/** What is wrong with the server's operations. */
export class Faults {
  readonly #rules = new Set<Rule>();

  /** The next `times` requests of these operations (any, when there are none) meet `fault`. */
  strike(
    operations: string | readonly string[],
    fault: Fault,
    times = Infinity,
    when: (request: S3Request) => boolean = () => true,
  ): Strike {
    const rule: Rule = { operations: [operations].flat(), times, fault, when, struck: 0 };
    this.#rules.add(rule);
    return {
      times: () => rule.struck,
      [Symbol.asyncDispose]: () => Promise.resolve(void this.#rules.delete(rule)),
    };
  }

  /** The fault that this request meets; counts it. */
  next(operation: string, request: S3Request): Fault | undefined {
    for (const rule of this.#rules) {
      const meant = rule.operations.length === 0 || rule.operations.includes(operation);
      if (!meant || rule.struck >= rule.times || !rule.when(request)) continue;
      rule.struck++;
      return rule.fault;
    }
    return undefined;
  }
}
