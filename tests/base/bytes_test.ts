import assert from "node:assert/strict";
import {
  base64,
  collect,
  concat,
  fromBase64,
  fromUtf8,
  hex,
  streamFrom,
  streamOf,
  utf8,
} from "../../src/base/bytes.ts";
import { digestOf, Sha256, sha256, sha256Hex } from "../../src/base/hash.ts";
import { AppError } from "../../src/base/errors.ts";
import { bytesOf, piecesOf } from "../archive/bench.ts";
import { failure } from "./failure.ts";

Deno.test("concat joins in order, nothing to nothing", () => {
  assert.deepEqual(concat([]), new Uint8Array(0));
  assert.deepEqual(concat([utf8("a"), utf8(""), utf8("bc")]), utf8("abc"));
});

Deno.test("text becomes bytes and back; lone surrogates become U+FFFD", () => {
  for (const text of ["", "abc", "Zo\u00eb", "\u{1f600}", "\0"]) {
    assert.equal(fromUtf8(utf8(text), "x"), text);
  }
  assert.equal(fromUtf8(utf8("a\ud800b"), "x"), "a\ufffdb");
});

Deno.test("bytes that are no UTF-8 are corrupt and say of what", async () => {
  for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]]) {
    await failure(() => fromUtf8(Uint8Array.from(bytes), "the note"), "corrupt", /^the note is not UTF-8/);
  }
});

Deno.test("collect takes up to its limit and cancels what is longer", async () => {
  const bytes = bytesOf(1000);
  assert.deepEqual(await collect(piecesOf(bytes, 100), 1000, "x"), bytes);
  assert.deepEqual(await collect(streamOf(new Uint8Array(0)), 0, "x"), new Uint8Array(0));
  let cancelled = false;
  const long = piecesOf(bytes, 100, () => cancelled = true);
  await failure(collect(long, 500, "the file"), "corrupt", /^the file is longer than 500 bytes/);
  assert.ok(cancelled);
});

Deno.test("streamFrom passes on pieces, the end and a cancelling, and translates errors", async () => {
  const bytes = bytesOf(1000);
  assert.deepEqual(await collect(streamFrom(piecesOf(bytes, 300).getReader()), 1000, "x"), bytes);
  let reason: unknown;
  await streamFrom(piecesOf(bytes, 10, (given) => reason = given).getReader()).cancel("enough");
  assert.equal(reason, "enough");
  const broken = () =>
    new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error("raw")) }).getReader();
  await assert.rejects(collect(streamFrom(broken()), 1, "x"), /raw/);
  const translated = streamFrom(broken(), (cause) => new AppError("transient", "told", { cause }));
  await failure(collect(translated, 1, "x"), "transient", /told/);
});

Deno.test("hexadecimal and base64 are what other programs make of the same bytes", async () => {
  assert.equal(hex(Uint8Array.from([0, 1, 15, 16, 255])), "00010f10ff");
  assert.equal(hex(new Uint8Array(0)), "");
  for (const length of [0, 1, 2, 3, 0x8000 - 1, 0x8000, 0x8001, 100_000]) {
    const bytes = bytesOf(length);
    assert.equal(base64(bytes), bytes.toBase64());
    assert.deepEqual(fromBase64(base64(bytes), "x"), bytes);
  }
  for (const text of ["*", "a", "AAAA=", "\u{1f600}", "AA-_"]) {
    await failure(() => fromBase64(text, "the key"), "corrupt", /^the key is not base64/);
  }
});

Deno.test("SHA-256 is the same in pieces, at once and over a stream", async () => {
  assert.equal(sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert.equal(sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const bytes = bytesOf(100_000);
  const pieces = new Sha256();
  for (let at = 0; at < bytes.length; at += 777) pieces.update(bytes.subarray(at, at + 777));
  assert.equal(pieces.size, bytes.length);
  const whole = sha256Hex(bytes);
  assert.equal(pieces.hex(), whole);
  assert.equal(hex(sha256(bytes)), whole);
  assert.deepEqual(await digestOf(piecesOf(bytes, 999)), { size: bytes.length, sha256: whole });
});
