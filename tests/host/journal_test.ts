import assert from "node:assert/strict";
import { Journal, type Undertaking } from "../../src/host/journal.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import { AppError } from "../../src/base/errors.ts";
import { failure } from "../base/failure.ts";
import { Scratch, worldWith } from "../base/scratch.ts";

const world = worldWith();
const SPOOL: Undertaking = { what: "spool", name: "acme_20260203T040506Z_0123abcd.tar.zst.age" };
const NAS = { what: "put", destination: "nas", key: "acme/a" } as const;
const FOLDER: Undertaking = { what: "folder", path: "/dev/shm/vaultferry-00112233445566778899aabbccddeeff" };
const AZURE: Undertaking = { what: "put", destination: "azure", key: "acme/a" } as const;

const load = (scratch: Scratch) => Journal.load(world, scratch.file("journal.jsonl"));
const line = (step: string, one: object) =>
  JSON.stringify({ at: "2026-02-03T04:05:06Z", step, ...one }) + "\n";

Deno.test("a journal that is not there is empty, and looking makes none", async () => {
  await using scratch = await Scratch.make();
  assert.deepEqual((await load(scratch)).unfinished(), []);
  assert.deepEqual(scratch.names(), []);
});

Deno.test("what was begun and not ended is unfinished, now and after a restart", async () => {
  await using scratch = await Scratch.make();
  const journal = await load(scratch);
  for (const one of [SPOOL, NAS, AZURE, FOLDER]) await journal.begin(one);
  await journal.end(NAS);
  for (const one of [journal, await load(scratch)]) {
    assert.deepEqual(one.unfinished(), [SPOOL, AZURE, FOLDER]);
  }
  await journal.end(FOLDER);
  for (const one of [journal, await load(scratch)]) assert.deepEqual(one.unfinished(), [SPOOL, AZURE]);
  assert.equal((await Deno.stat(scratch.file("journal.jsonl"))).mode! & 0o777, 0o600);
});

Deno.test("the same thing begun again is unfinished again, and ending what never began is nothing", async () => {
  await using scratch = await Scratch.make();
  const journal = await load(scratch);
  await journal.begin(SPOOL);
  await journal.end(SPOOL);
  await journal.end(AZURE);
  await journal.begin(SPOOL);
  await journal.begin(SPOOL);
  assert.deepEqual((await load(scratch)).unfinished(), [SPOOL]);
});

Deno.test("the first thing begun is durable with the name of the journal itself, and only that once", async () => {
  await using scratch = await Scratch.make();
  const steps: string[] = [];
  const world = worldWith({
    append: async (path, mode) => {
      const file = await denoFiles.append(path, mode);
      return { ...file, sync: () => file.sync().then(() => void steps.push("sync")) };
    },
    syncFolder: async (path) => {
      await denoFiles.syncFolder(path);
      steps.push(`sync folder ${path}`);
    },
  });
  const journal = await Journal.load(world, scratch.file("journal.jsonl"));
  await journal.begin(FOLDER);
  assert.deepEqual(steps, ["sync", `sync folder ${scratch.path}`]);
  await journal.end(FOLDER);
  await (await Journal.load(world, scratch.file("journal.jsonl"))).begin(SPOOL);
  assert.deepEqual(steps.slice(2), ["sync", "sync"]);
});

Deno.test("compact keeps what is unfinished and nothing else", async () => {
  await using scratch = await Scratch.make();
  const journal = await load(scratch);
  for (const one of [SPOOL, NAS, AZURE]) await journal.begin(one);
  await journal.end(SPOOL);
  await journal.end(NAS);
  await journal.compact();
  assert.equal((await scratch.read("journal.jsonl")).trim().split("\n").length, 1);
  assert.deepEqual((await load(scratch)).unfinished(), [AZURE]);
  await journal.end(AZURE);
  await journal.compact();
  assert.equal(await scratch.read("journal.jsonl"), "");
  assert.deepEqual((await load(scratch)).unfinished(), []);
});

Deno.test("a run that begins and ends thousands of things keeps the file short, and forgets none of them", async () => {
  await using scratch = await Scratch.make();
  // Without syncs, which thousands of lines would wait for.
  const quick = worldWith({
    append: async (path, mode) => ({ ...await denoFiles.append(path, mode), sync: () => Promise.resolve() }),
  });
  const journal = await Journal.load(quick, scratch.file("journal.jsonl"));
  await journal.begin(SPOOL);
  let longest = 0;
  for (let nth = 0; nth < 2500; nth++) {
    const folder: Undertaking = { what: "folder", path: `/dev/shm/${nth}` };
    await journal.begin(folder);
    if (nth % 500 !== 0) await journal.end(folder);
    longest = Math.max(longest, (await Deno.stat(scratch.file("journal.jsonl"))).size);
  }
  assert.ok(longest < 300_000, `${longest} bytes`);
  const left = [0, 500, 1000, 1500, 2000].map((nth) => ({ what: "folder", path: `/dev/shm/${nth}` }));
  for (const one of [journal, await load(scratch)]) assert.deepEqual(one.unfinished(), [SPOOL, ...left]);
});

