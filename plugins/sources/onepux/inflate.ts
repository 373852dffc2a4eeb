import { createInflateRaw, type InflateRaw } from "node:zlib";
import { sourceError } from "./errors.ts";

/** Bytes given out at once, whatever a piece of input grows to: a bomb swells in time, not in memory. */
const PIECE = 128 * 1024;

/**
 * The bytes that deflate made `packed` of. The platform's DecompressionStream is no use here: it gives out all
 * that one piece of input grows to at once, up to a thousand times its size.
 *
 * @throws `corrupt` when the data is damaged or cut off.
 */
export async function* inflate(packed: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const inflater = createInflateRaw({ chunkSize: PIECE });
  // An error is met by the loop below; before it listens, node would take one for unhandled and exit.
  inflater.on("error", () => {});
  let unreadable: unknown;
  const feeding = feed(packed, inflater).catch((error) => {
    unreadable = error;
    inflater.destroy(new Error("the export could not be read"));
  });
  try {
    for await (const bytes of inflater) yield bytes;
  } catch (cause) {
    throw unreadable ?? sourceError("corrupt", "its compressed data is damaged", { cause });
  } finally {
    inflater.destroy();
    await feeding;
  }
}

async function feed(packed: ReadableStream<Uint8Array>, inflater: InflateRaw): Promise<void> {
  // Leaving the loop cancels the stream.
  for await (const bytes of packed) {
    if (inflater.destroyed) return;
    if (!inflater.write(bytes)) await drained(inflater);
  }
  if (!inflater.destroyed) inflater.end();
}

/** Resolves when the inflater takes more, or has ended for whatever reason. */
function drained(inflater: InflateRaw): Promise<void> {
  if (inflater.destroyed || !inflater.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ["drain", "close", "end"]) inflater.off(event, done);
      resolve();
    };
    for (const event of ["drain", "close", "end"]) inflater.on(event, done);
  });
}
