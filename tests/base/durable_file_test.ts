import assert from "node:assert/strict";
import { denoFiles } from "../../src/base/deno_files.ts";
import { exists, writeDurably } from "../../src/base/durable_file.ts";
import { AppError } from "../../src/base/errors.ts";
import type { Files } from "../../src/base/world.ts";
import { failure } from "./failure.ts";
import { Scratch, worldWith } from "./scratch.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const NEW = { mode: "new", bits: 0o600 } as const;
const REPLACE = { mode: "replace", bits: 0o600 } as const;
/** A file system without hard links. */
const noLinks: Partial<Files> = {
  link: () => Promise.reject(new AppError("unsupported", "the file system has no hard links")),
};

for (const [what, files] of [["with links", {}], ["without links", noLinks]] as const) {
  Deno.test(`${what}: "new" makes a file with its bits and leaves no temporary one`, async () => {
    await using scratch = await Scratch.make();
    await writeDurably(worldWith(files), scratch.file("a"), bytes("one"), NEW);
    assert.equal(await scratch.read("a"), "one");
    assert.equal((await Deno.stat(scratch.file("a"))).mode! & 0o777, 0o600);
    assert.deepEqual(scratch.names(), ["a"]);
  });

  Deno.test(`${what}: "new" never replaces, not even a dangling link`, async () => {
    await using scratch = await Scratch.make();
    await scratch.write("a", "first");
    await failure(writeDurably(worldWith(files), scratch.file("a"), bytes("second"), NEW), "already-exists");
    assert.equal(await scratch.read("a"), "first");
    await Deno.symlink(scratch.file("nowhere"), scratch.file("b"));
    await failure(writeDurably(worldWith(files), scratch.file("b"), bytes("x"), NEW), "already-exists");
    assert.deepEqual(scratch.names(), ["a", "b"]);
  });

  Deno.test(`${what}: "replace" makes or replaces, and a link is replaced and not followed`, async () => {
    await using scratch = await Scratch.make();
    for (const text of ["one", "two"]) {
      await writeDurably(worldWith(files), scratch.file("a"), bytes(text), REPLACE);
      assert.equal(await scratch.read("a"), text);
    }
    await scratch.write("precious", "untouched");
    await Deno.symlink(scratch.file("precious"), scratch.file("b"));
    await writeDurably(worldWith(files), scratch.file("b"), bytes("new"), REPLACE);
    assert.equal(await scratch.read("precious"), "untouched");
    assert.equal(await scratch.read("b"), "new");
    assert.deepEqual(scratch.names(), ["a", "b", "precious"]);
  });
}

Deno.test("of twenty who make the same new file at once, one does", async () => {
  await using scratch = await Scratch.make();
  const texts = Array.from({ length: 20 }, (_, n) => `writer ${n}`);
  const results = await Promise.allSettled(
    texts.map((text) => writeDurably(worldWith(), scratch.file("a"), bytes(text), NEW)),
  );
  const winner = results.findIndex(({ status }) => status === "fulfilled");
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
  assert.equal(await scratch.read("a"), texts[winner]);
  assert.deepEqual(scratch.names(), ["a"]);
});

const full = new AppError("unknown", "no space left on the device");
const STEPS: [string, Partial<Files>][] = [
  ["create", { create: () => Promise.reject(full) }],
  ["write", fileThat({ write: () => Promise.reject(full) })],
  ["sync", fileThat({ sync: () => Promise.reject(full) })],
  ["rename", { rename: () => Promise.reject(full) }],
];

for (const [step, files] of STEPS) {
  Deno.test(`when ${step} fails the old content stands and nothing is left behind`, async () => {
    await using scratch = await Scratch.make();
    await scratch.write("a", "old");
    assert.equal(
      await failure(writeDurably(worldWith(files), scratch.file("a"), bytes("new"), REPLACE), "unknown"),
      full,
    );
    assert.equal(await scratch.read("a"), "old");
    assert.deepEqual(scratch.names(), ["a"]);
  });
}

Deno.test("bytes are synced before the name, and the folder after it", async () => {
  await using scratch = await Scratch.make();
  for (
    const [options, steps] of [
      [NEW, ["write", "sync", "close", "link", "remove", "syncFolder"]],
      [REPLACE, ["write", "sync", "close", "rename", "syncFolder"]],
    ] as const
  ) {
    const done: string[] = [];
    const noted = <Call extends (...args: never[]) => unknown>(name: string, call: Call) =>
      ((...args: never[]) => (done.push(name), call(...args))) as Call;
    const world = worldWith({
      async create(path, mode) {
        const file = await denoFiles.create(path, mode);
        return {
          write: noted("write", file.write),
          sync: noted("sync", file.sync),
          close: noted("close", file.close),
        };
      },
      link: noted("link", denoFiles.link),
      rename: noted("rename", denoFiles.rename),
      remove: noted("remove", denoFiles.remove),
      syncFolder: noted("syncFolder", denoFiles.syncFolder),
    });
    await writeDurably(world, scratch.file(options.mode), bytes("x"), options);
    assert.deepEqual(done, steps);
  }
});

Deno.test("exists: yes, no, a dangling link too, and other errors are no answer", async () => {
  await using scratch = await Scratch.make();
  await scratch.write("a", "");
  await Deno.symlink(scratch.file("nowhere"), scratch.file("b"));
  for (
    const [name, there] of [["a", true], ["b", true], [".", true], ["c", false], ["c/d", false]] as const
  ) {
    assert.equal(await exists(denoFiles, scratch.file(name)), there, name);
  }
  const denied = new AppError("denied", "permission denied");
  const shut = { ...denoFiles, stat: () => Promise.reject(denied) };
  assert.equal(await failure(exists(shut, scratch.file("a")), "denied"), denied);
});

function fileThat(fails: { write?: () => Promise<void>; sync?: () => Promise<void> }): Partial<Files> {
  return { create: async (path, mode) => ({ ...await denoFiles.create(path, mode), ...fails }) };
}
