import type { JobContext } from "../jobs/context.ts";
import type { Recorded } from "../jobs/chain/with_state.ts";
import type { JobEnd } from "./cli.ts";
import { EXIT } from "./exit_code.ts";
import type { Report } from "./report/report.ts";

/** What a signed record means for the exit code and the summary; where it has not come to is told. */
export function endOfRecord(context: JobContext, report: Report, recorded: Recorded | undefined): JobEnd {
  if (!recorded) return { exitCode: EXIT.ok };
  const failed = recorded.deliveries.filter((one) => one.error !== undefined);
  if (failed.length > 0) {
    report.emit({
      event: "warning",
      job: context.job.name,
      code: "waiting",
      message: "the record is signed and counts here; it goes to where it is missing with the next backup",
    });
  }
  const { record, sequence } = recorded.entry.manifest;
  return { exitCode: failed.length > 0 ? EXIT.someDestinations : EXIT.ok, record, sequence };
}
