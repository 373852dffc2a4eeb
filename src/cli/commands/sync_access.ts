import { type Command, InvalidArgumentError } from "@commander-js/extra-typings";
import type { JobContext } from "../../jobs/context.ts";
import type { Synced, SyncOptions } from "../../jobs/access/sync_access.ts";
import { type Cli, CONFIG_FLAG, forJobs, type JobEnd, JSON_FLAG } from "../cli.ts";
import { EXIT } from "../exit_code.ts";
import { counted } from "../report/format.ts";
import type { Report } from "../report/report.ts";
import { accessForPrograms, accessSentence, accessTable, ACCOUNT_FLAG, PROGRAM_FLAG } from "./coverage.ts";

/** Days; long enough to be forgotten, so backups warn from two weeks before. */
const USUAL = "90d";

export function addSyncAccess(program: Command, cli: Cli): void {
  program.command("sync-access")
    .description(
      "give a backup the vaults that it misses: makes a new service account, tries it, replaces the token",
    )
    .argument("[job]", "the job; may be left out when the config has only one")
    .option(...ACCOUNT_FLAG)
    .option(...PROGRAM_FLAG)
    .option(
      "--expires-in <days>",
      `when the new token ends: a number of days such as ${USUAL}, or never`,
      days,
      days(USUAL),
    )
    .option("--renew", "make a new service account even when no vault is missing")
    .option(
      "--token-file <file>",
      "the file that holds the token (default: the one that the config names by file:)",
    )
    .option("--dry-run", "show what would be done; makes and changes nothing")
    .option(...CONFIG_FLAG)
    .option(...JSON_FLAG)
    .action((job, options) =>
      forJobs(cli, options, { command: "sync-access", job, all: false }, async (context, report, config) => {
        const { syncAccess } = await import("../../jobs/access/sync_access.ts");
        const given: SyncOptions = {
          account: options.account,
          program: options.program,
          tokenFile: options.tokenFile,
          days: options.expiresIn === "never" ? undefined : options.expiresIn,
          renew: options.renew ?? false,
          dryRun: options.dryRun ?? false,
          others: Object.values(config.jobs).filter(({ name }) => name !== context.job.name),
        };
        return show(context, report, await syncAccess(context, given), given);
      })
    );
}

function show(context: JobContext, report: Report, synced: Synced, { dryRun, program }: SyncOptions): JobEnd {
  const { access, wanted, replaced, file } = synced;
  const lines = [accessSentence(access)];
  if (!wanted) lines.push("nothing to do: the service account sees every vault that it should");
  else if (!replaced) {
    lines.push(
      `would make a service account for ${counted(wanted.vaults.length, "vault")}:`,
      `  ${[program ?? "op", ...synced.command].map(forShell).join(" ")}`,
      `would try its token, keep the old one as "${file}.previous" and put the new one into "${file}"`,
    );
  } else {
    lines.push(
      `the service account "${wanted.name}" sees ${
        counted(wanted.vaults.length, "vault")
      }; its token is in "${file}"` +
        (replaced.expiresAt === undefined ? "" : ` and ends on ${replaced.expiresAt.slice(0, 10)}`),
      "what is left for a person, in 1Password's web interface under Developer > Service Accounts:",
      replaced.formerName === undefined
        ? "  delete the service account of the old token"
        : `  delete the service account "${replaced.formerName}"`,
      `and here, when the next backup has gone well: remove "${replaced.previous}"`,
    );
  }
  report.result(`${accessTable(access)}\n${lines.join("\n")}\n`);
  for (const message of access.nowhere) {
    report.emit({ event: "warning", job: context.job.name, code: "unknown-vault", message });
  }
  return {
    exitCode: access.nowhere.length > 0 ? EXIT.gaps : EXIT.ok,
    ...accessForPrograms(access),
    dryRun,
    ...(wanted ? { serviceAccount: wanted.name, grants: wanted.vaults } : {}),
    ...(replaced ? { replaced: file, ...replaced } : {}),
  };
}

/** As it would have to be typed. */
function forShell(word: string): string {
  return /^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function days(text: string): number | "never" {
  if (text === "never") return text;
  const found = /^([1-9]\d{0,3})d?$/.exec(text)?.[1];
  if (found === undefined) throw new InvalidArgumentError("it is a number of days such as 90d, or never.");
  return Number(found);
}
