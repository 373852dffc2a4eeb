import assert from "node:assert/strict";
import { AppError } from "../../src/base/errors.ts";
import { memoryPath, readRuns, writeRuns } from "../../src/host/run_memory.ts";
import type { Run } from "../../src/model/run.ts";
import { failure } from "../base/failure.ts";
import { Scratch, worldWith } from "../base/scratch.ts";
import { run, thin } from "../policy/runs.ts";

const world = worldWith();

const RUNS: Run[] = [
  run(0, { a: 10, constructor: { archived: 2, lacking: 1, unread: true } }, {
    sequence: 1,
    size: 1234,
    account: "ACCOUNT",
    excluded: ["b"],
    expected: { seen: ["Finance"], missing: ["Payroll"] },
  }),
  thin(run(1, { a: 10 }, { outcome: "incomplete", gaps: 1 })),
  run(2, { x: 0 }, { outcome: "refused", lastTry: "2026-01-05T00:00:00.000Z" }),
  run(3, {}, { outcome: "suspicious", noBaseline: true }),
];

Deno.test("what is remembered is read again, and lies where only the backup user reads it", async () => {
  await using scratch = await Scratch.make();
  assert.equal(await readRuns(world, scratch.path), undefined);
  for (const runs of [[], RUNS, RUNS.slice(1)]) {
    await writeRuns(world, scratch.path, runs);
    assert.deepEqual(await readRuns(world, scratch.path), runs);
  }
  assert.deepEqual(scratch.names(), ["runs.json"]);
  assert.equal((await Deno.stat(memoryPath(scratch.path))).mode! & 0o777, 0o600);
});

Deno.test("a memory that is damaged anywhere is never read as another one", async () => {
  await using scratch = await Scratch.make();
  await writeRuns(world, scratch.path, RUNS);
  const whole = await scratch.read("runs.json");
  for (let length = 0; length < whole.length - 1; length += 7) {
    await scratch.write("runs.json", whole.slice(0, length));
    await failure(readRuns(world, scratch.path), "corrupt", /runs\.json" is damaged$/);
  }
  const changes = [
    ['"v":1', '"v":2'],
    ['"complete"', '"perfect"'],
    ['"active":10', '"active":-10'],
    ['"items":10', '"items":"10"'],
    ['"time":"2026', '"time":"yesterday 2026'],
    ['"run":"run 0",', ""],
  ] as const;
  for (const [from, to] of changes) {
    assert.ok(whole.includes(from), from);
    await scratch.write("runs.json", whole.replace(from, to));
    await failure(readRuns(world, scratch.path), "corrupt");
  }
});

Deno.test("a write that fails leaves what was remembered before", async () => {
  await using scratch = await Scratch.make();
  await writeRuns(world, scratch.path, RUNS);
  const full = worldWith({ rename: () => Promise.reject(new AppError("unknown", "no space left")) });
  await failure(writeRuns(full, scratch.path, []), "unknown", /no space left/);
  assert.deepEqual(await readRuns(world, scratch.path), RUNS);
  assert.deepEqual(scratch.names(), ["runs.json"]);
});
