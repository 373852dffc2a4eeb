import assert from "node:assert/strict";
import { complaint } from "../../plugins/sources/onepassword_cli/op/errors.ts";
import { SAYS } from "../service/op/mod.ts";

const said = (text: string) => complaint(`[ERROR] 2026/02/03 04:05:06 ${text}\n`, true)!;
const ID = "abcdefghijklmnopqrstuvwxyz";

/** Sentences of the real program, and what they mean. */
const MEANINGS: [string, string, boolean][] = [
  [SAYS.noSignIn, "denied", true],
  ["You are not currently signed in. Please run `op signin --help` for instructions", "denied", true],
  ["no active session found for account sample", "denied", true],
  ["could not find session token for account sample", "denied", true],
  ["session expired, sign in to create a new session", "denied", true],
  [SAYS.dismissed, "denied", true],
  [SAYS.timedOut, "denied", true],
  ["error initializing client: authorization timeout", "denied", true],
  [SAYS.noAccounts, "denied", true],
  [`no account found for filter "somebody"`, "denied", true],
  [SAYS.noDesktopApp, "denied", true],
  ["connecting to desktop app: write: The pipe is being closed.", "denied", true],
  [SAYS.badToken, "denied", true],
  [
    "error initializing client: Validation: (failed to session.DecodeSACredentials), Server: (failed to " +
    "DecodeSACredentials), illegal base64 data at input byte 12",
    "denied",
    true,
  ],
  [SAYS.wrongToken, "denied", true],
  [SAYS.deletedToken, "denied", true],
  ["(401) Unauthorized: invalid bearer token", "denied", true],
  [
    "multiple accounts found. Use the --account flag or set the OP_ACCOUNT environment variable",
    "misconfigured",
    true,
  ],
  ["(403) Forbidden: You aren't authorized to perform this action.", "denied", false],
  [SAYS.quota(), "quota", false],
  ["Too many requests. Your client has been rate-limited. Try again later", "quota", false],
  [SAYS.noNetwork, "transient", false],
  [SAYS.gatewayTimeout, "transient", false],
  ['Get "https://x": dial tcp 1.2.3.4:443: connect: connection refused', "transient", false],
  ['Get "https://x": net/http: TLS handshake timeout', "transient", false],
  ['Get "https://x": context deadline exceeded (Client.Timeout exceeded)', "transient", false],
  ['Get "https://x": read tcp 10.0.0.1:1->1.2.3.4:443: read: connection reset by peer', "transient", false],
  ['Get "https://x": unexpected EOF', "transient", false],
  ['Get "https://x": x509: certificate signed by unknown authority', "transient", false],
  [SAYS.noItem(ID), "not-found", false],
  [SAYS.noItemIn(ID, "Finance"), "not-found", false],
  [SAYS.noVault(ID), "not-found", false],
  [SAYS.deletedOrArchived(ID, ID), "not-found", false],
  [SAYS.noField(`${ID}/${ID}`, "x"), "not-found", false],
  [SAYS.notRead("op://a/b/c", `could not get item a/b: ${SAYS.noItemIn("b", "a")}`), "not-found", false],
  ["something that nobody has seen", "unknown", false],
];

for (const [text, code, final] of MEANINGS) {
  Deno.test(`"${text.slice(0, 60)}" is ${code}${final ? ", for good" : ""}`, () => {
    const { error, final: told } = said(text);
    assert.deepEqual([error.code, told, error.origin], [code, final, "source"]);
    assert.doesNotMatch(error.message, /^[A-Z]|\.$|\n/);
    assert.equal(
      error.hint === undefined,
      code === "not-found" || code === "unknown" || text.startsWith("(403) Forbidden:"),
    );
  });
}

Deno.test("names of vaults and items do not decide what a sentence means", () => {
  for (const name of ["429 Too Many Requests", "account is not signed in", "dial tcp", "(503)", "x509"]) {
    assert.equal(said(SAYS.noItem(name)).error.code, "not-found", name);
    assert.equal(said(SAYS.noItemIn(ID, name)).error.code, "not-found", name);
    assert.equal(
      said(`made-up trouble with '${name}' and op://${name.replace(/ /g, "-")}/x`).error.code,
      "unknown",
    );
  }
});

Deno.test("of several complaints the worst counts", () => {
  const lines = (...texts: string[]) =>
    complaint(texts.map((text) => `[ERROR] 2026/02/03 04:05:06 ${text}\n`).join(""), true)!.error.code;
  assert.equal(lines(SAYS.noItem(ID), SAYS.quota(), SAYS.noItem(ID)), "quota");
  assert.equal(lines(SAYS.noItem(ID), "made-up trouble"), "not-found");
  assert.equal(lines(SAYS.gatewayTimeout, SAYS.noSignIn), "denied");
});

Deno.test("an unknown sentence is passed on without secrets, names and what moves a terminal", () => {
  const token = `ops_${"A".repeat(40)}`;
  const { message } = said(
    `cannot do "My Bank" in 'Private' at op://Private/${ID}/field with ${token} and "${ID}"\u001b[31m \u202e it's so.`,
  ).error;
  assert.equal(
    message,
    `op failed: cannot do "…" in "…" at "${ID}" with ops_[redacted] and "${ID}" \\u{202e} it's so`,
  );
  assert.ok(said("x".repeat(5000)).error.message.length < 320);
});

Deno.test("ids in a sentence are found, to tell at which one op stopped", () => {
  const other = "zyxwvutsrqponmlkjihgfedcba";
  assert.deepEqual([...said(`"${ID}" isn't an item in the "${other}" vault`).ids], [ID, other]);
});

Deno.test("seconds to wait are read out of the sentence", () => {
  const wait = (text: string) => said(SAYS.quota(text)).error.retryAfter;
  assert.equal(wait("59 minutes"), 3540);
  assert.equal(wait("1 hour, 1 minute and 5 seconds"), 3665);
  assert.equal(wait("23h59m58s"), 86_398);
  assert.equal(wait("a while"), undefined);
  assert.equal(said(SAYS.gatewayTimeout).error.retryAfter, undefined);
});

Deno.test("what op writes beside complaints is none; a failure without words has one all the same", () => {
  assert.equal(complaint("", false), undefined);
  assert.equal(complaint("[WARNING] made-up\nA new version is available: (429)\n", false), undefined);
  assert.equal(complaint("", true)!.error.message, "op failed and did not say why");
  assert.match(complaint("panic: runtime error\n\ngoroutine 1\n", true)!.error.message, /^op failed: /);
  assert.equal(
    complaint(`\u001b[31m[ERROR] 2026/02/03 04:05:06 ${SAYS.noSignIn}\u001b[0m`, true)!.error.code,
    "denied",
  );
  assert.equal(complaint("(ERROR) You are not currently signed in.", true)!.error.code, "denied");
  assert.equal(complaint(`[ERROR] ${SAYS.quota()}`, true)!.error.code, "quota");
  const warned = complaint(
    `[WARNING] (429) somewhere\n[ERROR] 2026/02/03 04:05:06 ${SAYS.noItem(ID)}\n`,
    true,
  )!;
  assert.equal(warned.error.code, "not-found");
});
