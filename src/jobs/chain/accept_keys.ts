import { readRecipients } from "../../custody/recipient_files.ts";
import type { Recipient } from "../../custody/recipients.ts";
import type { JobContext } from "../context.ts";
import { chooseRecipients } from "./recipients.ts";
import { tellAlarms } from "./tell_alarms.ts";
import { type Recorded, withState } from "./with_state.ts";

/** What `keys accept` has come to. */
export interface AcceptedKeys {
  /** Who can open the backups from now on. */
  recipients: Recipient[];
  added: Recipient[];
  /** Fingerprints that do not count any more. */
  removed: string[];
  /** Undefined when nothing was to be accepted: then nothing was signed. */
  recorded: Recorded | undefined;
  /** There is no backup yet: the first one accepts what the config says. */
  first: boolean;
}

/** Signs that the recipients of the config are the ones to seal to. */
export async function acceptKeys(context: JobContext): Promise<AcceptedKeys> {
  const recipients = await readRecipients(context.world, context.job.recipients);
  return await withState(context, async ({ state, alarms, record }) => {
    tellAlarms(context, alarms);
    const { added, removed, first } = await chooseRecipients(context, state);
    const news = !first && added.length + removed.length > 0;
    const recorded = news
      ? await record({ kind: "keys-accept", recipients: recipients.map(({ fingerprint }) => fingerprint) })
      : undefined;
    return { recipients, added, removed, first, recorded };
  });
}
