import assert from "node:assert/strict";
import { concat, streamOf, utf8 } from "../../src/base/bytes.ts";
import { AppError } from "../../src/base/errors.ts";
import { Secret } from "../../src/base/secret.ts";
import { bodyOf, keysOf, sample } from "../../src/destination/conformance/bench.ts";
import { hurried, never } from "../../src/destination/conformance/clock.ts";
import type { Capabilities, Destination, Resendable } from "../../src/destination/contract.ts";
import { MemoryDestination } from "../../src/destination/memory.ts";
import { SupervisedDestination } from "../../src/destination/supervised/destination.ts";

const BYTES = sample(200_000);
const hangs = () => new Promise<never>(() => {});

/** A destination of strangers, of which some parts do what they like, on a clock that flies. */
function supervised(
  parts: { [Name in keyof Destination]?: unknown },
  can: Partial<Capabilities> = {},
  warn: (message: string) => void = (message) => assert.fail(message),
): { opened: SupervisedDestination; objects: Map<string, Uint8Array> } {
  const objects = new Map([["a/x", BYTES]]);
  const honest = new MemoryDestination("stranger", objects, {}, can);
  const stranger = {
    ...{ can: honest.can, put: honest.put.bind(honest), get: honest.get.bind(honest) },
    ...{ stat: honest.stat.bind(honest), list: honest.list.bind(honest), remove: honest.remove.bind(honest) },
    ...{ discard: honest.discard.bind(honest) },
    ...parts,
  };
  const secrets = [new Secret("made-up-secret")];
  const supervision = { name: "mine", secrets, clock: hurried(100), silence: 20_000, warn };
  return { opened: new SupervisedDestination(stranger, supervision), objects };
}

async function errorOf(call: Promise<unknown>, code: string, sentence: RegExp): Promise<AppError> {
  const error = await call.then(() => assert.fail("it went well"), (error) => error);
  assert.ok(error instanceof AppError, String(error));
  assert.match(error.message, sentence);
  assert.match(error.message, /^destination "mine": \S/);
  assert.deepEqual([error.code, error.origin], [code, "destination"]);
  return error;
}

