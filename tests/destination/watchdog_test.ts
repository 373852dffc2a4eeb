import assert from "node:assert/strict";
import { AppError } from "../../src/base/errors.ts";
import { SILENCE, Watchdog, watched } from "../../src/destination/watchdog.ts";
import { failure } from "../base/failure.ts";
import { ManualClock } from "./manual_clock.ts";

const never = new AbortController().signal;

Deno.test("silence aborts, as transient, not before its time", async () => {
  const clock = new ManualClock();
  using dog = new Watchdog({ clock, signal: never, silence: 60_000 });
  await clock.pass(59_999);
  assert.ok(!dog.signal.aborted);
  await clock.pass(1);
  assert.ok(dog.signal.aborted);
  await failure(dog.guard(new Promise(() => {})), "transient", /^nothing moved for 60 seconds$/);
});

Deno.test("what moves is left alone, however long it takes", async () => {
  const clock = new ManualClock();
  using dog = new Watchdog({ clock, signal: never, silence: 60_000 });
  for (let times = 0; times < 100; times++) {
    await clock.pass(59_000);
    dog.progress();
  }
  assert.ok(!dog.signal.aborted);
  assert.equal(clock.asleep, 1, "one timer at a time");
  await clock.pass(SILENCE);
  assert.ok(dog.signal.aborted);
});

Deno.test("while it rests our own slowness does not count; a pause needs no timer", async () => {
  const clock = new ManualClock();
  using dog = new Watchdog({ clock, signal: never, silence: 60_000 });
  for (const rest of [() => dog.rest(), () => dog.pause()]) {
    rest();
    await clock.pass(10_000_000);
    assert.ok(!dog.signal.aborted);
    assert.equal(clock.asleep, 0);
    dog.progress();
    await clock.pass(59_000);
    assert.ok(!dog.signal.aborted);
    dog.progress();
  }
  await clock.pass(60_000);
  assert.ok(dog.signal.aborted);
});

Deno.test("the caller's abort passes with its reason, and leaves no timer", async () => {
  const clock = new ManualClock();
  const control = new AbortController(), reason = new AppError("cancelled", "stopped by SIGTERM");
  {
    using dog = new Watchdog({ clock, signal: control.signal });
    const work = dog.guard(new Promise(() => {}));
    control.abort(reason);
    assert.equal(await failure(work, "cancelled"), reason);
    using late = new Watchdog({ clock, signal: control.signal });
    assert.equal(await failure(late.guard(new Promise(() => {})), "cancelled"), reason);
  }
  await clock.pass(0);
  assert.equal(clock.asleep, 0);
});

Deno.test("watched: what ends in time, what fails, what hangs without heeding any signal", async () => {
  const clock = new ManualClock();
  const options = { clock, signal: never, silence: 1000 };
  assert.equal(await watched(options, () => Promise.resolve("done")), "done");
  await failure(watched(options, () => Promise.reject(new AppError("denied", "no"))), "denied");
  const hangs = watched(options, () => new Promise(() => {}));
  await clock.pass(1000);
  await failure(hangs, "transient", /nothing moved/);
  const moves = watched(options, async (_, progress) => {
    for (let times = 0; times < 5; times++) {
      await clock.pass(900);
      progress();
    }
    return "moved";
  });
  assert.equal(await moves, "moved");
  let begun = false;
  await failure(
    watched({ clock, signal: AbortSignal.abort() }, () => Promise.resolve(begun = true)),
    "cancelled",
  );
  assert.ok(!begun);
  await clock.pass(0);
  assert.equal(clock.asleep, 0, "timers are left");
});
