import { AppError } from "../../base/errors.ts";
import type { Place } from "../../archive/manifest.ts";
import type { SignerKey } from "../../archive/signature.ts";
import { placeOf } from "../../archive/chain.ts";
import type { JobState } from "../../host/state.ts";
import type { JobContext } from "../context.ts";
import type { Sighted } from "./look.ts";
import { newestOf } from "./neighbours.ts";

/**
 * Chains of others that count as "was here before": those that were at their destinations before this one came there,
 * and those that are signed by this host's own key. A host that is named under `signers:` may join at any time.
 */
export async function othersBeside(
  context: JobContext,
  state: JobState,
  { entries, strangers, sightings }: Sighted,
): Promise<Place[]> {
  const keys = new Set(state.signers().map(({ fingerprint }) => fingerprint));
  const own = { began: await state.began(), hasReached: (name: string) => state.hasAnyReceipt(name) };
  const before = ({ chain }: Place) => sightings.wasBefore(chain, own);
  const trusted = entries.map(placeOf).filter(({ chain }) => chain !== state.head?.chain)
    .filter((place) => keys.has(place.signer) || before(place));
  const unknown = strangers.filter(({ place }) => !before(place));
  for (const key of new Map(unknown.map(({ key }) => [key.text, key])).values()) tellStranger(context, key);
  return newestOf([...trusted, ...strangers.map(({ place }) => place).filter(before)]);
}

/** A failure to open is told in full by whoever needs the destination next, a failure to show by nobody. */
export function tellUnseen(context: JobContext, { failures }: Sighted): void {
  for (const { destination, error, opened } of failures) {
    const message = `"${destination}" was not looked at: whether it holds another chain is not known`;
    context.emit({
      event: "warning",
      job: context.job.name,
      code: "not-looked-at",
      message: opened ? `${message} (${error.message})` : message,
    });
  }
}

/** Not this host's affair, and no reason to alarm every night; `verify` does not let it pass. */
function tellStranger(context: JobContext, key: SignerKey): void {
  context.emit({
    event: "warning",
    job: context.job.name,
    code: "stranger",
    message: `archives at a destination are signed by ${key.fingerprint}, which is not a trusted signer`,
    hint: `if that is one of your backup hosts, add its key to "signers:" in the config: ${key.text}`,
  });
}

/** What an open chain or branch comes to, every time. */
export function alarmOf(context: JobContext, state: JobState, place: Place): AppError {
  const trust = `"vaultferry keys trust ${context.job.name}"`;
  if (place.chain === state.head?.chain) {
    return new AppError(
      "untrusted",
      `fork: no. ${place.sequence} of this host's chain was signed twice, by ${place.signer}`,
      { hint: `two hosts work with one state: give each its own; then ${trust} ends this alarm` },
    );
  }
  return new AppError(
    "untrusted",
    `the destinations hold another chain of this job, up to no. ${place.sequence}, signed by ${place.signer}`,
    {
      hint:
        `if this host's state was lost, or this is a second host, ${trust} says that they belong together; ` +
        "nothing is pruned until then",
    },
  );
}
