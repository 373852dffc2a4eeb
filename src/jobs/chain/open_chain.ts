import { AppError, isAppError } from "../../base/errors.ts";
import { quoted } from "../../base/safe_names.ts";
import type { Place } from "../../archive/manifest.ts";
import type { Signer } from "../../archive/signature.ts";
import { placeOf, trustedKeys } from "../../archive/chain.ts";
import { readNextSigner, readSigner } from "../../custody/signer.ts";
import { Sent } from "../../host/sent.ts";
import { setAside, setAsidePlaces } from "../../host/set_aside.ts";
import { JobState } from "../../host/state.ts";
import { type JobContext, stateOf } from "../context.ts";
import { signerOf } from "../open.ts";
import { alarmOf, othersBeside, tellUnseen } from "./beside.ts";
import { lookAround, type Sighted } from "./look.ts";
import { sortOwn } from "./neighbours.ts";

/** A job's chain as it stands. */
export interface SeenChain {
  state: JobState;
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

/** A job's chain, ready for its next entry. */
export interface OpenChain extends SeenChain {
  /** The key that signs the next entry. */
  signer: Signer;
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
    const state = await load(context, { lookOnly: false });
    const opened = "unfit" in state
      ? state
      : await attempt(context, alarms, await keysOf(context), state, await highestSent(context));
    if (!("unfit" in opened)) return { ...await judge(context, opened, alarms), signer: opened.signer! };
    if (!setsAside) throw unfit(context, opened.unfit);
    await setAside(context.world, stateOf(context));
    alarms.push(
      new AppError("untrusted", `${opened.unfit}: it was set aside, and a new chain begins`, {
        hint: `it lies in ${quoted(`${stateOf(context)}/set-aside`)}; look into why that happened`,
      }),
    );
  }
}

/**
 * The same for a command that changes nothing on this host: no key is made, nothing is set aside, and what is taken over
 * is known to this run only. It takes no lock, so it may see a run that is at work half-way.
 */
export async function lookAtChain(context: JobContext): Promise<SeenChain> {
  const { world, state: folder } = context;
  const alarms: AppError[] = [];
  const keys: Signer[] = [];
  for (const key of [await readKey(() => readSigner(world, folder)), await readNextSigner(world, folder)]) {
    if (key) keys.push(key);
  }
  let state = await load(context, { lookOnly: true });
  let sent = await highestSent(context);
  for (;;) {
    const opened = "unfit" in state ? state : await attempt(context, alarms, keys, state, sent);
    if (!("unfit" in opened)) return await judge(context, opened, alarms);
    alarms.push(
      new AppError("untrusted", `${opened.unfit}: the next backup sets it aside and begins a new chain`),
    );
    state = JobState.blank(world, stateOf(context));
    sent = 0;
  }
}

async function readKey(read: () => Promise<Signer>): Promise<Signer | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isAppError(error, "not-found")) throw error;
    return undefined;
  }
}

/** The keys that this host can sign with, the present one first; made on first use. */
async function keysOf(context: JobContext): Promise<Signer[]> {
  const next = await readNextSigner(context.world, context.state);
  return [await signerOf(context), ...next ? [next] : []];
}

/** What is beside the chain, and what of that is still open. */
async function judge(context: JobContext, opened: Opened, alarms: AppError[]): Promise<SeenChain> {
  const { state, sighted } = opened;
  tellUnseen(context, sighted);
  // A run that set a chain aside may have failed before it could sign that.
  const aside = await setAsidePlaces(context.world, stateOf(context));
  const found = [...opened.found, ...aside].filter((place) => !state.isSettled(place));
  const beside = found.filter((place, at) =>
    !state.unsettled().some((one) => state.same(one, place)) &&
    !found.slice(0, at).some((one) => state.same(one, place))
  );
  const open = [...state.unsettled(), ...beside];
  alarms.push(...open.map((place) => alarmOf(context, state, place)));
  return { state, sighted, beside, open, alarms };
}

function unfit({ job: { name } }: JobContext, why: string): AppError {
  return new AppError("untrusted", `${why}: no key was changed`, {
    hint: `"vaultferry backup ${name}" sets it aside and begins a new chain; do this again when ` +
      `"vaultferry keys trust ${name}" has ended the alarm`,
  });
}

interface Opened {
  state: JobState;
  /** Undefined only where this host has no key yet. */
  signer: Signer | undefined;
  sighted: Sighted;
  found: Place[];
}

/** Why a state cannot go on. */
interface Unfit {
  unfit: string;
}

async function load(context: JobContext, options: { lookOnly: boolean }): Promise<JobState | Unfit> {
  try {
    return await JobState.load(context.world, stateOf(context), options);
  } catch (error) {
    if (!isAppError(error, "corrupt")) throw error;
    return { unfit: `the chain of job "${context.job.name}" cannot be read (${error.message})` };
  }
}

async function attempt(
  context: JobContext,
  alarms: AppError[],
  keys: readonly Signer[],
  state: JobState,
  sent: number,
): Promise<Opened | Unfit> {
  const folder = stateOf(context);
  await mendReceipts(context, state);
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
  const known = Math.max(state.highestReceipt, sent);
  if (known > head) {
    return {
      unfit: `the state in ${
        quoted(folder)
      } has lost its newest entries: what it delivered goes up to ${known}`,
    };
  }
  const expected = state.nextSigner ?? keys[0]?.key.fingerprint;
  const signer = keys.find(({ key }) => key.fingerprint === expected);
  if (!signer && expected !== undefined) {
    return { unfit: `the key that signs the chain of job "${context.job.name}" is not on this host` };
  }
  return { state, signer, sighted, found: [...branches, ...await othersBeside(context, state, sighted)] };
}

async function mendReceipts(context: JobContext, state: JobState): Promise<void> {
  const damage = await state.mendReceipts();
  if (!damage) return;
  context.emit({
    event: "warning",
    job: context.job.name,
    code: "receipts",
    message: `${damage.message}: what was read back at destinations is taken from the newest signed entry`,
  });
}

/** The highest number that was sent to a destination which nobody here can read; none where the note is damaged. */
async function highestSent(context: JobContext): Promise<number> {
  try {
    return (await Sent.load(context.world, stateOf(context))).highest;
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
