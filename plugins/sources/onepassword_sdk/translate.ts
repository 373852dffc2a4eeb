import { AppError, type ErrorDetails } from "../../../src/base/errors.ts";
import type { Failure } from "./protocol.ts";

/**
 * What the core's failures mean. HTTP's status decides where there is one, because the core's texts mislead: any
 * network or TLS failure reads "authentication error".
 */

/** Why a sign-in failed. Never `transient` for a refusal: each further try costs the whole account's quota. */
export function signInError(failure: Failure): AppError {
  const { status } = failure.http;
  const { name, message } = parse(failure.text);
  if (name === "ServiceAccountTokenParsing" || name === "InvalidConfiguration") {
    return error("denied", "the 1Password token is not a service account token (damaged or cut off?)", {
      hint: 'a token begins with "ops_" and is one long line: copy it again from where it was saved',
    });
  }
  if (isRefusal(status)) {
    return error(
      "denied",
      "1Password refused the sign-in: the service account token is wrong, expired or revoked",
      {
        hint: "make a new service account in 1Password and put its token where the config's token: points",
      },
    );
  }
  return general(failure) ?? error("denied", `1Password refused the sign-in: ${message}`, {
    hint: "check the service account token; vaultferry does not try again by itself",
  });
}

/**
 * Whether a call failed because the core signed in anew and was refused. It would do so again with every further
 * call, so there must be none.
 */
export function endsSession({ http }: Failure): boolean {
  return http.signIn === true && isRefusal(http.status);
}

function isRefusal(status: number | undefined): boolean {
  return status === 400 || status === 401 || status === 403 || status === 404;
}

/** Why any other call failed. */
export function callError(failure: Failure): AppError {
  const known = general(failure);
  if (known) return known;
  const { message } = parse(failure.text);
  const { status } = failure.http;
  if (endsSession(failure) || status === 401 || /failed to authenticate|not authenticated/.test(message)) {
    return error("denied", "1Password no longer accepts the service account token", {
      hint: "it was revoked or has expired: make a new one",
    });
  }
  if (status === 403) return error("denied", "1Password does not allow this token to read that");
  if (status === 404 || /couldn't be found/.test(message)) {
    return error("not-found", "1Password does not have it any more");
  }
  if (/files larger than \d+ ?MB/.test(message)) {
    return error("unsupported", "the file is larger than the SDK can read (50 MB)");
  }
  return error("unknown", `1Password's SDK failed: ${message}`);
}

/** The meanings that are the same for every call. */
function general(failure: Failure): AppError | undefined {
  const { status, network, retryAfter } = failure.http;
  const { name, message } = parse(failure.text);
  const wait = retryAfter === undefined ? {} : { retryAfter };
  if (status === 429 || name === "RateLimitExceeded" || /rate limit exceeded/.test(message)) {
    return error("quota", "1Password's quota for this account or token is used up", {
      hint:
        "wait for it to renew (hourly for a token, daily for the account); a new token does not help with the daily one",
      ...wait,
    });
  }
  if (network !== undefined) {
    return error("transient", `cannot reach 1Password: ${network}`, {
      hint: /certificate|UnknownIssuer/i.test(network)
        ? "an authority of your own must be in the system's store, or name its file in the environment: DENO_CERT=/path/ca.pem"
        : "check the network, a proxy or firewall, and https://status.1password.com",
    });
  }
  if (status !== undefined && (status >= 500 || status === 408)) {
    return error("transient", `1Password answers with an error of its own (HTTP ${status})`, {
      hint: "see https://status.1password.com and try again later",
      ...wait,
    });
  }
  return undefined;
}

/** The worker itself ended: the core panicked or ran out of memory. */
export function workerError(text: string): AppError {
  return error("unknown", `1Password's SDK ended unexpectedly: ${text.slice(0, 200)}`);
}

function error(
  code: ConstructorParameters<typeof AppError>[0],
  message: string,
  details: ErrorDetails = {},
): AppError {
  return new AppError(code, message, { ...details, origin: "source" });
}

function parse(text: string): { name: string; message: string } {
  try {
    const { name, message } = JSON.parse(text);
    return { name: String(name), message: String(message).slice(0, 300) };
  } catch {
    return { name: "", message: text.slice(0, 300) };
  }
}
