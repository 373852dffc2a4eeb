import { type Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { quoted } from "../../base/safe_names.ts";
import type { Run } from "../../model/run.ts";
import type { JobContext } from "../../jobs/context.ts";
import type { DestinationStatus, Status } from "../../jobs/status.ts";
import { moment } from "../../policy/words.ts";
import { type Cli, CONFIG_FLAG, forJobs, type JobEnd, JSON_FLAG } from "../cli.ts";
import { milliseconds } from "../duration.ts";
import { EXIT, worst } from "../exit_code.ts";
import { age, bytes, number, table } from "../report/format.ts";
import type { Report } from "../report/report.ts";

export function addStatus(program: Command, cli: Cli): void {
  program.command("status")
    .description("show how old the last good backup is, and what is in doubt; asks no destination")
    .argument("[job]", "the job; may be left out when the config has only one")
    .option("--all", "every job of the config")
    .option(
      "--max-age <duration>",
      "exit with 3 when the last good backup at any destination is older, such as 26h or 2d, or there is none",
      parseAge,
    )
    .option(...CONFIG_FLAG)
    .option(...JSON_FLAG)
    .action((job, options) =>
      forJobs(
        cli,
        options,
        { command: "status", job, all: options.all ?? false },
        (context, report) => statusOf(context, report, options.maxAge),
      )
    );
}

async function statusOf(context: JobContext, report: Report, maxAge: number | undefined): Promise<JobEnd> {
  const { status } = await import("../../jobs/status.ts");
  const found = await status(context);
  const now = context.world.clock.now().getTime();
  const tooOld = maxAge === undefined
    ? []
    : found.destinations.filter(({ lastGood }) => !lastGood || now - Date.parse(lastGood.time) > maxAge);
  report.result(tableOf(found, now) + linesOf(context, found).map((line) => `${line}\n`).join(""));
  for (const { name, lastGood } of tooOld) {
    const message = lastGood
      ? `the last good backup at "${name}" is older than it may be: ${moment(lastGood.time)}`
      : `there is no good backup at "${name}"`;
    report.emit({ event: "warning", job: context.job.name, code: "max-age", message });
  }
  const nothing = found.destinations.every(({ readBack, sent }) => !readBack && !sent);
  return {
    exitCode: worst([nothing ? EXIT.nothingFound : EXIT.ok, tooOld.length > 0 ? EXIT.gaps : EXIT.ok]),
    ...forPrograms(context, found, now),
    ...(maxAge === undefined ? {} : { tooOld: tooOld.map(({ name }) => name) }),
  };
}

function tableOf({ destinations, expected, tokenExpires }: Status, now: number): string {
  const looked = expected && expected.seen.length + expected.missing.length > 0 ? expected : undefined;
  const more = [
    ...looked
      ? [["expected vaults", `${looked.seen.length} of ${looked.seen.length + looked.missing.length}`]]
      : [],
    ...tokenExpires === undefined ? [] : [["token ends", tokenExpires.slice(0, 10)]],
  ];
  const head = ["destination", "last good", "age", "items", "files", "size", "newest read back"];
  const rows = destinations.map(({ name, lastGood, readBack, sent }) => [
    name,
    ...lastGood
      ? [
        moment(lastGood.time),
        age(now - Date.parse(lastGood.time)),
        number(lastGood.items),
        number(lastGood.files),
        bytes(lastGood.size ?? 0),
      ]
      : ["never", "", "", "", ""],
    sent ? "sent, not read back" : readBack ? moment(readBack.time) : "never",
    ...more.map(([, value = ""]) => value),
  ]);
  return table([...head, ...more.map(([title = ""]) => title)], rows, [2, 3, 4, 5]);
}

function linesOf(context: JobContext, { destinations, expected, block }: Status): string[] {
  const lines: string[] = [];
  const names = (some: readonly string[]) => some.map(quoted).join(", ");
  if (expected?.missing.length) lines.push(`expected vaults missing: ${names(expected.missing)}`);
  if (expected?.notLookedFor.length) lines.push(`not looked for yet: ${names(expected.notLookedFor)}`);
  for (const { name, waiting, fromTheFuture } of destinations) {
    if (waiting) lines.push(`${name}: not read back since ${waiting.run} (${moment(waiting.time)})`);
    if (fromTheFuture) {
      lines.push(
        `${name}: ${fromTheFuture.run} is dated in the future and does not count: a clock was wrong`,
      );
    }
  }
  if (block) {
    const { message, hint, since } = block;
    const what = hasRetention(context) ? "pruning blocked" : "in doubt";
    lines.push(`${what} ${since === undefined ? "" : `since ${moment(since)} `}because ${message}`);
    if (hint !== undefined) lines.push(`hint: ${hint}`);
  }
  return lines;
}

function forPrograms(
  context: JobContext,
  { destinations, expected, tokenExpires, block }: Status,
  now: number,
) {
  return {
    destinations: destinations.map((one) => destinationForPrograms(one, now)),
    ...(expected ? { expectedVaults: expected } : {}),
    ...(tokenExpires === undefined ? {} : { tokenExpires }),
    retention: hasRetention(context),
    ...(block ? { pruningBlocked: block } : {}),
  };
}

function destinationForPrograms(
  { name, lastGood, lastGoodUnread, readBack, sent, waiting, fromTheFuture }: DestinationStatus,
  now: number,
) {
  const about = ({ run, time, sequence, outcome, items, archived, files, size }: Run) => ({
    run,
    time,
    sequence,
    outcome,
    items,
    archived,
    files,
    size,
  });
  return {
    destination: name,
    ...(lastGood
      ? {
        lastGood: {
          ...about(lastGood),
          ...(lastGoodUnread ? { readBack: false } : {}),
          ageSeconds: Math.max(0, Math.round((now - Date.parse(lastGood.time)) / 1000)),
        },
      }
      : {}),
    ...(readBack ? { newestReadBack: about(readBack) } : {}),
    ...(sent ? { newestSent: about(sent) } : {}),
    ...(waiting ? { notReadBackSince: { run: waiting.run, time: waiting.time } } : {}),
    ...(fromTheFuture ? { fromTheFuture: { run: fromTheFuture.run, time: fromTheFuture.time } } : {}),
  };
}

function hasRetention({ job }: JobContext): boolean {
  return job.retention !== undefined || job.destinations.some(({ retention }) => retention !== undefined);
}

function parseAge(text: string): number {
  const age = milliseconds(text);
  if (age) return age;
  throw new InvalidArgumentError("it is a duration such as 26h or 1d12h, and not zero.");
}
