import { AppError, cancellation, type ErrorCode, isAppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import { wrappedError } from "../../../src/destination/errors.ts";
import { refusal } from "../../../src/destination/http/refusal.ts";
import { Refused, strange } from "./transport.ts";

/** What Azure's own words mean, where the status does not tell. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  __proto__: null as never,
  ContainerNotFound: "misconfigured",
  ContainerDisabled: "misconfigured",
  ResourceNotFound: "misconfigured",
  InvalidResourceName: "misconfigured",
  AccountIsDisabled: "denied",
  ContainerBeingDeleted: "transient",
  AccountBeingCreated: "transient",
  ResourceTypeMismatch: "already-exists",
  BlobNotFound: "not-found",
  BlobAlreadyExists: "already-exists",
  ConditionNotMet: "already-exists",
  InvalidBlobType: "already-exists",
  // Said of a name that is taken to who may only create.
  UnauthorizedBlobOverwrite: "already-exists",
  BlobImmutableDueToPolicy: "denied",
  BlobImmutableDueToLegalHold: "denied",
  LeaseIdMissing: "denied",
  SnapshotsPresent: "denied",
  AuthenticationFailed: "denied",
  AuthorizationFailure: "denied",
  InvalidAuthenticationInfo: "denied",
  NoAuthenticationInformation: "denied",
  KeyBasedAuthenticationNotPermitted: "denied",
  PublicAccessNotPermitted: "denied",
  // In the archive tier, or on its way out of it.
  BlobArchived: "unsupported",
  BlobBeingRehydrated: "unsupported",
  // What arrived is not what was sent.
  Md5Mismatch: "transient",
  IncompleteBody: "transient",
  InternalError: "transient",
  OperationTimedOut: "transient",
  ServerBusy: "transient",
  RequestBodyTooLarge: "quota",
  BlockCountExceedsLimit: "quota",
  InvalidBlobOrBlock: "misconfigured",
  InvalidBlockList: "misconfigured",
};

/** What keeps a blob from being removed, in our words. */
const LOCKS: Readonly<Record<string, string>> = {
  __proto__: null as never,
  BlobImmutableDueToPolicy: "a policy locks it",
  BlobImmutableDueToLegalHold: "a legal hold locks it",
  LeaseIdMissing: "somebody holds a lease on it",
  SnapshotsPresent: "it has snapshots",
};

/** What the translation has to know of the request. */
export interface Asked {
  /** For sentences: a key, or `the container "x"`. */
  what: string;
  /** For sentences: `the container "x"`. */
  place: string;
  /** The permission of a shared access signature that it takes, a letter. */
  needs: string;
  /** What the shared access signature says of itself; undefined where there is none. */
  sas: URLSearchParams | undefined;
  signal: AbortSignal;
  now: Date;
}

/** Whatever a call of the library threw, as an error of ours. */
export function translated(error: unknown, asked: Asked): unknown {
  if (asked.signal.aborted) return cancellation(asked.signal);
  if (error instanceof Refused) return judged(error, asked);
  // A success that the library could make nothing of.
  return wrappedError(error) ?? strange("came in place of the service's answer");
}

/** Whether the service has said one of `codes`. */
export function isRefusal(error: unknown, ...codes: string[]): boolean {
  return isAppError(error) && error.cause instanceof Refused &&
    codes.includes(error.cause.problem.code ?? "");
}

/** Whether the service has refused with one of `statuses`, and said nothing that has a meaning here. */
export function isUnknownTo(error: unknown, ...statuses: number[]): boolean {
  if (!isAppError(error) || !(error.cause instanceof Refused)) return false;
  return statuses.includes(error.cause.status) && CODES[error.cause.problem.code ?? ""] === undefined;
}

/** The error about something that is stored and that `why` keeps from being removed. */
export function locked(what: string, why: string, cause?: unknown): AppError {
  return new AppError("denied", `${quoted(what)} is locked against removal: ${why}`, { cause });
}

function judged(refused: Refused, asked: Asked): AppError {
  const { status, headers, problem } = refused, { what, place, now } = asked;
  const code = problem.code ?? "", lock = LOCKS[code];
  if (lock !== undefined) return locked(what, lock, refused);
  // Without a word of Azure a 404 is one of whoever answers there.
  const statuses = { 404: "misconfigured" } as const;
  const error = refusal(status, headers, problem, { what, place, now, codes: CODES, statuses });
  const hint = hintOf(error, refused, asked);
  return new AppError(error.code, error.message, {
    cause: refused,
    ...(hint === undefined ? {} : { hint }),
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
  });
}

/** What to do about a container that cannot lock. */
export const LOCK_HINT =
  "switch on version-level immutability for the container or the account, which also keeps versions";

/** What to do about a refusal. */
function hintOf(error: AppError, { status, problem }: Refused, asked: Asked): string | undefined {
  if (/^Blob(Archived|BeingRehydrated)$/.test(problem.code ?? "")) {
    return "move it to an online tier (hot, cool, cold) first";
  }
  if (problem.code === "BlockCountExceedsLimit") return "Azure drops unfinished uploads after a week";
  if (error.code === "misconfigured" && status === 404) {
    return problem.code === undefined
      ? 'what answers there is no Azure Blob Storage: check "account" and "endpoint"'
      : 'create it, or check "account" and "container"';
  }
  if (error.code !== "denied" || /clock/.test(error.hint ?? "")) return error.hint;
  return asked.sas
    ? sasHint(asked.sas, asked)
    : problem.code === "AuthorizationPermissionMismatch"
    ? ROLE_HINT
    : error.hint;
}

const ROLE_HINT = "give the identity the role Storage Blob Data Contributor on the container";

/** A shared access signature says in clear what it allows and how long; nobody sees it in its address at a glance. */
function sasHint(sas: URLSearchParams, { needs, now }: Asked): string {
  const [from, until] = ["st", "se"].map((name) => new Date(sas.get(name) ?? Number.NaN));
  if (until && until < now) return `the shared access signature has expired on ${day(until)}: make a new one`;
  if (from && from > now) return `the shared access signature is not valid before ${day(from)}`;
  const allows = sas.get("sp") ?? "";
  if (/^[a-z]+$/.test(allows) && !allows.includes(needs)) {
    return `the shared access signature allows "${allows}", and this needs "${needs}"`;
  }
  return "check the shared access signature, what it allows, and whether it was revoked";
}

function day(moment: Date): string {
  return `${moment.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
