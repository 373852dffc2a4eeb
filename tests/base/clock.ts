import { cancellation } from "../../src/base/errors.ts";
import type { Clock } from "../../src/base/world.ts";

/** A clock that moves only when somebody sleeps; remembers for how long. */
export class FakeClock implements Clock {
  readonly slept: number[] = [];
  #time: number;

  /** `whileAsleep` is called in the middle of every sleep. */
  constructor(start = "2026-02-03T04:05:06Z", readonly whileAsleep: () => void = () => {}) {
    this.#time = Date.parse(start);
  }

  now(): Date {
    return new Date(this.#time);
  }

  monotonic(): number {
    return this.#time;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    this.slept.push(ms);
    await Promise.resolve();
    this.whileAsleep();
    if (signal.aborted) throw cancellation(signal);
    this.#time += ms;
  }
}
