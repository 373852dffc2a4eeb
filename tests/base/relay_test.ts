import assert from "node:assert/strict";
import { collect, concat, streamOf } from "../../src/base/bytes.ts";
import { AppError } from "../../src/base/errors.ts";
import { lazily, type Relay, relayed } from "../../src/base/relay.ts";
import { failure } from "./failure.ts";

/** Bytes 0, 1, 2 … `size` of them, as a byte stream; it notes how much its reader had room for each time. */
function counting(size: number, rooms: number[] = [], cancelled: (reason: unknown) => void = () => {}) {
  let next = 0;
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: 10,
    pull(controller) {
      const { byobRequest } = controller, view = byobRequest!.view!;
      const count = Math.min(view.byteLength, size - next);
      rooms.push(view.byteLength);
      if (count === 0) controller.close();
      const bytes = new Uint8Array(view.buffer, view.byteOffset, count);
      bytes.forEach((_, at) => bytes[at] = next++ & 255);
      byobRequest!.respond(count);
    },
    cancel: cancelled,
  });
}

const numbers = (size: number) => Uint8Array.from({ length: size }, (_, at) => at & 255);
const plain = (size: number) => streamOf(numbers(size));

/** Both kinds of stream. */
const KINDS = { "a byte stream": (size: number) => counting(size), "any other stream": plain };

for (const [kind, make] of Object.entries(KINDS)) {
  Deno.test(`${kind} comes through a relay whole, and each piece and the end are told`, async () => {
    const seen: Uint8Array[] = [];
    let ends = 0;
    const relay = { piece: (bytes: Uint8Array) => void seen.push(bytes.slice()), end: () => void ends++ };
    const got = await collect(relayed(relayed(make(1000), relay), {}), 1000, "it");
    assert.deepEqual([got, concat(seen), ends], [numbers(1000), numbers(1000), 1]);
    assert.deepEqual(await collect(relayed(make(0), relay), 0, "it"), new Uint8Array());
  });

  Deno.test(`what a relay of ${kind} throws ends it, in its final form`, async () => {
    const translate = (error: unknown) => new AppError("corrupt", `translated: ${(error as Error).message}`);
    const fail = () => {
      throw new Error("no");
    };
    for (const relay of [{ piece: fail }, { end: fail }] as Relay[]) {
      const stream = relayed(make(1000), { ...relay, translate });
      await failure(() => collect(stream, 1000, "it"), "corrupt", /^translated: no$/);
    }
    await failure(
      () => collect(relayed(broken(kind), { translate }), 1000, "it"),
      "corrupt",
      /^translated: cut$/,
    );
  });

  Deno.test(`a relay of ${kind} that is aborted errors at once and lets go`, async () => {
    const stop = new AbortController();
    const reader = relayed(make(1000), { signal: stop.signal }).getReader();
    assert.ok((await reader.read()).value!.length > 0);
    stop.abort(new AppError("cancelled", "cancelled"));
    await failure(() => reader.read(), "cancelled", /cancelled/);
    await failure(
      () => collect(relayed(make(1000), { signal: stop.signal }), 1000, "it"),
      "cancelled",
      /cancelled/,
    );
  });
}

function broken(kind: string): ReadableStream<Uint8Array> {
  const fail = () => Promise.reject(new Error("cut"));
  return kind === "a byte stream"
    ? new ReadableStream({ type: "bytes", autoAllocateChunkSize: 10, pull: fail })
    : new ReadableStream({ pull: fail });
}

Deno.test("the array that the last reader brings is the one that the first stream fills", async () => {
  const rooms: number[] = [];
  const reader = relayed(relayed(lazily(() => Promise.resolve(counting(2000, rooms))), {}), {})
    .getReader({ mode: "byob" });
  const got: Uint8Array[] = [];
  for (let array = new Uint8Array(777);;) {
    const { done, value } = await reader.read(array);
    if (done) break;
    got.push(value.slice());
    array = new Uint8Array(value.buffer as ArrayBuffer);
  }
  assert.deepEqual(concat(got), numbers(2000));
  assert.deepEqual(rooms, [777, 777, 777, 777]);
});

Deno.test("a stream that is cancelled cancels the one below, with the reason", async () => {
  const told: unknown[] = [];
  await relayed(counting(9, [], (reason) => told.push(reason)), {}).cancel("one");
  await relayed(new ReadableStream({ cancel: (reason) => void told.push(reason) }), {}).cancel("two");
  const lazy = lazily(() => Promise.resolve(counting(9, [], (reason) => told.push(reason))));
  const reader = lazy.getReader();
  await reader.read();
  await reader.cancel("three");
  assert.deepEqual(told, ["one", "two", "three"]);
});

Deno.test("a lazy stream that is cancelled while it is opened lets go of what was opened", async () => {
  const opening = Promise.withResolvers<void>(), told = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const stream = lazily(async () => {
    begun.resolve();
    await opening.promise;
    return counting(5, [], () => told.resolve());
  });
  const reader = stream.getReader(), read = reader.read();
  await begun.promise;
  const cancelled = reader.cancel();
  opening.resolve();
  assert.deepEqual(await read, { done: true, value: undefined });
  await Promise.all([cancelled, told.promise]);
});

Deno.test("a lazy stream opens when it is first read, and not at all when nobody reads it", async () => {
  let opened = 0;
  const make = () => lazily(() => Promise.resolve((opened++, counting(5))));
  await make().cancel();
  const stream = make();
  assert.equal(opened, 0);
  assert.deepEqual(await collect(stream, 5, "it"), numbers(5));
  assert.equal(opened, 1);
  const failing = lazily(() => Promise.reject(new AppError("not-found", "there is none")));
  await failure(() => collect(failing, 5, "it"), "not-found", /there is none/);
});
