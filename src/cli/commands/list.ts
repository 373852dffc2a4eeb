import type { Command } from "@commander-js/extra-typings";
import type { JobContext } from "../../jobs/context.ts";
import type { Listed, ListedRecord } from "../../jobs/catalog/list.ts";
import { type Cli, CONFIG_FLAG, forJobs, type JobEnd, JSON_FLAG } from "../cli.ts";
import { EXIT, worst } from "../exit_code.ts";
import { tellFailures } from "../failures.ts";
import { bytes, number, table, time } from "../report/format.ts";
import type { Report } from "../report/report.ts";

export function addList(program: Command, cli: Cli): void {
  program.command("list")
    .description("show the archives of a job, oldest first")
    .argument("[job]", "the job; may be left out when the config has only one")
    .option("--from <destination>", "only this destination")
    .option(...CONFIG_FLAG)
    .option(...JSON_FLAG)
    .action((job, options) =>
      forJobs(
        cli,
        options,
        { command: "list", job, all: false },
        (context, report) => listJob(context, report, options.from),
      )
    );
}

async function listJob(context: JobContext, report: Report, from: string | undefined): Promise<JobEnd> {
  const { list } = await import("../../jobs/catalog/list.ts");
  const listing = await list(context, from);
  const { records, failures } = listing;
  // What was pruned is gone on purpose; its manifest stays as a link of the chain.
  const archives = listing.archives.filter((one) => !one.pruned || one.at.length > 0);
  const failed = tellFailures(context, report, failures, "listed", from);
  const rows = [...archives.map(row), ...records.map(recordRow)].sort(([a = ""], [b = ""]) => a < b ? -1 : 1);
  if (rows.length > 0) report.result(table(HEAD, rows, [2, 3, 4, 5]));
  else if (failures.length === 0) report.result(`no archive of job "${context.job.name}"\n`);
  return {
    exitCode: worst([
      archives.length === 0 && failures.length === 0 ? EXIT.nothingFound : EXIT.ok,
      failed.exitCode,
    ]),
    archives: archives.map(forPrograms),
    records: records.map(recordForPrograms),
    failures: failed.summary,
  };
}

const HEAD = ["archive", "time", "no.", "items", "files", "size", "state", "at"];

function row(one: Listed): string[] {
  const manifest = one.entry?.manifest;
  return [
    one.name,
    time(one.time),
    manifest ? String(manifest.sequence) : "",
    manifest ? number(manifest.counts.items) : "",
    manifest ? number(manifest.counts.files) : "",
    one.size === undefined ? "" : bytes(one.size),
    one.problem
      ? one.problem.message
      : one.at.length === 0
      ? "missing: only its manifest is there"
      : manifest?.outcome ?? "",
    one.at.join(", "),
  ];
}

function recordRow(one: ListedRecord): string[] {
  const manifest = one.entry?.manifest;
  return [
    one.name,
    time(one.time),
    manifest ? String(manifest.sequence) : "",
    "",
    "",
    "",
    one.problem?.message ?? manifest?.kind ?? "",
    one.at.join(", "),
  ];
}

function recordForPrograms(one: ListedRecord) {
  const manifest = one.entry?.manifest;
  return {
    record: one.name,
    time: one.time.toISOString(),
    at: one.at,
    ...(manifest ? { kind: manifest.kind, sequence: manifest.sequence } : {}),
    ...(one.problem ? { problem: { code: one.problem.code, message: one.problem.message } } : {}),
  };
}

function forPrograms(one: Listed) {
  const manifest = one.entry?.manifest;
  return {
    archive: one.name,
    time: one.time.toISOString(),
    size: one.size,
    at: one.at,
    ...(manifest
      ? {
        sequence: manifest.sequence,
        outcome: manifest.outcome,
        counts: manifest.counts,
        sha256: manifest.archive.sha256,
      }
      : {}),
    ...(one.problem ? { problem: { code: one.problem.code, message: one.problem.message } } : {}),
  };
}
