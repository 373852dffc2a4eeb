import type { Command } from "@commander-js/extra-typings";
import { printable } from "../../base/safe_names.ts";
import type { JobContext } from "../../jobs/context.ts";
import type { Trial } from "../../jobs/trial/trial.ts";
import type { TriedCase } from "../../model/events.ts";
import { type Cli, CONFIG_FLAG, endOf, forJobs, type JobEnd, JSON_FLAG } from "../cli.ts";
import { EXIT, worst } from "../exit_code.ts";
import { counted, duration, table } from "../report/format.ts";
import type { Report } from "../report/report.ts";

/** Of what is left, so many are named. */
const NAMED = 10;

export function addDestination(program: Command, cli: Cli): void {
  const destination = program.command("destination").description("try out where the archives go");
  destination.command("test")
    .description(
      "store, read, list and remove small files at a destination, as backups will, and say what fails",
    )
    .usage("[options] [job] <destination>")
    .argument("<job>", "the job; may be left out when the config has only one")
    .argument("[destination]", "the destination's name in the config")
    .option(...CONFIG_FLAG)
    .option(...JSON_FLAG)
    .addHelpText(
      "after",
      `
It works in a folder of its own, vaultferry-test-…, beside those of the jobs,
and removes what it stored there; some two megabytes go up and down. On a disk
empty folders stay. What the destination cannot do (credentials that may only
create, files that are locked) is left out and said, and so is what could not
be removed again.

Exit codes: 0 all is as it must be, 1 a case failed, 2 usage or config,
75 the destination cannot be reached, 130 and 143 stopped by a signal.
`,
    )
    .action((first, second, options) => {
      const [job, name] = second === undefined ? [undefined, first] : [first, second];
      return forJobs(
        cli,
        options,
        { command: "destination test", job, all: false },
        (context, report) => test(context, report, name),
      );
    });
}

async function test(context: JobContext, report: Report, name: string): Promise<JobEnd> {
  const { tryDestination } = await import("../../jobs/trial/trial.ts");
  const trial = await tryDestination(context, name);
  tellLeft(context, report, trial);
  const failed = trial.cases.filter(({ result }) => result === "failed");
  if (trial.cases.length > 0) {
    report.result(table(HEAD, trial.cases.map(row), [2]));
    report.result(verdict(trial, failed.length));
  }
  const end = trial.stopped ? endOf(trial.stopped, report, context.job.name) : { exitCode: EXIT.ok };
  return {
    ...end,
    exitCode: worst([
      end.exitCode,
      failed.length > 0 || trial.keeps === undefined && trial.left.length > 0 ? EXIT.failure : EXIT.ok,
    ]),
    destination: trial.destination,
    folder: trial.folder,
    cases: trial.cases,
    left: trial.left,
    ...(trial.keeps === undefined ? {} : { keeps: printable(trial.keeps) }),
  };
}

const HEAD = ["case", "result", "time", "reason"];
const WORDS = { passed: "passed", failed: "FAILED", "left-out": "left out" } as const;

function row(one: TriedCase): string[] {
  return [one.case, WORDS[one.result], duration(one.ms), one.reason ?? ""];
}

function verdict({ cases, destination, stopped }: Trial, failed: number): string {
  const of = (result: TriedCase["result"]) => cases.filter((one) => one.result === result).length;
  const sums = [`${of("passed")} passed`, `${failed} failed`, `${of("left-out")} left out`].join(", ");
  if (stopped) return `${sums}, and then it ended early\n`;
  if (failed > 0) return `${sums}: "${destination}" must not be relied on as it is\n`;
  return `${sums}: "${destination}" keeps what it must\n`;
}

/** What lies about now, which somebody may want to remove. */
function tellLeft(context: JobContext, report: Report, { destination, folder, left, keeps }: Trial): void {
  if (left.length === 0) return;
  const why = keeps ?? left[0]!.reason;
  const named = left.slice(0, NAMED).map(({ key }) => key).join(", ");
  const more = left.length > NAMED ? ` and ${left.length - NAMED} more` : "";
  report.emit({
    event: "warning",
    job: context.job.name,
    code: "left-behind",
    message: printable(
      `"${destination}" still holds ${counted(left.length, "file")} of this test: ${named}${more} (${why})`,
    ),
    hint: `remove the folder ${folder} there by other means, once that is possible`,
  });
}
