import { AppError } from "../../../src/base/errors.ts";
import { quoted } from "../../../src/base/safe_names.ts";
import type { ByteRange } from "../../../src/destination/contract.ts";
import { refuseWebPage } from "../../../src/destination/http/refusal.ts";
import { type Piece, resumableGet } from "../../../src/destination/resumable_get.ts";
import type { Api } from "./api.ts";
import { lookAt } from "./objects.ts";

/** What {@linkcode download} asks for. */
export interface Wanted {
  /** In the bucket. */
  name: string;
  key: string;
  range: ByteRange | undefined;
  signal: AbortSignal;
  translate(error: unknown): unknown;
}

/** The bytes of an object, gone on with where a connection was cut, and all of one generation. */
export function download(api: Api, wanted: Wanted): Promise<ReadableStream<Uint8Array>> {
  const { key, range, signal, translate } = wanted;
  const ask = (start: number, end: number | undefined, until: AbortSignal) =>
    askFor(api, wanted, start, end, until);
  return resumableGet({ key, range, signal, clock: api.parts.clock, ask, translate });
}

async function askFor(
  api: Api,
  { name, key }: Wanted,
  start: number,
  end: number | undefined,
  signal: AbortSignal,
): Promise<Piece> {
  // Where bytes are asked for, Google tells in words alone that there is nothing: they are asked for when it is known.
  const object = await lookAt(api, name, key, signal);
  if (!object) throw new AppError("not-found", `there is no ${quoted(key)}`);
  const { size, generation: version } = object;
  const to = Math.min(end ?? size, size);
  // Of no bytes there is no range; what is no range at all is refused by whoever asked.
  if (start >= to) return { body: new Blob().stream(), start, size, version };
  const url = api.objects(name);
  url.search = String(new URLSearchParams({ alt: "media", generation: version }));
  const whole = start === 0 && to === size;
  const answer = await api.send(url, {
    signal,
    // Not packed on the way: its bytes are counted.
    headers: { "accept-encoding": "identity", ...(whole ? {} : { range: `bytes=${start}-${to - 1}` }) },
  });
  if (answer.status === 404) {
    await answer.body?.cancel();
    throw new AppError("transient", `${quoted(key)} was removed or replaced a moment ago`);
  }
  if (answer.status !== 200 && answer.status !== 206) throw await api.refused(answer, { what: key, signal });
  refuseWebPage(answer);
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.headers.get("content-range") ?? "") ?? [];
  if (!answer.body || (answer.status === 206 && from === undefined)) {
    await answer.body?.cancel();
    throw new AppError("transient", "the answer does not say which bytes it holds");
  }
  return { body: answer.body, start: Number(from ?? 0), size: Number(total ?? size), version };
}
