import { toAppError } from "../../base/errors.ts";
import { type JobContext, spoolOf } from "../context.ts";
import { spooledArchives } from "../deliver/deliver.ts";
import type { Ledger } from "../deliver/ledger.ts";

/**
 * Keeps what waits in the spool for a destination that is away within `spool: {keep}`, so that it does not fill this
 * disk for ever: the oldest archive that at least one destination has given back goes first, and is told. The only copy
 * of an archive never goes, however many there are.
 */
export async function capSpool(context: JobContext, ledger: Ledger): Promise<void> {
  const { job, world } = context;
  const removedAt = (destination: string, archive: string) =>
    ledger.state.records.some(({ manifest }) =>
      manifest.kind === "prune" && manifest.destination === destination &&
      manifest.removes.some((one) => one.archive === archive)
    );
  const waiting = await spooledArchives(context);
  let excess = waiting.length - job.spool.keep;
  for (const archive of waiting) {
    if (excess <= 0) return;
    try {
      const entry = await ledger.state.entryNamed(archive);
      if (!entry) continue;
      const names = job.destinations.map(({ name }) => name);
      const [at, missed] = [
        // What was only sent, nobody has seen; and what retention has removed there is not there.
        names.filter((name) => ledger.knows(name, entry) === "read-back" && !removedAt(name, archive)),
        names.filter((name) => !ledger.knows(name, entry)),
      ];
      if (at.length === 0) continue;
      await world.files.remove(`${spoolOf(context)}/${archive}`);
      excess--;
      context.emit({
        event: "warning",
        job: job.name,
        code: "spool-full",
        message: `${archive} waits no longer for ${list(missed)}: more than ${job.spool.keep} archives wait`,
        hint: `it is at ${list(at)}; "spool: {keep: …}" in the config lets more of them wait`,
      });
    } catch (error) {
      const message = `what waits could not be looked at: ${toAppError(error).message}`;
      context.emit({ event: "warning", job: job.name, code: "spool-full", message });
    }
  }
  if (excess <= 0) return;
  context.emit({
    event: "warning",
    job: job.name,
    code: "spool-full",
    message:
      `${waiting.length} archives wait on this host, more than ${job.spool.keep}, and no destination has them`,
    hint: "none of them is given up: bring a destination back, or free space by hand",
  });
}

function list(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(" and ");
}
