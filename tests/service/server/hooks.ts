import type { Call, CallSummary } from "./call.ts";
import type { RouteName } from "./route_names.ts";

/** Runs before the service answers a request; the request waits for it. */
export type RequestHook = (call: CallSummary) => void | Promise<void>;

/** What tests want to happen just before a request is answered. */
export class Hooks {
  readonly #hooks = new Map<RouteName, Set<RequestHook>>();

  /** @returns a function that takes the hook away again */
  add(route: RouteName, hook: RequestHook): () => void {
    const hooks = this.#hooks.get(route) ?? new Set();
    this.#hooks.set(route, hooks.add(hook));
    return () => void hooks.delete(hook);
  }

  async run(call: Call): Promise<void> {
    for (const hook of [...this.#hooks.get(call.route) ?? []]) await hook(call);
  }
}
