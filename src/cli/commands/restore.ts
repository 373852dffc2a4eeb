import type { Command } from "@commander-js/extra-typings";
import { AppError, toAppError } from "../../base/errors.ts";
import { exists } from "../../base/durable_file.ts";
import { printable, quoted } from "../../base/safe_names.ts";
import type { JobContext } from "../../jobs/context.ts";
import type { Restored } from "../../jobs/restore/restore.ts";
import type { FileCheck } from "../../jobs/restore/check_file.ts";
import {
  type Cli,
  type CommonOptions,
  CONFIG_FLAG,
  endOf,
  forJobs,
  identitiesFrom,
  type JobEnd,
  JSON_FLAG,
  reportFor,
} from "../cli.ts";
import { EXIT } from "../exit_code.ts";
import { bytes, counted } from "../report/format.ts";
import type { Report } from "../report/report.ts";

interface Options extends CommonOptions {
  to: string;
  identity: string;
  archive: string;
  from?: string | undefined;
  file?: string | undefined;
  vault?: string[] | undefined;
  item?: string[] | undefined;
}

export function addRestore(program: Command, cli: Cli): void {
  const collect = (value: string, all: string[] | undefined) => [...(all ?? []), value];
  program.command("restore")
    .description("open an archive into a new folder")
    .argument("[job]", "the job; may be left out when the config has only one")
    .requiredOption("--to <folder>", "where to; the folder must not exist or be empty")
    .requiredOption("--identity <file>", "an age key file that opens the archive")
    .option("--archive <name>", 'a name that "list" shows, or "latest": the newest complete one', "latest")
    .option("--from <destination>", "this destination (default: the first that has a copy which verifies)")
    .option("--file <archive>", "this archive file, without any config")
    .option("--vault <vault>", "only this vault, by id or title; may be repeated", collect)
    .option("--item <item>", "only this item, by id or title; may be repeated", collect)
    .option(...CONFIG_FLAG)
    .option(...JSON_FLAG)
    .addHelpText(
      "after",
      "\nWhat is restored holds every secret in clear: restore on a computer that you\n" +
        'trust, and "vaultferry wipe" the folder when you are done. Nothing is written\n' +
        "before the whole archive has been checked.\n",
    )
    .action((job, options) => {
      if (options.file !== undefined) return fromFile(cli, job, options as Options, options.file);
      return forJobs(
        cli,
        options,
        { command: "restore", job, all: false },
        (context, report) => fromJob(context, report, options as Options),
      );
    });
}

async function fromJob(context: JobContext, report: Report, options: Options): Promise<JobEnd> {
  const identities = await identitiesFrom(context.world, options.identity);
  const { checkTarget, restore } = await import("../../jobs/restore/restore.ts");
  const { fetchFirst } = await import("../../jobs/restore/fetch_first.ts");
  await checkTarget(context.world, options.to);
  const { fetched, entry } = await fetchFirst(context, { archive: options.archive, from: options.from });
  await using _ = fetched;
  try {
    const restored = await restore({
      ...context,
      job: context.job.name,
      path: fetched.path,
      to: options.to,
      identities,
      wanted: wantedBy(options),
    });
    return done(report, restored, isWhole(options));
  } catch (error) {
    const { whoCanOpen } = await import("../../jobs/catalog/who_can_open.ts");
    throw await whoCanOpen(toAppError(error), context, entry.manifest.recipients);
  }
}

/** In an emergency there is an archive, a key and nothing else. */
async function fromFile(cli: Cli, job: string | undefined, options: Options, file: string): Promise<void> {
  const report = reportFor(cli, options);
  let end: JobEnd;
  try {
    if (job !== undefined || options.from !== undefined) {
      throw new AppError(
        "misconfigured",
        '"--file" names the archive: a job or "--from" has no place beside it',
      );
    }
    if (!await exists(cli.world.files, file)) {
      throw new AppError("not-found", `the file ${quoted(file)} does not exist`);
    }
    const identities = await identitiesFrom(cli.world, options.identity);
    const { checkTarget, restore } = await import("../../jobs/restore/restore.ts");
    const { checkFile } = await import("../../jobs/restore/check_file.ts");
    await checkTarget(cli.world, options.to);
    report.emit({ event: "warning", job: "", ...wordsFor(await checkFile(cli.world, file)) });
    const restored = await restore({
      world: cli.world,
      emit: (event) => report.emit(event),
      signal: cli.signal,
      job: "",
      path: file,
      to: options.to,
      identities,
      wanted: wantedBy(options),
    });
    end = done(report, restored, isWhole(options));
  } catch (error) {
    end = endOf(toAppError(error), report);
  }
  cli.exitCode = end.exitCode;
  report.summary({ command: "restore", exitCode: end.exitCode, jobs: [end] });
}

/** Without a config nobody has said which host may be trusted, so either way a person must look. */
function wordsFor(check: FileCheck): { code: string; message: string; hint: string } {
  if (!check.signed) {
    return {
      code: "unsigned",
      message: `nothing proves who made this archive: ${check.why}`,
      hint: "age shows only that somebody sealed it to this key",
    };
  }
  return {
    code: "unknown-signer",
    message:
      `signed by ${check.fingerprint} on ${check.time}; without a config it is not known whether that is your backup host`,
    hint: `compare with the key you kept: ${check.key}`,
  };
}

function wantedBy({ vault = [], item = [] }: Options) {
  return { vaults: vault, items: item };
}

function isWhole({ vault, item }: Options): boolean {
  return vault === undefined && item === undefined;
}

function done(report: Report, { contents, ...restored }: Restored, whole: boolean): JobEnd {
  report.result(
    `restored ${counted(restored.items, "item")} and ${counted(restored.files, "file")} of ` +
      `${counted(restored.vaults, "vault")} (${bytes(restored.bytes)}) to ${printable(restored.folder)}\n` +
      `made from ${printable(restored.archive)}, backed up ${printable(contents.time)}\n`,
  );
  // What only concerns the rest of the archive would send people looking for a file that was not restored.
  if (whole && contents.limits.length + contents.moved.length > 0) {
    report.result(
      `the backup lists ${
        counted(contents.limits.length + contents.moved.length, "thing")
      } that it could not contain: ` +
        `see "limits" and "moved" in manifest.json\n`,
    );
  }
  if (contents.gaps.length > 0) {
    report.result(
      `this backup is incomplete: ${
        counted(contents.gaps.length, "gap")
      }, named in "gaps" of manifest.json\n`,
    );
  }
  return {
    exitCode: contents.gaps.length > 0 ? EXIT.gaps : EXIT.ok,
    ...restored,
    time: contents.time,
    gaps: contents.gaps,
    moved: contents.moved,
    limits: contents.limits,
  };
}
