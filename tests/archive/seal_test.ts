import assert from "node:assert/strict";
import { seal, unseal } from "../../src/archive/sealing/seal.ts";
import { newIdentity } from "../../src/custody/identities.ts";
import { failure } from "../base/failure.ts";
import { bytesOf, collect, owner, piecesOf, stranger, streamOf } from "./bench.ts";

const CHUNK = 65_536;

async function sealed(bytes: Uint8Array, recipients = [owner.recipient], piece = 10_000, thread = false) {
  return await collect(
    (await seal(piecesOf(bytes, piece), recipients, { thread })).ciphertext,
    Infinity,
    "sealed",
  );
}

async function opened(bytes: Uint8Array, identity = owner, piece = 10_000) {
  const plain = await unseal(piecesOf(bytes, piece), [identity.secret.reveal()]);
  return await collect(plain, Infinity, "opened");
}

Deno.test("every length around age's chunks of 64 KiB comes back, however it is cut", async () => {
  for (
    const size of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 4 * CHUNK - 1, 4 * CHUNK, 4 * CHUNK + 1, 16 * CHUNK + 1]
  ) {
    const bytes = bytesOf(size);
    for (const piece of [1000, CHUNK, 300_000]) {
      for (const thread of [false, true]) {
        const packed = await sealed(bytes, undefined, piece, thread);
        assert.deepEqual(await opened(packed, owner, piece), bytes, `${size}/${piece}/${thread}`);
      }
    }
  }
});

Deno.test("an age file of several chunks, cut between two of them, is corrupt", async () => {
  const whole = await sealed(bytesOf(3 * CHUNK));
  for (const chunks of [1, 2]) {
    await failure(opened(whole.subarray(0, whole.length - chunks * (CHUNK + 16))), "corrupt", /truncated/);
  }
});

Deno.test("what is no age file is corrupt", async () => {
  for (
    const bytes of [
      new Uint8Array(0),
      bytesOf(10),
      bytesOf(100_000),
      new TextEncoder().encode("age-encryption.org/v2\n"),
    ]
  ) {
    await failure(opened(bytes), "corrupt", /damaged or truncated/);
  }
});

Deno.test("a post-quantum key opens what is sealed to it, and no other key does", async () => {
  const quantum = await newIdentity(true);
  const bytes = await sealed(bytesOf(1000), [quantum.recipient]);
  assert.deepEqual(await opened(bytes, quantum), bytesOf(1000));
  await failure(opened(bytes), "wrong-identity");
});

Deno.test("nobody but the recipients opens it", async () => {
  await failure(opened(await sealed(bytesOf(10)), stranger), "wrong-identity", /does not open/);
});

Deno.test("sealing to nobody is refused", async () => {
  await failure(seal(streamOf(bytesOf(1)), []), "misconfigured");
});
