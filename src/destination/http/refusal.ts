import { AppError, type ErrorCode, type ErrorDetails } from "../../base/errors.ts";
import { quoted } from "../../base/safe_names.ts";
import { inOurVoice, scrubbed } from "../scrub.ts";
import { type Problem, readProblem } from "./problem.ts";

/** What {@linkcode refusalOf} has to know of the request. */
export interface RefusalContext {
  /** What was asked for, for sentences: a key, or `the bucket "x"`. */
  what: string;
  /** What everything is in, for sentences: `the bucket "x"`. */
  place: string;
  /** This machine's idea of the time. */
  now: Date;
  /**
   * What this service's own words mean (`NoSuchBucket: "misconfigured"`), where the status alone does not tell. They
   * go before everything else.
   */
  codes?: Readonly<Record<string, ErrorCode>>;
  /** What a status means in this place, where that is not what it means elsewhere. */
  statuses?: Readonly<Record<number, ErrorCode>>;
}

/**
 * The error that an answer stands for which is no success; reads its body, at most a little of it. Whoever expects a
 * status (404 of a look, 308 of a session, 412 of a condition) asks for it first.
 */
export async function refusalOf(answer: Response, context: RefusalContext): Promise<AppError> {
  return refusal(answer.status, answer.headers, await readProblem(answer), context);
}

/** The same, of what a library has kept of an answer. */
export function refusal(
  status: number,
  headers: Headers,
  problem: Problem,
  context: RefusalContext,
): AppError {
  const { code, message } = problem;
  const said = [code, message && inOurVoice(scrubbed(message))].filter((one) => one).join(": ");
  const kind = context.codes?.[code ?? ""] ?? context.statuses?.[status] ??
    meaning(status, `${code} ${message}`);
  const after = retryAfterOf(headers, context.now);
  const details: ErrorDetails = after === undefined ? {} : { retryAfter: after };
  const hint = hintOf(kind, code, skewOf(headers, context.now));
  if (hint !== undefined) details.hint = hint;
  return new AppError(kind, sentence(kind, status, context, said), details);
}

/** A clock that is wrong looks like credentials that are: signatures hold the time. */
function hintOf(kind: ErrorCode, code: string | undefined, skew: number | undefined): string | undefined {
  const told = /Skew/i.test(code ?? "");
  if (skew !== undefined && (told || kind === "denied")) {
    const minutes = Math.abs(Math.round(skew / 60));
    return `the clock of this machine is ${minutes} minutes ${skew > 0 ? "ahead" : "behind"}: set it right`;
  }
  if (told) return "the clock of this machine is wrong: set it right";
  return kind === "denied"
    ? "check the credentials, what they allow, and whether they have expired"
    : undefined;
}

/** What a status means; a service that says 403 when it means "too fast" or "full" is told by its words. */
function meaning(status: number, words: string): ErrorCode {
  if (status === 408 || status === 425 || status === 429) return "transient";
  if (/rateLimitExceeded|SlowDown|TooManyRequests|ServerBusy|RequestTimeout\b/i.test(words)) {
    return "transient";
  }
  if (/quota|insufficient.?(storage|space)|storage.?full|no space left/i.test(words)) return "quota";
  switch (status) {
    case 401:
    case 403:
      return "denied";
    case 404:
    case 410:
      return "not-found";
    case 409:
    case 412:
      return "already-exists";
    case 413:
    case 507:
      return "quota";
    case 405:
    case 501:
    case 505:
      return "unsupported";
    case 407:
      return "misconfigured";
    case 423: // locked by another client
      return "transient";
    default:
      if (status >= 500) return "transient";
      return status < 400 ? "misconfigured" : "unknown";
  }
}

function sentence(kind: ErrorCode, status: number, { what, place }: RefusalContext, said: string): string {
  const answer = said === "" ? `${status}` : `${status} ${said}`;
  const about = /["\s]/.test(what) ? what : quoted(what);
  switch (kind) {
    case "denied":
      return status === 401
        ? `the service does not accept the credentials (${answer})`
        : `the credentials do not allow this for ${about} (${answer})`;
    case "not-found":
      return `there is no ${about}`;
    case "already-exists":
      return `${about} exists already`;
    case "misconfigured":
      return status === 404
        ? `${place} does not exist (${answer})`
        : `the service cannot do this for ${about} (${answer})`;
    case "quota":
      return status === 413
        ? `the service takes no file as large as ${about} (${answer})`
        : `there is no space left for ${about} (${answer})`;
    case "transient":
      return `the service cannot do it now (${answer})`;
    default:
      return `the service refused ${about} (${answer})`;
  }
}

/** Seconds after which another try makes sense, from `Retry-After` as a number or a date; undefined without one. */
export function retryAfterOf(headers: Headers, now: Date): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (!text) return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : (Date.parse(text) - now.getTime()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}

/** Seconds by which this machine is ahead of the server; undefined where it is less than four minutes, or unknown. */
function skewOf(headers: Headers, now: Date): number | undefined {
  const seconds = (now.getTime() - Date.parse(headers.get("date") ?? "")) / 1000;
  return Math.abs(seconds) >= 240 ? seconds : undefined;
}

/**
 * Throws `transient` on a web page in the place of a service's answer, whose status says nothing then: what stands
 * between (a captive portal, a proxy that wants a login) answers 200 to an upload. For services that never say HTML.
 */
export function refuseWebPage(answer: Response): void {
  if (!/^\s*text\/html/i.test(answer.headers.get("content-type") ?? "")) return;
  answer.body?.cancel().catch(() => {});
  throw new AppError("transient", `a web page (${answer.status}) came in place of the service's answer`, {
    hint: "a captive portal or a proxy that wants a login may stand between",
  });
}
