import { AppError, cancellation, throwIfCancelled } from "../../../src/base/errors.ts";
import { retry } from "../../../src/base/retry.ts";
import type { Clock } from "../../../src/base/world.ts";
import type { Answer, Call, CoreConfig, Start } from "./protocol.ts";
import { callError, endsSession, signInError, workerError } from "./translate.ts";

interface Waiting {
  resolve(value: string | Uint8Array<ArrayBuffer>): void;
  reject(error: AppError): void;
  failed: typeof callError;
}

/** Calls 1Password's core, which lives in a worker of its own. Calls are answered one after the other. */
export class Core implements AsyncDisposable {
  #worker: Worker | undefined;
  #signedIn: Promise<void> | undefined;
  #refused: AppError | undefined;
  #waiting = new Map<number, Waiting>();
  #next = 1;

  constructor(readonly config: CoreConfig, readonly stallMs: number, readonly clock: Clock) {}

  /** Signs in now, so that a refusal is known before any work; later calls share the session. */
  async signIn(signal: AbortSignal): Promise<void> {
    await this.#patiently(() => this.#session(signal), signal);
  }

  /** One call of the core; tried again when 1Password could not be reached. */
  async call(name: string, parameters: unknown, signal: AbortSignal): Promise<unknown> {
    const text = await this.#patiently(() => this.#send(name, parameters, "json", signal), signal);
    return JSON.parse(text as string);
  }

  /** A call that answers with bytes. */
  async bytes(name: string, parameters: unknown, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#patiently(() => this.#send(name, parameters, "bytes", signal), signal) as Uint8Array<
      ArrayBuffer
    >;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#end(new AppError("cancelled", "the source was closed"));
    return Promise.resolve();
  }

  #patiently<T>(action: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return retry(action, { clock: this.clock, signal, tries: 3, firstDelay: 1000 });
  }

  async #send(
    name: string,
    parameters: unknown,
    answer: Call["answer"],
    signal: AbortSignal,
  ): Promise<string | Uint8Array<ArrayBuffer>> {
    await this.#session(signal);
    return await this.#post(name, parameters, answer, signal, callError);
  }

  /** Resolves when somebody is signed in; a worker that has ended is followed by a new one. */
  #session(signal: AbortSignal): Promise<void> {
    // A refused token is never tried again, whatever asks next.
    if (this.#refused) throw this.#refused;
    return this.#signedIn ??= this.#post("SignIn", null, "json", signal, signInError).then(
      () => {},
      (error) => {
        if (error instanceof AppError && error.code === "denied") this.#refused = error;
        this.#end(error);
        throw error;
      },
    );
  }

  async #post(
    name: string,
    parameters: unknown,
    answer: Call["answer"],
    signal: AbortSignal,
    failed: typeof callError,
  ): Promise<string | Uint8Array<ArrayBuffer>> {
    throwIfCancelled(signal);
    const worker = this.#worker ??= this.#start();
    const call: Call = { id: this.#next++, name, parameters, answer };
    const stop = () => this.#end(cancellation(signal));
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(call.id, { resolve, reject, failed });
        worker.postMessage(call);
      });
    } finally {
      signal.removeEventListener("abort", stop);
      this.#waiting.delete(call.id);
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL("./core_worker.ts", import.meta.url), {
      type: "module",
      name: "1password",
    });
    worker.onmessage = (event: MessageEvent<Answer>) => {
      const answer = event.data;
      if ("fatal" in answer) return this.#end(workerError(answer.fatal));
      const waiting = this.#waiting.get(answer.id);
      if (!waiting) return;
      if ("ok" in answer) waiting.resolve(answer.ok);
      else {
        const error = waiting.failed(answer.failed);
        if (endsSession(answer.failed)) this.#refused = error;
        waiting.reject(error);
      }
    };
    worker.onerror = (event) => {
      event.preventDefault(); // reported to whoever waits, instead of ending the process
      this.#end(workerError(event.message));
    };
    const start: Start = { config: this.config, stallMs: this.stallMs };
    worker.postMessage(start);
    return worker;
  }

  /** Ends the worker with everything it was doing. */
  #end(reason: AppError): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#signedIn = undefined;
    for (const waiting of this.#waiting.values()) waiting.reject(reason);
  }
}
