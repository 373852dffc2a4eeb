import { AppError, cancellation, isAppError, throwIfCancelled } from "../base/errors.ts";
import type { Clock } from "../base/world.ts";
import type { Emit } from "../model/events.ts";
import type { Allowance, Plan } from "../model/quota.ts";
import { renewsIn } from "../policy/quota.ts";
import { durationText, renewalHint } from "../policy/quota_sentences.ts";

/** Milliseconds before the second try; doubles from there, where nobody says when the quota renews. */
const FIRST = 60_000;
/** The longest pause between two tries, in milliseconds, where nobody says when the quota renews. */
const LONGEST = 15 * 60_000;

/** Asks how much of the quota is left. */
export type Telling = () => Promise<Allowance[] | undefined>;

export interface PatienceOptions {
  clock: Clock;
  /** Milliseconds that a run may wait in all; 0: not at all. */
  total: number;
  job: string;
  emit: Emit;
  /** The account's plan, where the config names it, for what people are told. */
  plan?: Plan | undefined;
}

/** How long a run waits for 1Password's quota to renew. One for all doors of a run: they share the total. */
export class Patience {
  #spent = 0;
  #current: Promise<void> | undefined;
  #toldFiles = false;

  constructor(readonly options: PatienceOptions) {}

  /**
   * Pauses after a used-up quota, before the `round`th further try (from 1 on); returns when it is worth one. Calls
   * that find the quota used up at the same time share one pause.
   *
   * @throws `error` itself when it is no `quota` error; with a hint that says when to go on when the quota renews
   * later than the total allows; `cancelled` when `signal` is aborted.
   */
  async pause(error: unknown, round: number, signal: AbortSignal, telling?: Telling): Promise<void> {
    if (!isAppError(error, "quota")) throw error;
    throwIfCancelled(signal);
    this.#current ??= this.#pauseOnce(error, round, signal, telling).finally(() => this.#current = undefined);
    try {
      await unlessAborted(this.#current, signal);
    } catch (ended) {
      // Another call began this pause and was told to stop; this one was not.
      if (!isAppError(ended, "cancelled") || signal.aborted) throw ended;
    }
  }

  async #pauseOnce(
    error: AppError,
    round: number,
    signal: AbortSignal,
    telling: Telling | undefined,
  ): Promise<void> {
    const { clock, total, job, emit } = this.options;
    const allowances = await telling?.().catch(() => undefined); // what is not told does not hide the quota's end
    const renews = renewsIn(allowances, error.retryAfter);
    const left = total - this.#spent;
    // Whatever is told, never a try right after the other: each may cost a call.
    const step = Math.min(FIRST * 2 ** (round - 1), LONGEST, left);
    const pause = Math.max(step, Math.ceil((renews ?? 0) * 1000));
    if (left <= 0 || pause > left) throw this.#explained(error, allowances);
    this.#spent += pause;
    emit({
      event: "waiting",
      job,
      until: new Date(clock.now().getTime() + pause).toISOString(),
      seconds: Math.round(pause / 1000),
      message: renews === undefined
        ? "1Password's quota is used up, nobody says for how long, and it is tried again then"
        : "1Password's quota is used up and renews then",
    });
    await clock.sleep(pause, signal);
  }

  /** Calls `action` until it succeeds or the patience ends. */
  async outlast<T>(
    action: () => Promise<T>,
    signal: AbortSignal,
    telling?: Telling,
  ): Promise<T> {
    for (let round = 1;; round++) {
      try {
        return await action();
      } catch (error) {
        await this.pause(error, round, signal, telling);
      }
    }
  }

  /** Says, once, that the quota ended while files were read. */
  tellFilesLack({ message, hint }: AppError): void {
    if (this.#toldFiles) return;
    this.#toldFiles = true;
    const { emit, job } = this.options;
    emit({
      event: "warning",
      job,
      code: "quota",
      message: `${message}: files that were not read yet are missing from this backup`,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  #explained(error: AppError, allowances: Allowance[] | undefined): AppError {
    const { plan, clock } = this.options;
    const spent = this.#spent === 0
      ? ""
      : `, after ${durationText(this.#spent / 1000)} of waiting for it too`;
    return new AppError("quota", `${error.message}${spent}`, {
      hint: renewalHint({
        allowances,
        retryAfter: error.retryAfter,
        ...(plan === undefined ? {} : { plan }),
      }, clock.now()),
      origin: "source",
      cause: error,
      ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
    });
  }
}

/** What `promise` comes to, or `cancelled` as soon as `signal` is aborted. */
async function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(cancellation(signal));
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
