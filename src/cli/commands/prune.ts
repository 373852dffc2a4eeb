import type { Command } from "@commander-js/extra-typings";
import type { JobContext } from "../../jobs/context.ts";
import type { Pruned } from "../../jobs/prune/prune.ts";
import { type Cli, CONFIG_FLAG, forJobs, type JobEnd, JSON_FLAG } from "../cli.ts";
import { EXIT, worst } from "../exit_code.ts";
import { counted, table, time } from "../report/format.ts";
import type { Report } from "../report/report.ts";

export function addPrune(program: Command, cli: Cli): void {
  program.command("prune")
    .description("remove the archives that the rules under retention: do not keep")
    .argument("[job]", "the job; may be left out when the config has only one")
    .option("--all", "every job of the config, one after the other")
    .option("--dry-run", "show what would be kept and removed, and why; removes and writes nothing")
    .option(...CONFIG_FLAG)
    .option(...JSON_FLAG)
    .action((job, options) =>
      forJobs(
        cli,
        options,
        { command: "prune", job, all: options.all ?? false },
        (context, report) => pruneJob(context, report, options.dryRun ?? false),
      )
    );
}

async function pruneJob(context: JobContext, report: Report, dryRun: boolean): Promise<JobEnd> {
  const { pruneNow } = await import("../../jobs/prune/prune_now.ts");
  const pruned = await pruneNow(context, dryRun);
  if (dryRun) { for (const one of pruned) report.result(verdictTable(one)); }
  else if (pruned.every(({ block, error, removed }) => !block && !error && removed.length === 0)) {
    report.result(`nothing to remove for job "${context.job.name}"\n`);
  }
  return { ...endOfPruning(pruned), dryRun };
}

/** What pruning means for the exit code and the summary of the command. */
function endOfPruning(pruned: readonly Pruned[]): JobEnd {
  const failed = pruned.filter(({ error }) => error !== undefined);
  return {
    exitCode: worst([
      failed.length === 0 ? EXIT.ok : failed.length < pruned.length ? EXIT.someDestinations : EXIT.failure,
      pruned.some(({ unrecorded }) => unrecorded.length > 0) ? EXIT.someDestinations : EXIT.ok,
      // Who asks for nothing but this is to notice that it was not done.
      pruned.some(({ block }) => block?.about === "doubt") ? EXIT.gaps : EXIT.ok,
      codeOfTrust(pruned),
    ]),
    pruned: forPrograms(pruned),
  };
}

/** A broken chain or an alarm ends no run well, whatever else it did. */
export function codeOfTrust(pruned: readonly Pruned[]): number {
  return pruned.some(({ block }) => block?.about === "trust") ? EXIT.integrity : EXIT.ok;
}

export function forPrograms(pruned: readonly Pruned[]) {
  return pruned.map(({ destination, verdicts, removals, removed, notYet, block, error }) => ({
    destination,
    archives: verdicts.map(({ archive, keep, reasons }) => ({ archive: archive.name, keep, reasons })),
    removes: removals.map(({ archive }) => archive.name),
    removed,
    ...(notYet.length > 0 ? { notYet: notYet.map(({ archive }) => archive) } : {}),
    ...(block ? { blocked: block.message } : {}),
    ...(error ? { code: error.code, message: error.message } : {}),
  }));
}

function verdictTable({ destination, verdicts, removals, notYet, block, error }: Pruned): string {
  if (error) return `${destination}: cannot be looked at: ${error.message}\n`;
  const now = new Set(removals);
  const locked = new Map(notYet.map(({ archive, error }) => [archive, error.message]));
  const rows = verdicts.map((verdict) => [
    verdict.archive.name,
    time(verdict.archive.time),
    verdict.keep ? "keep" : now.has(verdict) && !locked.has(verdict.archive.name) ? "remove" : "remove later",
    [verdict.reasons.join(", "), verdict.archive.doubt ?? locked.get(verdict.archive.name)]
      .filter((one) => one !== undefined).join(": "),
  ]);
  const later = verdicts.filter(({ keep }) => !keep).length - removals.length;
  const lines = [
    block === undefined
      ? `${destination}: would remove ${counted(removals.length - locked.size, "archive")}` +
        (locked.size > 0 ? `, and ${locked.size} when they are no longer locked` : "") +
        (later > 0 ? `, and ${later} more with the next runs` : "")
      : `${destination}: would remove nothing: ${block.message}`,
    ...(block?.hint === undefined ? [] : [`${destination}: ${block.hint}`]),
  ];
  return `${table(["archive", "time", "", "why"], rows)}${lines.join("\n")}\n`;
}
