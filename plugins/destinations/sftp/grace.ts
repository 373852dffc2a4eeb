import { AppError } from "../../../src/base/errors.ts";

/** Milliseconds after an abort in which what has begun is finished or cleaned up; all of a call may take two seconds. */
const GRACE = 700;

/** A signal that is aborted a moment after another one: time to hear the answer to the request that publishes. */
export class Grace implements Disposable {
  readonly #late = new AbortController();
  readonly #over = new AbortController();

  constructor(signal: AbortSignal) {
    const begin = () => {
      const end = () => this.#late.abort(new AppError("cancelled", "cancelled"));
      AbortSignal.timeout(GRACE).addEventListener("abort", end, { once: true, signal: this.#over.signal });
    };
    if (signal.aborted) begin();
    else signal.addEventListener("abort", begin, { once: true, signal: this.#over.signal });
  }

  get signal(): AbortSignal {
    return this.#late.signal;
  }

  [Symbol.dispose](): void {
    this.#over.abort();
  }
}
