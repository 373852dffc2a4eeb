import assert from "node:assert/strict";
import { AppError, cancellation } from "../../src/base/errors.ts";
import { FakeClock } from "../base/clock.ts";
import { failure } from "../base/failure.ts";
import { failing, never, patience, quota } from "./patience.ts";

Deno.test("what succeeds is done once, without a pause", async () => {
  const { one, slept, events } = patience(60);
  const { action, calls } = failing();
  assert.equal(await one.outlast(action, never), "done");
  assert.deepEqual([calls(), slept(), events], [1, [], []]);
});

Deno.test("pauses double from a minute to a quarter of an hour, and people are told of each", async () => {
  const { one, slept, events } = patience(120);
  const { action, calls } = failing(...Array.from({ length: 7 }, () => quota()));
  assert.equal(await one.outlast(action, never), "done");
  assert.deepEqual(slept(), [1, 2, 4, 8, 15, 15, 15]);
  assert.equal(calls(), 8);
  assert.equal(events.length, 7);
  assert.deepEqual(events[1], {
    event: "waiting",
    job: "acme",
    until: "2026-02-03T04:08:06.000Z",
    seconds: 120,
    message: "1Password's quota is used up, nobody says for how long, and it is tried again then",
  });
});

Deno.test("the total is never exceeded: the last pause is what is left of it, and then it ends", async () => {
  const { one, slept } = patience(10);
  const { action, calls } = failing(...Array.from({ length: 9 }, () => quota()));
  const error = await failure(one.outlast(action, never), "quota");
  assert.deepEqual(slept(), [1, 2, 4, 3]);
  assert.equal(calls(), 5);
  assert.equal(error.message, "1Password's quota is used up, after 10m of waiting for it too");
  assert.equal(error.origin, "source");
  assert.match(error.hint!, /^wait for it to renew \(hourly for a token, daily for the account: /);
  // What is spent is spent, whichever call of whichever door asks next.
  await failure(one.outlast(failing(quota()).action, never), "quota");
  assert.deepEqual(slept(), [1, 2, 4, 3]);
});

Deno.test("no patience: no pause, no second try, and still the hint", async () => {
  const { one, slept, events } = patience(0);
  const { action, calls } = failing(quota(1800));
  const error = await failure(one.outlast(action, never), "quota");
  assert.deepEqual([calls(), slept(), events], [1, [], []]);
  assert.equal(error.message, "1Password's quota is used up");
  assert.match(error.hint!, /1Password says: at 2026-02-03 04:36 UTC/);
  assert.equal(error.retryAfter, 1800);
});

Deno.test("only a used-up quota is waited for", async () => {
  for (const code of ["denied", "transient", "not-found", "unknown", "cancelled"] as const) {
    const { one, slept } = patience(60);
    const thrown = new AppError(code, "no");
    assert.equal(await failure(one.outlast(failing(thrown).action, never), code), thrown);
    assert.deepEqual(slept(), []);
  }
  const { one } = patience(60);
  await assert.rejects(one.outlast(failing(new TypeError("a bug")).action, never), TypeError);
});

Deno.test("where the refusal says how long, the pause is so long, and never shorter than it would be anyway", async () => {
  const { one, slept, events } = patience(120);
  await one.outlast(failing(quota(59 * 60), quota(1), quota(1), quota(1)).action, never);
  assert.deepEqual(slept(), [59, 2, 4, 8]);
  assert.match((events[0] as { message: string }).message, /used up and renews then$/);
});

Deno.test("a renewal beyond the total is not waited for at all", async () => {
  const { one, slept } = patience(58);
  const { action, calls } = failing(quota(59 * 60));
  await failure(one.outlast(action, never), "quota");
  assert.deepEqual([calls(), slept()], [1, []]);
  const exactly = patience(59);
  await exactly.one.outlast(failing(quota(59 * 60)).action, never);
  assert.deepEqual(exactly.slept(), [59]);
});

Deno.test("an abort ends the pause", async () => {
  const stop = new AbortController();
  const { one, clock } = patience(
    60,
    new FakeClock(undefined, () => stop.abort(new AppError("cancelled", "stopped"))),
  );
  const { action, calls } = failing(quota());
  assert.equal((await failure(one.outlast(action, stop.signal), "cancelled")).message, "stopped");
  assert.equal(calls(), 1);
  // An abort that comes with the refusal leaves no room for a pause.
  await failure(one.outlast(failing(quota()).action, stop.signal), "cancelled");
  assert.equal(clock.slept.length, 1);
});

for (const begins of [true, false]) {
  Deno.test(`of calls that share a pause, one that is stopped stops at once and alone (begun by it: ${begins})`, async () => {
    const awake = Promise.withResolvers<void>();
    const clock = new FakeClock();
    const asleep = Promise.withResolvers<void>();
    clock.sleep = (_, signal) => {
      asleep.resolve();
      const stopped = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => stopped.reject(cancellation(signal)));
      return Promise.race([awake.promise, stopped.promise]);
    };
    const { one } = patience(60, clock);
    const stop = new AbortController();
    const [stopped, other] = [failing(quota()), failing(quota())];
    const outlast = [
      () => failure(one.outlast(stopped.action, stop.signal), "cancelled"),
      () => one.outlast(other.action, never),
    ];
    const [first, second] = (begins ? outlast : outlast.toReversed()).map((begin) => begin());
    await asleep.promise;
    await new Promise((resolve) => setTimeout(resolve)); // until both have come as far as they can
    stop.abort(new AppError("cancelled", "stopped"));
    await (begins ? first : second);
    awake.resolve();
    assert.equal(await (begins ? second : first), "done");
    assert.deepEqual([stopped.calls(), other.calls()], [1, 2]);
  });
}
