import { AppError, isAppError } from "../../base/errors.ts";
import { quoted } from "../../base/safe_names.ts";
import type { Place } from "../../archive/manifest.ts";
import type { Signer, SignerKey } from "../../archive/signature.ts";
import { placeOf, trustedKeys } from "../../archive/chain.ts";
import { readNextSigner } from "../../custody/signer.ts";
import { Sent } from "../../host/sent.ts";
import { setAside, setAsidePlaces } from "../../host/set_aside.ts";
import { JobState } from "../../host/state.ts";
import { type JobContext, stateOf } from "../context.ts";
import { signerOf } from "../open.ts";
import { lookAround, type Sighted } from "./look.ts";
import { newestOf, sortOwn } from "./neighbours.ts";

/** A job's chain, ready for its next entry. */
export interface OpenChain {
  state: JobState;
  /** The key that signs the next entry. */
  signer: Signer;
  /**
   * What the next entry has to tell of: other chains, or other branches of this one, that were seen at a destination and
   * that nobody has vouched for. While there are any, what this host knows may not be the whole truth: it publishes,
   * alarms, and removes nothing.
   */
  beside: Place[];
  /** All that is open: those, and those that earlier entries have told of. */
  open: Place[];
  /** Why the run does not end well although it publishes. */
  alarms: AppError[];
  /** What the destinations showed. */
  sighted: Sighted;
}

/**
 * Reads the state and looks at the destinations before anything is signed, so that no number is used twice and no
 * history goes on, or begins anew, in silence:
 *
 * - entries of this chain that are newer than the state (it was restored from an older copy) are taken over;
 * - other branches of it (two hosts with one state), and chains that were there before this one (the state was lost,
 *   another host) are noted in what is signed next, and alarm until `keys trust`;
 * - a state that cannot go on is set aside, and a new chain begins.
 *
 * The job's lock must be held.
 *
 * @throws `untrusted` where the state cannot go on and `setsAside` is false
 */
export async function openChain(
  context: JobContext,
  { setsAside = true }: { setsAside?: boolean } = {},
): Promise<OpenChain> {
  const alarms: AppError[] = [];
  for (;;) {
    const opened = await attempt(context, alarms);
    if (!("unfit" in opened)) {
      const { state } = opened;
      tellUnseen(context, opened.sighted);
      // A run that set a chain aside may have failed before it could sign that.
      const aside = await setAsidePlaces(context.world, stateOf(context));
      const found = [...opened.found, ...aside].filter((place) => !state.isSettled(place));
      const beside = found.filter((place, at) =>
        !state.unsettled().some((one) => state.same(one, place)) &&
        !found.slice(0, at).some((one) => state.same(one, place))
      );
      const open = [...state.unsettled(), ...beside];
      alarms.push(...open.map((place) => alarmOf(context, state, place)));
      return { ...opened, beside, open, alarms };
    }
    if (!setsAside) throw unfit(context, opened.unfit);
    await setAside(context.world, stateOf(context));
    alarms.push(
      new AppError("untrusted", `${opened.unfit}: it was set aside, and a new chain begins`, {
        hint: `it lies in ${quoted(`${stateOf(context)}/set-aside`)}; look into why that happened`,
      }),
    );
  }
}

function unfit({ job: { name } }: JobContext, why: string): AppError {
  return new AppError("untrusted", `${why}: no key was changed`, {
    hint: `"vaultferry backup ${name}" sets it aside and begins a new chain; do this again when ` +
      `"vaultferry keys trust ${name}" has ended the alarm`,
  });
}

type Attempt = { state: JobState; signer: Signer; sighted: Sighted; found: Place[] } | { unfit: string };

async function attempt(context: JobContext, alarms: AppError[]): Promise<Attempt> {
  const folder = stateOf(context);
  let state: JobState;
  try {
    state = await JobState.load(context.world, folder);
  } catch (error) {
    if (!isAppError(error, "corrupt")) throw error;
    return { unfit: `the chain of job "${context.job.name}" cannot be read (${error.message})` };
  }
  const keys = [await signerOf(context)];
  const next = await readNextSigner(context.world, context.state);
  if (next) keys.push(next);
  const trusted = [
    ...keys.map(({ key }) => key),
    ...trustedKeys(context.signers),
    ...state.signers(),
    ...state.trusted(),
  ];
  const sighted = await lookAround(context, state, trusted);
  const { branches, missing } = await takeOver(context, state, sighted);
  if (missing !== undefined) {
    alarms.push(
      new AppError("untrusted", `entries of this host's chain are nowhere to be found: ${missing}`, {
        hint:
          "the state was restored from an older copy, and these never came to any destination that answers",
      }),
    );
  }
  const head = state.head?.sequence ?? 0;
  const known = Math.max(state.highestReceipt, await highestSent(context, folder));
  if (known > head) {
    return {
      unfit: `the state in ${
        quoted(folder)
      } has lost its newest entries: what it delivered goes up to ${known}`,
    };
  }
  const signer = keys.find(({ key }) => key.fingerprint === (state.nextSigner ?? keys[0]!.key.fingerprint));
  if (!signer) {
    return { unfit: `the key that signs the chain of job "${context.job.name}" is not on this host` };
  }
  return { state, signer, sighted, found: [...branches, ...await othersBeside(context, state, sighted)] };
}

/** The highest number that was sent to a destination which nobody here can read; none where the note is damaged. */
async function highestSent({ world }: JobContext, folder: string): Promise<number> {
  try {
    return (await Sent.load(world, folder)).highest;
  } catch (error) {
    if (!isAppError(error, "corrupt")) throw error;
    return 0; // told where it is read to send what is missing
  }
}

/** Adopts what follows the head; returns other branches, and which numbers are missing. */
async function takeOver(context: JobContext, state: JobState, sighted: Sighted) {
  const { follow, beyond, branches } = await sortOwn(state, sighted.entries);
  const before = state.head?.sequence ?? 0;
  const missing: number[] = [];
  for (const entry of [...follow, ...beyond]) {
    const { sequence } = entry.manifest;
    const head = state.head!.sequence;
    if (sequence <= head) {
      branches.push(placeOf(entry));
      continue;
    }
    for (let at = head + 1; at < sequence; at++) missing.push(at);
    await state.adopt(entry);
  }
  const after = state.head?.sequence ?? 0;
  if (after > before) {
    context.emit({
      event: "warning",
      job: context.job.name,
      code: "older-state",
      message:
        `this host's state was older than what it had signed: entries up to ${after} were taken over ` +
        "from the destinations",
    });
  }
  return { branches, missing: missing.length === 0 ? undefined : missing.join(", ") };
}

/**
 * Chains of others that count as "was here before": those that were at their destinations before this one came there,
 * and those that are signed by this host's own key. A host that is named under `signers:` may join at any time.
 */
async function othersBeside(
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
function tellUnseen(context: JobContext, { failures }: Sighted): void {
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

function alarmOf(context: JobContext, state: JobState, place: Place): AppError {
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
