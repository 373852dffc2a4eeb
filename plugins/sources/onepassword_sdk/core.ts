import { AppError, cancellation, throwIfCancelled } from "../../../src/base/errors.ts";
import { retry } from "../../../src/base/retry.ts";
import type { Clock } from "../../../src/base/world.ts";
import type { Answer, Call, Failure, Start } from "./protocol.ts";
import { type Meanings, workerError } from "./translate.ts";

export interface CoreOptions {
  start: Start;
  meanings: Meanings;
  clock: Clock;
}

interface Waiting {
  resolve(value: string | Uint8Array<ArrayBuffer>): void;
  reject(error: AppError): void;
  meaning(failure: Failure): AppError;
}

/** Calls 1Password's core, which lives in a worker of its own. Calls may overlap. */
export class Core implements AsyncDisposable {
  /** Private, because it holds the token. */
  readonly #options: CoreOptions;
  #worker: Worker | undefined;
  #signedIn: Promise<void> | undefined;
  #refused: AppError | undefined;
  #waiting = new Map<number, Waiting>();
  #next = 1;

  constructor(options: CoreOptions) {
    this.#options = options;
  }

  /** Signs in now, so that a refusal is known before any work; later calls share the session. */
  async signIn(signal: AbortSignal): Promise<void> {
    await this.#patiently(() => this.#session(signal), signal);
  }

  /** One call of the core; tried again when 1Password could not be reached. */
  async call(name: string, parameters: unknown, signal: AbortSignal): Promise<unknown> {
    const text = await this.#patiently(() => this.#send(name, parameters, "json", signal), signal);
    try {
      return JSON.parse(text as string);
    } catch {
      // Not its own words: they quote what they stumble over, which may be a secret.
      throw new AppError("unknown", "1Password's SDK answered with something that is no JSON", {
        origin: "source",
      });
    }
  }

  /** A call that answers with bytes. */
  async bytes(name: string, parameters: unknown, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#patiently(() => this.#send(name, parameters, "bytes", signal), signal) as Uint8Array<
      ArrayBuffer
    >;
  }

  [Symbol.asyncDispose](): Promise<void> {
    const closed = new AppError("cancelled", "the source was closed", { origin: "source" });
    this.#end(closed);
    this.#refused = closed;
    return Promise.resolve();
  }

  #patiently<T>(action: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return retry(action, { clock: this.#options.clock, signal, tries: 3, firstDelay: 1000 });
  }

  async #send(
    name: string,
    parameters: unknown,
    answer: Call["answer"],
    signal: AbortSignal,
  ): Promise<string | Uint8Array<ArrayBuffer>> {
    await this.#session(signal);
    return await unlessAborted(
      this.#post(name, parameters, answer, this.#options.meanings.call),
      signal,
    );
  }

  /** Resolves when somebody is signed in; a worker that has ended is followed by a new one. */
  async #session(signal: AbortSignal): Promise<void> {
    throwIfCancelled(signal);
    // A refused sign-in is never tried again, whatever asks next; nor is one made for a source that was closed.
    if (this.#refused) throw this.#refused;
    // One for all calls that wait for it, so no single one of them may stop it.
    this.#signedIn ??= this.#post("SignIn", null, "json", this.#options.meanings.signIn).then(
      () => {},
      (error) => {
        if (error instanceof AppError && error.code === "denied") this.#refused = error;
        this.#end(error);
        throw error;
      },
    );
    await unlessAborted(this.#signedIn, signal);
  }

  #post(
    name: string,
    parameters: unknown,
    answer: Call["answer"],
    meaning: Waiting["meaning"],
  ): Promise<string | Uint8Array<ArrayBuffer>> {
    const worker = this.#worker ??= this.#start();
    const call: Call = { id: this.#next++, name, parameters, answer };
    const { promise, resolve, reject } = Promise.withResolvers<string | Uint8Array<ArrayBuffer>>();
    this.#waiting.set(call.id, { resolve, reject, meaning });
    worker.postMessage(call);
    return promise;
  }

  #start(): Worker {
    const worker = new Worker(new URL("./core_worker.ts", import.meta.url), {
      type: "module",
      name: "1password",
    });
    worker.onmessage = (event: MessageEvent<Answer>) => this.#answered(event.data);
    worker.onerror = (event) => {
      event.preventDefault(); // reported to whoever waits, instead of ending the process
      this.#end(workerError(event.message));
    };
    worker.postMessage(this.#options.start);
    return worker;
  }

  #answered(answer: Answer): void {
    if ("fatal" in answer) return this.#end(workerError(answer.fatal));
    const waiting = this.#waiting.get(answer.id);
    if (!waiting) return;
    this.#waiting.delete(answer.id);
    if ("ok" in answer) return waiting.resolve(answer.ok);
    const { failed } = answer;
    const { meanings } = this.#options;
    const error = failed.signIn ? meanings.signIn(failed) : waiting.meaning(failed);
    if (meanings.endsSession(failed) || (failed.signIn && error.code === "denied")) this.#refused = error;
    waiting.reject(error);
  }

  /** Ends the worker with everything it was doing. */
  #end(reason: AppError): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#signedIn = undefined;
    for (const waiting of this.#waiting.values()) waiting.reject(reason);
    this.#waiting.clear();
  }
}

/**
 * What `promise` comes to, or `cancelled` as soon as `signal` is aborted: the core cannot stop a call, so what it
 * still answers then is passed over.
 */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(cancellation(signal));
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
