import { Command, CommanderError } from "@commander-js/extra-typings";
import { AppError, toAppError } from "../base/errors.ts";
import type { World } from "../base/world.ts";
import type { Registry } from "../config/registry.ts";
import type { Cli } from "./cli.ts";
import { addAccept } from "./commands/accept.ts";
import { addBackup } from "./commands/backup.ts";
import { addConfig } from "./commands/config.ts";
import { addDestination } from "./commands/destination.ts";
import { addKeys } from "./commands/keys.ts";
import { addList } from "./commands/list.ts";
import { addPrune } from "./commands/prune.ts";
import { addRestore } from "./commands/restore.ts";
import { addStatus } from "./commands/status.ts";
import { addCoverage } from "./commands/coverage.ts";
import { addSyncAccess } from "./commands/sync_access.ts";
import { addVerify } from "./commands/verify.ts";
import { addWipe } from "./commands/wipe.ts";
import { EXIT, exitCodeOf } from "./exit_code.ts";
import { printError } from "./report/report.ts";
import { VERSION } from "./version.ts";

/**
 * Runs one command line and returns its exit code; never exits by itself (but for a second signal, which means
 * "at once").
 */
export async function run(
  args: readonly string[],
  world: World,
  registry: () => Promise<Registry>,
): Promise<number> {
  const stop = new AbortController();
  const cli: Cli = { world, registry, signal: stop.signal, exitCode: EXIT.ok, stopped: undefined };
  const onSignal = (name: "SIGINT" | "SIGTERM", code: number) =>
    world.onSignal(name, () => {
      if (cli.stopped !== undefined) world.exit(code);
      cli.stopped = code;
      stop.abort(new AppError("cancelled", `stopped by ${name}`));
    });
  const undo = [onSignal("SIGINT", EXIT.interrupted), onSignal("SIGTERM", EXIT.terminated)];
  let code: number;
  try {
    await program(cli).parseAsync(args, { from: "user" });
    code = cli.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      code = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    } else {
      const known = toAppError(error);
      printError(world, known);
      code = exitCodeOf(known);
    }
  } finally {
    for (const one of undo) one();
  }
  const { lost } = world.terminal;
  if (lost !== undefined) {
    printError(world, new AppError("unknown", `not all could be written to standard output: ${lost}`));
    code ||= EXIT.failure;
  }
  return cli.stopped ?? code;
}

/** In the order of the help. */
const COMMANDS = [
  addBackup,
  addStatus,
  addList,
  addVerify,
  addRestore,
  addPrune,
  addAccept,
  addCoverage,
  addSyncAccess,
  addKeys,
  addDestination,
  addConfig,
  addWipe,
];

function program(cli: Cli): Command {
  const { terminal } = cli.world;
  const root = new Command("vaultferry")
    .description(
      "Backs up 1Password: exports every vault, seals it to people who are not on this machine, ships it off site.",
    )
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .addHelpText("after", EPILOGUE)
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      outputError: (text, write) => write(`vaultferry: ${text.replace(/\.\n$/, "\n")}`),
      getOutHelpWidth: () => Math.min(terminal.columns, 110),
      getErrHelpWidth: () => Math.min(terminal.columns, 110),
      // Nothing here is coloured; asking node whether it may be takes longer than all of the text.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      stripColor: (text) => text,
    })
    .exitOverride()
    .showHelpAfterError(
      'vaultferry: hint: "vaultferry --help" lists the commands, "vaultferry COMMAND --help" its options',
    );
  for (const add of COMMANDS) add(root, cli);
  // What follows may hold secrets in memory; where core dumps cannot be turned off, that is no reason not to go on.
  root.hook("preAction", () => void cli.world.harden());
  inherit(root);
  return root;
}

/** Commander copies settings to a command only when it is made by `command()` of a parent that has them already. */
function inherit(command: Command): void {
  for (const sub of command.commands) {
    sub.copyInheritedSettings(command);
    inherit(sub as unknown as Command);
  }
}

const EPILOGUE = `
The config is the first of: --config, $VAULTFERRY_CONFIG,
$XDG_CONFIG_HOME/vaultferry/vaultferry.yaml, /etc/vaultferry/vaultferry.yaml
(Windows: %ProgramData%\\vaultferry\\vaultferry.yaml).

Exit codes: 0 ok, 1 failure, 2 usage or config, 3 gaps in the backup,
4 some destination failed, 10 nothing found, 11 another run is at work,
12 wrong identity, 13 1Password refused the sign-in, 14 quota used up,
15 integrity or trust, 75 try again later, 130 and 143 stopped by a signal.
`;
