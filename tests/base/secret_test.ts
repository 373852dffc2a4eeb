import assert from "node:assert/strict";
import { inspect } from "node:util";
import { redact, REDACTED, Secret } from "../../src/base/secret.ts";
import { newIdentity } from "../../src/custody/identities.ts";

const VALUE = "correct-horse-battery-staple";

Deno.test("a secret prints as redacted, however it is printed", () => {
  const secret = new Secret(VALUE);
  const printed = [
    String(secret),
    `${secret}`,
    "" + secret,
    JSON.stringify(secret),
    JSON.stringify({ deep: [secret] }),
    Deno.inspect(secret),
    Deno.inspect({ deep: { deeper: [secret] } }, { depth: 10, showHidden: true, showProxy: true }),
    inspect(secret),
    inspect({ secret }, { showHidden: true, depth: null }),
    Object.entries(secret).join(),
    Object.getOwnPropertyNames(secret).join(),
    new Error(`token ${secret}`).message,
    [secret].join(),
  ];
  for (const text of printed) assert.ok(!text.includes(VALUE), text);
  for (const text of [String(secret), Deno.inspect(secret), inspect(secret)]) assert.equal(text, REDACTED);
  assert.equal(JSON.stringify({ secret }), `{"secret":"${REDACTED}"}`);
  assert.equal(secret.reveal(), VALUE);
});

Deno.test("a secret that is copied as data loses its value", () => {
  const copy = structuredClone({ ...new Secret(VALUE) });
  assert.ok(!Deno.inspect(copy).includes(VALUE));
});

const HIDDEN: [string, string, string][] = [
  ["an SDK token", "ops_eyJzaWduSW5BZGRyZXNzIjoi", "denied for ops_eyJzaWduSW5BZGRyZXNzIjoi"],
  ["a token with base64's other characters", "AbC+/dEf0123456789", "ops_AbC+/dEf0123456789=="],
  ["a SAS signature", "aB3%2Fx%3D", "https://a.blob.core.windows.net/c/b?sv=2024&sig=aB3%2Fx%3D&se=2026"],
  ["a SAS that begins with its signature", "aB3%2Fx%3D", "sig=aB3%2Fx%3D&sv=2024"],
  ["a SAS in quotes", "aB3%2Fx%3D", 'bad SAS "sig=aB3%2Fx%3D&sv=2024"'],
  ["an S3 signature", "deadbeef00", "https://s3/x?X-Amz-Date=1&X-Amz-Signature=deadbeef00"],
  ["a GCS signature", "deadbeef00", "https://gcs/x?x-goog-signature=deadbeef00"],
  ["a password in a URL", "hunter2", "cannot reach https://u:hunter2@dav.example/backups/"],
  ["a password without a user", "hunter2", "redis://:hunter2@host/0"],
  ["a bearer token", "ya29.a0AfH6SMBx-_", "Authorization: Bearer ya29.a0AfH6SMBx-_"],
  ["a bearer token in small letters", "ya29.a0AfH6SMBx-_", "authorization: bearer ya29.a0AfH6SMBx-_"],
  ["basic authorisation", "dXNlcjpwYXNzd29yZA", "Basic dXNlcjpwYXNzd29yZA=="],
];

for (const [what, secret, text] of HIDDEN) {
  Deno.test(`redact hides ${what} and leaves the rest`, () => {
    const shown = redact(text);
    assert.ok(!shown.includes(secret), shown);
    assert.ok(shown.includes(REDACTED));
    assert.equal(redact(shown), shown, "a second time changes nothing");
  });
}

Deno.test("redact hides age identities of every kind and case, each of several", async () => {
  for (const quantum of [false, true]) {
    const secret = (await newIdentity(quantum)).secret.reveal();
    for (const text of [secret, secret.toLowerCase()]) {
      const shown = redact(`line 1: ${text}, line 2: ${text}.`);
      assert.ok(!shown.toLowerCase().includes(secret.slice(-30).toLowerCase()), shown);
      assert.equal(shown.split(REDACTED).length, 3);
    }
  }
});

Deno.test("redact leaves harmless texts alone", async () => {
  const texts = [
    "",
    'cannot reach "azure": connection refused',
    "https://dav.example:8443/backups/?page=2",
    "https://user@host/path",
    (await newIdentity(false)).recipient,
    "ops_team is a group",
    "Basic usage: vaultferry backup",
    "design=1&signal=2",
    "SHA256:AAAA at 12:34:56, ratio 1:2@3",
  ];
  for (const text of texts) assert.equal(redact(text), text);
});
