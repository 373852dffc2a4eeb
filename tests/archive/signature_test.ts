import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { NAMESPACE, parseSignerKey, sign, signerKey, verify } from "../../src/archive/signature.ts";
import { AppError } from "../../src/base/errors.ts";
import { base64, concat } from "../../src/base/bytes.ts";
import { sha256 } from "../../src/base/hash.ts";
import { failure } from "../base/failure.ts";
import { bytesOf, utf8 } from "./bench.ts";
import { armour, blobOf, newSigner, ssh, uint32 } from "./signers.ts";

const signer = await newSigner();
const MESSAGE = utf8('{"format":"vaultferry/1"}\n');
const SIGNATURE = await sign(MESSAGE, signer);
const BLOB = blobOf(SIGNATURE);
const REFUSED = ["corrupt"] as const;

Deno.test("what was signed verifies, for messages of any length, and tells the key", async () => {
  for (const message of [new Uint8Array(0), MESSAGE, bytesOf(2_000_000)]) {
    assert.deepEqual(await verify(message, await sign(message, signer)), signer.key);
  }
});

Deno.test("white space around and inside the armour and CRLF line ends do no harm", async () => {
  for (const text of [`\n  ${SIGNATURE}\n\n`, SIGNATURE.replaceAll("\n", "\r\n"), SIGNATURE.trimEnd()]) {
    assert.equal((await verify(MESSAGE, text)).text, signer.key.text);
  }
});

Deno.test("any change of the message is refused", async () => {
  for (let at = 0; at < MESSAGE.length; at++) {
    const changed = Uint8Array.from(MESSAGE);
    changed[at]! ^= 1;
    await failure(verify(changed, SIGNATURE), REFUSED, /does not fit/);
  }
  await failure(verify(MESSAGE.subarray(1), SIGNATURE), REFUSED);
  await failure(verify(concat([MESSAGE, MESSAGE]), SIGNATURE), REFUSED);
});

Deno.test("a signature cut at any length is refused, as a blob and as a text", async () => {
  for (let length = 0; length < BLOB.length; length++) {
    await failure(verify(MESSAGE, armour(BLOB.subarray(0, length))), REFUSED);
  }
  for (let length = 0; length < SIGNATURE.length - 1; length++) {
    await failure(verify(MESSAGE, SIGNATURE.slice(0, length)), REFUSED);
  }
});

Deno.test("any bit of the blob changed is refused", async () => {
  for (let at = 0; at < BLOB.length; at++) {
    for (let bit = 1; bit < 256; bit <<= 1) {
      const changed = Uint8Array.from(BLOB);
      changed[at]! ^= bit;
      const error = await verify(MESSAGE, armour(changed)).then(() => undefined, (error) => error);
      assert.ok(error instanceof AppError && error.code === "corrupt", `byte ${at}, bit ${bit}: ${error}`);
    }
  }
});

Deno.test("huge lengths at any place are refused without reading past the end", async () => {
  for (let at = 0; at + 4 <= BLOB.length; at++) {
    for (const length of [0x7fffffff, 0xffffffff, BLOB.length]) {
      const changed = Uint8Array.from(BLOB);
      changed.set(uint32(length), at);
      await failure(verify(MESSAGE, armour(changed)), REFUSED);
    }
  }
});

/** The fields of a signature, each replaceable. */
function fields(changes: Record<string, Uint8Array> = {}): Uint8Array {
  const inner = BLOB.subarray(-64);
  const parts: Record<string, Uint8Array> = {
    magic: utf8("SSHSIG"),
    version: uint32(1),
    key: ssh(concat([ssh("ssh-ed25519"), ssh(signer.key.raw)])),
    namespace: ssh(NAMESPACE),
    reserved: ssh(""),
    hash: ssh("sha512"),
    signature: ssh(concat([ssh("ssh-ed25519"), ssh(inner)])),
    ...changes,
  };
  return concat(Object.values(parts));
}

Deno.test("the fields that the next test changes make up the genuine signature", () => {
  assert.deepEqual(fields(), BLOB);
});

