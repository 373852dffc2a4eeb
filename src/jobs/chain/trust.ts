import { AppError } from "../../base/errors.ts";
import type { Place } from "../../archive/manifest.ts";
import { placeOf } from "../../archive/chain.ts";
import type { SignerKey } from "../../archive/signature.ts";
import type { JobContext } from "../context.ts";
import { newestOf } from "./neighbours.ts";
import { type Held, type Recorded, withState } from "./with_state.ts";

/** What `keys trust` has come to. */
export interface Trusted {
  /** The chains, and branches of this one, that belong to this job from now on. */
  chains: Place[];
  /** Keys that count from now on. */
  signers: SignerKey[];
  /** Undefined when there was nothing to settle: then nothing was signed. */
  recorded: Recorded | undefined;
}

/**
 * Looks at the destinations and signs that the other chains of this job there are known: those of a state that was
 * lost, of another host, of a branch that two hosts made with one state. With that this host's alarm ends.
 *
 * @param fingerprints keys that nobody trusts yet and that the person at the keyboard vouches for.
 * @throws what a destination fails with that cannot be looked at; `untrusted` when what is there is signed by a key that nobody vouches for, and `misconfigured` when a
 * fingerprint is of no key that is there.
 */
export async function trust(context: JobContext, fingerprints: readonly string[]): Promise<Trusted> {
  return await withState(context, async (held) => {
    const { open, sighted, state, record } = held;
    for (const failure of sighted.failures) throw unseen(failure);
    const vouched = new Map<string, SignerKey>();
    for (const fingerprint of fingerprints) vouched.set(fingerprint, keyOf(held, fingerprint));
    const places = newestOf([
      ...sighted.entries.map(placeOf),
      ...sighted.strangers.filter(({ key }) => vouched.has(key.fingerprint)).map(({ place }) => place),
    ]);
    // As they stand now; what is open and out of sight (a destination is away) as it stood then.
    const current = (place: Place) =>
      place.chain === state.head?.chain ? place : places.find(({ chain }) => chain === place.chain) ?? place;
    const chains = open.map(current);
    for (const place of places) {
      if (!vouched.has(place.signer) || place.chain === state.head?.chain) continue;
      if (!chains.some(({ chain }) => chain === place.chain) && !state.isSettled(place)) chains.push(place);
    }
    for (const { signer } of chains) {
      const stranger = sighted.strangers.find(({ key }) => key.fingerprint === signer)?.key;
      if (stranger && !vouched.has(signer)) throw unknown(context, stranger);
    }
    const signers = [...vouched.values()];
    if (chains.length + signers.length === 0) return { chains, signers, recorded: undefined };
    const content = { kind: "keys-trust", chains, signers: signers.map(({ text }) => text) } as const;
    return { chains, signers, recorded: await record(content) };
  });
}

/** Nobody trusts what nobody has seen. */
function unseen({ destination, error }: { destination: string; error: AppError }): AppError {
  return new AppError(error.code, `"${destination}" cannot be looked at: ${error.message}`, {
    hint:
      "nothing was signed: trust needs to see every destination, so bring it back, or take it out of the config",
    cause: error,
  });
}

function keyOf({ sighted }: Held, fingerprint: string): SignerKey {
  const found = sighted.strangers.find(({ key }) => key.fingerprint === fingerprint);
  if (found) return found.key;
  throw new AppError("misconfigured", `no archive at the destinations is signed by ${fingerprint} alone`, {
    hint:
      'give the fingerprint (SHA256:…) that "backup" or "verify" named; a key that is trusted needs nothing',
  });
}

function unknown(context: JobContext, key: SignerKey): AppError {
  return new AppError(
    "untrusted",
    `archives at the destinations are signed by ${key.fingerprint}, which nobody trusts`,
    {
      hint: "if that was this host before its state was lost, or is another host of yours: " +
        `vaultferry keys trust ${context.job.name} --signer ${key.fingerprint}` +
        "; else find out who wrote there, remove what that key signed, and run this again",
    },
  );
}
