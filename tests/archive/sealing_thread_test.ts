import assert from "node:assert/strict";
import { seal, unseal } from "../../src/archive/sealing/seal.ts";
import { concat } from "../../src/base/bytes.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import { Sha256, sha256Hex } from "../../src/base/hash.ts";
import { AppError } from "../../src/base/errors.ts";
import { ArchiveWriter } from "../../src/archive/write.ts";
import { spool } from "../../src/archive/spool.ts";
import { Scratch } from "../base/scratch.ts";
import { bytesOf, collect, owner, piecesOf, TIME } from "./bench.ts";

const MIB = 1024 * 1024;

async function sealed(plain: ReadableStream<Uint8Array>) {
  const { ciphertext, sha256 } = await seal(plain, [owner.recipient], { thread: true });
  assert(sha256, "the thread hashes");
  return { ciphertext, sha256 };
}

Deno.test("the hash that the thread makes is that of the whole age file, and there is none before its end", async () => {
  for (const size of [0, 1, MIB - 1, MIB, MIB + 1, 5 * MIB + 7]) {
    const bytes = bytesOf(size);
    const { ciphertext, sha256 } = await sealed(piecesOf(bytes, 100_000));
    const hash = new Sha256();
    const parts: Uint8Array[] = [];
    for await (const part of ciphertext) {
      if (parts.length === 0) assert.throws(sha256, AppError);
      hash.update(part);
      parts.push(part);
    }
    assert.equal(sha256(), hash.hex(), `${size}`);
    const opened = await unseal(ReadableStream.from(parts), [owner.secret.reveal()], "library");
    assert.deepEqual(await collect(opened, Infinity, "opened"), bytes, `${size}: the age library opens it`);
  }
});

Deno.test("what was given out is never written over by a later batch", async () => {
  const bytes = bytesOf(6 * MIB);
  const parts = await Array.fromAsync((await sealed(piecesOf(bytes, MIB))).ciphertext);
  const opened = await unseal(ReadableStream.from(parts), [owner.secret.reveal()]);
  assert.deepEqual(await collect(opened, Infinity, "opened"), bytes);
});

Deno.test("a reader that brings its own array gets the same age file, however small the array", async () => {
  const bytes = bytesOf(3 * MIB + 5);
  for (const size of [1000, 262_144 + 4 * 16, MIB]) {
    const { ciphertext, sha256 } = await sealed(piecesOf(bytes, MIB));
    const reader = ciphertext.getReader({ mode: "byob" });
    const parts: Uint8Array[] = [];
    for (let array = new Uint8Array(size);;) {
      const { done, value } = await reader.read(array);
      if (done) break;
      parts.push(value.slice());
      array = new Uint8Array(value.buffer);
    }
    assert.equal(sha256(), sha256Hex(concat(parts)), `${size}`);
    const opened = await unseal(ReadableStream.from(parts), [owner.secret.reveal()], "library");
    assert.deepEqual(await collect(opened, Infinity, "opened"), bytes, `${size}`);
  }
});

Deno.test("what the thread seals is spooled whole, and its hash is the file's", async () => {
  await using scratch = await Scratch.make();
  const bytes = bytesOf(9 * MIB + 1);
  const { ciphertext, sha256 } = await sealed(piecesOf(bytes, 300_000));
  const kept = await spool(denoFiles, scratch.path, "a.age", ciphertext, { sha256 });
  const file = await Deno.readFile(kept.path);
  assert.equal(kept.sha256, sha256Hex(file));
  const opened = await unseal(ReadableStream.from([file]), [owner.secret.reveal()], "library");
  assert.deepEqual(await collect(opened, Infinity, "opened"), bytes);
});

Deno.test("a reader that leaves in the middle lets go of the source and of the thread", async () => {
  let cancelled = false;
  let given = 0;
  const endless = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve));
      controller.enqueue(bytesOf(65_536, given++));
    },
    cancel: () => void (cancelled = true),
  }, { highWaterMark: 0 });
  const { ciphertext } = await sealed(endless);
  let seen = 0;
  for await (const part of ciphertext) if ((seen += part.length) > 2 * MIB) break;
  assert(cancelled);
  assert(given < 200, `${given} pieces were taken: no more than a few batches ahead`);
});

Deno.test("a reader that leaves while the source stands still lets go of it at once", async () => {
  let cancelled: unknown;
  const standing = new ReadableStream<Uint8Array>({ cancel: (reason) => void (cancelled = reason) });
  const { ciphertext } = await sealed(standing);
  await ciphertext.cancel("enough");
  assert.equal(cancelled, "enough");

  const { ciphertext: begun } = await sealed(
    new ReadableStream({ start: (controller) => controller.enqueue(bytesOf(100)) }),
  );
  const reader = begun.getReader();
  await reader.read();
  await reader.cancel();
});

Deno.test("a source that fails fails the sealing with its own error", async () => {
  const own = new AppError("transient", "the vault went away");
  const failing = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytesOf(3 * MIB));
    },
    pull: () => Promise.reject(own),
  });
  const { ciphertext, sha256 } = await sealed(failing);
  await assert.rejects(collect(ciphertext, Infinity, "sealed"), (error) => error === own);
  assert.throws(sha256, AppError, "half an archive has no hash");
});

Deno.test("a sink that fails in the middle, with a thread: its own error comes out and everything is let go", async () => {
  const full = new AppError("unknown", "no space left on the device");
  const writer = new ArchiveWriter({
    time: TIME,
    compression: "zstd",
    recipients: [owner.recipient],
    thread: true,
    sink: async (ciphertext) => {
      let seen = 0;
      for await (const part of ciphertext) if ((seen += part.length) > MIB) throw full;
    },
  });
  const adding = writer.addStream("vaults/v/files/i/f", 64 * MIB, piecesOf(bytesOf(64 * MIB), 65_536));
  await assert.rejects(adding, (error) => error === full);
  await assert.rejects(writer.finish(), (error) => error === full);
});

Deno.test("abort, with a thread: the sink is told the reason and the thread ends", async () => {
  let told: unknown;
  const writer = new ArchiveWriter({
    time: TIME,
    compression: "gzip",
    recipients: [owner.recipient],
    thread: true,
    sink: async (ciphertext) => {
      try {
        await Array.fromAsync(ciphertext);
      } catch (error) {
        told = error;
        throw error;
      }
    },
  });
  await writer.add("README.txt", bytesOf(1000));
  const reason = new AppError("cancelled", "stopped");
  await writer.abort(reason);
  assert.equal(told, reason);
});
