import type { Command } from "@commander-js/extra-typings";
import { AppError, toAppError } from "../../base/errors.ts";
import { writeDurably } from "../../base/durable_file.ts";
import { fromUtf8 } from "../../base/bytes.ts";
import { quoted } from "../../base/safe_names.ts";
import { isAppError } from "../../base/errors.ts";
import { stateFolder } from "../../config/locate.ts";
import { type Cli, type CommonOptions, CONFIG_FLAG, configFor, endOf, JSON_FLAG, reportFor } from "../cli.ts";
import { EXIT } from "../exit_code.ts";
import { addChainKeys } from "./keys_chain.ts";

export function addKeys(program: Command, cli: Cli): void {
  const keys = program.command("keys").description("make, show, accept, trust and rotate keys");
  keys.command("new")
    .description(
      "make a key pair that can open backups: run this where backups are opened, not on the backup host",
    )
    .requiredOption(
      "--output <file>",
      'where the private key goes ("-": standard output); never replaces a file',
    )
    .option(
      "--post-quantum",
      "a hybrid post-quantum key (age1pq1…); needs age 1.3 or newer to open with stock tools",
    )
    .option(...JSON_FLAG)
    .action((options) => newKey(cli, options));
  keys.command("signer")
    .description("print this host's public signing key; it is made on first use")
    .option(...CONFIG_FLAG)
    .option(...JSON_FLAG)
    .action((options) => signer(cli, options));
  addChainKeys(keys as unknown as Command, cli);
}

async function newKey(
  cli: Cli,
  options: CommonOptions & { output: string; postQuantum?: true | undefined },
): Promise<void> {
  const report = reportFor(cli, options);
  try {
    const { identityFile, newIdentity } = await import("../../custody/identities.ts");
    const identity = await newIdentity(options.postQuantum ?? false);
    const file = identityFile(identity, cli.world.clock.now());
    if (options.output === "-") {
      if (options.json) {
        throw new AppError(
          "misconfigured",
          '"--json" would print the private key among its objects: give a file to "--output"',
        );
      }
      cli.world.terminal.out(fromUtf8(file, "the key"));
      cli.world.terminal.err(`vaultferry: public key: ${identity.recipient}\n`);
    } else {
      await writeKey(cli, options.output, file);
      report.result(`${identity.recipient}\n`);
      cli.world.terminal.err(
        `vaultferry: the private key is in ${
          quoted(options.output)
        }: move it to a safe place that is not the backup host\n` +
          'vaultferry: put the age1… line under "recipients:" of the config\n',
      );
    }
    cli.exitCode = EXIT.ok;
    report.summary({
      command: "keys new",
      exitCode: EXIT.ok,
      recipient: identity.recipient,
      file: options.output,
    });
  } catch (error) {
    const end = endOf(toAppError(error), report);
    cli.exitCode = end.exitCode;
    report.summary({ command: "keys new", ...end });
  }
}

async function writeKey(cli: Cli, path: string, bytes: Uint8Array): Promise<void> {
  try {
    // A path without a folder is one in the current folder.
    await writeDurably(cli.world, /[/\\]/.test(path) ? path : `./${path}`, bytes, {
      mode: "new",
      bits: 0o600,
    });
  } catch (error) {
    if (isAppError(error, "not-found")) {
      throw new AppError("misconfigured", `the folder of ${quoted(path)} does not exist`, { cause: error });
    }
    if (!isAppError(error, "already-exists")) throw error;
    throw new AppError("already-exists", `${quoted(path)} exists already: a key is never replaced`, {
      hint: "give another name, or move the old key away; old backups open only with it",
    });
  }
}

async function signer(cli: Cli, options: CommonOptions): Promise<void> {
  const report = reportFor(cli, options);
  try {
    const { config } = await configFor(cli, options, report);
    const { hostSigner } = await import("../../custody/signer.ts");
    const { key } = await hostSigner(cli.world, stateFolder(cli.world, config));
    report.result(`${key.text} vaultferry@${cli.world.platform.hostname()}\n`);
    cli.exitCode = EXIT.ok;
    report.summary({
      command: "keys signer",
      exitCode: EXIT.ok,
      key: key.text,
      fingerprint: key.fingerprint,
    });
  } catch (error) {
    const end = endOf(toAppError(error), report);
    cli.exitCode = end.exitCode;
    report.summary({ command: "keys signer", ...end });
  }
}
