/** Keys, ranges, bodies and sentences: what every plugin takes from the common ground. */
import assert from "node:assert/strict";
import { concat } from "../../src/base/bytes.ts";
import { AppError } from "../../src/base/errors.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { Secret } from "../../src/base/secret.ts";
import { capabilitiesFor, refuseUnlessAble, refuseUnsupported } from "../../src/destination/access.ts";
import { blocksOf, guarded, streamed } from "../../src/destination/body.ts";
import { bodyOf, never, sample } from "../../src/destination/conformance/bench.ts";
import { named, withName, wrappedError } from "../../src/destination/errors.ts";
import { isKey, isPartialOf, partialName, partsOfKey } from "../../src/destination/keys.ts";
import { inOurVoice, scrubbed } from "../../src/destination/scrub.ts";
import { failure } from "../base/failure.ts";

Deno.test("keys are plain relative paths, and no names of unfinished uploads", async () => {
  assert.deepEqual(partsOfKey("acme/a_1.tar.zst.age"), ["acme", "a_1.tar.zst.age"]);
  for (
    const key of ["", "/", "a/", "/a", "a//b", ".", "a/..", "a b", "a\\b", "é", "a?b", "a%2fb", ".x.partial"]
  ) {
    await failure(() => partsOfKey(key), "misconfigured", /cannot be the name/);
    assert.ok(!isKey(key), key);
  }
});

Deno.test("a partial's name belongs to exactly one key", () => {
  const name = partialName("a.age", new Uint8Array([1, 2, 3, 4, 5, 6, 7, 255]));
  assert.equal(name, ".a.age.01020304050607ff.partial");
  assert.ok(isPartialOf("a.age", name));
  for (const other of ["a", "a.age.01", "b.age", "age"]) assert.ok(!isPartialOf(other, name), other);
  for (
    const other of [
      ".a.age.partial",
      ".a.age.0102.partial",
      "a.age.01020304050607ff.partial",
      name.toUpperCase(),
    ]
  ) {
    assert.ok(!isPartialOf("a.age", other), other);
  }
});

async function blocks(
  size: number,
  block: number,
  change = {},
): Promise<{ lengths: number[]; same: boolean }> {
  const bytes = sample(size), parts: Uint8Array[] = [];
  let lasts = 0, at = 0;
  for await (
    const { bytes: part, start, last } of blocksOf("k", { ...bodyOf(bytes), ...change }, block, never)
  ) {
    assert.equal(start, at);
    assert.equal(lasts, 0, "a block after the last");
    if (last) lasts++;
    at += part.length;
    parts.push(part);
  }
  assert.equal(lasts, 1);
  return { lengths: parts.map(({ length }) => length), same: sha256Hex(concat(parts)) === sha256Hex(bytes) };
}

Deno.test("blocks are as long as they should be, the last one is known as such", async () => {
  const cases: [number, number, number[]][] = [
    [0, 100, [0]],
    [1, 100, [1]],
    [99, 100, [99]],
    [100, 100, [100]],
    [101, 100, [100, 1]],
    [200, 100, [100, 100]],
    [300_000, 100_000, [100_000, 100_000, 100_000]],
    [300_001, 150_000, [150_000, 150_000, 1]],
    [131_042, 65_521, [65_521, 65_521]],
  ];
  for (const [size, block, lengths] of cases) {
    assert.deepEqual(await blocks(size, block), { lengths, same: true }, `${size} in ${block}`);
  }
});

Deno.test("a block that was let go of is filled anew, and one that was not stays as it is", async () => {
  const bytes = sample(1000), kept: Uint8Array[] = [], arrays = new Set<ArrayBufferLike>();
  let at = 0, before = () => {};
  for await (const block of blocksOf("k", bodyOf(bytes), 100, never)) {
    assert.deepEqual(block.bytes, bytes.subarray(at, at += 100));
    arrays.add(block.bytes.buffer);
    before(); // letting go of one twice does not let go of another
    if (at % 300 === 0) kept.push(block.bytes);
    else block.release();
    before = at % 300 === 0 ? () => {} : block.release;
  }
  assert.deepEqual(kept, [200, 500, 800].map((start) => bytes.subarray(start, start + 100)));
  assert.equal(arrays.size, 4);
});

Deno.test("of a body that is not what it says the last block never comes", async () => {
  for (const change of [{ sha256: sha256Hex("other") }, { open: bodyOf(sample(300), 299).open }]) {
    const seen: boolean[] = [];
    const all = async () => {
      for await (const { last } of blocksOf("k", { ...bodyOf(sample(300)), ...change }, 100, never)) {
        seen.push(last);
      }
    };
    await failure(all(), "corrupt");
    assert.ok(seen.every((last) => !last));
  }
  await failure(blocks(300, 100, { size: 299 }), "corrupt", /is longer than its 299 bytes/);
});

Deno.test("leaving the blocks, or the stream, lets go of the body", async () => {
  for (const leave of ["blocks", "stream"] as const) {
    let closed = false;
    const body = bodyOf(sample(300_000), 300_000, undefined, () => closed = true);
    if (leave === "stream") await streamed("k", body, never).cancel();
    else for await (const _ of blocksOf("k", body, 100, never)) break;
    assert.ok(closed, leave);
  }
});

