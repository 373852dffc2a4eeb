import { type Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { AppError, toAppError } from "../../base/errors.ts";
import { quoted } from "../../base/safe_names.ts";
import type { JobContext } from "../../jobs/context.ts";
import type { Verified } from "../../jobs/catalog/verify.ts";
import { type Cli, CONFIG_FLAG, endOf, forJobs, identitiesFrom, type JobEnd, JSON_FLAG } from "../cli.ts";
import { EXIT, worst } from "../exit_code.ts";
import { tellFailures } from "../failures.ts";
import { againstExit, againstForPrograms, againstText } from "../report/against.ts";
import { bytes, counted, table, time } from "../report/format.ts";
import type { Report } from "../report/report.ts";

interface Options {
  from?: string;
  archive: string;
  sample?: number;
  identity?: string;
  againstSource?: true;
}

export function addVerify(program: Command, cli: Cli): void {
  program.command("verify")
    .description(
      "check copies: signature, place in the chain, size, SHA-256; with an identity also the contents",
    )
    .argument("[job]", "the job; may be left out when the config has only one")
    .option("--from <destination>", "only this destination (default: all)")
    .option("--archive <name>", 'a name that "list" shows, "latest" or "all"', "latest")
    .option(
      "--sample <percent>",
      "look at all archives and read the bytes of so many of them, by chance, such as 10%",
      parseSample,
    )
    .option("--identity <file>", "an age key file: open each archive and check every entry; writes nothing")
    .option(
      "--against-source",
      "also compare the archive with what 1Password holds now: by numbers, with an identity item by item",
    )
    .option(...CONFIG_FLAG)
    .option(...JSON_FLAG)
    .addHelpText("after", AGAINST_HELP)
    .action((job, options) =>
      forJobs(
        cli,
        options,
        { command: "verify", job, all: false },
        (context, report) => verifyJob(context, report, options),
      )
    );
}

const AGAINST_HELP = `
--against-source takes the newest complete archive, or the one that --archive names. It lists the vaults
that the config chooses and looks only at items that the archive may lack; what was made or changed since
the archive is passed over, what was removed since is told. Exits with 3 when something older is missing
in the archive, or when not everything could be compared.
`;

async function verifyJob(context: JobContext, report: Report, options: Options): Promise<JobEnd> {
  if (options.againstSource && (options.sample !== undefined || options.archive === "all")) {
    throw new AppError("misconfigured", "--against-source compares one archive with 1Password", {
      hint: "leave out --sample, and name one archive with --archive, or none for the newest",
    });
  }
  const identities = options.identity === undefined
    ? undefined
    : await identitiesFrom(context.world, options.identity);
  const { verify } = await import("../../jobs/catalog/verify.ts");
  const archive = options.sample === undefined ? options.archive : "all";
  const { copies, failures, neverSent } = await verify(context, {
    from: options.from,
    archive,
    sample: options.sample,
    identities,
    keep: options.againstSource ?? false,
  });
  const failed = tellFailures(context, report, failures, "checked", options.from);
  const bad = copies.filter((one) => one.problem !== undefined && !closed(one));
  const shut = copies.filter(closed);
  for (const { archive, destination, problem } of shut) {
    report.emit({
      event: "warning",
      job: context.job.name,
      code: "wrong-identity",
      message: `${archive} at "${destination}": ${problem!.message}`,
      ...(problem!.hint === undefined ? {} : { hint: problem!.hint }),
    });
  }
  if (copies.length > 0) {
    report.result(table(HEAD, copies.map(row), [3, 4]));
    report.result(verdict(copies.length, bad.length, shut.length));
    for (const { destination, archives } of archive === "all" ? neverSent : []) {
      report.result(`never sent to "${destination}": ${counted(archives.length, "archive")}\n`);
    }
  } else if (failures.length === 0) {
    report.result(
      archive === "latest" || archive === "all"
        ? `no archive of job "${context.job.name}"\n`
        : `no archive ${quoted(options.archive)} of job "${context.job.name}"\n`,
    );
  }
  const against = options.againstSource ? await compareWithSource(context, report, copies) : undefined;
  return {
    exitCode: worst([
      bad.length > 0 ? EXIT.integrity : EXIT.ok,
      shut.length > 0 ? EXIT.wrongIdentity : EXIT.ok,
      copies.length === 0 && failures.length === 0 ? EXIT.nothingFound : EXIT.ok,
      failed.exitCode,
      against?.exitCode ?? EXIT.ok,
    ]),
    copies: copies.map(forPrograms),
    neverSent: archive === "all" ? neverSent : [],
    failures: failed.summary,
    ...(against ? { against } : {}),
  };
}

/** An error of the source is told beside what is known of the copies. */
async function compareWithSource(
  context: JobContext,
  report: Report,
  copies: readonly Verified[],
): Promise<JobEnd> {
  const good = copies.flatMap(({ kept, size }) => kept ? [{ ...kept, size }] : []);
  const { latestOf } = await import("../../jobs/catalog/catalog.ts");
  const one = latestOf(good);
  if (!one) {
    report.result("not compared with 1Password: there is no good copy to compare\n");
    return { exitCode: EXIT.nothingFound };
  }
  try {
    const { againstSource } = await import("../../jobs/against/against_source.ts");
    const against = await againstSource(context, one.entry, one.contents);
    report.result(againstText(against));
    return { exitCode: againstExit(against), ...againstForPrograms(against) };
  } catch (error) {
    return endOf(toAppError(error), report, context.job.name);
  }
}

/** The share of `10%` or `10`. */
function parseSample(text: string): number {
  const percent = /^(\d{1,3}(?:\.\d+)?)%?$/.exec(text)?.[1];
  if (percent !== undefined && Number(percent) > 0 && Number(percent) <= 100) return Number(percent) / 100;
  throw new InvalidArgumentError("it is a percentage such as 10%, more than 0 and at most 100.");
}

/** Whole, signed and in its place, but not opened: the identity at hand is not among its recipients. */
function closed(one: Verified): boolean {
  return one.problem?.code === "wrong-identity";
}

function verdict(all: number, bad: number, shut: number): string {
  if (bad > 0) return `${counted(bad, "copy", "copies")} of ${all} must not be relied on\n`;
  if (shut > 0) {
    return `${counted(shut, "copy", "copies")} of ${all} could not be opened with this identity\n`;
  }
  return `${counted(all, "copy", "copies")} checked, all good\n`;
}

const HEAD = ["destination", "archive", "time", "no.", "size", "result"];

function row(one: Verified): string[] {
  const opened = one.opened
    ? `, opened: ${counted(one.opened.items, "item")}, ${counted(one.opened.files, "file")}`
    : "";
  return [
    one.destination,
    one.archive,
    one.time ? time(one.time) : "",
    one.sequence === undefined ? "" : String(one.sequence),
    one.size === undefined ? "" : bytes(one.size),
    one.problem
      ? one.problem.message
      : `good${one.outcome === "complete" ? "" : `, ${one.outcome}`}${opened}${one.read ? "" : ", not read"}`,
  ];
}

function forPrograms(one: Verified) {
  return {
    destination: one.destination,
    archive: one.archive,
    ...(one.time ? { time: one.time.toISOString() } : {}),
    result: closed(one) ? "not-opened" : one.problem ? "bad" : "good",
    ...(one.problem ? { problem: { code: one.problem.code, message: one.problem.message } } : {}),
    ...(one.size === undefined ? {} : { size: one.size }),
    ...(one.sequence === undefined ? {} : { sequence: one.sequence, outcome: one.outcome }),
    read: one.read,
    ...(one.opened ? { opened: one.opened } : {}),
  };
}
