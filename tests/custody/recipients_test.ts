import assert from "node:assert/strict";
import { newIdentity } from "../../src/custody/identities.ts";
import { fingerprintOf, knownAs, parseRecipients } from "../../src/custody/recipients.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { failure } from "../base/failure.ts";

const [a, b] = [await newIdentity(false), await newIdentity(false)];
const [pq, pq2] = [await newIdentity(true), await newIdentity(true)];
/** From the specification of age's tag recipients (C2SP). */
const TAG = "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e";

Deno.test("recipients come back in order, each with its fingerprint", () => {
  const parsed = parseRecipients([a.recipient, `  ${b.recipient}\n`]);
  assert.deepEqual(parsed, [
    { key: a.recipient, fingerprint: fingerprintOf(a.recipient) },
    { key: b.recipient, fingerprint: fingerprintOf(b.recipient) },
  ]);
  const hash = Uint8Array.from(sha256Hex(a.recipient).match(/../g)!, (pair) => parseInt(pair, 16));
  assert.equal(parsed[0]!.fingerprint, `SHA256:${hash.toBase64({ omitPadding: true })}`);
});

Deno.test("recipients in groups keep their group, and people see it", () => {
  const parsed = parseRecipients({ people: [a.recipient], recovery: [b.recipient] });
  assert.deepEqual(parsed.map(({ group }) => group), ["people", "recovery"]);
  const stranger = fingerprintOf(pq.recipient);
  const fingerprints = [...parsed.map(({ fingerprint }) => fingerprint), stranger];
  assert.deepEqual(knownAs(fingerprints, parsed), [
    `${a.recipient} (people)`,
    `${b.recipient} (recovery)`,
    stranger,
  ]);
  assert.deepEqual(knownAs([fingerprintOf(a.recipient)], parseRecipients([a.recipient])), [a.recipient]);
});

Deno.test("no recipient at all is refused with the way out, in groups too", async () => {
  for (const none of [[], {}, { people: [] }, { people: [], recovery: [] }]) {
    const error = await failure(() => parseRecipients(none), "misconfigured", /nobody could open the backup/);
    assert.match(error.hint!, /keys new/);
  }
});

Deno.test("a private key given as a recipient is refused and appears nowhere in the error", async () => {
  const secret = a.secret.reveal();
  const quantum = pq.secret.reveal();
  const half = secret.length >> 1;
  const given = [
    secret,
    secret.toLowerCase(),
    secret.slice(0, half) + secret.slice(half).toLowerCase(),
    secret.replace("SECRET", "Secret"),
    ` ${secret}\n`,
    `age1${secret}`,
    `"${secret}"`,
    `# key\n${secret}`,
    quantum,
    quantum.toLowerCase(),
  ];
  // Mistyped or cut, it is not seen to be a private key any more, and is still most of one.
  const hardly = [secret.slice(1), secret.replace("SECRET", "SECRTE"), secret.slice(15), secret.slice(-40)];
  for (const text of [...given, ...hardly]) {
    for (const recipients of [[text], [b.recipient, text], { people: [b.recipient, text] }]) {
      const sentence = given.includes(text) ? /^a private key was given/ : /not an age recipient/;
      const error = await failure(() => parseRecipients(recipients), "misconfigured", sentence);
      const said = (Deno.inspect(error) + error.message + error.hint).toLowerCase();
      assert.ok(!said.includes(secret.slice(-20).toLowerCase()), text.slice(0, 20));
      assert.ok(!said.includes(quantum.slice(-20).toLowerCase()), text.slice(0, 20));
    }
  }
});

Deno.test("the hint for a private key says how to get its recipient", async () => {
  const error = await failure(() => parseRecipients([a.secret.reveal()]), "misconfigured", /a private key/);
  assert.match(error.hint!, /age-keygen -y/);
});

Deno.test("a recipient with any character mistyped, in mixed case, cut or extended is refused by name", async () => {
  const key = a.recipient;
  const wrong = [key.slice(0, -1), `${key}q`, key.toUpperCase(), "age1", "age1nonsense"];
  wrong.push(key.slice(0, 10) + key[10]!.toUpperCase() + key.slice(11), key.replace("age1", "age2"));
  for (let at = 4; at < key.length; at++) {
    wrong.push(key.slice(0, at) + (key[at] === "q" ? "p" : "q") + key.slice(at + 1));
  }
  for (const text of wrong) {
    if (text === key) continue;
    const error = await failure(() => parseRecipients([text]), "misconfigured", /not an age recipient/);
    assert.equal(
      error.message.includes(text),
      /^age1/i.test(text),
      "a public key may be shown, nothing else",
    );
  }
});

Deno.test("what is something else altogether is refused", async () => {
  for (
    const text of [
      "",
      "alice",
      "alice@example.com",
      "-----BEGIN PGP PUBLIC KEY BLOCK-----",
      "AGE-PLUGIN-X-1QQ",
    ]
  ) {
    await failure(() => parseRecipients([text]), "misconfigured");
  }
  const error = await failure(
    () => parseRecipients(["ssh-ed25519 AAAAC3Nz host"]),
    "misconfigured",
    /SSH keys/,
  );
  assert.match(error.hint!, /keys new/);
});

Deno.test("a recipient given twice is refused, across groups too", async () => {
  const twice = [
    [a.recipient, b.recipient, a.recipient],
    [a.recipient, ` ${a.recipient} `],
    { people: [a.recipient], recovery: [a.recipient] },
  ];
  for (const given of twice) await failure(() => parseRecipients(given), "misconfigured", /given twice/);
});

Deno.test("post-quantum recipients stand alone: one classic key beside them is refused", async () => {
  assert.equal(parseRecipients([pq.recipient, pq2.recipient]).length, 2);
  const mixed = [[pq.recipient, a.recipient], [a.recipient, pq.recipient], [TAG, pq.recipient]];
  for (const given of mixed) await failure(() => parseRecipients(given), "misconfigured", /cannot be mixed/);
  await failure(() => parseRecipients({ people: [a.recipient], recovery: [pq.recipient] }), "misconfigured");
});

Deno.test("tag recipients (hardware keys) count as classic", () => {
  assert.equal(parseRecipients([TAG, a.recipient]).length, 2);
});
