import type { Command } from "@commander-js/extra-typings";
import { toAppError } from "../../base/errors.ts";
import { type Cli, type CommonOptions, endOf, JSON_FLAG, reportFor } from "../cli.ts";
import { EXIT } from "../exit_code.ts";
import { bytes, counted } from "../report/format.ts";

export function addWipe(program: Command, cli: Cli): void {
  program.command("wipe")
    .description("overwrite and remove a restored folder; there is no way back")
    .argument("<path>", "a restored folder; with --force anything")
    .option("--force", "a single file, or a folder that holds other things than vaultferry writes")
    .option(...JSON_FLAG)
    .addHelpText(
      "after",
      `
Every file is overwritten with random bytes, synced, renamed and removed. That
reaches the old data on ext4 and xfs as they are by default. It does not on
btrfs, ZFS and f2fs, on ext4 with data=journal, in snapshots and copies, and no
program can know what the flash of an SSD keeps. What must not stay should never
have touched that disk: restore below $XDG_RUNTIME_DIR or, as root, /run, which
are memory, or onto an encrypted disk.
`,
    )
    .action((path, options) => run(cli, path, options));
}

async function run(
  cli: Cli,
  path: string,
  options: CommonOptions & { force?: true | undefined },
): Promise<void> {
  const report = reportFor(cli, options);
  try {
    const { wipeLeftovers } = await import("../../jobs/wipe.ts");
    const wiped = await wipeLeftovers(cli.world, path, options.force ?? false, cli.signal);
    report.result(`wiped ${counted(wiped.files, "file")}, ${bytes(wiped.bytes)}\n`);
    if (wiped.doubt !== undefined) {
      report.emit({
        event: "warning",
        job: "",
        code: "wipe",
        message:
          `this is ${wiped.doubt}, which writes new data to new places: the old data may still be on the disk`,
      });
    }
    cli.exitCode = EXIT.ok;
    report.summary({ command: "wipe", exitCode: EXIT.ok, ...wiped });
  } catch (error) {
    const end = endOf(toAppError(error), report);
    cli.exitCode = end.exitCode;
    report.summary({ command: "wipe", ...end });
  }
}
