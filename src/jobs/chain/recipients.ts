import { AppError } from "../../base/errors.ts";
import { knownAs, type Recipient } from "../../custody/recipients.ts";
import { readRecipients } from "../../custody/recipient_files.ts";
import type { JobState } from "../../host/state.ts";
import type { JobContext } from "../context.ts";

/** To whom a backup is sealed, and how that differs from what the config says or said. */
export interface ChosenRecipients {
  /** Those that the config names and that were accepted. */
  sealed: Recipient[];
  /** Named by the config and not accepted yet: left out. */
  added: Recipient[];
  /** Fingerprints that were accepted and that the config does not name any more: left out from now on. */
  removed: string[];
  /** Nothing has been accepted before: what the config says counts as accepted with this backup. */
  first: boolean;
}

/** Sets what the config says against what this host's chain says was accepted last. */
export async function chooseRecipients(context: JobContext, state: JobState): Promise<ChosenRecipients> {
  const configured = await readRecipients(context.world, context.job.recipients);
  const accepted = await state.acceptedRecipients();
  if (!accepted) return { sealed: configured, added: [], removed: [], first: true };
  return {
    sealed: configured.filter(({ fingerprint }) => accepted.includes(fingerprint)),
    added: configured.filter(({ fingerprint }) => !accepted.includes(fingerprint)),
    removed: accepted.filter((one) => !configured.some(({ fingerprint }) => fingerprint === one)),
    first: false,
  };
}

/** What an addition comes to: an alarm, until somebody who may sign on this host has accepted it. */
export function alarmOfRecipients({ job }: JobContext, { added }: ChosenRecipients): AppError[] {
  if (added.length === 0) return [];
  const who = added.map((one) => `${knownAs([one.fingerprint], added).join()}, ${one.fingerprint}`).join(
    "; ",
  );
  return [
    new AppError("untrusted", `recipients were added to the config and are left out of the backup: ${who}`, {
      hint: `ask whoever holds that key, then "vaultferry keys accept ${job.name}"`,
    }),
  ];
}

/**
 * Whoever can edit the config must not be able to read the backups, nor to keep anybody else from reading them.
 *
 * @throws `untrusted` when nobody would be left who can open the backup.
 */
export function refuseNobody(context: JobContext, chosen: ChosenRecipients): void {
  if (chosen.sealed.length > 0) return;
  const [alarm] = alarmOfRecipients(context, chosen);
  throw new AppError("untrusted", `none of the accepted recipients is in the config: nothing was published`, {
    hint: `${alarm!.message}; if that is right: "vaultferry keys accept ${context.job.name}"`,
  });
}

/** What the log says of a first acceptance and of those who are left out from now on. */
export function tellRecipients(context: JobContext, { sealed, removed, first }: ChosenRecipients): void {
  const say = (message: string) => context.emit({ event: "note", job: context.job.name, message });
  if (first) {
    say(
      `the recipients of this first backup count as accepted: ${
        sealed.map(({ fingerprint }) => fingerprint).join(", ")
      }`,
    );
  }
  if (removed.length > 0) say(`not in the config any more, and left out from now on: ${removed.join(", ")}`);
}
