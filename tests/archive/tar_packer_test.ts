import assert from "node:assert/strict";
import { createTarPacker } from "modern-tar";
import { BLOCK, padding, tarHeader } from "../../src/archive/tar/header.ts";
import { TarPacker } from "../../src/archive/tar/packer.ts";
import { AppError } from "../../src/base/errors.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { failure } from "../base/failure.ts";
import { Scratch } from "../base/scratch.ts";
import { type Bodies, bytesIn, bytesOf, collect, TIME } from "./bench.ts";
import { shell } from "./stock.ts";

const PATH = "vaults/v/files/i/f";
const BODIES: Bodies = [
  ["README.txt", ""],
  ...[1, 511, 512, 513, 262_143, 262_144, 262_145, 3_000_000].map((size) =>
    [`vaults/v/files/i/f${size}`, bytesOf(size)] as const
  ),
  ...[99, 100, 101].map((length) => [`vaults/v/items/${"i".repeat(length - 15)}`, "at the edge"] as const),
  [`vaults/${"v".repeat(64)}/files/${"i".repeat(64)}/${"f".repeat(64)}`, "deep"],
];

/** Bodies are written in pieces of so many bytes. */
async function packed(piece: number, read: (tar: ReadableStream<Uint8Array>) => Promise<Uint8Array>) {
  const packer = new TarPacker(TIME);
  const reading = read(packer.readable);
  for (const [path, body] of BODIES) {
    const bytes = bytesIn(body);
    await packer.begin(path, bytes.length);
    for (let at = 0; at < bytes.length; at += piece) await packer.write(bytes.subarray(at, at + piece));
    await packer.write(new Uint8Array(0)); // adds nothing, behind a whole body neither
  }
  await packer.finish();
  return await reading;
}

async function packedByTheLibrary(): Promise<Uint8Array> {
  const { readable, controller } = createTarPacker();
  const reading = collect(readable, Infinity, "the tar");
  for (const [name, body] of BODIES) {
    const bytes = bytesIn(body);
    const header = {
      name,
      size: bytes.length,
      type: "file",
      mode: 0o600,
      mtime: TIME,
      uid: 0,
      gid: 0,
    } as const;
    const writer = controller.add(header).getWriter();
    if (bytes.length > 0) await writer.write(bytes);
    await writer.close();
  }
  controller.finalize();
  return await reading;
}

/** Reads with an array of so many bytes, as a reader does that brings its own. */
async function readInto(tar: ReadableStream<Uint8Array>, size: number): Promise<Uint8Array> {
  const reader = tar.getReader({ mode: "byob" });
  const parts: Uint8Array[] = [];
  for (let array = new Uint8Array(size);;) {
    const { done, value } = await reader.read(array);
    if (done) return await collect(ReadableStream.from(parts), Infinity, "the tar");
    parts.push(value.slice());
    array = new Uint8Array(value.buffer);
  }
}

Deno.test("a tar is byte for byte that of the library, however it is written and read", async () => {
  const expected = sha256Hex(await packedByTheLibrary());
  for (const piece of [1000, 65_536, Infinity]) {
    assert.equal(
      sha256Hex(await packed(piece, (tar) => collect(tar, Infinity, "tar"))),
      expected,
      `${piece}`,
    );
    for (const size of [700, 300_000, 1_000_000]) {
      assert.equal(
        sha256Hex(await packed(piece, (tar) => readInto(tar, size))),
        expected,
        `${piece}, ${size}`,
      );
    }
  }
});

for (const size of [2 ** 33 - 1, 2 ** 33, 2 ** 40 + 1]) {
  Deno.test(`a file of ${size} bytes: tar sees its size and what comes behind it`, async () => {
    await using scratch = await Scratch.make();
    const header = tarHeader(PATH, size, TIME);
    const behind = tarHeader("README.txt", 0, TIME);
    assert.equal(header.length, size < 2 ** 33 ? BLOCK : 3 * BLOCK, "a number that fits needs no record");
    const at = header.length + size + padding(size);
    {
      // Nothing but holes between the two headers.
      using file = await Deno.open(scratch.file("big.tar"), { write: true, createNew: true });
      await file.write(header);
      await file.seek(at, Deno.SeekMode.Start);
      await file.write(behind);
      await file.truncate(at + behind.length + 2 * BLOCK);
    }
    const listed = await shell(scratch.path, "tar -tv --numeric-owner --full-time --utc -f big.tar");
    const rows = listed.trim().split("\n").map((row) => row.split(/\s+/));
    assert.deepEqual(rows.map((row) => [row[0], row[2], row[5]]), [
      ["-rw-------", String(size), PATH],
      ["-rw-------", "0", "README.txt"],
    ]);
  });
}

Deno.test("an entry with more or fewer bytes than it says is refused", async () => {
  const packer = new TarPacker(TIME);
  const reading = collect(packer.readable, Infinity, "the tar").catch((error) => error);
  await packer.begin(PATH, 10);
  await failure(packer.write(bytesOf(11)), "unknown", /more bytes/);
  await packer.write(bytesOf(9));
  await failure(packer.begin("README.txt", 0), "unknown", /fewer bytes/);
  await failure(packer.finish(), "unknown", /fewer bytes/);
  const reason = new AppError("cancelled", "enough");
  packer.abort(reason);
  assert.equal(await reading, reason);
});

Deno.test("a writer that waits is told when the reader leaves, and when the tar is given up", async () => {
  const left = new TarPacker(TIME);
  const writing = failure(left.begin(PATH, 1), "cancelled");
  await left.readable.cancel(new AppError("cancelled", "enough"));
  await writing;
  await failure(left.finish(), "cancelled");

  const unasked = new TarPacker(TIME);
  const unaskedWriting = failure(unasked.begin(PATH, 1), "cancelled", /nobody reads/);
  await unasked.readable.cancel();
  await unaskedWriting;

  const reason = new AppError("transient", "the vault went away");
  const given = new TarPacker(TIME);
  const waiting = failure(given.begin(PATH, 1), "transient");
  given.abort(reason);
  assert.equal(await waiting, reason);
  await assert.rejects(given.readable.getReader().read(), (error) => error === reason);
});

Deno.test("nothing is packed ahead of the reader", async () => {
  const packer = new TarPacker(TIME);
  const body = bytesOf(65_536);
  let written = 0;
  const writing = failure(async () => {
    await packer.begin(PATH, 2 ** 30);
    for (;; written += body.length) await packer.write(body);
  }, "cancelled");
  const reader = packer.readable.getReader();
  for (let read = 0; read < 3_000_000;) {
    read += (await reader.read()).value!.length;
    await new Promise((resolve) => setTimeout(resolve));
    assert.ok(written < read + 2 * body.length, `${written} bytes were taken, ${read} read`);
  }
  await reader.cancel(new AppError("cancelled", "enough"));
  await writing;
});
