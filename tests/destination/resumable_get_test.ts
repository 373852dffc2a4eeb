import assert from "node:assert/strict";
import { collect } from "../../src/base/bytes.ts";
import { AppError, type ErrorCode } from "../../src/base/errors.ts";
import { never, sample } from "../../src/destination/conformance/bench.ts";
import type { ByteRange } from "../../src/destination/contract.ts";
import { type Piece, type ResumableGet, resumableGet } from "../../src/destination/resumable_get.ts";
import { FakeClock } from "../base/clock.ts";
import { failure } from "../base/failure.ts";

const MIB = 1024 * 1024;

/** What one request gives: so many bytes, and then its end or an error. */
interface Turn {
  gives?: number;
  then?: "end" | ErrorCode;
  change?: Partial<Piece>;
  refuses?: AppError;
}

/** An object of which each request gives what the next turn says, and all of the rest after the last turn. */
class Remote {
  readonly asked: [start: number, end: number | undefined][] = [];
  readonly clock = new FakeClock();
  cancelled = 0;

  constructor(readonly bytes: Uint8Array, readonly turns: Turn[] = []) {}

  async get(range?: ByteRange, changes: Partial<ResumableGet> = {}): Promise<Uint8Array> {
    return await collect(await this.open(range, changes), 1e9, "it");
  }

  open(range?: ByteRange, changes: Partial<ResumableGet> = {}) {
    return resumableGet({
      key: "k",
      range,
      signal: never,
      clock: this.clock,
      translate: (error) => error,
      ask: (start, end) => {
        this.asked.push([start, end]);
        const turn = this.turns.shift() ?? {};
        if (turn.refuses) return Promise.reject(turn.refuses);
        const whole = this.bytes.subarray(start, end);
        const body = this.#body(whole.subarray(0, turn.gives ?? whole.length), turn.then ?? "end");
        return Promise.resolve({ body, start, size: this.bytes.length, version: "1", ...turn.change });
      },
      ...changes,
    });
  }

  #body(bytes: Uint8Array, then: "end" | ErrorCode): ReadableStream<Uint8Array> {
    let at = 0;
    return new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (at < bytes.length) controller.enqueue(bytes.subarray(at, at += 100_000));
        else if (then === "end") controller.close();
        else controller.error(new AppError(then, `made up: ${then}`));
      },
      cancel: () => void this.cancelled++,
    }, { highWaterMark: 0 });
  }
}

Deno.test("what is not cut is asked for once", async () => {
  for (const size of [0, 1, 100_000, 3 * MIB]) {
    const remote = new Remote(sample(size));
    assert.deepEqual(await remote.get(), remote.bytes);
    assert.deepEqual(remote.asked, [[0, undefined]]);
  }
  const remote = new Remote(sample(1000));
  assert.deepEqual(await remote.get({ start: 10, end: 20 }), remote.bytes.subarray(10, 20));
  assert.deepEqual(remote.asked, [[10, 20]]);
});

for (const then of ["end", "transient"] as const) {
  Deno.test(`a download that is cut ("${then}") goes on with the next byte`, async () => {
    const turns = (): Turn[] => [{ gives: 0, then }, { gives: 1, then }, { gives: 250_000, then }];
    const whole = new Remote(sample(1_000_000), turns());
    assert.deepEqual(await whole.get(), whole.bytes);
    assert.deepEqual(whole.asked, [[0, undefined], [0, 1_000_000], [1, 1_000_000], [250_001, 1_000_000]]);
    const part = new Remote(sample(1_000_000), turns());
    assert.deepEqual(await part.get({ start: 5, end: 500_000 }), part.bytes.subarray(5, 500_000));
    assert.deepEqual(part.asked.at(-1), [250_006, 500_000]);
    assert.deepEqual(part.clock.slept, [500, 1000, 2000]);
  });
}

Deno.test("it gives up after five tries in a row that bring next to nothing, with the last error", async () => {
  const remote = new Remote(
    sample(1_000_000),
    Array.from({ length: 9 }, () => ({ gives: 10, then: "transient" })),
  );
  await failure(remote.get(), "transient", /made up/);
  assert.equal(remote.asked.length, 5);
  assert.deepEqual(remote.clock.slept, [500, 1000, 2000, 4000]);
  const short = new Remote(sample(1_000_000), Array.from({ length: 9 }, () => ({ gives: 0 })));
  await failure(short.get(), "transient", /"k" ended 1000000 bytes early/);
});

