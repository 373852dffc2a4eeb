import type { AppError } from "../base/errors.ts";
import type { JobContext } from "../jobs/context.ts";
import { EXIT } from "./exit_code.ts";
import type { Report } from "./report/report.ts";

/** A destination that could not be asked, while others could. */
export interface Failure {
  destination: string;
  error: AppError;
}

/**
 * Tells the destinations that could not be asked (`done`: "listed", "checked"), and returns what that means for the
 * exit code and the summary.
 */
export function tellFailures(
  context: JobContext,
  report: Report,
  failures: readonly Failure[],
  done: string,
  from: string | undefined,
) {
  for (const { destination, error } of failures) {
    report.emit({
      event: "warning",
      job: context.job.name,
      code: error.code,
      message: `"${destination}" cannot be ${done}: ${error.message}`,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
  const asked = from === undefined ? context.job.destinations.length : 1;
  return {
    exitCode: failures.length === 0
      ? EXIT.ok
      : failures.length < asked
      ? EXIT.someDestinations
      : EXIT.failure,
    summary: failures.map(({ destination, error }) => ({
      destination,
      code: error.code,
      message: error.message,
    })),
  };
}
