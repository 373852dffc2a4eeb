import { cancellation } from "./errors.ts";
import { fillingReader } from "./parts.ts";

/** Bytes of the arrays that are made where the last reader brings none of its own. */
const PIECE = 64 * 1024;

/** What is done to a stream on its way to its reader. */
export interface Relay {
  /** Once aborted, the stream errors, and nothing more is read. */
  signal?: AbortSignal;
  /** Is shown every piece before the reader has it; what it throws ends the stream. */
  piece?(bytes: Uint8Array): void;
  /** Is told of the end before the reader is; what it throws comes in place of the end. */
  end?(): void;
  /** Gives each error its final form. */
  translate?(error: unknown): unknown;
}

/**
 * `inner` by way of `relay`, which keeps nothing. Of a byte stream it makes a byte stream: the array that the reader
 * at the end brings along is passed down to whoever fills it.
 */
export function relayed(inner: ReadableStream<Uint8Array>, relay: Relay): ReadableStream<Uint8Array> {
  const { signal, translate = (error) => error } = relay;
  const filling = fillingReader(inner);
  const reader = filling ?? inner.getReader();
  let forget = () => {};
  const letGo = () => {
    forget();
    reader.cancel().catch(() => {});
  };
  const frame = {
    start(controller: { error(reason: unknown): void }) {
      if (!signal) return;
      const stop = () => {
        controller.error(translate(cancellation(signal)));
        letGo();
      };
      forget = () => signal.removeEventListener("abort", stop);
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    },
    cancel(reason: unknown) {
      forget();
      return reader.cancel(reason);
    },
  };
  /** Does `pass`, which gives the next piece on or closes; what goes wrong is translated. */
  const pulled = async (pass: () => Promise<void>) => {
    try {
      await pass();
    } catch (error) {
      letGo();
      throw translate(error);
    }
  };
  const ended = () => {
    relay.end?.();
    forget();
  };
  if (!filling) {
    return new ReadableStream<Uint8Array>({
      ...frame,
      pull: (controller) =>
        pulled(async () => {
          const { done, value } = await (reader as ReadableStreamDefaultReader<Uint8Array>).read();
          if (signal?.aborted) return; // `stop` has told it already
          if (done) {
            ended();
            return controller.close();
          }
          relay.piece?.(value);
          controller.enqueue(value);
        }),
    }, { highWaterMark: 0 });
  }
  return new ReadableStream({
    ...frame,
    type: "bytes",
    autoAllocateChunkSize: PIECE,
    pull: (controller) =>
      pulled(async () => {
        const request = controller.byobRequest!;
        const { done, value } = await filling.read(request.view as Uint8Array<ArrayBuffer>);
        if (signal?.aborted) return;
        if (done) {
          ended();
          controller.close();
        } else {
          relay.piece?.(value);
        }
        request.respondWithNewView(value!); // of nothing at the end, which lets a reader that waits know
      }),
  });
}

/** A byte stream that is opened when it is first read; what `open` throws is its error. */
export function lazily(open: () => Promise<ReadableStream<Uint8Array>>): ReadableStream<Uint8Array> {
  let reader: ReadableStreamBYOBReader | undefined, cancelled = false;
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: PIECE,
    async pull(controller) {
      reader ??= (await open()).getReader({ mode: "byob" });
      if (cancelled) return await reader.cancel(); // while it was opened
      const request = controller.byobRequest!;
      const { done, value } = await reader.read(request.view as Uint8Array<ArrayBuffer>);
      if (done) controller.close();
      request.respondWithNewView(value!);
    },
    cancel(reason) {
      cancelled = true;
      return reader?.cancel(reason);
    },
  });
}