Deno.test("a last line torn by a crash at any byte is passed over, and the lines before it count", async () => {
  await using scratch = await Scratch.make();
  const whole = line("begin", SPOOL);
  const last = line("begin", { what: "put", destination: "\u00fc", key: "acme/\u00e9" });
  const bytes = new TextEncoder().encode(last);
  for (let length = 0; length < bytes.length; length++) {
    const torn = new Uint8Array([...new TextEncoder().encode(whole), ...bytes.subarray(0, length)]);
    await scratch.write("journal.jsonl", torn);
    assert.deepEqual((await load(scratch)).unfinished(), [SPOOL], `${length} bytes`);
  }
});

Deno.test("a torn line does not spoil the lines that are written after it", async () => {
  await using scratch = await Scratch.make();
  for (const torn of ['{"at":"2026', line("begin", NAS).trimEnd(), "\0\0\0\0"]) {
    await scratch.write("journal.jsonl", line("begin", SPOOL) + torn);
    const journal = await load(scratch);
    await journal.begin(AZURE);
    assert.deepEqual((await load(scratch)).unfinished(), [SPOOL, AZURE]);
    await journal.end(SPOOL);
    assert.deepEqual((await load(scratch)).unfinished(), [AZURE]);
  }
});

Deno.test("a line that the disk took only half of does not spoil the lines after it", async () => {
  await using scratch = await Scratch.make();
  const full = new AppError("unknown", "no space left on the device");
  let fails = false;
  const sometimes = worldWith({
    async append(path, mode) {
      const file = await denoFiles.append(path, mode);
      const write = async (bytes: Uint8Array) => {
        await file.write(fails ? bytes.subarray(0, 20) : bytes);
        if (fails) throw full;
      };
      return { ...file, write };
    },
  });
  const journal = await Journal.load(sometimes, scratch.file("journal.jsonl"));
  await journal.begin(SPOOL);
  fails = true;
  assert.equal(await failure(journal.begin(NAS), "unknown"), full);
  fails = false;
  await journal.begin(AZURE);
  for (const one of [journal, await load(scratch)]) assert.deepEqual(one.unfinished(), [SPOOL, AZURE]);
});

Deno.test("a damaged line that is not the last is corrupt, told by number and with the way out", async () => {
  await using scratch = await Scratch.make();
  const damaged = [
    "{",
    "null",
    "[]",
    "7",
    '{"step":"begin"}',
    line("start", SPOOL).trim(),
    line("begin", {}).trim(),
  ];
  damaged.push(
    line("begin", { what: "put", key: "x" }).trim(),
    line("begin", { what: "spool", name: 1 }).trim(),
    line("begin", { what: "folder", name: "x" }).trim(),
  );
  for (const text of damaged) {
    for (const after of ["\n", `\n${line("end", SPOOL)}`]) {
      await scratch.write("journal.jsonl", line("begin", SPOOL) + text + after);
      const error = await failure(load(scratch), "corrupt", /line 2 of ".*journal.jsonl" is damaged/);
      assert.match(error.hint!, /remove that line/);
    }
  }
});

Deno.test("destinations that begin and end at the same time are all noted, after a torn line too", async () => {
  await using scratch = await Scratch.make();
  await scratch.write("journal.jsonl", line("begin", SPOOL) + '{"at":');
  const journal = await load(scratch);
  const puts = Array.from({ length: 40 }, (_, n): Undertaking => ({ ...NAS, key: `acme/${n}` }));
  await Promise.all(puts.map(async (put, n) => {
    await journal.begin(put);
    if (n % 2 === 0) await journal.end(put);
    if (n === 20) await journal.compact();
  }));
  const unfinished = [SPOOL, ...puts.filter((_, n) => n % 2 === 1)];
  for (const one of [journal, await load(scratch)]) assert.deepEqual(one.unfinished(), unfinished);
});

Deno.test("names with any character in them come back as they were", async () => {
  await using scratch = await Scratch.make();
  const journal = await load(scratch);
  const odd = ["a b", "a\nb", '"', "\u2028", "\u{1f600}", "\\"].map((key): Undertaking => ({ ...NAS, key }));
  for (const one of odd) await journal.begin(one);
  assert.deepEqual((await load(scratch)).unfinished(), odd);
});

Deno.test("two destinations with the same key, and a spool of that name, are three things", async () => {
  await using scratch = await Scratch.make();
  const journal = await load(scratch);
  const spool: Undertaking = { what: "spool", name: NAS.key };
  for (const one of [NAS, AZURE, spool]) await journal.begin(one);
  await journal.end(NAS);
  assert.deepEqual((await load(scratch)).unfinished(), [AZURE, spool]);
});
