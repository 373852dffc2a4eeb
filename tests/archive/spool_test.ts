import assert from "node:assert/strict";
import { spool } from "../../src/archive/spool.ts";
import { AppError } from "../../src/base/errors.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import type { NewFile } from "../../src/base/world.ts";
import { failure } from "../base/failure.ts";
import { Scratch } from "../base/scratch.ts";
import { bytesOf, piecesOf } from "./bench.ts";

const BYTES = bytesOf(300_000);

/** Files whose new ones fail in one of their calls. */
function failing(call: keyof NewFile, error: AppError, after = 0) {
  let calls = 0;
  return {
    ...denoFiles,
    async create(path: string, mode: number): Promise<NewFile> {
      const file = await denoFiles.create(path, mode);
      const fails = () => calls++ >= after ? Promise.reject(error) : undefined;
      return {
        write: (bytes) => (call === "write" && fails()) || file.write(bytes),
        sync: () => (call === "sync" && fails()) || file.sync(),
        close: () => file.close(),
      };
    },
  };
}

Deno.test("what is spooled is the stream, private, with its size and hash", async () => {
  await using scratch = await Scratch.make();
  const told: number[] = [];
  const kept = await spool(
    denoFiles,
    scratch.file("spool"),
    "a.age",
    piecesOf(BYTES, 100_000),
    { progress: (n) => told.push(n) },
  );
  assert.deepEqual(kept, { path: scratch.file("spool/a.age"), size: BYTES.length, sha256: sha256Hex(BYTES) });
  assert.deepEqual(await Deno.readFile(kept.path), BYTES);
  assert.deepEqual(scratch.names("spool"), ["a.age"]);
  assert.equal((await Deno.stat(kept.path)).mode! & 0o777, 0o600);
  assert.equal((await Deno.stat(scratch.file("spool"))).mode! & 0o777, 0o700);
  assert.deepEqual(told, [100_000, 200_000, 300_000]);
});

for (const [call, after] of [["write", 0], ["write", 2], ["sync", 0]] as const) {
  Deno.test(`a ${call} that fails (after ${after}) leaves nothing behind and lets the stream go`, async () => {
    await using scratch = await Scratch.make();
    const full = new AppError("unknown", "no space left on the device");
    let cancelled = false;
    const body = piecesOf(BYTES, 50_000, () => cancelled = true);
    const caught = await failure(spool(failing(call, full, after), scratch.path, "a.age", body), "unknown");
    assert.equal(caught, full);
    assert.deepEqual(scratch.names(), []);
    assert.equal(cancelled, call === "write", "after the last byte there is nothing to cancel");
  });
}

Deno.test("a stream that breaks off leaves nothing behind, and its own error comes out", async () => {
  await using scratch = await Scratch.make();
  const own = new AppError("transient", "connection reset");
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytesOf(10)),
    pull: (controller) => controller.error(own),
  });
  assert.equal(await failure(spool(denoFiles, scratch.path, "a.age", body), "transient"), own);
  assert.deepEqual(scratch.names(), []);
});

Deno.test("a disk that keeps less than it was given is noticed", async () => {
  await using scratch = await Scratch.make();
  const lossy = {
    ...denoFiles,
    async create(path: string, mode: number): Promise<NewFile> {
      const file = await denoFiles.create(path, mode);
      return {
        write: (bytes) => file.write(bytes.subarray(1)),
        sync: () => file.sync(),
        close: () => file.close(),
      };
    },
  };
  await failure(
    spool(lossy, scratch.path, "a.age", piecesOf(BYTES, 100_000)),
    "corrupt",
    /kept 299997 of 300000/,
  );
  assert.deepEqual(scratch.names(), []);
});

Deno.test("a folder that cannot be made: the stream is let go", async () => {
  await using scratch = await Scratch.make();
  await scratch.write("spool", "a file");
  let cancelled = false;
  const body = piecesOf(BYTES, 1000, () => cancelled = true);
  await assert.rejects(spool(denoFiles, scratch.file("spool/x"), "a.age", body), AppError);
  assert.ok(cancelled);
});

Deno.test("what somebody else is writing under this name is left alone", async () => {
  await using scratch = await Scratch.make();
  await scratch.write("a.age.partial", "of another run");
  await failure(spool(denoFiles, scratch.path, "a.age", piecesOf(BYTES, 1000)), "already-exists");
  assert.equal(await scratch.read("a.age.partial"), "of another run");
});