Deno.test("a line that is cut again and again, but brings something each time, brings all of it", async () => {
  const remote = new Remote(
    sample(20 * MIB),
    Array.from({ length: 19 }, () => ({ gives: MIB, then: "transient" })),
  );
  assert.deepEqual(await remote.get(), remote.bytes);
  assert.equal(remote.asked.length, 20);
  assert.ok(remote.clock.slept.every((ms) => ms === 500));
});

Deno.test("only what is transient is tried again, in the middle and at the first request", async () => {
  for (const code of ["denied", "not-found", "corrupt", "unknown", "misconfigured"] as const) {
    const midway = new Remote(sample(1000), [{ gives: 10, then: code }]);
    await failure(midway.get(), code);
    assert.equal(midway.asked.length, 1);
    const first = new Remote(sample(1000), [{ refuses: new AppError(code, "no") }]);
    // Told by the call itself, before there is any stream.
    await failure(first.open(), code);
  }
  const late = new Remote(sample(1000), [{ refuses: new AppError("transient", "no", { retryAfter: 7 }) }]);
  assert.deepEqual(await late.get(), late.bytes);
  assert.deepEqual(late.clock.slept, [7000]);
  const tooLate = new Remote(sample(1000), [{
    refuses: new AppError("transient", "no", { retryAfter: 700 }),
  }]);
  await failure(tooLate.open(), "transient");
});

Deno.test("an object that changed meanwhile is corrupt, never a mixture", async () => {
  for (const change of [{ version: "2" }, { size: 999_999 }, { version: undefined }]) {
    const remote = new Remote(sample(1_000_000), [{ gives: 10, then: "transient" }, { change }]);
    await failure(remote.get(), "corrupt", /"k" was changed while it was read/);
    assert.equal(remote.cancelled, 1, "the other body was left open");
  }
});

Deno.test("a service that ignores ranges is told so, never its bytes from elsewhere", async () => {
  const ignores = new Remote(sample(1000), [{ change: { start: 0 } }]);
  await failure(ignores.get({ start: 10 }), "unsupported", /from byte 0 instead of 10/);
  const later = new Remote(sample(1000), [{ gives: 10, then: "transient" }, { change: { start: 0 } }]);
  await failure(later.get(), "unsupported", /from byte 0 instead of 10/);
});

Deno.test("more than there should be is an error", async () => {
  const remote = new Remote(sample(1000), [{ change: { size: 999 } }]);
  await failure(remote.get(), "corrupt", /is longer than the 999 bytes/);
});

Deno.test("an impossible range is refused", async () => {
  for (const range of [{ start: 1001 }, { start: 5, end: 4 }, { start: -1 }]) {
    await failure(new Remote(sample(1000)).open(range), "misconfigured");
  }
  assert.equal((await new Remote(sample(1000)).get({ start: 1000 })).length, 0);
});

Deno.test("a cancel ends it in a pause, in a request and in a read; leaving it lets go of everything", async () => {
  for (const where of ["pause", "request", "read"] as const) {
    const cancel = new AbortController();
    const remote = new Remote(sample(1000), [{ gives: 10, then: "transient" }]);
    const changes: Partial<ResumableGet> = { signal: cancel.signal };
    if (where === "pause") changes.clock = new FakeClock(undefined, () => cancel.abort());
    if (where === "request") {
      changes.ask = (start) => {
        if (start === 0 && remote.asked.length === 0) {
          remote.asked.push([0, undefined]);
          return Promise.resolve({
            body: new ReadableStream({
              start: (controller) => controller.error(new AppError("transient", "x")),
            }),
            start: 0,
            size: 1000,
            version: "1",
          });
        }
        queueMicrotask(() => cancel.abort());
        return new Promise(() => {});
      };
    }
    if (where === "read") {
      changes.ask = () =>
        Promise.resolve({
          body: new ReadableStream({ pull: () => (cancel.abort(), new Promise(() => {})) }, {
            highWaterMark: 0,
          }),
          start: 0,
          size: 1000,
          version: "1",
        });
    }
    await failure(remote.get(undefined, changes), "cancelled");
  }
  const remote = new Remote(sample(1_000_000));
  const reader = (await remote.open()).getReader();
  await reader.read();
  await reader.cancel();
  assert.equal(remote.cancelled, 1);
});
