import { AppError, cancellation, type ErrorCode, isAppError } from "../../../src/base/errors.ts";
import { wrappedError } from "../../../src/destination/errors.ts";
import { refusal } from "../../../src/destination/http/refusal.ts";
import { inOurVoice, scrubbed } from "../../../src/destination/scrub.ts";
import { Refused } from "./handler.ts";

/** What S3's own words mean, where the status does not tell. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  __proto__: null as never,
  NoSuchBucket: "misconfigured",
  InvalidBucketName: "misconfigured",
  NoSuchKey: "not-found",
  NoSuchVersion: "not-found",
  // Given up by somebody else, or completed by a request whose answer was lost: looking again tells.
  NoSuchUpload: "transient",
  ConditionalRequestConflict: "transient",
  OperationAborted: "transient",
  InternalError: "transient",
  SlowDown: "transient",
  ServiceUnavailable: "transient",
  RequestTimeout: "transient",
  // What arrived is not what was sent.
  BadDigest: "transient",
  IncompleteBody: "transient",
  XAmzContentSHA256Mismatch: "transient",
  // Also where they come after a 200.
  PreconditionFailed: "already-exists",
  AccessDenied: "denied",
  InvalidAccessKeyId: "denied",
  SignatureDoesNotMatch: "denied",
  InvalidToken: "denied",
  ExpiredToken: "denied",
  ExpiredTokenException: "denied",
  TokenRefreshRequired: "denied",
  InvalidIdentityToken: "denied",
  RequestTimeTooSkewed: "denied",
  RequestExpired: "denied",
  AuthorizationHeaderMalformed: "misconfigured",
  IllegalLocationConstraintException: "misconfigured",
  ObjectLockConfigurationNotFoundError: "unsupported",
  NotImplemented: "unsupported",
  InvalidObjectState: "unsupported",
  EntityTooLarge: "quota",
};

/** What the translation has to know of the request. */
export interface Asked {
  /** For sentences: a key, or `the bucket "x"`. */
  what: string;
  /** For sentences: `the bucket "x"`. */
  place: string;
  /** The answer to it has no body, so its 404 has no word that says what is missing. */
  bodiless: boolean;
  signal: AbortSignal;
  now: Date;
  region: string;
}

/** Whatever a call of the library threw, as an error of ours. */
export function translated(error: unknown, asked: Asked): unknown {
  if (asked.signal.aborted) return cancellation(asked.signal);
  if (error instanceof Refused) return hinted(judged(error, asked), error, asked);
  return wrappedError(error) ?? notUnderstood(error);
}

/** Whether the service has said `code`. */
export function isRefusal(error: unknown, code: string): boolean {
  return isAppError(error) && error.cause instanceof Refused && error.cause.problem.code === code;
}

function judged(refused: Refused, { what, place, bodiless, now }: Asked): AppError {
  const { status, headers, problem } = refused;
  const said = `${problem.code} ${problem.message}`;
  // Without a word of S3 a 404 is one of whoever answers there.
  const statuses = { 404: bodiless ? "not-found" : "misconfigured" } as const;
  const codes = /Object ?Lock|unsupported header|functionality that is not implemented/i.test(said)
    ? { ...CODES, InvalidRequest: "unsupported", InvalidArgument: "unsupported" } as const
    : CODES;
  return refusal(status, headers, problem, { what, place, now, codes, statuses });
}

/** The error with what to do about it. */
function hinted(error: AppError, refused: Refused, { what, region, bodiless }: Asked): AppError {
  const { status, headers, problem } = refused;
  const again = (hint: string, code = error.code, message = error.message) =>
    new AppError(code, message, {
      hint,
      cause: refused,
      ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
    });
  const home = headers.get("x-amz-bucket-region");
  if (home !== null && /^[a-z0-9-]{1,40}$/.test(home) && home !== region && status < 500) {
    return again(
      `set "region: ${home}"`,
      "misconfigured",
      `the bucket is in the region "${home}", not in "${region}" (${status})`,
    );
  }
  const said = `${problem.code} ${problem.message}`;
  if (problem.code === "AuthorizationHeaderMalformed") return again('check "region"');
  if (problem.code === "NoSuchBucket") return again('check "bucket", "region" and "endpoint"');
  if (error.code === "unsupported" && /x-amz-(sdk-)?checksum/i.test(said)) {
    return again('the service does not know this checksum: set "checksums: md5"');
  }
  if (problem.code === "NotImplemented" && /header/i.test(said)) {
    return again(
      'if the service does not know If-None-Match, set "conditionalWrites: false"; if it knows no SHA-256 checksums, "checksums: md5"',
    );
  }
  if (/Object ?Lock/i.test(said) && error.code === "unsupported") return again(LOCK_HINT);
  if (error.code === "misconfigured" && status === 404) {
    return again('what answers there is no S3 service: check "endpoint"');
  }
  if (error.code === "denied" && status === 403 && !/clock/.test(error.hint ?? "")) {
    return again(
      bodiless
        ? `check the access key and what it may do; without s3:ListBucket this is also said when ${what} is absent`
        : "check the access key and what it may do: s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject",
    );
  }
  return new AppError(error.code, error.message, {
    cause: refused,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
  });
}

/** What to do about a bucket that cannot lock. */
export const LOCK_HINT =
  "Object Lock is switched on for a bucket, best when it is made; or leave immutableFor out";

/** Names of errors that come from no answer. */
const LOCAL: ReadonlySet<string> = new Set(["TypeError", "RangeError", "NotCapable"]);

/** A success that the library could make nothing of; or what kept it from asking at all, which is no better later. */
function notUnderstood(cause: unknown): AppError {
  if (cause instanceof Error && LOCAL.has(cause.name) && !("$response" in cause)) {
    const said = inOurVoice(scrubbed(cause.message));
    return new AppError("unknown", `the request could not be made: ${said}`, { cause });
  }
  return new AppError("transient", "the service's answer makes no sense", { cause });
}
