import { type Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { AppError, isAppError, toAppError } from "../../base/errors.ts";
import type { BackupResult } from "../../jobs/backup/backup.ts";
import type { JobContext } from "../../jobs/context.ts";
import type { Plan } from "../../jobs/backup/plan.ts";
import { type Cli, CONFIG_FLAG, endOf, forJobs, type JobEnd, JSON_FLAG } from "../cli.ts";
import { milliseconds } from "../duration.ts";
import { EXIT, exitCodeOf, worst } from "../exit_code.ts";
import { counted, number, table } from "../report/format.ts";
import type { Report } from "../report/report.ts";
import { codeOfTrust, forPrograms } from "./prune.ts";
import { resendJob } from "./resend.ts";
import { printable } from "../../base/safe_names.ts";

export function addBackup(program: Command, cli: Cli): void {
  program.command("backup")
    .description("export, seal, sign, send to every destination and read back")
    .argument("[job]", "the job; may be left out when the config has only one")
    .option("--all", "every job of the config, one after the other")
    .option("--dry-run", "sign in and show what would be saved; writes and sends nothing")
    .option(
      "--wait <duration>",
      "how long to wait in all for 1Password's quota to renew when it is used up, such as 30m, 2h or 1d (default: not at all)",
      parseWait,
    )
    .option("--resend", "make no backup: bring earlier archives to destinations that lack them")
    .option("--archive <name>", 'with --resend: a name that "list" shows, "latest" or "all" (default: all)')
    .option("--no-prune", "do not remove old archives afterwards")
    .option(...CONFIG_FLAG)
    .option(...JSON_FLAG)
    .action((job, options) =>
      forJobs(
        cli,
        options,
        { command: "backup", job, all: options.all ?? false },
        (given, report) => {
          const context = { ...given, wait: options.wait ?? 0 };
          const { resend, archive, dryRun: looks = false } = options;
          if (resend) return resendJob(context, report, { archive: archive ?? "all", dryRun: looks });
          if (archive !== undefined) throw withoutResend();
          return options.dryRun ? dryRun(context, report) : realRun(context, report, options.prune);
        },
      )
    );
}

function withoutResend(): AppError {
  return new AppError("misconfigured", '"--archive" says which archives "--resend" is about', {
    hint: 'a backup always makes a new one: leave it out, or add "--resend"',
  });
}

async function realRun(context: JobContext, report: Report, prune: boolean): Promise<JobEnd> {
  const { backup } = await import("../../jobs/backup/backup.ts");
  const alarms: AppError[] = [];
  let result: BackupResult;
  try {
    result = await backup(context, { prune, alarms });
  } catch (error) {
    if (alarms.length === 0) throw error;
    const end = endOf(toAppError(error), report, context.job.name);
    return {
      ...end,
      exitCode: worst([end.exitCode, ...alarms.map(exitCodeOf)]),
      alarms: alarms.map(inShort),
    };
  }
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

function codeOf({ outcome, block, deliveries, late, pruned, alarms }: BackupResult): number {
  const failed = deliveries.filter((one) => one.error !== undefined);
  return worst([
    outcome === "complete" && !block ? EXIT.ok : EXIT.gaps,
    failed.length === 0 ? EXIT.ok : failed.length < deliveries.length ? EXIT.someDestinations : EXIT.failure,
    ...alarms.map(exitCodeOf),
    late.length > 0 ? EXIT.someDestinations : EXIT.ok,
    // The backup is safe whatever became of the old ones.
    pruned.some((one) => one.error !== undefined) ? EXIT.someDestinations : EXIT.ok,
    codeOfTrust(pruned),
    // A stop by hand says more than "every destination failed".
    ...failed.flatMap(({ error }) => isAppError(error, "cancelled") ? [exitCodeOf(error)] : []),
  ]);
}

function inShort({ code, message }: AppError) {
  return { code, message };
}

function summaryOf({ archive, outcome, block, deliveries, late, pruned, alarms }: BackupResult) {
  return {
    archive,
    outcome,
    ...(block ? { pruningBlocked: block } : {}),
    late: late.length,
    ...(pruned.length > 0 ? { pruned: forPrograms(pruned) } : {}),
    alarms: alarms.map(inShort),
    destinations: deliveries.map(({ destination, state, error }) => ({
      destination,
      state,
      ...(error ? { code: error.code, message: error.message } : {}),
    })),
  };
}

async function dryRun(context: JobContext, report: Report): Promise<JobEnd> {
  const { planBackup } = await import("../../jobs/backup/plan.ts");
  const plan = await planBackup(context);
  report.result(`${vaultTable(plan)}\n${linesOf(plan).join("\n")}\n`);
  for (const { code, message, hint } of [...plan.refusal ? [plan.refusal] : [], ...plan.alarms]) {
    report.emit({ event: "warning", job: context.job.name, code, message, ...(hint ? { hint } : {}) });
  }
  if (plan.wrongAccount !== undefined) {
    report.emit({
      event: "warning",
      job: context.job.name,
      code: "untrusted",
      message: plan.wrongAccount,
      hint: "check the token in the config",
    });
  }
  return {
    exitCode: worst([
      plan.wrongAccount === undefined ? EXIT.ok : EXIT.integrity,
      plan.missing.length > 0 ? EXIT.gaps : EXIT.ok,
      plan.refusal ? exitCodeOf(plan.refusal) : EXIT.ok,
      ...plan.alarms.map(exitCodeOf),
      plan.closed.length > 0 ? EXIT.someDestinations : EXIT.ok,
      // That they are all closed is the config's fault or the network's: the first one says which.
      ...plan.closed.length === plan.destinations.length
        ? plan.closed.slice(0, 1).map(({ error }) => exitCodeOf(error))
        : [],
    ]),
    dryRun: true,
    vaults: plan.vaults.map(({ vault, included }) => ({
      id: vault.id,
      items: vault.activeItemCount,
      included,
    })),
    missing: plan.missing.map((one) => one.detail),
    closed: plan.closed.map(({ destination, error: { code, message } }) => ({ destination, code, message })),
    estimate: { reads: plan.quota.reads },
    quota: plan.quota,
  };
}

function vaultTable({ vaults, missing }: Plan): string {
  const rows = [
    ...vaults.map(({ vault, included }) => [
      vault.id,
      printable(vault.title),
      vault.activeItemCount === undefined ? "?" : number(vault.activeItemCount),
      included ? "yes" : "no, excluded",
    ]),
    // A source that could not be read has no vault to its name.
    ...missing.filter(({ vaultId }) => vaultId !== "").map((
      one,
    ) => [printable(one.vaultId), "", "?", "no, not visible"]),
  ];
  return table(["vault", "title", "items", "would be saved"], rows, [2]);
}

function linesOf({ vaults, recipients, destinations, closed, sentences }: Plan): string[] {
  const chosen = vaults.filter(({ included }) => included).map(({ vault }) => vault);
  const known = chosen.every((vault) => vault.activeItemCount !== undefined);
  const items = chosen.reduce((sum, vault) => sum + (vault.activeItemCount ?? 0), 0);
  return [
    `would be saved: ${counted(chosen.length, "vault")}` +
    (known ? `, ${counted(items, "active item")} and what is archived` : ", items not counted beforehand"),
    `recipients: ${recipients.join(", ")}`,
    `destinations: ${
      destinations.map((name) =>
        closed.some(({ destination }) => destination === name) ? `${name} (cannot be opened)` : name
      ).join(", ")
    }`,
    ...sentences,
    "nothing was written or sent",
  ];
}

/** Milliseconds: longer than 1Password's quota ever takes to renew. */
const LONGEST_WAIT = 7 * 24 * 3600 * 1000;

function parseWait(text: string): number {
  const wait = milliseconds(text);
  if (wait !== undefined && wait <= LONGEST_WAIT) return wait;
  throw new InvalidArgumentError("it is a duration such as 30m, 2h or 1d12h, and at most 7d.");
}
