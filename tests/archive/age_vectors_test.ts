/** C2SP's test vectors for age (npm `cctv-age`), over both ways in which we open age files. */
import * as vectors from "cctv-age";
import { armor } from "age-encryption";
import assert from "node:assert/strict";
import { isAppError } from "../../src/base/errors.ts";
import { collect, streamOf } from "../../src/base/bytes.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { type Engine, unseal } from "../../src/archive/sealing/seal.ts";

interface Vector {
  name: string;
  expect: string;
  /** Hexadecimal SHA-256 of the plaintext, or of its genuine beginning. */
  payload: string | undefined;
  identity: string | undefined;
  passphrase: string | undefined;
  file: Uint8Array;
  armored: boolean;
}

const all = await Promise.all(
  Object.entries(vectors).map(([name, bytes]) => parse(name, bytes as Uint8Array)),
);

/** Passphrases are not among what opens an archive, and armour is not what we write; both are the library's business. */
const ours = all.filter((one) => one.passphrase === undefined && !one.armored);

Deno.test("the vectors are all there", () => {
  assert.equal(all.length, 143);
  assert.ok(ours.length >= 80, `${ours.length} of them concern us`);
  for (const kind of ["success", "no match", "HMAC failure", "header failure", "payload failure"]) {
    assert.ok(ours.some((one) => one.expect === kind), kind);
  }
});

for (const engine of ["native", "library"] satisfies Engine[]) {
  for (const one of ours) {
    Deno.test(`${engine}: ${one.name} is a ${one.expect}`, async () => {
      // Whole; byte by byte where that is quick; and in pieces that never meet a chunk's end.
      for (const step of [one.file.length, one.file.length < 4096 ? 1 : 65_537]) {
        const { plain, error } = await open(one, engine, step);
        if (one.expect === "success") {
          assert.equal(error, undefined, String(error));
          assert.equal(sha256Hex(plain), one.payload);
        } else {
          assert.ok(isAppError(error), `in steps of ${step} it was accepted`);
          assert.equal(error.code, one.expect === "no match" ? "wrong-identity" : "corrupt");
        }
      }
    });
  }
}

async function open(
  one: Vector,
  engine: Engine,
  step: number,
): Promise<{ plain: Uint8Array; error: unknown }> {
  try {
    const plain = await unseal(inSteps(one.file, step), [one.identity ?? UNRELATED], engine);
    return { plain: await collect(plain, 1 << 30, one.name), error: undefined };
  } catch (error) {
    return { plain: new Uint8Array(0), error };
  }
}

/** For vectors that name no identity: a throw-away key that opens none of them. */
const UNRELATED = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

function inSteps(bytes: Uint8Array, step: number): ReadableStream<Uint8Array> {
  if (step >= bytes.length) return streamOf(bytes);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at += step));
    },
  });
}

async function parse(name: string, bytes: Uint8Array): Promise<Vector> {
  let end = 0;
  while (bytes[end] !== 10 || bytes[end + 1] !== 10) end++;
  const head = new Map<string, string>();
  for (const line of new TextDecoder().decode(bytes.subarray(0, end)).split("\n")) {
    const colon = line.indexOf(": ");
    const key = line.slice(0, colon);
    if (!head.has(key)) head.set(key, line.slice(colon + 2));
  }
  let file = bytes.slice(end + 2);
  if (head.get("compressed") === "zlib") {
    const inflated = streamOf(file).pipeThrough(new DecompressionStream("deflate") as never);
    file = await collect(inflated as ReadableStream<Uint8Array>, 1 << 30, name);
  }
  return {
    name,
    expect: head.get("expect") ?? "",
    payload: head.get("payload"),
    identity: head.get("identity"),
    passphrase: head.get("passphrase"),
    file,
    armored: head.get("armored") === "yes",
  };
}

Deno.test("armour that the library reads is nothing that we take for an archive", async () => {
  const one = all.find((vector) => vector.armored && vector.expect === "success");
  assert.ok(one);
  assert.ok(armor.decode(new TextDecoder().decode(one.file)).length > 0);
  const { error } = await open(one, "native", one.file.length);
  assert.ok(isAppError(error, "corrupt"));
});
