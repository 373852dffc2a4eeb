import assert from "node:assert/strict";
import { headOf, nextEntry, trustedKeys } from "../../src/archive/chain.ts";
import { decodeManifest, encodeManifest, manifestHash } from "../../src/archive/manifest.ts";
import { sign } from "../../src/archive/signature.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { failure } from "../base/failure.ts";
import { utf8 } from "./bench.ts";
import { manifestWith } from "./manifests.ts";
import { newSigner } from "./signers.ts";
import { openEntry } from "./open_entry.ts";

const signer = await newSigner();
const other = await newSigner();
const CHAIN = "f".repeat(32);
const { chain: _, sequence: __, previous: ___, signer: ____, ...entry } = manifestWith();
const first = await nextEntry(undefined, CHAIN, entry, signer);

Deno.test("the first entry begins the chain with number 1 and nothing before it", () => {
  const { chain, sequence, previous } = first.manifest;
  assert.deepEqual({ chain, sequence, previous }, { chain: CHAIN, sequence: 1, previous: null });
  assert.equal(first.manifest.signer, signer.key.fingerprint);
  assert.deepEqual(decodeManifest(first.bytes), first.manifest);
});

Deno.test("each entry follows the head: same chain, next number, hash of the bytes before", async () => {
  let head = headOf(first);
  for (let sequence = 2; sequence <= 5; sequence++) {
    const next = await nextEntry(head, "0".repeat(32), entry, signer);
    assert.equal(next.manifest.chain, CHAIN, "the chain of the head counts");
    assert.equal(next.manifest.sequence, sequence);
    assert.equal(next.manifest.previous, head.hash);
    head = headOf(next);
    assert.deepEqual(head, { chain: CHAIN, sequence, hash: sha256Hex(next.bytes) });
    assert.equal(head.hash, manifestHash(next.bytes));
  }
});

Deno.test("an entry of a trusted signer opens, one of several trusted ones too", async () => {
  const opened = await openEntry(first.bytes, first.signature, [other.key, signer.key]);
  assert.deepEqual(opened, first);
  const keys = trustedKeys([other.key.text, `${signer.key.text} host`]);
  assert.deepEqual((await openEntry(first.bytes, first.signature, keys)).manifest, first.manifest);
});

Deno.test("an entry of another signer is untrusted, and the hint gives the key to add", async () => {
  for (const trusted of [[], [other.key]]) {
    const error = await failure(openEntry(first.bytes, first.signature, trusted), "untrusted");
    assert.ok(error.message.includes(signer.key.fingerprint));
    assert.ok(error.hint!.includes(signer.key.text));
  }
});

Deno.test("a manifest that names another signer than its signature is corrupt, even when both are trusted", async () => {
  const bytes = encodeManifest(manifestWith({ signer: other.key.fingerprint }));
  const signature = await sign(bytes, signer);
  await failure(openEntry(bytes, signature, [signer.key, other.key]), "corrupt", /names another signer/);
});

Deno.test("a changed manifest, or another's signature, is corrupt", async () => {
  const text = new TextDecoder().decode(first.bytes);
  for (const changed of [text.replace('"complete"', '"incomplete"'), text + "\n", text.slice(0, -1)]) {
    await failure(openEntry(utf8(changed), first.signature, [signer.key]), "corrupt", /does not fit/);
  }
  const second = await nextEntry(headOf(first), CHAIN, entry, signer);
  await failure(openEntry(first.bytes, second.signature, [signer.key]), "corrupt");
});

Deno.test("what is signed well and is no manifest is corrupt, of a later format unsupported", async () => {
  const bytes = utf8("{}");
  await failure(openEntry(bytes, await sign(bytes, signer), [signer.key]), "corrupt");
  const later = utf8('{"format":"vaultferry/2"}');
  await failure(openEntry(later, await sign(later, signer), [signer.key]), "unsupported");
});

Deno.test("a manifest that could not be read again is not signed", async () => {
  await assert.rejects(nextEntry(undefined, "not a chain", entry, signer));
  await assert.rejects(nextEntry(undefined, CHAIN, { ...entry, recipients: [] }, signer));
});

Deno.test("a trusted key that is none is misconfigured", async () => {
  await failure(() => trustedKeys([signer.key.text, "ssh-rsa AAAA"]), "misconfigured");
});
