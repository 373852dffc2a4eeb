import assert from "node:assert/strict";
import { compress, decompress } from "../../src/archive/compress.ts";
import { AppError } from "../../src/base/errors.ts";
import { failure } from "../base/failure.ts";
import { checkArchive } from "../../src/archive/read.ts";
import {
  bytesOf,
  collect,
  concat,
  piecesOf,
  sealBytes,
  sealedOf,
  SMALL,
  streamOf,
  tarOf,
  utf8,
  withManifest,
} from "./bench.ts";

for (const kind of ["zstd", "gzip"] as const) {
  Deno.test(`${kind}: every length around a piece of 256 KiB comes back, however it is cut`, async () => {
    for (const size of [0, 1, 262_143, 262_144, 262_145, 1_000_000]) {
      const bytes = bytesOf(size);
      for (const piece of size > 300_000 ? [65_536, size] : [1000, 262_144]) {
        const packed = await collect(compress(piecesOf(bytes, piece), kind), Infinity, "packed");
        const back = await collect(decompress(piecesOf(packed, piece), kind), Infinity, "unpacked");
        assert.deepEqual(back, bytes, `${size} in pieces of ${piece}`);
      }
    }
  });

  Deno.test(`${kind}: text becomes smaller`, async () => {
    const packed = await collect(compress(streamOf(utf8("vault ".repeat(10_000))), kind), Infinity, "packed");
    assert.ok(packed.length < 1000, `${packed.length} bytes`);
  });

  Deno.test(`${kind}: an error of the source comes out as it is, packing and unpacking`, async () => {
    const own = new AppError("transient", "connection reset");
    const broken = () => concatenated(bytesOf(100_000), own);
    assert.equal(await failure(collect(compress(broken(), kind), Infinity, "x"), "transient"), own);
    const packed = await collect(compress(streamOf(bytesOf(100_000)), kind), Infinity, "packed");
    const half = concatenated(packed.subarray(0, 50_000), own);
    assert.equal(await failure(collect(decompress(half, kind), Infinity, "x"), "transient"), own);
  });

  Deno.test(`${kind}: an error before anybody reads ends nothing but this stream`, async () => {
    const own = new AppError("transient", "connection reset");
    for (
      const stream of [
        compress(concatenated(utf8(""), own), kind),
        decompress(concatenated(utf8(""), own), kind),
      ]
    ) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(await failure(collect(stream, Infinity, "x"), "transient"), own);
    }
  });

  Deno.test(`${kind}: a reader who leaves has the source cancelled`, async () => {
    let cancelled = false;
    const noise = (length: number) => piecesOf(bytesOf(length), 10_000, () => cancelled = true);
    const reader = compress(noise(5_000_000), kind).getReader();
    await reader.read();
    await reader.cancel();
    assert.ok(cancelled);
  });

  Deno.test(`${kind}: what is no ${kind} data, or empty, is corrupt`, async () => {
    for (const bytes of [bytesOf(1000), utf8("tar"), new Uint8Array(1)]) {
      await failure(collect(decompress(streamOf(bytes), kind), Infinity, "x"), "corrupt", /is damaged/);
    }
  });
}

Deno.test("zstd data carries a checksum: a change that keeps the frame whole is noticed", async () => {
  // Incompressible bytes are stored as they are, so that a change in them is one in the text alone.
  const packed = await collect(compress(streamOf(bytesOf(10_000)), "zstd"), Infinity, "packed");
  const changed = Uint8Array.from(packed);
  changed[5000]! ^= 1;
  await failure(collect(decompress(streamOf(changed), "zstd"), Infinity, "x"), "corrupt");
  await collect(decompress(streamOf(packed), "zstd"), Infinity, "x");
});

Deno.test("an archive in two zstd frames, which the runtime reads as one only, is refused and not read half", async () => {
  const tar = await tarOf(withManifest(SMALL));
  for (const at of [1, 512, 2048, tar.length - 1]) {
    const frames = [tar.subarray(0, at), tar.subarray(at)].map((part) => compress(streamOf(part), "zstd"));
    const packed = concat(await Promise.all(frames.map((frame) => collect(frame, Infinity, "packed"))));
    await failure(checkArchive(sealedOf(await sealBytes(packed))), "corrupt");
  }
});

/** `bytes`, then `error`. */
function concatenated(bytes: Uint8Array, error: unknown): ReadableStream<Uint8Array> {
  let given = bytes.length === 0;
  return new ReadableStream({
    pull(controller) {
      if (given) return controller.error(error);
      given = true;
      controller.enqueue(bytes);
    },
  });
}
