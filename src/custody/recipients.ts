import { Encrypter } from "age-encryption";
import { AppError } from "../base/errors.ts";
import { base64, utf8 } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";
import { quoted } from "../base/safe_names.ts";

/** Who can open an archive: an age public key. */
export interface Recipient {
  /** `age1…` */
  key: string;
  /** What the manifest says of it: `SHA256:` and the unpadded base64 of the key text's SHA-256. */
  fingerprint: string;
  /** The group of the config that it belongs to. */
  group?: string;
}

/**
 * Checks the recipients of a job: every one is an age public key, none twice, and post-quantum keys stand alone
 * (one classic key beside them would undo their protection, so age refuses that mix and so do we).
 *
 * @throws `misconfigured`; a private key given by mistake is never echoed.
 */
export function parseRecipients(
  given: readonly string[] | Readonly<Record<string, readonly string[]>>,
): Recipient[] {
  const groups = Array.isArray(given)
    ? [[undefined, given as readonly string[]] as const]
    : Object.entries(given);
  const recipients: Recipient[] = [];
  for (const [group, keys] of groups) {
    for (const text of keys) {
      const key = text.trim();
      checkRecipient(key);
      if (recipients.some((other) => other.key === key)) {
        throw new AppError("misconfigured", `the recipient ${quoted(key)} is given twice`);
      }
      recipients.push({ key, fingerprint: fingerprintOf(key), ...(group === undefined ? {} : { group }) });
    }
  }
  if (recipients.length === 0) {
    throw new AppError("misconfigured", "there is no recipient: nobody could open the backup", {
      hint: 'make a key with "vaultferry keys new" and put its age1… line under "recipients:"',
    });
  }
  const quantum = recipients.filter((recipient) => isPostQuantum(recipient.key)).length;
  if (quantum > 0 && quantum < recipients.length) {
    throw new AppError(
      "misconfigured",
      "post-quantum and classic recipients cannot be mixed: one classic key would undo the protection of the others",
      { hint: 'use either only "age1pq1…" or only "age1…" recipients' },
    );
  }
  return recipients;
}

/** What a manifest says of a recipient. */
export function fingerprintOf(recipient: string): string {
  return `SHA256:${base64(sha256(utf8(recipient))).replace(/=+$/, "")}`;
}

/** Fingerprints as people know them: the recipient of the config with its group, or the fingerprint itself. */
export function knownAs(fingerprints: readonly string[], recipients: readonly Recipient[]): string[] {
  return fingerprints.map((fingerprint) => {
    const recipient = recipients.find((one) => one.fingerprint === fingerprint);
    if (!recipient) return fingerprint;
    return recipient.group === undefined ? recipient.key : `${recipient.key} (${recipient.group})`;
  });
}

function isPostQuantum(key: string): boolean {
  return key.startsWith("age1pq1") || key.startsWith("age1tagpq1");
}

function checkRecipient(key: string): void {
  if (/age-secret-key-/i.test(key)) {
    throw new AppError("misconfigured", "a private key was given as a recipient", {
      hint:
        'give the age1… recipient that belongs to it ("age-keygen -y KEYFILE" prints it), and treat that ' +
        "private key as leaked if this file has been where others can read it",
    });
  }
  if (key.startsWith("ssh-")) {
    throw new AppError("misconfigured", "SSH keys are not supported as recipients", {
      hint: 'make an age key with "vaultferry keys new"',
    });
  }
  try {
    new Encrypter().addRecipient(key);
  } catch (cause) {
    // What does not even begin like a public key is not shown: it may be a part of a private one.
    const shown = /^age1/i.test(key) ? quoted(key) : "one of the recipients given";
    throw new AppError("misconfigured", `${shown} is not an age recipient (a mistyped character?)`, {
      hint: "recipients begin with age1 and are copied whole",
      cause,
    });
  }
}
