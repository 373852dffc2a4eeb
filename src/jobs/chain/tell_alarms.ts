import type { AppError } from "../../base/errors.ts";
import type { JobContext } from "../context.ts";

/** Tells what is not as it should be and does not stop the run. */
export function tellAlarms(context: JobContext, alarms: readonly AppError[]): void {
  for (const { code, message, hint } of alarms) {
    context.emit({
      event: "warning",
      job: context.job.name,
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
