import { AppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { ByteRange } from "../../../src/destination/contract.ts";
import { refuseWebPage } from "../../../src/destination/http/refusal.ts";
import { withinSize } from "../../../src/destination/keys.ts";
import { type Piece, resumableGet } from "../../../src/destination/resumable_get.ts";
import type { Dav } from "./dav.ts";
import { lookAt, type Resource } from "./places.ts";

/** What {@linkcode download} asks for. */
export interface Wanted {
  parts: readonly string[];
  range: ByteRange | undefined;
  signal: AbortSignal;
  translate(error: unknown): unknown;
}

/** The bytes of a file, gone on with where a connection was cut, also at a server that knows no ranges. */
export function download(dav: Dav, wanted: Wanted): Promise<ReadableStream<Uint8Array>> {
  const { parts, range, signal, translate } = wanted, key = parts.join("/");
  let etag: string | undefined;
  return resumableGet({
    ...{ key, range, signal, clock: dav.parts.clock, translate },
    async ask(start, end, until) {
      // A folder answers a GET too, with a page; and that nothing is there is certain only when our folder is.
      const found = await fileAt(dav, parts, until);
      const { end: to } = withinSize(found.size, { start, ...(end === undefined ? {} : { end }) }, key);
      if (start === to) { // of no bytes there is no range
        return { body: new Blob().stream(), start, size: found.size, version: found.etag };
      }
      const piece = await askFor(dav, parts, { start, to, etag, size: found.size, until });
      etag ??= piece.version;
      return { ...piece, version: piece.version ?? found.etag };
    },
  });
}

/** The file at `parts`; throws `not-found`, or `corrupt` where something else has the name. */
export async function fileAt(dav: Dav, parts: readonly string[], signal: AbortSignal): Promise<Resource> {
  const found = await lookAt(dav, parts, signal), key = parts.join("/");
  if (!found) throw new AppError("not-found", `there is no ${quoted(key)}`);
  if (found.kind !== "file") throw new AppError("corrupt", `${quoted(key)} is a folder, and no file of ours`);
  return found;
}

/** Bytes that are needed, and what is known of the whole. */
interface Need {
  start: number;
  /** One past the last. */
  to: number;
  size: number;
  /** What the first answer came with. */
  etag: string | undefined;
  until: AbortSignal;
}

async function askFor(dav: Dav, parts: readonly string[], need: Need): Promise<Piece> {
  const { start, to, size, etag, until: signal } = need, what = quoted(parts.join("/"));
  const whole = start === 0 && to === size;
  const answer = await dav.once(dav.parts.addresses.of(parts, false), {
    method: "GET",
    what,
    signal,
    headers: {
      "accept-encoding": "identity", // its bytes are counted
      ...(whole ? {} : { range: `bytes=${start}-${to - 1}` }),
      ...(whole || etag === undefined ? {} : { "if-range": etag }),
    },
    fine: [200, 206, 404, 416],
  });
  const { status, headers, body } = answer;
  const drop = async (why: string) => {
    await body?.cancel();
    return new AppError("transient", `${what} ${why}`);
  };
  if (status === 404 || status === 416) throw await drop("was removed or replaced a moment ago");
  // A tag counts only where it is a strong one, which is the same when the bytes are.
  const version = /^"/.test(headers.get("etag") ?? "") ? headers.get("etag")! : undefined;
  const length = headers.get("content-length");
  if (status === 200) {
    if (length === null) refuseWebPage(answer);
    else if (Number(length) !== size) throw await drop(`came as ${length} bytes instead of ${size}`);
    if (!body) throw await drop("came without its bytes");
    return { body: windowOf(body, start, to), start, size, version };
  }
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get("content-range") ?? "") ?? [];
  if (!body || from === undefined) throw await drop("came without saying which bytes they are");
  if (Number(total) !== size) throw await drop(`came as a part of ${total} bytes instead of ${size}`);
  return { body, start: Number(from), size, version };
}

/** The bytes from `start` to `end` of a stream that knows nothing of ranges; errors as it does, and ends no later. */
function windowOf(
  whole: ReadableStream<Uint8Array>,
  start: number,
  end: number,
): ReadableStream<Uint8Array> {
  const reader = whole.getReader();
  let at = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        const part = value.subarray(Math.max(0, start - at), Math.max(0, end - at));
        at += value.length;
        if (part.length === 0 && at < end) continue;
        controller.enqueue(part);
        if (at < end) return;
        await reader.cancel();
        return controller.close();
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
