import { AppError, throwIfCancelled } from "../../../../src/base/errors.ts";
import { orCancelled } from "../../../../src/destination/body.ts";
import { connect, type Way } from "./connect.ts";
import type { Session } from "./session.ts";

/** The connection of a destination: made when it is needed, and made anew when it was lost. */
export class Connection implements AsyncDisposable {
  readonly #closed = new AbortController();
  #session: Session | undefined;
  #connecting: Promise<Session> | undefined;

  constructor(readonly way: Way) {}

  /** A session that was not lost so far. Of several that ask at once the first connects for all. */
  async session(signal: AbortSignal): Promise<Session> {
    throwIfCancelled(signal);
    if (this.#session && !this.#session.lost.aborted) return this.#session;
    this.#connecting ??= this.#connect().finally(() => this.#connecting = undefined);
    return await orCancelled(this.#connecting, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session?.end();
    this.#closed.abort(new AppError("cancelled", "cancelled"));
    await this.#connecting?.catch(() => {}); // it was told to whoever asked
  }

  async #connect(): Promise<Session> {
    return this.#session = await connect(this.way, this.#closed.signal);
  }
}
