import type { Command } from "@commander-js/extra-typings";
import { type AppError, toAppError } from "../../base/errors.ts";
import { printable } from "../../base/safe_names.ts";
import type { JobConfig } from "../../config/schema.ts";
import { type Cli, type CommonOptions, CONFIG_FLAG, configFor, endOf, JSON_FLAG, reportFor } from "../cli.ts";
import { EXIT } from "../exit_code.ts";
import { counted, table } from "../report/format.ts";

export function addConfig(program: Command, cli: Cli): void {
  const config = program.command("config").description("check the config, or describe it for editors");
  config.command("check")
    .description("read the config and say what is wrong with it; contacts nobody, reads no secret")
    .option(...CONFIG_FLAG)
    .option(...JSON_FLAG)
    .action((options) => check(cli, options));
  config.command("schema")
    .description("print the JSON Schema of the config, for editors")
    .action(async () => {
      const { jsonSchema } = await import("../../config/schema.ts");
      cli.world.terminal.out(JSON.stringify(jsonSchema(await cli.registry()), undefined, 2) + "\n");
    });
}

async function check(cli: Cli, options: CommonOptions): Promise<void> {
  const report = reportFor(cli, options);
  try {
    const { path, config } = await configFor(cli, options, report);
    const { trustedKeys } = await import("../../archive/chain.ts");
    const { readRecipients } = await import("../../custody/recipient_files.ts");
    const { checkSecrets } = await import("../../host/secret_check.ts");
    trustedKeys(config.signers ?? []);
    const jobs = await Promise.all(
      Object.values(config.jobs).map(async (job) => ({
        job: job.name,
        source: job.source.type,
        recipients: (await readRecipients(cli.world, job.recipients)).length,
        destinations: job.destinations.map((one) => one.name),
      })),
    );
    const secrets = await Promise.all(
      Object.values(config.jobs).map(({ name, source, also, destinations }) =>
        checkSecrets(cli.world, { source, also, destinations }, `jobs.${name}`)
      ),
    );
    const problems = [
      ...secrets.flatMap((one) => one.problems),
      ...await problemsOnThisComputer(cli, Object.values(config.jobs)),
    ];
    const last = problems.pop();
    for (const problem of problems) report.error(problem);
    if (last) throw last;
    const unknown = secrets.flatMap((one) => one.unknown);
    const rows = jobs.map((
      one,
    ) => [one.job, one.source, String(one.recipients), one.destinations.join(", ")]);
    report.result(table(["job", "source", "recipients", "destinations"], rows, [2]));
    for (const one of unknown) report.result(`not looked at: ${printable(one)}\n`);
    report.result(`${printable(path)}: good, ${counted(jobs.length, "job")}\n`);
    cli.exitCode = EXIT.ok;
    report.summary({ command: "config check", exitCode: EXIT.ok, path, jobs, unknown });
  } catch (error) {
    const end = endOf(toAppError(error), report);
    cli.exitCode = end.exitCode;
    report.summary({ command: "config check", ...end });
  }
}

/** What the destinations' plugins find wrong with what the config names on this computer. */
async function problemsOnThisComputer(cli: Cli, jobs: readonly JobConfig[]): Promise<AppError[]> {
  const { destinationOptions } = await import("../../config/destination.ts");
  const { destinations } = await cli.registry();
  const problems: AppError[] = [];
  for (const job of jobs) {
    for (const one of job.destinations) {
      const plugin = destinations.find(({ type }) => type === one.type);
      const looked = plugin?.check?.(one.name, destinationOptions(one), { world: cli.world }, cli.signal);
      await looked?.catch((error) => problems.push(toAppError(error)));
    }
  }
  return problems;
}
