import { AppError, type ErrorCode, type ErrorDetails } from "../../../../src/base/errors.ts";
import { printable } from "../../../../src/base/safe_names.ts";
import { redact } from "../../../../src/base/secret.ts";

/** An error of this source. */
export function opFailure(code: ErrorCode, message: string, details: ErrorDetails = {}): AppError {
  return new AppError(code, message, { ...details, origin: "source" });
}

interface Meaning {
  code: ErrorCode;
  message: string;
  hint?: string;
  /** Whether every further call would be refused as well, so that there must be none. */
  final?: true;
}

const SIGN_IN =
  'unlock the 1Password app and allow it to serve the 1Password CLI (Settings > Developer), or run "op signin"; ' +
  "for a timer name a service account's token in the config (token:)";

/**
 * What `op` says, and what it means. `op` has one exit code for everything, so its sentences decide; only their steady
 * parts are looked for, because whole sentences change from version to version. The worst comes first.
 */
const MEANINGS: readonly (readonly [RegExp, Meaning])[] = [
  [
    /DecodeSACredentials|DeserializeServiceAccount|service account token (?:is )?(?:invalid|not valid)|invalid service account token/i,
    {
      code: "denied",
      message: "the 1Password token is not a service account token (damaged or cut off?)",
      hint: 'a token begins with "ops_" and is one long line: copy it again from where it was saved',
      final: true,
    },
  ],
  [
    /Service Account Deleted|credentials are not compatible|\(401\)|\bUnauthorized\b|invalid bearer token|token set, but not authenticated/i,
    {
      code: "denied",
      message:
        "1Password refused the sign-in: the service account token or the session is wrong, expired or revoked",
      hint: "sign in again, or make a new service account and put its token where the config's token: points",
      final: true,
    },
  ],
  [
    /prompt dismissed|authorization (?:was )?denied|authorization timeout/i,
    {
      code: "denied",
      message: "nobody allowed op to use the 1Password app when it asked",
      hint: "run it again and answer the question of the 1Password app",
      final: true,
    },
  ],
  [
    /(?:not (?:currently )?signed in|no active session|(?:find|no) session token|session (?:has )?expired)/i,
    { code: "denied", message: "op is not signed in to 1Password", hint: SIGN_IN, final: true },
  ],
  [
    /no accounts? (?:configured|found)|found no accounts?/i,
    { code: "denied", message: "op knows no 1Password account", hint: SIGN_IN, final: true },
  ],
  [
    /connecting to desktop app|desktop app (?:is not|isn't)/i,
    { code: "denied", message: "op cannot reach the 1Password app", hint: SIGN_IN, final: true },
  ],
  [
    /multiple accounts found|more than one account/i,
    {
      code: "misconfigured",
      message: "op is signed in to several 1Password accounts",
      hint: 'say which one with account: in the config ("op account list" shows them)',
      final: true,
    },
  ],
  [
    /\(429\)|too many requests|rate[- ]?limit/i,
    {
      code: "quota",
      message: "1Password's quota for this account or token is used up",
      hint:
        "wait for it to renew (hourly for a token, daily for the account); a new token does not help with the daily one",
    },
  ],
  [
    /x509|certificate/i,
    {
      code: "transient",
      message: "cannot reach 1Password: its certificate is not trusted here",
      hint: "op trusts the system's certificates: an authority of your own must be among them",
    },
  ],
  [
    /\(5\d\d\)|internal server error|bad gateway|service unavailable/i,
    {
      code: "transient",
      message: "1Password answers with an error of its own",
      hint: "see https://status.1password.com and try again later",
    },
  ],
  [
    /dial (?:tcp|udp)|no such host|i\/o timeout|connection (?:refused|reset|timed out)|TLS handshake|network is (?:unreachable|down)|deadline exceeded|(?:unexpected )?EOF\b|request timed? ?out|proxyconnect|no route to host/i,
    {
      code: "transient",
      message: "op cannot reach 1Password",
      hint: "check the network, a proxy or firewall, and https://status.1password.com",
    },
  ],
  [/\(403\)|\bForbidden\b|don't have permission|do not have permission|access denied/i, {
    code: "denied",
    message: "1Password does not allow this account to read that",
  }],
  [
    /isn't an? (?:item|vault|document|field|file)|could(?:n't| not) find (?:item|vault|the item|the vault)|does not have a (?:field|file)|\(404\)|no (?:item|vault) (?:matching|found)/i,
    { code: "not-found", message: "1Password does not have it, or does not show it to this account" },
  ],
];

