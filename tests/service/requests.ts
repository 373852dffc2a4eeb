import type { RouteName } from "./server/route_names.ts";

/** One request, in the order of arrival. */
export interface RequestEntry {
  readonly method: string;
  readonly route: RouteName;
  /** The path with its ids, without the query. */
  readonly path: string;
  /** `undefined` until the service has answered, and for good where it never did. */
  status: number | undefined;
}

/** What the service was asked: counts by route, and every request in the order of arrival. */
export class Requests {
  readonly #log: RequestEntry[] = [];

  /** Every request since the start or the last reset. */
  get log(): readonly RequestEntry[] {
    return this.#log;
  }

  /** How many requests came for this route. */
  count(route: RouteName): number {
    return this.#log.filter((entry) => entry.route === route).length;
  }

  /** How many requests came at all. */
  total(): number {
    return this.#log.length;
  }

  /** How many requests came for each route that was asked for. */
  counts(): Partial<Record<RouteName, number>> {
    const counts: Partial<Record<RouteName, number>> = {};
    for (const { route } of this.#log) counts[route] = (counts[route] ?? 0) + 1;
    return counts;
  }

  /** Forgets everything: the next count starts at nought. */
  reset(): void {
    this.#log.length = 0;
  }

  /** Notes a request that has just arrived. Its status follows. */
  note(method: string, route: RouteName, path: string): RequestEntry {
    const entry: RequestEntry = { method, route, path, status: undefined };
    this.#log.push(entry);
    return entry;
  }
}
