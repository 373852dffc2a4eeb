import type { Command } from "@commander-js/extra-typings";
import { toAppError } from "../../base/errors.ts";
import type { JobContext } from "../../jobs/context.ts";
import {
  type Cli,
  type CommonOptions,
  CONFIG_FLAG,
  configFor,
  contextFor,
  endOf,
  forJobs,
  type JobEnd,
  JSON_FLAG,
  reportFor,
} from "../cli.ts";
import { EXIT } from "../exit_code.ts";
import { endOfRecord } from "../recorded.ts";
import { counted } from "../report/format.ts";
import type { Report } from "../report/report.ts";

/** What people decide about keys, as signed records of the chain. */
export function addChainKeys(keys: Command, cli: Cli): void {
  keys.command("accept")
    .description("say, signed, that the recipients in the config are the ones to seal backups to")
    .argument("[job]", "the job; may be left out when the config has only one")
    .option(...CONFIG_FLAG)
    .option(...JSON_FLAG)
    .action((job, options) => forJobs(cli, options, { command: "keys accept", job, all: false }, accept));
  keys.command("trust")
    .description(
      "say, signed, that the other archives of this job at the destinations belong to it: after this host's state " +
        "was lost, or beside another host",
    )
    .argument("[job]", "the job; may be left out when the config has only one")
    .option(
      "--signer <fingerprint>",
      "a key (SHA256:…) that is yours and that the config does not list; may be given again",
      (one: string, all: string[]) => [...all, one],
      [] as string[],
    )
    .option(...CONFIG_FLAG)
    .option(...JSON_FLAG)
    .action((job, options) =>
      forJobs(
        cli,
        options,
        { command: "keys trust", job, all: false },
        (context, report) => trustJob(context, report, options.signer),
      )
    );
  keys.command("rotate")
    .description("make a new signing key for this host; every chain names it, signed by the old one")
    .option(...CONFIG_FLAG)
    .option(...JSON_FLAG)
    .action((options) => rotateKey(cli, options));
}

async function accept(context: JobContext, report: Report): Promise<JobEnd> {
  const { acceptKeys } = await import("../../jobs/chain/accept_keys.ts");
  const { recipients, added, removed, recorded, first } = await acceptKeys(context);
  const lines = [
    ...added.map(({ key, fingerprint }) => `added: ${key}, ${fingerprint}`),
    ...removed.map((fingerprint) => `removed: ${fingerprint}`),
    recorded
      ? `accepted: backups are sealed to ${counted(recipients.length, "recipient")} from now on`
      : first
      ? "there is no backup yet: the first one accepts what the config says"
      : "nothing to accept: the recipients are those of the last backup",
  ];
  report.result(lines.join("\n") + "\n");
  return {
    ...endOfRecord(context, report, recorded),
    recipients: recipients.map(({ fingerprint }) => fingerprint),
    added: added.map(({ fingerprint }) => fingerprint),
    removed,
  };
}

async function trustJob(context: JobContext, report: Report, fingerprints: string[]): Promise<JobEnd> {
  const { trust } = await import("../../jobs/chain/trust.ts");
  const { chains, signers, recorded } = await trust(context, fingerprints);
  const lines = [
    ...signers.map(({ text, fingerprint }) => `trusted: ${fingerprint} (${text})`),
    ...chains.map(({ chain, sequence, signer }) =>
      `linked: chain ${chain} up to no. ${sequence}, by ${signer}`
    ),
    ...recorded ? [] : ["nothing to trust: the destinations show nothing that this host does not know"],
  ];
  report.result(lines.join("\n") + "\n");
  return {
    ...endOfRecord(context, report, recorded),
    chains,
    signers: signers.map(({ fingerprint }) => fingerprint),
  };
}

async function rotateKey(cli: Cli, options: CommonOptions): Promise<void> {
  const report = reportFor(cli, options);
  try {
    const loaded = await configFor(cli, options, report);
    const { jobsInState, rotate } = await import("../../jobs/chain/rotate.ts");
    const [any, ...others] = await Promise.all(
      Object.values(loaded.config.jobs).map((job) => contextFor(cli, loaded, job, report)),
    );
    if (!any) return; // a config without a job is refused
    const known = [any, ...others];
    // One key signs them all, those of other configs with the same state too.
    const more = (await jobsInState(any)).filter((name) => !known.some(({ job }) => job.name === name))
      .map((name) => ({ ...any, job: { ...any.job, name } }));
    const { old, next, jobs } = await rotate([...known, ...more]);
    report.result(`${next.text} vaultferry@${cli.world.platform.hostname()}\n`);
    report.emit({
      event: "note",
      job: "",
      message:
        `${old.fingerprint} signs no more: add the new key to "signers:" wherever the old one stands, and ` +
        "leave the old one there for the archives that it signed",
    });
    cli.exitCode = EXIT.ok;
    report.summary({
      command: "keys rotate",
      exitCode: EXIT.ok,
      old: old.fingerprint,
      key: next.text,
      fingerprint: next.fingerprint,
      jobs,
    });
  } catch (error) {
    const end = endOf(toAppError(error), report);
    cli.exitCode = end.exitCode;
    report.summary({ command: "keys rotate", ...end });
  }
}
