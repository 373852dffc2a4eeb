import assert from "node:assert/strict";
import { denoFiles as files } from "../../src/base/deno_files.ts";
import { collect } from "../../src/base/bytes.ts";
import { bytesOf } from "../archive/bench.ts";
import { failure } from "./failure.ts";
import { Scratch } from "./scratch.ts";

Deno.test("what is not there is not found, whoever asks", async () => {
  await using scratch = await Scratch.make();
  const path = scratch.file("nothing");
  const calls = [
    () => files.stat(path),
    () => files.read(path, 10),
    () => files.stream(path),
    () => files.names(path),
    () => files.link(path, scratch.file("b")),
    () => files.rename(path, scratch.file("b")),
    () => files.remove(path),
    () => files.chmod(path, 0o600),
    () => files.realPath(path),
    () => files.syncFolder(path),
    () => files.create(`${path}/x`, 0o600),
    () => files.append(`${path}/x`, 0o600),
    () => files.lock(`${path}/x`, 10),
  ];
  for (const call of calls) await failure(call, "not-found", /cannot .* ".*(nothing|b)/);
});

Deno.test("a path through a file is not found", async () => {
  await using scratch = await Scratch.make();
  const path = `${await scratch.write("a", "")}/b`;
  for (
    const call of [
      () => files.stat(path),
      () => files.read(path, 10),
      () => files.names(scratch.file("a")),
      () => files.create(path, 0o600),
    ]
  ) {
    await failure(call, "not-found", /not a folder/);
  }
});

Deno.test("what is there already is never made again, nor through a link", async () => {
  await using scratch = await Scratch.make();
  await scratch.write("a", "old");
  await Deno.symlink(scratch.file("nowhere"), scratch.file("dangling"));
  for (const name of ["a", "dangling"]) {
    await failure(files.create(scratch.file(name), 0o600), "already-exists", /it exists already/);
    await failure(files.link(scratch.file("a"), scratch.file(name)), "already-exists");
  }
  await failure(files.makeFolder(scratch.file("a"), 0o700), ["already-exists", "not-found"]);
  assert.equal(await scratch.read("a"), "old");
  assert.deepEqual(scratch.names(), ["a", "dangling"]);
});

Deno.test("a folder is not removed while something is in it, unless that is asked for", async () => {
  await using scratch = await Scratch.make();
  await files.makeFolder(scratch.file("a/b"), 0o700);
  await failure(files.remove(scratch.file("a")), "already-exists", /the folder is not empty/);
  await files.remove(scratch.file("a"), { recursive: true });
  assert.deepEqual(scratch.names(), []);
});

Deno.test("a folder is no file to read, and the message says so", async () => {
  await using scratch = await Scratch.make();
  await failure(files.read(scratch.path, 10), "unknown", /[Ii]s a directory/);
  await failure(collect(await files.stream(scratch.path), 10, "x"), "unknown", /[Ii]s a directory/);
});

Deno.test("what the system forbids is denied", async () => {
  await failure(
    () => files.remove("/proc/version"),
    "denied",
    /cannot remove "\/proc\/version": permission denied/,
  );
});

Deno.test({
  name: "what this program was not allowed at its start is denied, in other words",
  permissions: { read: false, write: false },
  async fn() {
    for (
      const call of [files.stat("/etc/passwd"), files.read("/etc/passwd", 10), files.create("/tmp/x", 0o600)]
    ) {
      await failure(call, "denied", /started without that permission/);
    }
  },
});

Deno.test("a full disk, a name too long and a file system apart are told in plain words", async () => {
  await using scratch = await Scratch.make();
  const device = await files.append("/dev/full", 0o600);
  await failure(
    device.write(bytesOf(10)),
    "unknown",
    /cannot write "\/dev\/full": no space left on the device/,
  );
  device.close();
  await failure(files.create(scratch.file("x".repeat(300)), 0o600), "misconfigured", /the name is too long/);
  await failure(files.link("/proc/version", scratch.file("a")), "unsupported", /no hard links/);
});

Deno.test("stat tells kind, size and bits, and does not follow links", async () => {
  await using scratch = await Scratch.make();
  await scratch.write("a", "hello", 0o640);
  await Deno.symlink(scratch.file("a"), scratch.file("b"));
  const { kind, size, mode } = await files.stat(scratch.file("a"));
  assert.deepEqual({ kind, size, mode }, { kind: "file", size: 5, mode: 0o640 });
  assert.equal((await files.stat(scratch.path)).kind, "directory");
  assert.equal((await files.stat(scratch.file("b"))).kind, "link");
  assert.equal((await files.stat("/dev/null")).kind, "other");
  assert.equal(await files.realPath(scratch.file("b")), scratch.file("a"));
});

Deno.test("read takes up to its limit; a longer file is corrupt and closed", async () => {
  await using scratch = await Scratch.make();
  const path = await scratch.write("a", "12345");
  assert.equal(new TextDecoder().decode(await files.read(path, 5)), "12345");
  await failure(files.read(path, 4), "corrupt", /longer than 4 bytes/);
});

Deno.test("a stream gives the bytes of its range and no others", async () => {
  await using scratch = await Scratch.make();
  const bytes = bytesOf(600_000);
  const path = await scratch.write("a", bytes);
  const read = async (range?: { start: number; end?: number }) =>
    await collect(await files.stream(path, range), Infinity, "x");
  assert.deepEqual(await read(), bytes);
  const ranges: [number, number | undefined][] = [[0, 0], [0, 1], [5, 5], [7, 3], [1, 262_145], [
    599_999,
    undefined,
  ]];
  ranges.push([100, undefined], [0, 600_000], [0, 700_000], [600_000, undefined], [700_000, 700_010]);
  for (const [start, end] of ranges) {
    const range = end === undefined ? { start } : { start, end };
    assert.deepEqual(
      await read(range),
      bytes.slice(start, Math.max(start, end ?? bytes.length)),
      `${start}-${end}`,
    );
  }
});

Deno.test("a stream that is left in the middle, or before its first byte, has closed its file", async () => {
  await using scratch = await Scratch.make();
  const path = await scratch.write("a", bytesOf(600_000));
  await (await files.stream(path)).cancel();
  for await (const _ of await files.stream(path)) break;
});

Deno.test("append goes on where the file ends, with the bits of its making", async () => {
  await using scratch = await Scratch.make();
  for (const text of ["one", "two"]) {
    const file = await files.append(scratch.file("a"), 0o600);
    await file.write(new TextEncoder().encode(text));
    await file.sync();
    file.close();
  }
  assert.equal(await scratch.read("a"), "onetwo");
  assert.equal((await files.stat(scratch.file("a"))).mode, 0o600);
});

Deno.test("a lock that another holds is not given, and it is free again when released", async () => {
  await using scratch = await Scratch.make();
  const path = scratch.file("lock");
  const held = await files.lock(path, 1000);
  assert.ok(held);
  assert.equal(await files.lock(path, 50), undefined);
  held.release();
  const again = await files.lock(path, 2000);
  assert.ok(again);
  again.release();
  // The attempt that came too late still gets the lock and gives it back: that must not fall into the next test.
  await new Promise((resolve) => setTimeout(resolve, 300));
});

Deno.test("control characters in a path do not reach the message", async () => {
  const error = await failure(files.stat("/nowhere/a\x1b[31m\u202eb"), "not-found");
  // deno-lint-ignore no-control-regex -- it is what must not be there
  assert.doesNotMatch(error.message, /[\x1b\u202e]/);
  await failure(files.stat("/tmp/a\0b"), ["unknown", "misconfigured", "not-found"]);
});
