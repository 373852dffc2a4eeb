import type { AppError } from "../../base/errors.ts";
import { redact } from "../../base/secret.ts";
import type { World } from "../../base/world.ts";
import type { Event } from "../../model/events.ts";
import { printError, type Report } from "./report.ts";

/**
 * At most one progress object in so many milliseconds, for each destination: programs want to know that it goes on, not
 * every item.
 */
const PROGRESS_EVERY = 1000;

/** One JSON object a line on standard output: `{"v":1,"event":…}`; errors are told on standard error as well. */
export class JsonReport implements Report {
  readonly #world: World;
  readonly #last = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  emit(event: Event): void {
    if (event.event === "progress") {
      const now = this.#world.clock.monotonic(), where = event.destination ?? "";
      if (now - (this.#last.get(where) ?? -Infinity) < PROGRESS_EVERY) return;
      this.#last.set(where, now);
    }
    this.#line(event);
  }

  error(error: AppError, job?: string): void {
    printError(this.#world, error);
    this.#line({
      event: "error",
      ...(job === undefined ? {} : { job }),
      code: error.code,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }

  result(): void {}

  summary(summary: { command: string; exitCode: number }): void {
    this.#line({ event: "summary", ...summary });
  }

  #line(object: object): void {
    this.#world.terminal.out(redact(JSON.stringify({ v: 1, ...object })) + "\n");
  }
}
