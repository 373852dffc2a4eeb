import { AppError, type ErrorDetails } from "../../../src/base/errors.ts";
import type { FailedRequest, Failure } from "./protocol.ts";
import { isRefusal } from "./requests.ts";

/** What the core's failures mean, which depends on who signs in. */
export interface Meanings {
  /** Why a sign-in failed; `denied` is final. */
  signIn(failure: Failure): AppError;
  /** Why any other call failed. */
  call(failure: Failure): AppError;
  /** Whether a call failed because nobody is signed in any more: every other one would fail the same way. */
  endsSession(failure: Failure): boolean;
}

/**
 * What the core's failures mean with a service account token. HTTP's status decides where there is one, because the
 * core's texts mislead: any network or TLS failure reads "authentication error".
 */
export const tokenMeanings: Meanings = { signIn: signInError, call: callError, endsSession };

/** Why a sign-in failed. Never `transient` for a refusal: each further try costs the whole account's quota. */
function signInError(failure: Failure): AppError {
  const { status } = requestOf(failure);
  const { name, message } = said(failure.text);
  if (name === "ServiceAccountTokenParsing" || name === "InvalidConfiguration") {
    return sourceError("denied", "the 1Password token is not a service account token (damaged or cut off?)", {
      hint: 'a token begins with "ops_" and is one long line: copy it again from where it was saved',
    });
  }
  if (isRefusal(status)) {
    return sourceError(
      "denied",
      "1Password refused the sign-in: the service account token is wrong, expired or revoked",
      {
        hint: "make a new service account in 1Password and put its token where the config's token: points",
      },
    );
  }
  return general(failure) ?? sourceError("denied", `1Password refused the sign-in: ${message}`, {
    hint: "check the service account token; vaultferry does not try again by itself",
  });
}

/**
 * Whether a call failed because the core signed in anew and was refused. It would do so again with every further
 * call, so there must be none.
 */
function endsSession(failure: Failure): boolean {
  return failure.requests.some(isRefusedSignIn);
}

function isRefusedSignIn({ signIn, status }: FailedRequest): boolean {
  return signIn === true && isRefusal(status);
}

/** Why any other call failed. */
function callError(failure: Failure): AppError {
  const known = general(failure);
  if (known) return known;
  const { message } = said(failure.text);
  if (
    endsSession(failure) || requestOf(failure).status === 401 ||
    /failed to authenticate|not authenticated/.test(message)
  ) {
    return sourceError("denied", "1Password no longer accepts the service account token", {
      hint: "it was revoked or has expired: make a new one",
    });
  }
  return lackingError(failure, "1Password does not allow this token to read that");
}

/** The meanings that have to do with what was asked for, not with who asks or how. */
export function lackingError(failure: Failure, forbidden: string): AppError {
  const { message } = said(failure.text);
  const { status } = requestOf(failure);
  if (status === 403) return sourceError("denied", forbidden);
  if (status === 404 || /couldn't be found/.test(message)) {
    return sourceError("not-found", "1Password does not have it any more");
  }
  if (/files larger than \d+ ?MB/.test(message)) {
    return sourceError("unsupported", "the file is larger than the SDK can read (50 MB)");
  }
  return sourceError("unknown", `1Password's SDK failed: ${message}`);
}

/** The meanings that are the same for every call. */
export function general(failure: Failure): AppError | undefined {
  const { status, network, retryAfter } = requestOf(failure);
  const { name, message } = said(failure.text);
  const wait = retryAfter === undefined ? {} : { retryAfter };
  if (status === 429 || name === "RateLimitExceeded" || /rate limit exceeded/.test(message)) {
    return sourceError("quota", "1Password's quota for this account or token is used up", {
      hint:
        "wait for it to renew (hourly for a token, daily for the account); a new token does not help with the daily one",
      ...wait,
    });
  }
  if (network !== undefined) {
    return sourceError("transient", `cannot reach 1Password: ${network}`, {
      hint: /certificate|UnknownIssuer/i.test(network)
        ? "an authority of your own must be in the system's store, or name its file in the environment: DENO_CERT=/path/ca.pem"
        : "check the network, a proxy or firewall, and https://status.1password.com",
    });
  }
  if (status !== undefined && (status >= 500 || status === 408)) {
    return sourceError("transient", `1Password answers with an error of its own (HTTP ${status})`, {
      hint: "see https://status.1password.com and try again later",
      ...wait,
    });
  }
  return undefined;
}

/**
 * The request to which a call came to grief. Several calls may have been under way: a refused sign-in is that of all
 * of them; else the core's text tells which status it saw; else it was the last one that failed.
 */
function requestOf({ text, requests }: Failure): FailedRequest {
  const refused = requests.find(isRefusedSignIn);
  if (refused) return refused;
  const status = statusIn(said(text));
  if (status === undefined) return requests.at(-1) ?? {};
  return requests.findLast((request) => request.status === status) ?? { status };
}

/** The status of which the core's text tells. That of 401 is not among them: a dead network may read the same. */
function statusIn({ name, message }: { name: string; message: string }): number | undefined {
  if (name === "RateLimitExceeded") return 429;
  for (const [pattern, status] of STATUS_TEXTS) if (pattern.test(message)) return status;
  const other = /unexpected status code in response: ([1-5]\d\d)\b/.exec(message)?.[1];
  return other === undefined ? undefined : Number(other);
}

const STATUS_TEXTS = [
  [/\bbad request\b/, 400],
  [/do not have the right permissions/, 403],
  [/couldn't be found/, 404],
  [/\brequest timeout\b/, 408],
  [/\bdata conflict\b/, 409],
  [/\bInternal server error\b/i, 500],
] as const;

/** The worker itself ended: the core panicked or ran out of memory. */
export function workerError(text: string): AppError {
  return sourceError("unknown", `1Password's SDK ended unexpectedly: ${text.slice(0, 200)}`);
}

export function sourceError(
  code: ConstructorParameters<typeof AppError>[0],
  message: string,
  details: ErrorDetails = {},
): AppError {
  return new AppError(code, message, { ...details, origin: "source" });
}

/** The core's error, which is JSON where the core made it. */
export function said(text: string): { name: string; message: string } {
  try {
    const { name, message } = JSON.parse(text);
    return { name: String(name), message: String(message).slice(0, 300) };
  } catch {
    return { name: "", message: text.slice(0, 300) };
  }
}
