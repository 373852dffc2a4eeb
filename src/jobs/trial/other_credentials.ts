import { collect } from "../../base/bytes.ts";
import { isAppError } from "../../base/errors.ts";
import { sha256Hex } from "../../base/hash.ts";
import { bodyOf, check, keysOf, sample } from "../../destination/conformance/bench.ts";
import type { Destination } from "../../destination/contract.ts";
import type { JobContext } from "../context.ts";
import { destinationConfig, openDestination } from "../open.ts";
import type { TrialFolder } from "./trial_folder.ts";

/** What the credentials under `read:` or `prune:` are for; it throws where they are not fit for it. */
export interface CredentialsCase {
  name: string;
  run(signal: AbortSignal): Promise<undefined>;
}

/**
 * Cases for the credentials that a destination has besides those it is written with: no other case would notice that
 * they are wrong before the day on which they are needed.
 */
export function credentialsCases(
  context: JobContext,
  destination: string,
  folder: TrialFolder,
  keeper: Destination,
): CredentialsCase[] {
  const { read, prune, immutableFor } = destinationConfig(context, destination);
  const key = `${folder.prefix}other-credentials`, bytes = sample(1000);
  const stored = (signal: AbortSignal) =>
    folder.within(keeper, false, signal).put(key, bodyOf(bytes), signal);
  const opened = async (purpose: "read" | "prune", signal: AbortSignal) =>
    folder.within(await openDestination(context, destination, purpose, signal), true, signal);
  return [
    ...(read === undefined ? [] : [{
      name: "the credentials under read: list and give what was stored",
      async run(signal: AbortSignal) {
        await stored(signal);
        await using reader = await opened("read", signal);
        check((await keysOf(reader, folder.prefix, signal)).includes(key), "what was stored is not listed");
        const found = await collect(
          await reader.get(key, undefined, signal),
          bytes.length,
          "what was stored",
        );
        check(sha256Hex(found) === sha256Hex(bytes), "other bytes come back than were stored");
        return undefined;
      },
    }]),
    // What is locked nobody can remove.
    ...(prune === undefined || immutableFor !== undefined ? [] : [{
      name: "the credentials under prune: list and remove what was stored",
      async run(signal: AbortSignal) {
        // It may be there already, from the case before.
        await stored(signal).catch((error) => {
          if (!isAppError(error, "already-exists")) throw error;
        });
        await using pruner = await opened("prune", signal);
        check((await keysOf(pruner, folder.prefix, signal)).includes(key), "what was stored is not listed");
        await pruner.remove(key, signal);
        check(
          !(await keysOf(pruner, folder.prefix, signal)).includes(key),
          "what was removed is still listed",
        );
        return undefined;
      },
    }]),
  ];
}
