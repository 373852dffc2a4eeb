import { AppError, isAppError, toAppError } from "../../base/errors.ts";
import { quoted } from "../../base/safe_names.ts";
import type { Clock } from "../../base/world.ts";
import type { ByteRange, Destination, PutOptions, Resendable } from "../../destination/contract.ts";
import { Watchdog } from "../../destination/watchdog.ts";

/** Something that could not be removed again. */
export interface Left {
  key: string;
  reason: string;
}

/** Milliseconds in which what was stored must be gone. */
const CLEARING = 60_000;

/**
 * A folder at a destination for trying it out: nothing outside of it is ever named, what is stored is remembered, and all
 * of it is removed again.
 */
export class TrialFolder {
  /** Keys that are there, or that may be. */
  readonly #stored = new Set<string>();
  /** Keys of uploads that failed and may have left something hidden. */
  readonly #broken = new Set<string>();

  /** `prefix` ends with a slash. */
  constructor(readonly prefix: string, readonly clock: Clock) {}

  /**
   * `destination` within the folder; where `removes` is false it is one that cannot remove. `always` ends every call,
   * besides the call's own signal.
   */
  within(destination: Destination, removes: boolean, always: AbortSignal): Destination {
    const own = (key: string) => {
      if (key.startsWith(this.prefix)) return key;
      throw new AppError("unknown", `a case left its folder: ${quoted(key)}`);
    };
    const either = (signal: AbortSignal) => AbortSignal.any([signal, always]);
    return {
      name: destination.name,
      can: { ...destination.can, remove: destination.can.remove && removes },
      put: async (key: string, body: Resendable, signal: AbortSignal, options?: PutOptions) => {
        try {
          const stored = await destination.put(own(key), body, either(signal), options);
          this.#stored.add(key);
          return stored;
        } catch (error) {
          this.#broken.add(key);
          // Cut off, it may be there all the same.
          if (isAppError(error, "transient", "cancelled")) this.#stored.add(key);
          throw error;
        }
      },
      get: (key: string, range: ByteRange | undefined, signal: AbortSignal) =>
        destination.get(own(key), range, either(signal)),
      stat: (key: string, signal: AbortSignal) => destination.stat(own(key), either(signal)),
      list: (prefix: string, signal: AbortSignal) => destination.list(own(prefix), either(signal)),
      remove: (key: string, signal: AbortSignal) => destination.remove(own(key), either(signal)),
      discard: (key: string, signal: AbortSignal) => destination.discard(own(key), either(signal)),
      [Symbol.asyncDispose]: () => destination[Symbol.asyncDispose](),
    };
  }

  /**
   * Removes all that was stored and says what is still there. It heeds no signal of the run: who stops it wants his place
   * clean too.
   */
  async clear(destination: Destination, removes: boolean): Promise<Left[]> {
    using dog = new Watchdog({ clock: this.clock, signal: new AbortController().signal, silence: CLEARING });
    const { signal } = dog;
    let there: Iterable<string> = this.#stored, left: Left[] = [];
    if (destination.can.list) {
      try {
        there = await dog.guard(this.#listed(destination, signal));
      } catch (error) {
        if (this.#stored.size > 0) left.push({ key: this.prefix, reason: toAppError(error).message });
      }
    }
    if (!removes) return [...there].map((key) => ({ key, reason: "nothing can be removed here" }));
    const each = async (keys: Iterable<string>, action: (key: string) => Promise<void>) => {
      for (const key of keys) {
        await dog.guard(action(key)).catch((error) => {
          if (!left.some((one) => one.key === key)) left.push({ key, reason: toAppError(error).message });
        });
      }
    };
    await each(there, (key) => destination.remove(key, signal));
    if (this.#stored.size > 0) await each(this.#broken, (key) => destination.discard(key, signal));
    if (left.length === 0 && destination.can.list) {
      // It said so; is it so?
      left = [...await dog.guard(this.#listed(destination, signal)).catch(() => [])]
        .map((key) => ({ key, reason: "it is still listed after it was removed" }));
    }
    return left;
  }

  async #listed(destination: Destination, signal: AbortSignal): Promise<Set<string>> {
    const keys = new Set<string>();
    for await (const { key } of destination.list(this.prefix, signal)) {
      if (key.startsWith(this.prefix)) keys.add(key);
    }
    return keys;
  }
}
