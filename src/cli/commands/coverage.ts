import type { Command } from "@commander-js/extra-typings";
import { printable } from "../../base/safe_names.ts";
import type { Access } from "../../jobs/access/compare.ts";
import type { JobContext } from "../../jobs/context.ts";
import type { Reach } from "../../policy/access.ts";
import { type Cli, CONFIG_FLAG, forJobs, type JobEnd, JSON_FLAG } from "../cli.ts";
import { EXIT } from "../exit_code.ts";
import { counted, number, table } from "../report/format.ts";
import type { Report } from "../report/report.ts";

/** How the administrator is signed in; `sync-access` has the same. */
export const ACCOUNT_FLAG = [
  "--account <account>",
  "the administrator's account, where op knows several: its sign-in address, e-mail address or id",
] as const;
export const PROGRAM_FLAG = ["--program <op>", "the 1Password program (default: op)"] as const;

export function addCoverage(program: Command, cli: Cli): void {
  program.command("coverage")
    .description("compare the vaults that a job backs up with those that an administrator sees through op")
    .argument("[job]", "the job; may be left out when the config has only one")
    .option("--all", "every job of the config, one after the other")
    .option(...ACCOUNT_FLAG)
    .option(...PROGRAM_FLAG)
    .option(...CONFIG_FLAG)
    .option(...JSON_FLAG)
    .addHelpText(
      "after",
      "\nExits with 3 when a vault is missing that could be backed up: fit for a timer.\n",
    )
    .action((job, options) =>
      forJobs(
        cli,
        options,
        { command: "coverage", job, all: options.all ?? false },
        async (context, report) => {
          const { compareWithAdministrator } = await import("../../jobs/access/compare.ts");
          const access = await compareWithAdministrator(context, {
            account: options.account,
            program: options.program,
          });
          return showAccess(context, report, access);
        },
      )
    );
}

function showAccess(context: JobContext, report: Report, access: Access): JobEnd {
  report.result(`${accessTable(access)}\n${accessSentence(access)}\n`);
  for (const message of access.nowhere) {
    report.emit({ event: "warning", job: context.job.name, code: "unknown-vault", message });
  }
  const missing = countOf(access, "missing") + access.nowhere.length;
  return { exitCode: missing > 0 ? EXIT.gaps : EXIT.ok, ...accessForPrograms(access) };
}

/** The vaults, and below them whose personal vaults nobody else can back up. */
export function accessTable({ vaults, others }: Access): string {
  const rows = vaults.map(({ vault, reach, why }) => [
    vault.id,
    printable(vault.title),
    vault.activeItemCount === undefined ? "?" : number(vault.activeItemCount),
    WORDS[reach],
    why,
  ]);
  const people = others.map(({ name, email }) => [
    "",
    printable(`${name} <${email}>`),
    "?",
    WORDS.beyond,
    "the personal vault: only its owner can back it up",
  ]);
  return table(["vault", "title", "items", "backup", "why"], [...rows, ...people], [2]);
}

export function accessSentence(access: Access): string {
  const [covered, missing, excluded] = (["covered", "missing", "excluded"] as const).map((reach) =>
    countOf(access, reach)
  );
  return `${counted(covered!, "vault")} covered, ${missing} missing, ${excluded} excluded on purpose; ` +
    "personal vaults are out of reach by design";
}

/** Ids only, as everywhere in what programs read: no title leaves the table. */
export function accessForPrograms({ vaults, nowhere, others }: Access) {
  return {
    vaults: vaults.map(({ vault, reach }) => ({ id: vault.id, kind: vault.kind, reach })),
    nowhere,
    people: others.map(({ id }) => ({ id, personalVault: "beyond" })),
  };
}

function countOf({ vaults }: Access, reach: Reach): number {
  return vaults.filter((one) => one.reach === reach).length;
}

const WORDS: Record<Reach, string> = {
  covered: "covered",
  missing: "MISSING",
  excluded: "excluded",
  beyond: "out of reach",
};
