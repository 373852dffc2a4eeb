import type { RouteName } from "./routes.ts";

/** One request, in the order of arrival. */
export interface RequestEntry {
  readonly method: string;
  readonly route: RouteName;
  readonly path: string;
  /** `undefined` until the server has answered, and for good where it never did. */
  status: number | undefined;
}

/** What the Connect server was asked, and how much of it at once. */
export class Requests {
  readonly #log: RequestEntry[] = [];
  readonly #idle = new Set<() => void>();
  #working = 0;
  #open = 0;
  #most = 0;

  /** Every request since the start or the last reset. */
  get log(): readonly RequestEntry[] {
    return this.#log;
  }

  /** How many requests came, at all or for one route. */
  count(route?: RouteName): number {
    return route === undefined ? this.#log.length : this.#log.filter((entry) => entry.route === route).length;
  }

  /** The most requests that waited for their answer at the same time. */
  get mostAtOnce(): number {
    return this.#most;
  }

  /** Requests that came and are neither answered to the end nor given up. */
  get open(): number {
    return this.#open;
  }

  /** Resolves when nothing is open. */
  async idle(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => this.#idle.add(resolve));
  }

  /** Forgets what was asked; what is open stays. */
  reset(): void {
    this.#log.length = 0;
    this.#most = this.#working;
  }

  /** Notes a request that has just arrived; `ended` settles when its answer was sent or its client has gone. */
  note(method: string, route: RouteName, path: string, ended: Promise<void>): RequestEntry {
    const entry: RequestEntry = { method, route, path, status: undefined };
    this.#log.push(entry);
    this.#working++;
    this.#open++;
    this.#most = Math.max(this.#most, this.#working);
    const end = () => {
      if (--this.#open > 0) return;
      for (const resolve of this.#idle) resolve();
      this.#idle.clear();
    };
    ended.then(end, end);
    return entry;
  }

  /** Notes that the answer is made and only has to be sent. */
  answered(entry: RequestEntry, status: number | undefined): void {
    entry.status = status;
    this.#working--;
  }
}