const raw = signer.key.raw;
const HOSTILE: Record<string, Record<string, Uint8Array>> = {
  "another magic": { magic: utf8("SSHSIH") },
  "version 0": { version: uint32(0) },
  "version 2": { version: uint32(2) },
  "another namespace": { namespace: ssh("file") },
  "an empty namespace": { namespace: ssh("") },
  "a namespace that begins like ours": { namespace: ssh("vaultferry2") },
  "a namespace in another case": { namespace: ssh("VaultFerry") },
  "a namespace with a NUL": { namespace: ssh("vaultferry\0") },
  "hash md5": { hash: ssh("md5") },
  "hash sha1": { hash: ssh("sha1") },
  "hash SHA512": { hash: ssh("SHA512") },
  "no hash": { hash: ssh("") },
  "the other hash's name": { hash: ssh("sha256") },
  "an RSA key": { key: ssh(concat([ssh("ssh-rsa"), ssh(raw)])) },
  "a certificate": { key: ssh(concat([ssh("ssh-ed25519-cert-v01@openssh.com"), ssh(raw)])) },
  "a key of 31 bytes": { key: ssh(concat([ssh("ssh-ed25519"), ssh(raw.subarray(1))])) },
  "a key of 33 bytes": { key: ssh(concat([ssh("ssh-ed25519"), ssh(concat([raw, raw.subarray(0, 1)]))])) },
  "a key with a tail": { key: ssh(concat([ssh("ssh-ed25519"), ssh(raw), utf8("x")])) },
  "a key of zeros": { key: ssh(concat([ssh("ssh-ed25519"), ssh(new Uint8Array(32))])) },
  "a key that is no point": { key: ssh(concat([ssh("ssh-ed25519"), ssh(new Uint8Array(32).fill(0xff))])) },
  "no key": { key: ssh("") },
  "an inner algorithm of another kind": {
    signature: ssh(concat([ssh("ssh-rsa"), ssh(BLOB.subarray(-64))])),
  },
  "a signature of 63 bytes": { signature: ssh(concat([ssh("ssh-ed25519"), ssh(BLOB.subarray(-63))])) },
  "a signature of 65 bytes": {
    signature: ssh(concat([ssh("ssh-ed25519"), ssh(concat([BLOB.subarray(-64), utf8("x")]))])),
  },
  "an empty signature": { signature: ssh(concat([ssh("ssh-ed25519"), ssh("")])) },
  "a tail inside the signature": {
    signature: ssh(concat([ssh("ssh-ed25519"), ssh(BLOB.subarray(-64)), utf8("x")])),
  },
  "a tail behind everything": { tail: utf8("x") },
};

for (const [what, changes] of Object.entries(HOSTILE)) {
  Deno.test(`a signature with ${what} is refused`, async () => {
    await failure(verify(MESSAGE, armour(fields(changes))), REFUSED, /^the signature is not valid: /);
  });
}

/** A signature that fits in every respect, by a program that signs for this purpose and with this hash. */
async function genuineFor(namespace: string, hash: string): Promise<string> {
  const digest = Uint8Array.from(createHash(hash).update(MESSAGE).digest());
  const data = concat([utf8("SSHSIG"), ssh(namespace), ssh(""), ssh(hash), ssh(digest)]);
  const signature = ssh(concat([ssh("ssh-ed25519"), ssh(await signer.sign(data))]));
  return armour(fields({ namespace: ssh(namespace), hash: ssh(hash), signature }));
}

Deno.test("a genuine signature for another purpose, or with a weak hash, is refused", async () => {
  for (const hash of ["sha512", "sha256"]) {
    assert.deepEqual(await verify(MESSAGE, await genuineFor(NAMESPACE, hash)), signer.key);
    for (const namespace of ["file", "git", "", "vaultferry2", "VAULTFERRY", "vaultferry\0"]) {
      await failure(verify(MESSAGE, await genuineFor(namespace, hash)), REFUSED, /another purpose/);
    }
  }
  for (const hash of ["md5", "sha1", "sha384"]) {
    await failure(verify(MESSAGE, await genuineFor(NAMESPACE, hash)), REFUSED, /hash is unknown/);
  }
});

Deno.test("texts that are no armoured signature are refused", async () => {
  const begin = "-----BEGIN SSH SIGNATURE-----";
  const texts = ["", "x", begin, `${begin}END SSH SIGNATURE-----`, `${begin}\n-----END SSH SIGNATURE-----`];
  texts.push(SIGNATURE.replaceAll("SSH", "PGP"), SIGNATURE.replace("BEGIN", "begin"), `x${SIGNATURE}`);
  texts.push(
    SIGNATURE + SIGNATURE,
    SIGNATURE.replace("U1NI", "U1N*"),
    SIGNATURE.replace("U1NI", "U1N\u{1f600}"),
  );
  for (const text of texts) await failure(verify(MESSAGE, text), REFUSED);
});

Deno.test("a signer's key reads back from its text, with or without a comment", () => {
  for (const comment of ["", " host", "\tvaultferry@host with words", "\n"]) {
    assert.deepEqual(parseSignerKey(`  ${signer.key.text}${comment}`), signer.key);
  }
});

Deno.test("a fingerprint is the SHA-256 of the key's wire form, as ssh-keygen prints it", () => {
  const wire = concat([ssh("ssh-ed25519"), ssh(signer.key.raw)]);
  assert.equal(signer.key.fingerprint, `SHA256:${base64(sha256(wire)).replace(/=+$/, "")}`);
  assert.match(signer.key.fingerprint, /^SHA256:[A-Za-z0-9+/]{43}$/);
});

Deno.test("texts that are no ed25519 public key are misconfigured, with a hint", async () => {
  const { text } = signerKey(raw);
  const wrong = [
    "",
    "ssh-ed25519",
    "ssh-ed25519 ",
    "ssh-ed25519 ****",
    "ssh-ed25519 AAAA",
    text.slice(0, -4),
  ];
  wrong.push(text.replace("ssh-ed25519", "ssh-rsa"), text + "AAAA", text.replace(" ", ""), "age1qqqq");
  wrong.push(`ssh-ed25519 ${base64(concat([ssh("ssh-rsa"), ssh(raw)]))}`);
  for (const one of wrong) {
    const error = await failure(() => parseSignerKey(one), "misconfigured", /"ssh-ed25519 AAAA…"/);
    assert.match(error.hint!, /keys signer/);
  }
});