Deno.test("a streamed body errors where it is not what it says", async () => {
  const read = async (change: object) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of streamed("k", { ...bodyOf(sample(200_000)), ...change }, never)) {
      pieces.push(piece.slice()); // it is good until the next one is asked for
    }
    assert.deepEqual(concat(pieces), sample(200_000));
    return concat(pieces).length;
  };
  assert.equal(await read({}), 200_000);
  await failure(read({ sha256: sha256Hex("other") }), "corrupt", /does not have the SHA-256/);
  await failure(read({ size: 200_001 }), "corrupt", /ended after 200000 of its 200001/);
  await failure(read({ size: 199_999 }), "corrupt", /longer than its 199999/);
});

Deno.test("a guarded stream gives exactly what it should", async () => {
  const read = async (length: number) => {
    const stream = guarded(bodyOf(sample(1000)).open(), "x", length, never, (error) => error);
    return (await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer()).byteLength;
  };
  assert.equal(await read(1000), 1000);
  await failure(read(1001), "corrupt", /lost its last 1 bytes/);
  await failure(read(999), "corrupt", /grew while it was read/);
});

Deno.test("errors get the name of their destination, once, and a task where a stranger spoke", async () => {
  const speaker = { name: "nas", secrets: [new Secret("p@ss word")] };
  const thrown = (error: unknown) =>
    failure(named(speaker, 'store "k"', never, () => Promise.reject(error)), [
      "denied",
      "unknown",
      "cancelled",
    ]);
  const own = new AppError("denied", "no way", { hint: "ask p@ss word", retryAfter: 5, origin: "source" });
  const named_ = await thrown(own);
  assert.deepEqual([named_.message, named_.hint, named_.retryAfter, named_.origin], [
    ...['destination "nas": no way', "ask [redacted]", 5, "destination"],
  ]);
  assert.equal(withName({ name: "other" }, "x", named_), named_);
  assert.equal(
    (await thrown(new Error("Boom happened here."))).message,
    'destination "nas": cannot store "k": boom happened here',
  );
  assert.equal((await thrown(new DOMException("aborted", "AbortError"))).code, "cancelled");
  const leak = await thrown(new Error("PUT https://u:p@h/k?sig=1 with p%40ss%20word\nfailed"));
  assert.equal(leak.message, 'destination "nas": cannot store "k": PUT https://h/k with [redacted] failed');
});

Deno.test("what a text may show", () => {
  const secret = new Secret("s3cr/et+");
  const texts: [string, string][] = [
    [
      "https://acc.blob.core.windows.net/c/k?sv=2024&sp=c&sig=abc%3D failed",
      "https://acc.blob.core.windows.net/c/k failed",
    ],
    ['"https://h/a?b=c"', '"https://h/a"'],
    ["is it there? yes=no", "is it there? yes=no"],
    ["redis://user:made-up@h/", "redis://h/"],
    ["sftp://user@h/", "sftp://h/"],
    ["key s3cr/et+ and s3cr%2Fet%2B", "key [redacted] and [redacted]"],
    ["Authorization: AWS4-HMAC made-up", "Authorization: [redacted]"],
    ["Bearer made-up-token", "Bearer [redacted]"],
    ["one\n  two\t three\u001b[0m", "one two three\\u{1b}[0m"],
    ["acme_20260203T040506Z_1a2b3c4d.tar.zst.age", "acme_20260203T040506Z_1a2b3c4d.tar.zst.age"],
  ];
  for (const [text, shown] of texts) assert.equal(scrubbed(text, [secret]), shown);
  assert.equal(inOurVoice("Access denied."), "access denied");
  assert.equal(inOurVoice("ECONNRESET"), "ECONNRESET");
  assert.equal(inOurVoice("x".repeat(1000)).length, 301);
});

Deno.test("an error that a library has wrapped is found", () => {
  const inner = new AppError("transient", "x");
  assert.equal(wrappedError(new Error("a", { cause: new Error("b", { cause: inner }) })), inner);
  assert.equal(wrappedError(inner), inner);
  assert.equal(wrappedError(new Error("a")), undefined);
  assert.equal(wrappedError("a"), undefined);
});

Deno.test("create-only may do nothing else, and says so", async () => {
  const all = {
    read: true,
    list: true,
    remove: true,
    createOnly: true,
    immutableUntil: false,
    checksums: [],
  };
  const only = capabilitiesFor("create-only", all);
  assert.deepEqual(only, { ...all, read: false, list: false, remove: false });
  assert.equal(capabilitiesFor("full", all), all);
  for (const what of ["read", "list", "remove"] as const) {
    refuseUnlessAble(all, what);
    await failure(() => refuseUnlessAble(only, what), "unsupported", /may only create/);
  }
  refuseUnsupported(all, undefined);
  refuseUnsupported(all, {});
  refuseUnsupported({ ...all, immutableUntil: true }, { immutableUntil: new Date() });
  await failure(() => refuseUnsupported(all, { immutableUntil: new Date() }), "unsupported");
});
