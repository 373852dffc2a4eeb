import { AppError, toAppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import { Secret } from "../../../src/base/secret.ts";
import type { Clock } from "../../../src/base/world.ts";
import { wrappedError } from "../../../src/destination/errors.ts";
import { refusal } from "../../../src/destination/http/refusal.ts";
import { inOurVoice, scrubbed } from "../../../src/destination/scrub.ts";
import { watched } from "../../../src/destination/watchdog.ts";
import { Refused } from "./handler.ts";

/** Access keys as the library finds them; it keeps them until they are about to expire. */
export type Provider = () => Promise<Found>;

interface Found {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** Where they come from, in the library's words. */
  $source?: object;
}

/** Milliseconds for a role, a token service or a program to come up with keys. */
const PATIENCE = 60_000;

export interface CredentialsOptions {
  provider: Provider;
  /** The profile that is asked for by name. */
  profile: string | undefined;
  /** Takes every secret that is found. */
  secrets: Secret[];
  clock: Clock;
}

/** Access keys that are found when they are needed, and never none. */
export class Credentials {
  constructor(readonly options: CredentialsOptions) {}

  /**
   * Returns when there are valid keys, whose secret parts are known from then on.
   *
   * @throws `misconfigured` where none are found; `denied` where a token service refuses; `transient`
   */
  async ready(signal: AbortSignal): Promise<void> {
    const { provider, clock, profile, secrets } = this.options;
    const found = await watched({ clock, signal, silence: PATIENCE }, () =>
      provider().catch((error) => {
        throw missing(error, clock.now(), profile);
      }));
    for (const value of [found.secretAccessKey, found.sessionToken]) {
      const known = secrets.some((secret) => secret.reveal() === value);
      if (value !== undefined && value !== "" && !known) secrets.push(new Secret(value));
    }
    // The library goes on to whatever else there is, with rights that nobody meant.
    const from = Object.keys(found.$source ?? {});
    if (profile !== undefined && !from.some((one) => one.startsWith("CREDENTIALS_PROFILE"))) {
      throw new AppError("misconfigured", `the profile ${quoted(profile)} holds no access keys`, {
        hint: HINT,
      });
    }
    if (!found.accessKeyId || !found.secretAccessKey) {
      throw missing(new Error("they are empty"), clock.now(), profile);
    }
  }
}

const HINT =
  "give accessKeyId and secretAccessKey, or a profile, or run where AWS_ACCESS_KEY_ID or a role is set";

const PROFILE_HINT =
  "look whether AWS's files credentials and config have it, and whether the program or sign-in that it names works";

/** Why there are no keys. */
function missing(error: unknown, now: Date, profile: string | undefined): AppError {
  const known = wrappedError(error);
  if (known) return known;
  if (error instanceof Refused) {
    const { status, headers, problem } = error;
    const codes = {
      ExpiredToken: "denied",
      ExpiredTokenException: "denied",
      InvalidIdentityToken: "denied",
    } as const;
    return refusal(status, headers, problem, {
      what: "new access keys",
      place: "the service that gives out access keys",
      now,
      codes,
    });
  }
  const why = inOurVoice(scrubbed(toAppError(error).message));
  if (profile !== undefined) {
    return new AppError("misconfigured", `the profile ${quoted(profile)} gives no credentials: ${why}`, {
      cause: error,
      hint: PROFILE_HINT,
    });
  }
  return new AppError("misconfigured", `there are no credentials to sign in with: ${why}`, {
    cause: error,
    hint: HINT,
  });
}
