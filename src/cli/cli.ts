import { AppError, isAppError, toAppError } from "../base/errors.ts";
import type { World } from "../base/world.ts";
import type { LoadedConfig } from "../config/load.ts";
import { spoolFolder, stateFolder } from "../config/locate.ts";
import type { Registry } from "../config/registry.ts";
import type { Config, JobConfig } from "../config/schema.ts";
import type { JobContext } from "../jobs/context.ts";
import { exitCodeOf, worst } from "./exit_code.ts";
import { HumanReport } from "./report/human.ts";
import { JsonReport } from "./report/json.ts";
import type { Report } from "./report/report.ts";
import { VERSION } from "./version.ts";

/** What every command gets. */
export interface Cli {
  world: World;
  /** Loaded when a command needs it: the plugins' schemas take longer than a help text. */
  registry(): Promise<Registry>;
  /** Aborted by SIGINT and SIGTERM. */
  signal: AbortSignal;
  /** The exit code of the command that ran. */
  exitCode: number;
  /** The exit code of the signal that stopped the command. */
  stopped: number | undefined;
}

/** Options that most commands share. */
export interface CommonOptions {
  config?: string | undefined;
  json?: boolean | undefined;
}

export const CONFIG_FLAG = [
  "--config <file>",
  'the config file (default: see "vaultferry --help")',
] as const;
export const JSON_FLAG = ["--json", "one JSON object a line on standard output, for programs"] as const;

export function reportFor(cli: Cli, options: CommonOptions): Report {
  return options.json ? new JsonReport(cli.world) : new HumanReport(cli.world);
}

/** Finds and reads the config; its warnings go to the report. */
export async function configFor(cli: Cli, options: CommonOptions, report: Report): Promise<LoadedConfig> {
  const { findConfig, loadConfig } = await import("../config/load.ts");
  const path = await findConfig(cli.world, options.config);
  const loaded = await loadConfig(cli.world, path, await cli.registry());
  for (const message of loaded.warnings) report.emit({ event: "warning", job: "", code: "config", message });
  return loaded;
}

/** The private keys in the file that `--identity` names; its absence is a mistake, not "nothing found". */
export async function identitiesFrom(world: World, path: string): Promise<string[]> {
  const { readIdentities } = await import("../custody/identities.ts");
  try {
    return (await readIdentities(world, path)).map((one) => one.secret.reveal());
  } catch (error) {
    if (!isAppError(error, "not-found")) throw error;
    throw new AppError("misconfigured", error.message, { cause: error });
  }
}

/** What a job needs, for one job of the config. */
export async function contextFor(
  cli: Cli,
  { config }: LoadedConfig,
  job: JobConfig,
  report: Report,
): Promise<JobContext> {
  const state = stateFolder(cli.world, config);
  return {
    world: cli.world,
    registry: await cli.registry(),
    job,
    signers: config.signers ?? [],
    state,
    spool: spoolFolder(cli.world, state),
    tool: `vaultferry/${VERSION}`,
    emit: (event) => report.emit(event),
    signal: cli.signal,
  };
}

/** What one job of a command has come to: its exit code, and what the summary says of it. */
export interface JobEnd {
  exitCode: number;
  [key: string]: unknown;
}

/** What a command does with a job; the config tells of the others. */
export type JobAction = (context: JobContext, report: Report, config: Config) => Promise<JobEnd>;

/**
 * Runs `action` for every job that is meant, one after the other; an error of one is told and does not stop the
 * next. Ends with the summary and sets the exit code.
 */
export async function forJobs(
  cli: Cli,
  options: CommonOptions,
  which: { command: string; job: string | undefined; all: boolean },
  action: JobAction,
): Promise<void> {
  const report = reportFor(cli, options);
  const ends: JobEnd[] = [];
  try {
    const loaded = await configFor(cli, options, report);
    const { selectJobs } = await import("../config/load.ts");
    for (const job of selectJobs(loaded.config, which.job, which.all)) {
      ends.push({
        job: job.name,
        ...await runJob(
          await contextFor(cli, loaded, job, report),
          report,
          which.command,
          (context, report) => action(context, report, loaded.config),
        ),
      });
      if (cli.signal.aborted) break;
    }
  } catch (error) {
    ends.push(endOf(toAppError(error), report));
  }
  cli.exitCode = cli.stopped ?? worst(ends.map((end) => end.exitCode));
  report.summary({ command: which.command, exitCode: cli.exitCode, jobs: ends });
}

async function runJob(
  context: JobContext,
  report: Report,
  command: string,
  action: (context: JobContext, report: Report) => Promise<JobEnd>,
): Promise<JobEnd> {
  report.emit({ event: "started", job: context.job.name, command });
  try {
    return await action(context, report);
  } catch (error) {
    return endOf(toAppError(error), report, context.job.name);
  }
}

/** Tells an error that ended something; `toAppError` has made a sentence of it. */
export function endOf(error: AppError, report: Report, job?: string): JobEnd {
  report.error(error, job);
  return { exitCode: exitCodeOf(error), error: { code: error.code, message: error.message } };
}
