import assert from "node:assert/strict";
import { lockJob } from "../../src/host/lock.ts";
import { AppError } from "../../src/base/errors.ts";
import type { Lock } from "../../src/base/world.ts";
import { failure } from "../base/failure.ts";
import { Scratch, worldWith } from "../base/scratch.ts";

const world = worldWith();
const HOLDER = new URL("lock_holder.ts", import.meta.url).pathname;

/** Another process that takes the lock and holds it until it is killed. */
async function holderOf(folder: string) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-prompt", HOLDER, folder],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assert.equal(new TextDecoder().decode(value).trim(), "held");
  return {
    pid: child.pid,
    async end(signal: Deno.Signal) {
      child.kill(signal);
      await child.status;
      await reader.cancel();
    },
  };
}

/** Tries until the late attempt that a refused lock leaves behind has given the lock back. */
async function lockSoon(folder: string): Promise<Lock> {
  for (let n = 0;; n++) {
    try {
      return await lockJob(world, folder, "acme");
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "locked" || n > 5) throw error;
    }
  }
}

/** A refused attempt still gets the lock in the end and gives it back: that must not fall into the next test. */
function lateAttempts(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 300));
}

Deno.test("the second run of a job is locked out and told who is at work", async () => {
  await using scratch = await Scratch.make();
  const now = new Date("2026-02-03T04:05:06Z");
  const clocked = worldWith({}, { clock: { ...world.clock, now: () => now } });
  const lock = await lockJob(clocked, scratch.file("acme"), "acme");
  const error = await failure(
    lockJob(world, scratch.file("acme"), "acme"),
    "locked",
    /another run of job "acme"/,
  );
  assert.match(error.message, new RegExp(`process ${Deno.pid}, since 2026-02-03T04:05:06\\.000Z`));
  assert.match(error.hint!, /wait/);
  lock.release();
  (await lockSoon(scratch.file("acme"))).release();
  await lateAttempts();
});

Deno.test("jobs of other folders do not lock each other out", async () => {
  await using scratch = await Scratch.make();
  const locks = await Promise.all(["a", "b", "c"].map((job) => lockJob(world, scratch.file(job), job)));
  for (const lock of locks) lock.release();
});

Deno.test("a released lock is free at once, as often as one likes", async () => {
  await using scratch = await Scratch.make();
  for (let n = 0; n < 5; n++) (await lockJob(world, scratch.path, "acme")).release();
});

Deno.test("a lock ends with its process, even when that is killed with -9", async () => {
  await using scratch = await Scratch.make();
  const holder = await holderOf(scratch.path);
  const error = await failure(lockJob(world, scratch.path, "acme"), "locked");
  assert.ok(error.message.includes(`process ${holder.pid}`), error.message);
  await holder.end("SIGKILL");
  await lateAttempts();
  assert.ok(scratch.names().includes("lock.holder"), "its note is left behind and keeps nobody out");
  const lock = await lockSoon(scratch.path);
  assert.match(await scratch.read("lock.holder"), new RegExp(`process ${Deno.pid},`));
  lock.release();
});

Deno.test("lock and note are for their owner alone", async () => {
  await using scratch = await Scratch.make();
  const lock = await lockJob(world, scratch.file("acme"), "acme");
  for (const [name, bits] of [["acme", 0o700], ["acme/lock", 0o600], ["acme/lock.holder", 0o600]] as const) {
    assert.equal((await Deno.stat(scratch.file(name))).mode! & 0o777, bits, name);
  }
  lock.release();
});

Deno.test("when the note cannot be written the lock is given back", async () => {
  await using scratch = await Scratch.make();
  const full = new AppError("unknown", "no space left on the device");
  const broken = worldWith({ create: () => Promise.reject(full) });
  assert.equal(await failure(lockJob(broken, scratch.path, "acme"), "unknown"), full);
  (await lockJob(world, scratch.path, "acme")).release();
});
