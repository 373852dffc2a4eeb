import assert from "node:assert/strict";
import { AppError, type ErrorCode } from "../../src/base/errors.ts";
import { retry, type RetryOptions } from "../../src/base/retry.ts";
import { FakeClock } from "./clock.ts";
import { failure } from "./failure.ts";

const never = new AbortController().signal;
const transient = (retryAfter?: number) =>
  new AppError("transient", "connection reset", retryAfter === undefined ? {} : { retryAfter });

/** An action that throws `errors` one after the other and then succeeds; counts its calls. */
function failing(...errors: unknown[]) {
  let calls = 0;
  const action = () => {
    const error = errors[calls++];
    return error === undefined ? Promise.resolve("done") : Promise.reject(error);
  };
  return { action, calls: () => calls };
}

function tried(clock: FakeClock, errors: unknown[], options: Partial<RetryOptions> = {}) {
  const { action, calls } = failing(...errors);
  return { result: retry(action, { clock, signal: never, ...options }), calls };
}

Deno.test("what succeeds is done once, without any pause", async () => {
  const clock = new FakeClock();
  const { result, calls } = tried(clock, []);
  assert.equal(await result, "done");
  assert.deepEqual([calls(), clock.slept], [1, []]);
});

Deno.test("transient errors are tried again after pauses that double", async () => {
  const clock = new FakeClock();
  const { result, calls } = tried(clock, [transient(), transient(), transient()]);
  assert.equal(await result, "done");
  assert.deepEqual([calls(), clock.slept], [4, [500, 1000, 2000]]);
});

Deno.test("after the last try its own error comes out", async () => {
  const clock = new FakeClock();
  const errors = Array.from({ length: 10 }, () => transient());
  const { result, calls } = tried(clock, errors);
  assert.equal(await failure(result, "transient"), errors[3]);
  assert.deepEqual([calls(), clock.slept.length], [4, 3]);
});

const OTHERS: ErrorCode[] = [
  "not-found",
  "already-exists",
  "denied",
  "misconfigured",
  "unsupported",
  "corrupt",
];
OTHERS.push("cancelled", "quota", "locked", "wrong-identity", "untrusted", "unknown");

for (const code of OTHERS) {
  Deno.test(`${code} is never tried again`, async () => {
    const clock = new FakeClock();
    const { result, calls } = tried(clock, [new AppError(code, "x", { retryAfter: 1 })]);
    await failure(result, code);
    assert.deepEqual([calls(), clock.slept], [1, []]);
  });
}

Deno.test("what is no AppError is never tried again: nobody has said that it may be", async () => {
  const clock = new FakeClock();
  const error = new TypeError("fetch failed");
  const { result, calls } = tried(clock, [error]);
  await assert.rejects(result, (thrown) => thrown === error);
  assert.deepEqual([calls(), clock.slept], [1, []]);
});

Deno.test("an error that turns from transient to another ends the tries", async () => {
  const clock = new FakeClock();
  const { result, calls } = tried(clock, [transient(), new AppError("denied", "x")]);
  await failure(result, "denied");
  assert.equal(calls(), 2);
});

Deno.test("retryAfter lengthens a pause and never shortens it", async () => {
  const clock = new FakeClock();
  const { result } = tried(clock, [transient(7), transient(0), transient(0.1)]);
  assert.equal(await result, "done");
  assert.deepEqual(clock.slept, [7000, 1000, 2000]);
});

Deno.test("a retryAfter of two minutes is waited for, a longer one is told to the caller instead", async () => {
  const clock = new FakeClock();
  assert.equal(await tried(clock, [transient(120)]).result, "done");
  assert.deepEqual(clock.slept, [120_000]);
  const long = tried(clock, [transient(121)]);
  assert.equal((await failure(long.result, "transient")).retryAfter, 121);
  assert.equal(long.calls(), 1);
});

Deno.test("pauses end growing at 30 seconds", async () => {
  const clock = new FakeClock();
  const errors = Array.from({ length: 9 }, () => transient());
  await tried(clock, errors, { tries: 10, firstDelay: 4000 }).result;
  assert.deepEqual(clock.slept, [4000, 8000, 16_000, ...Array(6).fill(30_000)]);
});

Deno.test("one try means one try", async () => {
  const { result, calls } = tried(new FakeClock(), [transient()], { tries: 1 });
  await failure(result, "transient");
  assert.equal(calls(), 1);
});

Deno.test("a cancelled caller is not served, and one who cancels during a pause has it ended", async () => {
  const before = tried(new FakeClock(), [], { signal: AbortSignal.abort() });
  await failure(before.result, "cancelled");
  assert.equal(before.calls(), 0);
  const control = new AbortController();
  const clock = new FakeClock(undefined, () => control.abort());
  const during = tried(clock, [transient(), transient()], { signal: control.signal });
  await failure(during.result, "cancelled");
  assert.equal(during.calls(), 1);
});
