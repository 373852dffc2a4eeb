import assert from "node:assert/strict";
import { concat, streamOf } from "../../src/base/bytes.ts";
import { Parts, PartsAhead } from "../../src/base/parts.ts";

/** A byte stream of `count` pieces of `size` bytes, each full of its number. */
function numbered(count: number, size: number, cancelled: (reason: unknown) => void = () => {}) {
  let next = 0;
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: size,
    pull(controller) {
      const request = controller.byobRequest!;
      if (next === count) {
        controller.close();
        return request.respond(0);
      }
      new Uint8Array(request.view!.buffer, request.view!.byteOffset, size).fill(next++);
      request.respond(size);
    },
    cancel: cancelled,
  });
}

const numbers = (count: number, size: number) =>
  concat(Array.from({ length: count }, (_, number) => new Uint8Array(size).fill(number)));

Deno.test("a byte stream comes through whole, in one array that is filled again", async () => {
  const copies: Uint8Array[] = [];
  let before: Uint8Array | undefined;
  for await (const part of new Parts(numbered(5, 1000))) {
    if (before) assert.equal(before.length, 0, "the part before has been taken back");
    copies.push(part.slice());
    before = part;
  }
  assert.deepEqual(concat(copies), numbers(5, 1000));
});

Deno.test("streams that are read in turn do not write over each other, and one follows the other", async () => {
  for (let round = 0; round < 3; round++) {
    const streams = [3, 5, 5].map((count) => ({ count, parts: new Parts(numbered(count, 700)) }));
    const got = streams.map((): Uint8Array[] => []);
    for (let step = 0; step < 6; step++) {
      const given = [];
      for (const { parts } of streams) given.push(await parts.next());
      given.forEach(({ value }, at) => value && got[at]!.push(value.slice()));
    }
    streams.forEach(({ count }, at) => assert.deepEqual(concat(got[at]!), numbers(count, 700)));
  }
});

Deno.test("the arrays of any other stream are passed on as they are and stay whole", async () => {
  const own = Uint8Array.of(1, 2, 3);
  const given = await Array.fromAsync(new Parts(ReadableStream.from([own, own.subarray(1)])));
  assert.equal(given[0], own);
  assert.deepEqual(given, [Uint8Array.of(1, 2, 3), Uint8Array.of(2, 3)]);
  assert.deepEqual(await Array.fromAsync(new Parts(streamOf(new Uint8Array(0)))), []);
});

Deno.test("a loop that is left lets go of the stream, of either kind", async () => {
  const told: unknown[] = [];
  for await (const _ of new Parts(numbered(9, 10, () => told.push("bytes")))) break;
  const plain = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(1)),
    cancel: () => void told.push("plain"),
  });
  for await (const _ of new Parts(plain)) break;
  assert.deepEqual(told, ["bytes", "plain"]);
});

Deno.test("cancelling reaches a stream that stands still, with the reason", async () => {
  let told: unknown;
  const parts = new Parts(
    new ReadableStream({ type: "bytes", cancel: (reason) => void (told = reason) }),
  );
  const waiting = parts.next();
  await parts.cancel("enough");
  assert.equal(told, "enough");
  assert.equal((await waiting).done, true);
});

Deno.test("a stream's own error comes out", async () => {
  const own = new Error("reset");
  const pull = () => Promise.reject(own);
  for (const stream of [new ReadableStream({ type: "bytes", pull }), new ReadableStream({ pull })]) {
    await assert.rejects(new Parts(stream).next(), own);
  }
});

Deno.test("a stream that somebody reads already is refused", () => {
  const taken = numbered(1, 1);
  taken.getReader();
  assert.throws(() => new Parts(taken), TypeError);
});

Deno.test("parts that are read ahead: each is whole until the next but one is asked for", async () => {
  const parts = new PartsAhead(numbered(9, 600));
  const got: Uint8Array[] = [];
  let before: Uint8Array | undefined;
  for (let part = await parts.next(); part; part = await parts.next()) {
    // What comes next is read meanwhile, and must be read into another array.
    await new Promise((resolve) => setTimeout(resolve));
    if (before) got.push(before.slice());
    before = part;
  }
  got.push(before!.slice());
  assert.deepEqual(concat(got), numbers(9, 600));
});

Deno.test("reading ahead: one part beyond what was asked for, and nothing before that", async () => {
  let pulled = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      if (pulled === 3) controller.enqueue(new Uint8Array());
      else controller.enqueue(Uint8Array.of(pulled));
    },
  }, { highWaterMark: 0 });
  const parts = new PartsAhead(stream);
  assert.equal(pulled, 0);
  assert.deepEqual(await parts.next(), Uint8Array.of(1));
  assert.equal(pulled, 2);
  assert.deepEqual(await parts.next(), Uint8Array.of(2));
  assert.deepEqual(await parts.next(), Uint8Array.of(4), "a part of nothing is none");
  await parts.cancel("enough");
});

Deno.test("reading ahead: an error comes in its turn, and is nobody's when nobody asks", async () => {
  const failing = () => {
    let pulled = 0;
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        if (pulled++ > 0) throw new Error("cut");
        controller.enqueue(Uint8Array.of(1));
      },
    }, { highWaterMark: 0 });
  };
  const parts = new PartsAhead(failing());
  assert.deepEqual(await parts.next(), Uint8Array.of(1));
  await assert.rejects(() => parts.next(), /cut/);
  await new PartsAhead(failing()).next();
  await new Promise((resolve) => setTimeout(resolve));
});
