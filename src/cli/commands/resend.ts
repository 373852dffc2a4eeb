import type { JobContext } from "../../jobs/context.ts";
import type { Resending, ResendOptions, Resent } from "../../jobs/resend/resend.ts";
import { parseRecordName } from "../../model/archive_name.ts";
import type { JobEnd } from "../cli.ts";
import { EXIT, exitCodeOf, worst } from "../exit_code.ts";
import { tellFailures } from "../failures.ts";
import { bytes, counted, table } from "../report/format.ts";
import type { Report } from "../report/report.ts";

/** `backup --resend`: earlier archives go to where they are missing. */
export async function resendJob(
  context: JobContext,
  report: Report,
  options: ResendOptions,
): Promise<JobEnd> {
  const { resend } = await import("../../jobs/resend/resend.ts");
  const resending = await resend(context, options);
  const { archives, copies, doubts, failures } = resending;
  const failed = tellFailures(context, report, failures, "looked at", undefined);
  for (const { archive, destination, error } of doubts) {
    report.emit({
      event: "warning",
      job: context.job.name,
      code: error.code,
      message: `${archive} ${destination === "" ? "in the spool" : `at "${destination}"`}: ${error.message}`,
    });
  }
  if (copies.length > 0) report.result(table(HEAD, copies.map(row), [2]));
  report.result(verdict(context, resending, options.dryRun));
  return {
    exitCode: worst([failed.exitCode, codeOf(resending)]),
    ...(options.dryRun ? { dryRun: true } : {}),
    archives,
    copies: copies.map(forPrograms),
    doubts: doubts.map(({ archive, destination, error: { code, message } }) => ({
      archive,
      ...(destination === "" ? {} : { destination }),
      code,
      message,
    })),
    failures: failed.summary,
  };
}

function codeOf({ archives, copies, doubts, failures }: Resending): number {
  const failed = copies.filter(({ error }) => error !== undefined);
  return worst([
    archives === 0 && failures.length === 0 ? EXIT.nothingFound : EXIT.ok,
    failed.length === 0 ? EXIT.ok : failed.length < copies.length ? EXIT.someDestinations : EXIT.failure,
    ...doubts.map(({ error }) => doubtCode(exitCodeOf(error))),
  ]);
}

/** A copy that is damaged is a matter of integrity; one that cannot be had just now concerns its destination only. */
function doubtCode(code: number): number {
  return code === EXIT.integrity ? code : EXIT.someDestinations;
}

function verdict(
  { job }: JobContext,
  { archives, copies, doubts, failures }: Resending,
  dryRun: boolean,
): string {
  if (dryRun && copies.length > 0) return "nothing was sent\n";
  if (copies.length > 0) return "";
  if (archives === 0) return failures.length > 0 ? "" : `no archive of job "${job.name}"\n`;
  if (doubts.length > 0 || failures.length > 0) return "nothing was sent\n";
  return `nothing is missing: ${counted(archives, "archive")} at ${
    counted(job.destinations.length, "destination")
  }\n`;
}

const HEAD = ["archive", "destination", "size", "from", "result"];

function row(one: Resent): string[] {
  return [one.archive, one.destination, bytes(one.size), sourceOf(one), resultOf(one)];
}

function sourceOf({ from, state, archive }: Resent): string {
  return from ?? (state === "failed" ? "" : parseRecordName(archive) ? "state" : "spool");
}

function resultOf({ state, error }: Resent): string {
  if (error) return `failed: ${error.message}`;
  switch (state) {
    case "read-back":
      return "sent and read back";
    case "sent":
      return "sent, not read back";
    default:
      return state;
  }
}

function forPrograms({ archive, size, destination, from, state, error }: Resent) {
  return {
    archive,
    size,
    destination,
    ...(from === undefined ? {} : { from }),
    state: state.replaceAll(" ", "-"),
    ...(error ? { code: error.code, message: error.message } : {}),
  };
}
