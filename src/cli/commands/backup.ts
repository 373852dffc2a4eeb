import type { Command } from "@commander-js/extra-typings";
import { isAppError } from "../../base/errors.ts";
import type { BackupResult } from "../../jobs/backup.ts";
import type { JobContext } from "../../jobs/context.ts";
import { type Cli, CONFIG_FLAG, forJobs, type JobEnd, JSON_FLAG } from "../cli.ts";
import { EXIT, exitCodeOf, worst } from "../exit_code.ts";
import { counted, number, table } from "../report/format.ts";
import type { Report } from "../report/report.ts";
import { printable } from "../../base/safe_names.ts";

export function addBackup(program: Command, cli: Cli): void {
  program.command("backup")
    .description("export, seal, sign, send to every destination and read back")
    .argument("[job]", "the job; may be left out when the config has only one")
    .option("--all", "every job of the config, one after the other")
    .option("--dry-run", "sign in and show what would be saved; writes and sends nothing")
    .option("--no-prune", "do not remove old archives afterwards")
    .option(...CONFIG_FLAG)
    .option(...JSON_FLAG)
    .action((job, options) =>
      forJobs(
        cli,
        options,
        { command: "backup", job, all: options.all ?? false },
        (context, report) => options.dryRun ? dryRun(context, report) : realRun(context, report),
      )
    );
}

async function realRun(context: JobContext, report: Report): Promise<JobEnd> {
  if (context.job.retention || context.job.destinations.some((one) => one.retention)) {
    report.emit({
      event: "warning",
      job: context.job.name,
      code: "retention",
      message: "retention: is configured, but this version does not prune yet: every archive is kept",
    });
  }
  const { backup } = await import("../../jobs/backup.ts");
  const result = await backup(context);
  if (result.deliveries.some((one) => one.error !== undefined)) {
    report.emit({
      event: "warning",
      job: context.job.name,
      code: "waiting",
      message: "the archive waits on this host, encrypted, and goes to where it is missing with the next run",
    });
  }
  return { exitCode: codeOf(result), ...summaryOf(result) };
}

function codeOf({ outcome, deliveries, late }: BackupResult): number {
  const failed = deliveries.filter((one) => one.error !== undefined);
  return worst([
    outcome === "complete" ? EXIT.ok : EXIT.gaps,
    failed.length === 0 ? EXIT.ok : failed.length < deliveries.length ? EXIT.someDestinations : EXIT.failure,
    late.length > 0 ? EXIT.someDestinations : EXIT.ok,
    // A stop by hand says more than "every destination failed".
    ...failed.flatMap(({ error }) => isAppError(error, "cancelled") ? [exitCodeOf(error)] : []),
  ]);
}

function summaryOf({ archive, outcome, deliveries, late }: BackupResult) {
  return {
    archive,
    outcome,
    late: late.length,
    destinations: deliveries.map(({ destination, error }) => ({
      destination,
      state: error ? "failed" : "read-back",
      ...(error ? { code: error.code, message: error.message } : {}),
    })),
  };
}

async function dryRun(context: JobContext, report: Report): Promise<JobEnd> {
  const { planBackup } = await import("../../jobs/plan.ts");
  const plan = await planBackup(context);
  const rows = plan.vaults.map(({ vault, included }) => [
    vault.id,
    printable(vault.title),
    vault.activeItemCount === undefined ? "?" : number(vault.activeItemCount),
    included ? "yes" : "no, excluded",
  ]);
  report.result(table(["vault", "title", "items", "would be saved"], rows, [2]));
  report.result(
    `\nrecipients: ${plan.recipients.join(", ")}\ndestinations: ${plan.destinations.join(", ")}\n` +
      `1Password calls: at least ${counted(plan.estimate.reads, "read")}, and two for each file\n` +
      "nothing was written or sent\n",
  );
  return {
    exitCode: plan.missing.length > 0 ? EXIT.gaps : EXIT.ok,
    dryRun: true,
    vaults: plan.vaults.map(({ vault, included }) => ({
      id: vault.id,
      items: vault.activeItemCount,
      included,
    })),
    missing: plan.missing.map((one) => one.detail),
    estimate: plan.estimate,
  };
}
