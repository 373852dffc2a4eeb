import assert from "node:assert/strict";
import { ArchiveWriter, type Sink } from "../../src/archive/write.ts";
import { AppError } from "../../src/base/errors.ts";
import { failure } from "../base/failure.ts";
import { bytesOf, collect, owner, TIME, utf8 } from "./bench.ts";

const PATH = "vaults/v/files/i/f";
const full = () => new AppError("unknown", 'cannot write "/spool/x": no space left on the device');

function writerTo(sink: Sink, recipients: readonly string[] = [owner.recipient]): ArchiveWriter {
  return new ArchiveWriter({ time: TIME, compression: "zstd", recipients, sink });
}

/** A sink that fails once it has seen `after` bytes. */
function failingAfter(after: number, error: unknown): Sink {
  return async (ciphertext) => {
    let seen = 0;
    for await (const piece of ciphertext) if ((seen += piece.length) > after) throw error;
  };
}

/** A body without end; counts its pieces and remembers its cancelling. */
function endless() {
  const told = { pieces: 0, cancelled: false };
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve)); // as bodies from a network come
      told.pieces++;
      controller.enqueue(bytesOf(65_536, told.pieces));
    },
    cancel() {
      told.cancelled = true;
    },
  }, { highWaterMark: 0 });
  return { told, body };
}

Deno.test("a sink that fails in the middle of a body: the sink's own error comes out and the source is let go", async () => {
  const error = full();
  const writer = writerTo(failingAfter(1_000_000, error));
  const { told, body } = endless();
  const caught = await failure(writer.addStream(PATH, 2 ** 40, body), "unknown", /no space left/);
  assert.equal(caught, error, "the very error of the sink");
  assert.equal(told.cancelled, true);
  assert.ok(told.pieces < 1000, `${told.pieces} pieces were still read`);
});

Deno.test("after a failed sink every add, addStream and finish rejects with its error", async () => {
  const error = full();
  const writer = writerTo(failingAfter(0, error));
  const caught = await failure(async () => {
    for (let n = 0; n < 1000; n++) await writer.add(`vaults/v/files/i/f${n}`, bytesOf(100_000, n));
  }, "unknown");
  assert.equal(caught, error);
  assert.equal(await failure(writer.add(PATH, utf8("x")), "unknown"), error);
  const { told, body } = endless();
  assert.equal(await failure(writer.addStream(PATH, 10, body), "unknown"), error);
  assert.equal(await failure(writer.finish(), "unknown"), error);
  assert.ok(told.pieces <= 1);
});

Deno.test("a sink that fails before it reads anything is seen by finish at the latest", async () => {
  const error = full();
  const writer = writerTo(() => Promise.reject(error));
  assert.equal(
    await failure(async () => {
      await writer.add(PATH, bytesOf(10));
      await writer.finish();
    }, "unknown"),
    error,
  );
});

Deno.test("a sink that fails at its very end, when it syncs, fails finish", async () => {
  const error = full();
  const writer = writerTo(async (ciphertext) => {
    await collect(ciphertext, Infinity, "the archive");
    throw error;
  });
  await writer.add(PATH, bytesOf(10));
  assert.equal(await failure(writer.finish(), "unknown"), error);
});

Deno.test("without a recipient nothing is written, and the reason comes out", async () => {
  let called = false;
  const writer = writerTo(() => {
    called = true;
    return Promise.resolve();
  }, []);
  await failure(
    async () => {
      await writer.add(PATH, bytesOf(10));
      await writer.finish();
    },
    "misconfigured",
    /no recipient/,
  );
  assert.equal(called, false);
});

Deno.test("a recipient that is none fails the archive and not the process", async () => {
  const writer = writerTo(() => Promise.resolve(), ["age1nonsense"]);
  await assert.rejects(async () => {
    await writer.add(PATH, bytesOf(10));
    await writer.finish();
  });
});

Deno.test("abort: the sink is told the reason and has let go when abort resolves", async () => {
  const reason = new AppError("cancelled", "cancelled");
  let seen: unknown;
  const writer = writerTo(async (ciphertext) => {
    try {
      await collect(ciphertext, Infinity, "the archive");
    } catch (error) {
      seen = error;
      throw error;
    }
  });
  await writer.add(PATH, bytesOf(1_000_000));
  await writer.abort(reason);
  assert.equal(seen, reason);
  await failure(writer.add("vaults/v/files/i/g", bytesOf(1)), "cancelled");
  await failure(writer.finish(), "cancelled");
});

Deno.test("abort before the first entry, and twice, is fine", async () => {
  const writer = writerTo(async (ciphertext) => {
    await collect(ciphertext, Infinity, "the archive");
  });
  await writer.abort(new AppError("cancelled", "cancelled"));
  await writer.abort(new AppError("cancelled", "cancelled"));
  await failure(writer.finish(), "cancelled");
});

Deno.test("abort while a body is being streamed ends that body with the reason", async () => {
  const reason = new AppError("cancelled", "cancelled");
  const writer = writerTo(async (ciphertext) => {
    await collect(ciphertext, Infinity, "the archive");
  });
  const { told, body } = endless();
  const adding = failure(writer.addStream(PATH, 2 ** 40, body), "cancelled");
  await new Promise((resolve) => setTimeout(resolve, 20));
  await writer.abort(reason);
  assert.equal(await adding, reason);
  assert.equal(told.cancelled, true);
});

Deno.test("a path that the format does not have is refused before anything of it is written", async () => {
  const writer = writerTo(async (ciphertext) => {
    await collect(ciphertext, Infinity, "the archive");
  });
  for (const path of ["../x", "/etc/passwd", "vaults/a b/vault.json", "vaults/CON/vault.json", ""]) {
    await failure(writer.add(path, bytesOf(1)), "corrupt");
    await failure(writer.addStream(path, 1, endless().body), "corrupt");
  }
  assert.deepEqual(writer.entries, []);
  await writer.finish();
});