const read = async (stream: Promise<ReadableStream<Uint8Array>>) =>
  new Uint8Array(await new Response(await stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
const put = (opened: Destination, body: Resendable = bodyOf(BYTES), signal = never) =>
  opened.put("a/new", body, signal);

Deno.test("what is asked wrongly never reaches a stranger", async () => {
  const reached = () => assert.fail("it was asked");
  const all = { put: reached, get: reached, stat: reached, list: reached, remove: reached, discard: reached };
  const { opened } = supervised(all);
  for (const key of ["", "../x", "a b", "/x", "a/.x.0123456789abcdef.partial"]) {
    await errorOf(opened.put(key, bodyOf(BYTES), never), "misconfigured", /cannot be the name/);
    await errorOf(opened.get(key, undefined, never), "misconfigured", /cannot be the name/);
    await errorOf(opened.stat(key, never), "misconfigured", /cannot be the name/);
    await errorOf(opened.remove(key, never), "misconfigured", /cannot be the name/);
    await errorOf(opened.discard(key, never), "misconfigured", /cannot be the name/);
  }
  await errorOf(keysOf(opened, "../"), "misconfigured", /cannot be the beginning/);
  await errorOf(put(opened, bodyOf(BYTES), AbortSignal.abort()), "cancelled", /cancelled$/);
  const lock = opened.put("a", bodyOf(BYTES), never, { immutableUntil: new Date() });
  await errorOf(lock, "unsupported", /cannot lock/);
  const creator = supervised(all, { read: false, list: false, remove: false }).opened;
  await errorOf(creator.get("a", undefined, never), "unsupported", /may only create/);
  await errorOf(keysOf(creator, ""), "unsupported", /may only create/);
  await errorOf(creator.remove("a", never), "unsupported", /may only create/);
});

Deno.test("a put is believed only as far as it can be true", async () => {
  const says = (stored: unknown) => put(supervised({ put: () => Promise.resolve(stored) }).opened);
  await errorOf(says(undefined), "unknown", /did not say how many bytes are stored/);
  await errorOf(says({ key: "a/new", size: "200000" }), "unknown", /did not say/);
  await errorOf(says({ key: "a/new", size: 1 }), "corrupt", /"a\/new" holds 1 bytes instead of 200000/);
  assert.deepEqual(await says({ key: "other", size: 200_000 }), { key: "a/new", size: 200_000 });
  // Nothing is read back from where nothing can be read.
  const blind = { read: false, list: false, remove: false };
  const lazy = supervised({ put: () => ({ key: "a/new", size: 200_000 }) }, blind).opened;
  await errorOf(put(lazy), "corrupt", /says that "a\/new" is stored, and has not read all of it/);
  await put(supervised({}, blind).opened);
});

Deno.test("a wrong body never comes whole, and its own error is the one that is told", async () => {
  const got: number[] = [];
  const collects = async (_: string, body: Resendable) => {
    let size = 0;
    try {
      for await (const bytes of body.open()) size += bytes.length;
    } catch { /* a stranger that passes over it */ }
    got.push(size);
    return { key: "a/new", size: body.size };
  };
  const { opened } = supervised({ put: collects });
  await errorOf(put(opened, bodyOf(BYTES, 150_000)), "corrupt", /ended after 150000 of its 200000 bytes/);
  assert.ok(got.pop()! < 200_000);
  for (const pieces of [1, 2, 3]) {
    const bytes = sample(pieces * 65_521), lie = { ...bodyOf(bytes), sha256: "0".repeat(64) };
    await errorOf(put(opened, lie), "corrupt", /does not have the SHA-256/);
    assert.ok(got.pop()! < bytes.length, `${pieces} pieces`);
  }
  await put(opened);
  assert.equal(got.pop(), 200_000);
  const boom = bodyOf(BYTES, 100_000, (controller) => controller.error(new Error("boom")));
  const rethrows =
    supervised({ put: (_: string, body: Resendable) => read(Promise.resolve(body.open())) }).opened;
  await errorOf(put(rethrows, boom), "unknown", /cannot store "a\/new": boom$/);
  const far = new AppError("transient", 'destination "far": away', { origin: "destination" });
  const other = bodyOf(BYTES, 100_000, (controller) => controller.error(far));
  assert.equal(await put(rethrows, other).catch((error) => error), far);
});

Deno.test("a body that was left open is closed", async () => {
  let closed = false;
  const body = bodyOf(BYTES, 100, hangs, () => closed = true);
  const leaves = async (_: string, body: Resendable) => {
    await body.open().getReader().read();
    throw new Error("no more");
  };
  // Its first piece is held back until the second is there: what hangs is our own source, and the abort ends it.
  await errorOf(
    put(supervised({ put: leaves }).opened, body, AbortSignal.timeout(50)),
    "cancelled",
    /cancelled$/,
  );
  assert.ok(closed);
});

Deno.test("a download has exactly its bytes, or fails", async () => {
  const gives = (stream: unknown) =>
    read(supervised({ get: () => stream }).opened.get("a/x", undefined, never));
  await errorOf(gives(undefined), "unknown", /gave nothing instead of a ReadableStream/);
  await errorOf(gives([1]), "unknown", /gave a list instead/);
  await errorOf(gives(streamOf(BYTES.subarray(1))), "corrupt", /lost its last 1 bytes/);
  await errorOf(gives(streamOf(sample(200_001))), "corrupt", /grew while it was read/);
  await errorOf(
    gives(ReadableStream.from(["text"])),
    "unknown",
    /a value of type string instead of a Uint8Array/,
  );
  await errorOf(gives(new ReadableStream({ pull: hangs })), "transient", /nothing moved for 20 seconds$/);
  assert.deepEqual(await gives(streamOf(BYTES)), BYTES);
  const { opened } = supervised({});
  assert.deepEqual(await read(opened.get("a/x", { start: 5, end: 9 }, never)), BYTES.slice(5, 9));
  assert.deepEqual(await read(opened.get("a/x", { start: 200_000 }, never)), new Uint8Array());
  await errorOf(opened.get("a/x", { start: 200_001 }, never), "misconfigured", /make no range/);
  await errorOf(opened.get("a/none", undefined, never), "not-found", /there is no "a\/none"/);
});

Deno.test("sizes and lists are looked at", async () => {
  for (const size of [-1, 0.5, NaN, "1", undefined]) {
    await errorOf(
      supervised({ stat: () => ({ size }) }).opened.stat("a/x", never),
      "unknown",
      /did not say how many/,
    );
  }
  const lists = (...entries: unknown[]) =>
    keysOf(supervised({ list: () => ReadableStream.from(entries) }).opened, "a/");
  assert.deepEqual(await lists({ key: "a/x", size: 1 }, { key: "a/not a key", size: 2 }), ["a/x"]);
  await errorOf(lists({ key: "x", size: 1 }), "unknown", /listed "x", which does not begin with "a\/"/);
  await errorOf(lists({ key: "a\\x", size: 1 }), "unknown", /does not begin with/);
  await errorOf(lists("a/x"), "unknown", /listed something that has no key/);
  await errorOf(lists({ key: "a/x" }), "unknown", /did not say how many/);
  await errorOf(lists({ key: "a/x", size: 1 }, { key: "a/x", size: 1 }), "unknown", /listed "a\/x" twice/);
  await errorOf(
    keysOf(supervised({ list: () => [] }).opened, "a/"),
    "unknown",
    /gave a list instead of an async/,
  );
});

Deno.test("an absent key is told by reading only; elsewhere it is never nothing", async () => {
  const absent = () => Promise.reject(new AppError("not-found", "there is nothing"));
  const { opened } = supervised({
    put: absent,
    stat: absent,
    remove: absent,
    list: () => ({
      [Symbol.asyncIterator]: () => ({ next: absent }),
    }),
  });
  await errorOf(opened.stat("a", never), "not-found", /there is nothing/);
  await errorOf(put(opened), "misconfigured", /there is nothing/);
  await errorOf(opened.remove("a", never), "misconfigured", /there is nothing/);
  await errorOf(keysOf(opened, ""), "misconfigured", /there is nothing/);
});

Deno.test("whatever is thrown becomes a sentence of the house without a secret", async () => {
  const hostile = new Error("x");
  Object.defineProperty(hostile, "message", {
    get() {
      throw new Error("again");
    },
  });
  const thrown: [unknown, string, RegExp][] = [
    [new Error("It broke.\nBadly."), "unknown", /cannot look at "a": it broke. Badly$/],
    ["made-up-secret", "unknown", /cannot look at "a": \[redacted\]$/],
    [null, "unknown", /it threw null in place of an error$/],
    [hostile, "unknown", /it threw something that cannot be read$/],
    [new AppError("denied", "No: https://u:p@host/?sig=abc"), "denied", /mine": no: https:\/\/host\/$/],
    [new AppError("cancelled", "cancelled"), "unknown", /cancelled/], // nobody has
    [new AppError("untrusted", "x", { origin: "source" }), "unknown", /mine": x$/],
    [new AppError("nonsense" as "unknown", "x"), "unknown", /mine": x$/],
    [
      new AppError("quota", "full", { origin: "destination", hint: "Ask made-up-secret." }),
      "quota",
      /mine": full$/,
    ],
  ];
  for (const [error, code, sentence] of thrown) {
    const throws = () => {
      throw error;
    };
    for (const stat of [throws, () => Promise.reject(error)]) {
      const told = await errorOf(supervised({ stat }).opened.stat("a", never), code, sentence);
      assert.doesNotMatch(`${told.message} ${told.hint}`, /made-up-secret/);
    }
  }
});

Deno.test("silence and an abort end every call of a stranger that heeds neither", async () => {
  const never_ = { put: hangs, stat: hangs, remove: hangs, discard: hangs };
  const { opened } = supervised({
    ...never_,
    list: () => ({ [Symbol.asyncIterator]: () => ({ next: hangs }) }),
  });
  const calls: ((signal: AbortSignal) => Promise<unknown>)[] = [
    (signal) => put(opened, bodyOf(BYTES), signal),
    (signal) => opened.get("a/x", undefined, signal),
    (signal) => opened.stat("a/x", signal),
    (signal) => keysOf(opened, "a/", signal),
    (signal) => opened.remove("a/x", signal),
    (signal) => opened.discard("a/x", signal),
  ];
  for (const call of calls) {
    await errorOf(call(never), "transient", /nothing moved for 20 seconds$/);
    await errorOf(call(AbortSignal.timeout(20)), "cancelled", /cancelled$/);
  }
});

Deno.test("a slow reader is not silence", async () => {
  const { opened } = supervised({
    get: () => ReadableStream.from([BYTES.subarray(0, 100_000), BYTES.subarray(100_000)]),
  });
  const reader = (await opened.get("a/x", undefined, never)).getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 400)); // 40 seconds on this clock
  assert.equal((await reader.read()).value?.length, 100_000);
  assert.ok((await reader.read()).done);
});

Deno.test("closing a stranger ends, and what goes wrong is a warning", async () => {
  const said: string[] = [];
  const close = (dispose: unknown) =>
    supervised({ [Symbol.asyncDispose]: dispose }, {}, (message) => void said.push(message))
      .opened[Symbol.asyncDispose]();
  await close(undefined);
  await close(() => Promise.resolve());
  await close(() => {
    throw new Error("Stuck made-up-secret.");
  });
  await close(hangs);
  assert.deepEqual(said, [
    'destination "mine": could not be closed: stuck [redacted]',
    'destination "mine": could not be closed: nothing moved for 5 seconds',
  ]);
});

Deno.test("what it is able to do is settled when it is opened", () => {
  const can = {
    read: true,
    list: true,
    remove: true,
    createOnly: false,
    immutableUntil: false,
    checksums: [],
  };
  const { opened } = supervised({ can });
  can.remove = false;
  assert.equal(opened.can.remove, true);
  assert.throws(
    () => supervised({ list: undefined }),
    /it did not open a destination: it has no function "list"/,
  );
  assert.equal(utf8(opened.name).length, 4);
});

Deno.test("a stranger may keep the pieces of a body, though our own are filled anew", async () => {
  const bytes = sample(20 * 65_521); // an even number: as a file gives them
  const kept: Uint8Array[] = [];
  const { opened } = supervised({
    async put(key: string, body: Resendable) {
      for await (const piece of body.open()) {
        kept.push(piece);
        await new Promise((resolve) => setTimeout(resolve));
      }
      return { key, size: body.size };
    },
  });
  await put(opened, bodyOf(bytes));
  assert.deepEqual(concat(kept), bytes);
});
