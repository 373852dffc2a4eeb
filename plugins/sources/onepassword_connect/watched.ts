import { cancellation, throwIfCancelled } from "../../../src/base/errors.ts";
import { connectError, networkError } from "./errors.ts";

/**
 * One request's patience: whoever waits for Connect waits no longer than `stallMs` without any progress. The time in
 * which nobody waits does not count, such as while a slow disk takes what has come.
 */
export class Watch {
  /** Aborted when the run is, and when patience has ended. */
  readonly signal: AbortSignal;
  readonly #stalled = new AbortController();

  constructor(readonly stallMs: number, readonly cancelled: AbortSignal) {
    throwIfCancelled(cancelled);
    this.signal = AbortSignal.any([cancelled, this.#stalled.signal]);
  }

  /** What `step` comes to; a `transient` error when it takes too long or the network fails, `cancelled` on abort. */
  async progress<T>(step: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#stalled.abort(), this.stallMs);
    try {
      return await step();
    } catch (cause) {
      if (this.cancelled.aborted) throw cancellation(this.cancelled);
      if (!this.#stalled.signal.aborted) throw networkError(cause);
      throw networkError(new Error(`no answer within ${this.stallMs / 1000} s`));
    } finally {
      clearTimeout(timer);
    }
  }

  /** The body of an answer; ends in an error when the connection breaks, or before as many bytes as were announced. */
  body(response: Response): ReadableStream<Uint8Array> {
    const reader = response.body?.getReader();
    const announced = announcedLength(response.headers);
    let seen = 0;
    return new ReadableStream({
      pull: async (controller) => {
        const value = reader && (await this.progress(() => reader.read())).value;
        if (value) {
          seen += value.length;
          controller.enqueue(value);
        } else if (announced !== undefined && seen !== announced) {
          throw connectError(
            "transient",
            `the answer breaks off after ${seen} of ${announced} bytes`,
            { hint: "look at what lies between this host and the Connect server: a proxy, the network" },
          );
        } else controller.close();
      },
      cancel: (reason) => reader?.cancel(reason),
    }, { highWaterMark: 0 });
  }
}

/** Bytes that the body is to have; undefined where that is not said, or said of the compressed body. */
export function announcedLength(headers: Headers): number | undefined {
  const length = headers.get("content-length");
  if (length === null || !/^\d+$/.test(length) || headers.has("content-encoding")) return undefined;
  return Number(length);
}
