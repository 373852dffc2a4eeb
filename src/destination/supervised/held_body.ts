import { streamed } from "../body.ts";
import type { Resendable } from "../contract.ts";
import type { Watchdog } from "../watchdog.ts";

/**
 * A body for code that is not ours: its last piece is held back until all of it was found to be what it says, so that
 * nobody ever gets the whole of a wrong one, and it is known what became of it.
 */
export class HeldBody {
  /** What the receiver gets in place of the body. */
  readonly resendable: Resendable;
  /** Whether one stream of it was read to its end. */
  whole = false;
  /** Why the last stream of it broke off; whatever the receiver says of that, this is the reason. */
  failure: unknown;
  readonly #open = new Set<ReadableStreamDefaultReader<Uint8Array>>();

  constructor(key: string, body: Resendable, dog: Watchdog) {
    const { size, sha256 } = body;
    this.resendable = Object.freeze({ size, sha256, open: () => this.#stream(key, body, dog) });
  }

  /** Ends what the receiver has left open. */
  close(): void {
    for (const reader of this.#open) reader.cancel().catch(() => {});
    this.#open.clear();
  }

  #stream(key: string, body: Resendable, dog: Watchdog): ReadableStream<Uint8Array> {
    const reader = streamed(key, body, dog.signal).getReader();
    this.#open.add(reader);
    let held: Uint8Array | undefined;
    /** The next piece; it is our own source that is waited for meanwhile. */
    const next = async () => {
      dog.rest();
      const { done, value } = await reader.read();
      dog.progress();
      // Its own: a stranger may keep what it got, and what we got is filled anew when more is asked for.
      return done ? undefined : value.slice();
    };
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          held ??= await next();
          const after = held && await next();
          if (held) controller.enqueue(held);
          held = after;
          if (after) return;
          this.whole = true;
          this.failure = undefined;
          this.#open.delete(reader);
          controller.close();
        } catch (error) {
          this.failure = error;
          this.#open.delete(reader);
          throw error;
        }
      },
      cancel: (reason) => {
        this.#open.delete(reader);
        return reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
  }
}
