import { AppError, cancellation, throwIfCancelled } from "../../../../src/base/errors.ts";
import { orCancelled } from "../../../../src/destination/body.ts";
import type { Watchdog } from "../../../../src/destination/watchdog.ts";
import type { Duplex } from "node:stream";
import { requestError } from "./refusals.ts";
import type { Callback, Handle, Sftp } from "./ssh2.d.ts";

/** What a session is made of. */
export interface SessionParts {
  sftp: Sftp;
  stream: Duplex;
  /** Says good-bye to the server. */
  end(): void;
  dog: Watchdog;
  /** For sentences. */
  peer: string;
}

/**
 * One connection whose requests are answered, until it is lost. Silence of the server ends it: the watchdog counts
 * while an answer is waited for, and nothing but answers counts as one.
 */
export class Session {
  readonly #parts: SessionParts;
  readonly #lost = new AbortController();
  /** How to tell those who wait. */
  readonly #waiting = new Set<(error: AppError) => void>();

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { sftp, stream, dog, peer } = parts;
    dog.rest();
    dog.signal.addEventListener("abort", () => this.drop(cancellation(dog.signal)));
    const gone = () => this.drop(new AppError("transient", `${peer} broke off the connection`));
    sftp.on(
      "error",
      (cause) => this.drop(new AppError("transient", `${peer} speaks no proper SFTP any more`, { cause })),
    );
    sftp.on("close", gone);
    stream.on(
      "error",
      (error) => this.drop(error instanceof AppError ? error : requestError(error, "go on")),
    );
    stream.on("close", gone);
  }

  /** Aborted, with the reason, when nothing can be asked any more. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Whether the server offers an extension of the protocol in the version that is known here. */
  offers(extension: string): boolean {
    return this.#parts.sftp._extensions[extension] === (extension.startsWith("statvfs") ? "2" : "1");
  }

  /** Bytes that the server gives, or takes, in one request. */
  most(doing: "read" | "write"): number {
    const { _maxReadLen, _maxWriteLen } = this.#parts.sftp;
    return doing === "read" ? _maxReadLen : _maxWriteLen;
  }

  /**
   * What the server answers to one request; `task` says in an error what was asked for.
   *
   * @throws what the status means; `transient` when the connection is lost; `cancelled`, though the request is out
   */
  async ask<T>(
    task: string,
    signal: AbortSignal,
    send: (sftp: Sftp, done: Callback<T>) => void,
  ): Promise<T> {
    throwIfCancelled(signal);
    throwIfCancelled(this.lost);
    return await orCancelled(this.#send(task, send), signal);
  }

  /** Ends it for a reason: whoever waits is told. */
  drop(reason: AppError): void {
    if (this.lost.aborted) return;
    this.#lost.abort(reason);
    this.#parts.dog[Symbol.dispose]();
    for (const tell of this.#waiting) tell(reason);
    this.#waiting.clear();
    this.#parts.stream.destroy();
  }

  /** Closes it; returns when it is closed, and within half a second. */
  async end(): Promise<void> {
    const { stream, end } = this.#parts;
    if (!stream.closed) {
      const closed = new Promise<void>((resolve) => stream.once("close", () => resolve()));
      const late = new Promise<void>((resolve) => {
        AbortSignal.timeout(500).addEventListener("abort", () => resolve());
      });
      end();
      await Promise.race([closed, late]);
    }
    this.drop(new AppError("cancelled", "cancelled"));
  }

  #send<T>(task: string, send: (sftp: Sftp, done: Callback<T>) => void): Promise<T> {
    const { dog, sftp } = this.#parts;
    return new Promise<T>((resolve, reject) => {
      if (this.#waiting.size === 0) dog.progress();
      send(sftp, (error, value) => {
        this.#waiting.delete(reject);
        if (this.lost.aborted) return;
        if (this.#waiting.size > 0) dog.progress();
        else dog.rest();
        if (error) reject(requestError(error, task));
        else resolve(value as T);
      });
      this.#waiting.add(reject);
    });
  }
}

/** Closes what is open at the server without waiting for it: a server that does not answer any more closes it itself. */
export function closeQuietly(session: Session, handle: Handle): void {
  session.ask<void>("close a file", new AbortController().signal, (sftp, done) => sftp.close(handle, done))
    .catch(() => {}); // nothing depends on it
}
