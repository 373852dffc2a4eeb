import type { Command } from "@commander-js/extra-typings";
import { type Cli, CONFIG_FLAG, forJobs, JSON_FLAG } from "../cli.ts";
import { endOfRecord } from "../recorded.ts";

export function addAccept(program: Command, cli: Cli): void {
  program.command("accept")
    .description("say, signed, that a suspicious run is what you wanted: it counts from then on")
    .argument("<job>", "the job")
    .argument("<run>", 'an archive as "list" shows it, or the run that "backup" named')
    .option(...CONFIG_FLAG)
    .option(...JSON_FLAG)
    .action((job, run, options) =>
      forJobs(cli, options, { command: "accept", job, all: false }, async (context, report) => {
        const { acceptRun } = await import("../../jobs/chain/accept.ts");
        const accepted = await acceptRun(context, run);
        report.result(
          accepted.recorded
            ? `accepted: ${accepted.run}${accepted.published ? "" : ", a run that has no archive"}\n`
            : `${accepted.run} was accepted before\n`,
        );
        return { ...endOfRecord(context, report, accepted.recorded), run: accepted.run };
      })
    );
}
