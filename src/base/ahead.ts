import { throwIfCancelled } from "./errors.ts";

/** How far {@linkcode ahead} may go before its results are asked for. */
export interface AheadOptions<Input, Result> {
  signal: AbortSignal;
  /** How much work may be begun whose result has not been used up; 1 does one thing after the other. */
  most: number;
  /** What one piece of work costs, in the unit of `room`; nothing when left out. */
  weight?(input: Input): number;
  /** What may be begun and not used up together; work that is heavier than this is done alone. */
  room?: number;
  /** Lets go of a result that nobody will ask for any more. */
  discard?(result: Result): unknown;
}

/**
 * The results of `work`, in the order of `inputs`, with the work for the next ones begun before they are asked for.
 * A result is used up when the next one is asked for.
 *
 * An error comes when its turn has come, and nothing new is begun from the moment it is known. Whichever way the
 * loop is left, work that is under way is told to stop by its signal and waited for.
 */
export async function* ahead<Input, Result>(
  inputs: Iterable<Input>,
  work: (input: Input, signal: AbortSignal) => Promise<Result>,
  options: AheadOptions<Input, Result>,
): AsyncGenerator<Result, void, undefined> {
  const { signal, most, weight = () => 0, room = Infinity } = options;
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  const waiting = inputs[Symbol.iterator]();
  const begun: Begun<Result>[] = [];
  let next = waiting.next();
  let carried = 0;
  let failed = false;

  const begin = () => {
    while (!next.done && !failed && begun.length < most) {
      const cost = weight(next.value);
      if (begun.length > 0 && carried + cost > room) return;
      throwIfCancelled(signal);
      begun.push({ cost, outcome: outcomeOf(next.value) });
      carried += cost;
      next = waiting.next();
    }
  };
  // Never rejects: an error may have to wait long for its turn, and until then nobody would be there to hear of it.
  const outcomeOf = async (input: Input): Promise<Outcome<Result>> => {
    try {
      return { result: await work(input, until) };
    } catch (error) {
      failed = true;
      return { error };
    }
  };

  try {
    for (begin(); begun.length > 0; begin()) {
      const first = begun[0]!;
      const outcome = await first.outcome;
      if ("error" in outcome) throw outcome.error;
      first.taken = true;
      yield outcome.result;
      begun.shift();
      carried -= first.cost;
    }
  } finally {
    stop.abort();
    waiting.return?.();
    // Settled, not all: what fails while it is let go of must not keep the others from it.
    await Promise.allSettled(begun.map(async ({ outcome, taken }) => {
      const one = await outcome;
      if ("result" in one && !taken) await options.discard?.(one.result);
    }));
  }
}

interface Begun<Result> {
  cost: number;
  outcome: Promise<Outcome<Result>>;
  taken?: boolean;
}

type Outcome<Result> = { result: Result } | { error: unknown };
