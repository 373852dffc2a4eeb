import { type AppError, isAppError } from "../../../src/base/errors.ts";
import { Sha256 } from "../../../src/base/hash.ts";
import type { Content } from "./client.ts";
import { connectError } from "./errors.ts";

/** How often one file is asked for again when its body breaks off. */
const AGAIN = 3;

/**
 * A file's body that survives broken connections: it is asked for again, and what was handed on already is passed
 * over after it has proved to be the same. A body that simply ends too early, with no length announced, counts as
 * broken off too; when it does so every time it ends there, and the caller sees how much came.
 *
 * @param declared bytes, as the item says
 */
export function steadyBody(
  first: Content,
  again: () => Promise<Content>,
  declared: number,
): ReadableStream<Uint8Array> {
  const seen = new Sha256();
  let current = first;
  let reader = current.body.getReader();
  let left = AGAIN;
  /** Bytes of the present body that are still to be passed over, and their hash so far. */
  let passing: { bytes: number; hash: Sha256 } | undefined;

  const next = async (): Promise<Uint8Array | undefined> => {
    const { done, value } = await reader.read();
    if (!done) return value;
    if (passing) throw cutOff(seen.size - passing.bytes);
    if (current.announced === undefined && seen.size < declared && left > 0) throw cutOff(seen.size);
    return undefined;
  };

  const reopen = async (broken: unknown) => {
    await reader.cancel().catch(() => {}); // an error of ours leaves it open
    if (!isAppError(broken, "transient") || left === 0) throw broken;
    left--;
    current = await again();
    reader = current.body.getReader();
    passing = seen.size > 0 ? { bytes: seen.size, hash: new Sha256() } : undefined;
  };

  /** What of these bytes was not handed on before. */
  const fresh = (bytes: Uint8Array): Uint8Array => {
    if (!passing) return bytes;
    const old = bytes.subarray(0, passing.bytes);
    passing.hash.update(old);
    passing.bytes -= old.length;
    if (passing.bytes > 0) return new Uint8Array(0);
    if (passing.hash.hex() !== seen.fork().hex()) {
      throw connectError(
        "unknown",
        "the file changed while it was read: it broke off and then began differently",
      );
    }
    passing = undefined;
    return bytes.subarray(old.length);
  };

  return new ReadableStream({
    async pull(controller) {
      for (;;) {
        try {
          const bytes = await next();
          if (!bytes) return controller.close();
          const more = fresh(bytes);
          if (more.length === 0) continue;
          seen.update(more);
          return controller.enqueue(more);
        } catch (error) {
          await reopen(error);
        }
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

function cutOff(size: number): AppError {
  return connectError("transient", `the file breaks off after ${size} bytes`);
}
