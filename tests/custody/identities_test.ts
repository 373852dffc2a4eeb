import assert from "node:assert/strict";
import { identityFile, newIdentity, readIdentities } from "../../src/custody/identities.ts";
import { parseRecipients } from "../../src/custody/recipients.ts";
import { failure } from "../base/failure.ts";
import { Scratch, worldWith } from "../base/scratch.ts";
import { stock } from "../archive/stock.ts";

const world = worldWith();
const [one, two, quantum] = [await newIdentity(false), await newIdentity(false), await newIdentity(true)];
const made = new Date("2026-02-03T04:05:06.789Z");

async function read(content: string | Uint8Array, mode = 0o600) {
  await using scratch = await Scratch.make();
  return await readIdentities(world, await scratch.write("key file.txt", content, mode));
}

const recipients = (found: { recipient: string }[]) => found.map(({ recipient }) => recipient);

Deno.test("a new key is one that parseRecipients takes, and no two are the same", () => {
  assert.equal(parseRecipients([one.recipient, two.recipient]).length, 2);
  assert.match(one.secret.reveal(), /^AGE-SECRET-KEY-1[A-Z0-9]+$/);
  assert.match(quantum.secret.reveal(), /^AGE-SECRET-KEY-PQ-1[A-Z0-9]+$/);
  assert.match(quantum.recipient, /^age1pq1/);
  assert.ok(!Deno.inspect(one).includes(one.secret.reveal()) && !JSON.stringify(one).includes("AGE-SECRET"));
});

Deno.test("a key file reads back, and looks as age-keygen writes it", async () => {
  for (const identity of [one, quantum]) {
    const bytes = identityFile(identity, made);
    const [created, key, secret, end] = new TextDecoder().decode(bytes).split("\n");
    assert.equal(created, "# created: 2026-02-03T04:05:06Z");
    assert.equal(key, `# public key: ${identity.recipient}`);
    assert.equal(secret, identity.secret.reveal());
    assert.equal(end, "");
    assert.deepEqual(recipients(await read(bytes)), [identity.recipient]);
  }
});

Deno.test("age-keygen -y finds the recipient that we do, and we read what age-keygen makes", async () => {
  await using scratch = await Scratch.make();
  await scratch.write("ours", identityFile(one, made));
  const { code, out, err } = await stock(scratch.path, ["age-keygen", "-y", "ours"]);
  assert.equal(code, 0, err);
  assert.equal(out.trim(), one.recipient);
  assert.equal((await stock(scratch.path, ["age-keygen", "-o", "theirs"])).code, 0);
  const [theirs] = await readIdentities(world, scratch.file("theirs"));
  const printed = await stock(scratch.path, ["age-keygen", "-y", "theirs"]);
  assert.equal(printed.out.trim(), theirs!.recipient);
});

Deno.test("comments, empty lines, CRLF, a byte order mark, blanks and a missing last line end do no harm", async () => {
  const [a, b] = [one.secret.reveal(), two.secret.reveal()];
  const files = [
    `${a}\n${b}\n`,
    `${a}\r\n${b}\r\n`,
    `\ufeff# made by hand\r\n\r\n  ${a}  \r\n# another\n\t${b}`,
    `\ufeff${a}\n\n\n${b}`,
  ];
  for (const text of files) {
    const found = await read(text);
    assert.deepEqual(recipients(found), [one.recipient, two.recipient]);
    assert.deepEqual(found.map(({ secret }) => secret.reveal()), [a, b]);
  }
});

Deno.test("a comment in another encoding than UTF-8 is a comment all the same", async () => {
  const latin1 = Uint8Array.from("# Schl\u00fcssel\n", (char) => char.charCodeAt(0));
  const file = new Uint8Array([...latin1, ...identityFile(one, made)]);
  assert.deepEqual(recipients(await read(file)), [one.recipient]);
});

Deno.test("a key file is never refused for its permission bits", async () => {
  assert.deepEqual(recipients(await read(identityFile(one, made), 0o666)), [one.recipient]);
});

Deno.test("a line that is no identity is told by number, and its text is nowhere in the error", async () => {
  const secret = one.secret.reveal();
  const wrong = [
    secret.slice(0, -1),
    secret.toLowerCase(),
    `${secret} x`,
    secret.slice(0, 30) + (secret[30] === "Q" ? "P" : "Q") + secret.slice(31),
    `export KEY=${secret}`,
    "correct horse battery staple",
    one.recipient,
    "AGE-PLUGIN-YUBIKEY-1QQQQ",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
  ];
  for (const line of wrong) {
    const error = await failure(
      read(`# one\n${two.secret.reveal()}\n${line}\n`),
      "misconfigured",
      /line 3 of ".*key file.txt"/,
    );
    const said = Deno.inspect(error) + error.message + error.hint + Deno.inspect(error.cause);
    for (const text of [line, secret.slice(20), secret.slice(20).toLowerCase(), two.secret.reveal()]) {
      assert.ok(!said.includes(text), line);
    }
  }
});

Deno.test("a key file that is itself encrypted is told as such, with the way to open it", async () => {
  for (
    const text of ["age-encryption.org/v1\n-> scrypt x 18\n", "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n"]
  ) {
    const error = await failure(read(text), "misconfigured", /itself encrypted/);
    assert.match(error.hint!, /age -d /);
  }
  await using scratch = await Scratch.make();
  await scratch.write("plain", identityFile(one, made));
  for (const armour of [[], ["-a"]]) {
    const argv = ["age", ...armour, "-r", two.recipient, "-o", `sealed${armour.length}`, "plain"];
    assert.equal((await stock(scratch.path, argv)).code, 0);
    await failure(
      readIdentities(world, scratch.file(`sealed${armour.length}`)),
      "misconfigured",
      /encrypted/,
    );
  }
});

Deno.test("files that hold no key are misconfigured, whatever they are", async () => {
  for (const text of ["", "\n\n", "# only comments\n", "\ufeff"]) {
    await failure(read(text), "misconfigured", /there is no age identity/);
  }
  const utf16 = new Uint8Array([0xff, 0xfe, ...new Uint8Array(new Uint16Array([65, 71, 69, 45]).buffer)]);
  for (const bytes of [utf16, new Uint8Array([0x80, 0x81]), new Uint8Array(2 * 1024 * 1024).fill(0x41)]) {
    const error = await failure(read(bytes), "misconfigured", /key file.txt/);
    assert.ok(error.hint);
  }
});

Deno.test("a key file that is not there is not found", async () => {
  await failure(readIdentities(world, "/nowhere/key.txt"), "not-found", /"\/nowhere\/key.txt"/);
});