/** What `op` wrote to its standard error, understood. */
export interface Complaint {
  error: AppError;
  /** Whether no further call makes sense: each would be refused, and may cost the whole account's quota. */
  final: boolean;
  /** Everything that looks like an id in it. */
  ids: ReadonlySet<string>;
}

/** The worst of what `op` says; undefined when it complains of nothing. `failed`: it had an exit code that says so. */
export function complaint(stderr: string, failed: boolean): Complaint | undefined {
  const said = sentences(stderr, failed);
  if (said.length === 0) {
    if (!failed) return undefined;
    return { error: opFailure("unknown", "op failed and did not say why"), final: false, ids: new Set() };
  }
  const ids = new Set(said.join(" ").match(/\b[a-z0-9]{26}\b/g) ?? []);
  // Names of vaults and items may say anything; what op itself says stands outside quotes.
  const plain = said.map((sentence) => sentence.replace(QUOTED, '""'));
  for (const [pattern, { code, message, hint, final }] of MEANINGS) {
    const at = plain.findIndex((sentence) => pattern.test(sentence));
    if (at < 0) continue;
    const wait = code === "quota" ? retryAfter(plain[at]!) : undefined;
    return {
      error: opFailure(code, message, {
        ...(hint === undefined ? {} : { hint }),
        ...(wait === undefined ? {} : { retryAfter: wait }),
      }),
      final: final === true,
      ids,
    };
  }
  return { error: opFailure("unknown", `op failed: ${shown(said.at(-1)!)}`), final: false, ids };
}

/** Texts in quotes; apostrophes within words are none. */
const QUOTED = /"[^"]*"|(?<![\p{L}\p{N}])'[^']*'|op:\/\/\S*/gu;

/** What `op` complains of, without time and mark; anything at all when it failed without complaining in its usual form. */
function sentences(stderr: string, failed: boolean): string[] {
  // deno-lint-ignore no-control-regex -- colours, where something makes op believe that it writes to a terminal
  const lines = stderr.replace(/\u001b\[[0-9;]*m/g, "").split(/\r?\n/).map((line) => line.trim());
  const marked = lines.flatMap((line) => {
    const said = /^[[(]ERROR[\])](?: \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d)? *(.*)$/.exec(line)?.[1];
    return said === undefined ? [] : [said];
  });
  if (marked.length > 0) return marked;
  return failed ? lines.filter((line) => line !== "").slice(-3) : [];
}

/** A sentence for people: no secret, no title and no file name, only ids in quotes. */
function shown(sentence: string): string {
  const nameless = sentence.replace(QUOTED, (quoted) => {
    const id = /\b[a-z0-9]{26}\b/.exec(quoted)?.[0];
    return id === undefined ? '"…"' : `"${id}"`;
  });
  return printable(redact(nameless)).slice(0, 300).replace(/[.\s]+$/, "");
}

/** Seconds, of "Please retry in 1 hour, 59 minutes". */
function retryAfter(sentence: string): number | undefined {
  const wait = /retry (?:in|after) (.*)/i.exec(sentence)?.[1] ?? "";
  let seconds = 0;
  for (const [, count, unit] of wait.matchAll(/(\d+) ?(hour|minute|second|[hms](?![a-z]))/gi)) {
    seconds += Number(count) * { h: 3600, m: 60, s: 1 }[unit![0]!.toLowerCase() as "h" | "m" | "s"];
  }
  return seconds > 0 ? seconds : undefined;
}
