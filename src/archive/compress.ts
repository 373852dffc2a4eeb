import { constants, createGunzip, createGzip, createZstdCompress, createZstdDecompress } from "node:zlib";
import type { Transform } from "node:stream";
import { AppError } from "../base/errors.ts";
import { Parts } from "../base/parts.ts";
import type { Compression } from "../model/archive_name.ts";

/** What a compressor is fed at once: small tar pieces one by one would cost more than the compression. */
const FEED = 256 * 1024;

/** Compresses with zstd at level 3 with checksum, or gzip at level 6. */
export function compress(tar: ReadableStream<Uint8Array>, kind: Compression): ReadableStream<Uint8Array> {
  const compressor = kind === "zstd"
    ? createZstdCompress({
      chunkSize: FEED,
      params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
    })
    : createGzip({ chunkSize: FEED });
  return through(tar, compressor, (cause) => cause);
}

/** The reverse of {@linkcode compress}; throws `corrupt` on damaged or truncated input. */
export function decompress(
  packed: ReadableStream<Uint8Array>,
  kind: Compression,
): ReadableStream<Uint8Array> {
  const decompressor = kind === "zstd"
    ? createZstdDecompress({ chunkSize: FEED })
    : createGunzip({ chunkSize: FEED });
  return through(
    packed,
    decompressor,
    (cause) =>
      cause instanceof AppError
        ? cause
        : new AppError("corrupt", `the ${kind} data inside the archive is damaged`, { cause }),
  );
}

/**
 * Runs a web stream through a node transform. Written out, because the ready-made adapters halve the speed and
 * lose either an error or the back-pressure: here a failing source destroys the transform, a consumer that
 * leaves cancels the source.
 */
function through(
  source: ReadableStream<Uint8Array>,
  transform: Transform,
  translate: (error: unknown) => unknown,
): ReadableStream<Uint8Array> {
  // An error is met by whoever reads the output; while nobody does, node would take it for unhandled and exit.
  transform.on("error", () => {});
  const feeding = feed(source, transform);
  const output = transform[Symbol.asyncIterator]();
  let given: Uint8Array = NOTHING;
  return new ReadableStream({
    type: "bytes", // a reader that brings an array of its own has it filled
    autoAllocateChunkSize: FEED,
    async pull(controller) {
      const request = controller.byobRequest!;
      try {
        if (given.length === 0) {
          const { done, value } = await output.next();
          if (done) {
            await feeding;
            controller.close();
            return request.respond(0); // lets a reader that waits know
          }
          given = value;
        }
        const room = new Uint8Array(request.view!.buffer, request.view!.byteOffset, request.view!.byteLength);
        const part = given.subarray(0, room.length);
        room.set(part);
        request.respond(part.length);
        given = given.subarray(part.length);
      } catch (error) {
        throw translate(error);
      }
    },
    async cancel() {
      transform.destroy();
      await feeding.catch(() => {}); // it can only tell that it was stopped, which is what was asked
    },
  });
}

const NOTHING = new Uint8Array(0);

async function feed(source: ReadableStream<Uint8Array>, transform: Transform): Promise<void> {
  try {
    // Leaving the loop by a throw cancels the source.
    for await (const bytes of coalesced(source)) {
      if (transform.destroyed) throw new AppError("cancelled", "the reader has gone");
      if (!transform.write(bytes)) await drained(transform);
    }
    transform.end();
  } catch (error) {
    transform.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Resolves when the transform takes more, or has ended for whatever reason. */
function drained(transform: Transform): Promise<void> {
  if (transform.destroyed || !transform.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ["drain", "close", "error"]) transform.off(event, done);
      resolve();
    };
    for (const event of ["drain", "close", "error"]) transform.on(event, done);
  });
}

/** Joins small pieces to {@linkcode FEED} bytes. */
async function* coalesced(source: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  let buffer = new Uint8Array(FEED);
  let used = 0;
  for await (const bytes of new Parts(source)) {
    if (bytes.length >= FEED) {
      if (used > 0) {
        yield buffer.subarray(0, used);
        buffer = new Uint8Array(FEED); // the transform still holds the old one
        used = 0;
      }
      yield bytes;
      continue;
    }
    for (let at = 0; at < bytes.length;) {
      const count = Math.min(FEED - used, bytes.length - at);
      buffer.set(bytes.subarray(at, at + count), used);
      used += count;
      at += count;
      if (used === FEED) {
        yield buffer;
        buffer = new Uint8Array(FEED);
        used = 0;
      }
    }
  }
  if (used > 0) yield buffer.subarray(0, used);
}
