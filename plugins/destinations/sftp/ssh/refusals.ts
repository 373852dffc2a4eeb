import { AppError, type ErrorCode } from "../../../../src/base/errors.ts";
import { inOurVoice, scrubbed } from "../../../../src/destination/scrub.ts";
import { wrappedError } from "../../../../src/destination/errors.ts";
import type { Ssh2Error } from "./ssh2.d.ts";

/** Statuses of SFTP; those above 8 are of later versions, and given by servers that speak the common one. */
const STATUSES: Readonly<Record<number, [ErrorCode, string]>> = {
  2: ["not-found", "it does not exist"],
  3: ["denied", "permission denied"],
  6: ["transient", "the server has lost what it stores on"],
  7: ["transient", "the server has lost what it stores on"],
  8: ["unsupported", "the server does not offer it"],
  11: ["already-exists", "it exists already"],
  12: ["denied", "the file system is read-only"],
  13: ["transient", "nothing is mounted there"],
  14: ["quota", "there is no space left"],
  15: ["quota", "the quota is used up"],
};

/** The status for everything that has none of its own: no space left, a taken name … */
export const FAILURE = 4;
/** The status after the last name, and after the last byte. */
export const END = 1;

/** The status that the server gave; undefined for errors of another kind. */
export function statusOf(error: unknown): number | undefined {
  const cause = error instanceof AppError ? error.cause : error;
  const code = cause instanceof Error ? (cause as Ssh2Error).code : undefined;
  return typeof code === "number" ? code : undefined;
}

/** What the answer to a request means; `task` says what was asked for. */
export function requestError(cause: Ssh2Error, task: string): AppError {
  const known = wrappedError(cause);
  if (known) return known;
  const status = statusOf(cause);
  const said = inOurVoice(scrubbed(cause.message));
  if (status === undefined) {
    return new AppError("transient", `the connection was lost before the answer to: ${task}`, { cause });
  }
  const [code, words] = STATUSES[status] ?? ["unknown", `the server says "${said}" and no more`];
  return new AppError(code, `cannot ${task}: ${words}`, { cause });
}

/** What is known when a connection did not come about. */
export interface Attempt {
  /** `"host:port"` */
  peer: string;
  username: string;
  /** The first bytes that came. */
  greeting: string;
  /** Methods to sign in that the server takes. */
  offered: readonly string[];
  /** Why the agent was of no use. */
  agentProblem: AppError | undefined;
}

/** Why a connection did not come about. */
export function connectError(cause: Ssh2Error | undefined, attempt: Attempt): AppError {
  const { peer, username, greeting, agentProblem, offered } = attempt;
  const known = wrappedError(cause);
  if (known) return known;
  const of = (code: ErrorCode, sentence: string, hint?: string) =>
    new AppError(code, sentence, { cause, ...(hint === undefined ? {} : { hint }) });
  const message = cause?.message ?? "";
  if (greeting !== "" && !/^SSH-/m.test(greeting)) return notSsh(attempt, cause);
  if (/authentication methods failed|too many authentication failures/i.test(message)) {
    if (agentProblem) return agentProblem;
    const methods = offered.length === 0 ? "" : `; it takes: ${offered.join(", ")}`;
    return of(
      "denied",
      `${peer} does not let "${username}" in with these credentials`,
      `check the user, the key or password, and authorized_keys on the server${methods}`,
    );
  }
  if (/^error (?:while )?signing/i.test(message)) {
    return of(
      "misconfigured",
      "nothing can be signed with the private key",
      "ssh-keygen -t ed25519 makes another one",
    );
  }
  if (/no matching/.test(message)) {
    const kind = message.replace(/^.*no matching /, "");
    return of(
      "misconfigured",
      `${peer} and we find no common ${kind}`,
      "the server's SSH is too old or too narrow",
    );
  }
  if (/subsystem|exit code|SFTP session termination|administratively/i.test(message)) {
    return of(
      "misconfigured",
      `${peer} lets "${username}" in and gives no SFTP`,
      "the server needs: Subsystem sftp internal-sftp",
    );
  }
  if (cause?.level === "sftp-protocol") {
    return of(
      "misconfigured",
      `${peer} answers in something else than SFTP`,
      "a login script of this user that prints something is in the way",
    );
  }
  if (/password change/.test(message)) {
    return of(
      "denied",
      `${peer} wants a new password for "${username}"`,
      "sign in by hand once to change it",
    );
  }
  const why = message === "" || cause?.level === "protocol" ? "" : `: ${inOurVoice(scrubbed(message))}`;
  return of("transient", `${peer} broke off the connection${why}`);
}

/** Something else answered than SSH, or SSH that has no time for us. */
function notSsh({ peer, greeting }: Attempt, cause: unknown): AppError {
  if (/MaxStartups|not allowed at this time|too many|try again|busy/i.test(greeting)) {
    return new AppError("transient", `${peer} takes no more connections at the moment`, { cause });
  }
  return new AppError("misconfigured", `${peer} does not speak SSH`, {
    cause,
    hint: 'check "host" and "port"; a captive portal or a proxy may answer there',
  });
}
