import { cancellation } from "../../src/base/errors.ts";
import type { Clock } from "../../src/base/world.ts";

/** A clock that stands still until a test moves it; whoever sleeps wakes when the time has come. */
export class ManualClock implements Clock {
  #time = Date.parse("2026-02-03T04:05:06Z");
  readonly #sleepers = new Set<{ until: number; wake: () => void }>();

  now(): Date {
    return new Date(this.#time);
  }

  monotonic(): number {
    return this.#time;
  }

  get asleep(): number {
    return this.#sleepers.size;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(cancellation(signal));
      const sleeper = { until: this.#time + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal.addEventListener("abort", () => {
        if (this.#sleepers.delete(sleeper)) reject(cancellation(signal));
      }, { once: true });
    });
  }

  /** Moves on by `ms`, and lets everybody who wakes do what they do. */
  async pass(ms: number): Promise<void> {
    this.#time += ms;
    for (const sleeper of [...this.#sleepers]) {
      if (sleeper.until > this.#time) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    for (let turns = 0; turns < 20; turns++) await Promise.resolve();
  }
}
