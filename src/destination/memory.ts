import { concat, streamOf } from "../base/bytes.ts";
import { AppError, cancellation, throwIfCancelled, toAppError } from "../base/errors.ts";
import { sha256Hex } from "../base/hash.ts";
import { quoted } from "../base/safe_names.ts";
import type { ByteRange, Capabilities, Destination, Resendable, Stored } from "./contract.ts";

/** Where a test may step in. */
export interface MemoryFaults {
  /** Called before every operation; what it throws is the operation's error. */
  before?(
    operation: "put" | "get" | "stat" | "list" | "remove" | "discard",
    key: string,
  ): void | Promise<void>;
  /** What is kept of a body that was sent whole: a service that loses a part of it and still says yes. */
  kept?(key: string, bytes: Uint8Array): Uint8Array;
}

/** A destination in memory: the reference of the contract, and the destination of tests. */
export class MemoryDestination implements Destination {
  readonly can: Capabilities;

  /** `objects` is what is stored: two destinations that share it are two views of one place. */
  constructor(
    readonly name: string,
    readonly objects: Map<string, Uint8Array> = new Map(),
    readonly faults: MemoryFaults = {},
    can: Partial<Capabilities> = {},
  ) {
    this.can = {
      read: true,
      list: true,
      remove: true,
      createOnly: false,
      immutableUntil: false,
      checksums: ["sha256"],
      ...can,
    };
  }

  put(key: string, body: Resendable, signal: AbortSignal): Promise<Stored> {
    return this.#run("put", key, signal, async () => {
      const bytes = await receive(key, body, signal);
      // From here to the end nothing waits: of two puts at once one finds the other's object.
      const present = this.objects.get(key);
      if (present === undefined) this.objects.set(key, this.faults.kept?.(key, bytes) ?? bytes);
      else if (sha256Hex(present) !== body.sha256) {
        throw new AppError("already-exists", `${quoted(key)} exists already with other content`);
      }
      return { key, size: body.size };
    });
  }

  get(key: string, range: ByteRange | undefined, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return this.#run("get", key, signal, () => {
      const bytes = this.#object(key);
      return streamOf(bytes.slice(range?.start ?? 0, range?.end ?? bytes.length));
    });
  }

  stat(key: string, signal: AbortSignal): Promise<Stored> {
    return this.#run("stat", key, signal, () => ({ key, size: this.#object(key).length }));
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<Stored> {
    const found = await this.#run("list", prefix, signal, () => [...this.objects]);
    for (const [key, bytes] of found) {
      if (key.startsWith(prefix)) yield { key, size: bytes.length };
    }
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return this.#run("remove", key, signal, () => void this.objects.delete(key));
  }

  discard(key: string, signal: AbortSignal): Promise<void> {
    return this.#run("discard", key, signal, () => {}); // an interrupted put leaves nothing here
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #object(key: string): Uint8Array {
    const bytes = this.objects.get(key);
    if (bytes === undefined) throw new AppError("not-found", `there is no ${quoted(key)}`);
    return bytes;
  }

  async #run<T>(
    operation: Parameters<NonNullable<MemoryFaults["before"]>>[0],
    key: string,
    signal: AbortSignal,
    action: () => T | Promise<T>,
  ): Promise<T> {
    try {
      throwIfCancelled(signal);
      checkKey(key, operation === "list");
      await this.faults.before?.(operation, key);
      throwIfCancelled(signal);
      return await action();
    } catch (error) {
      const { code, message, hint, retryAfter } = toAppError(error);
      throw new AppError(code, `destination "${this.name}": ${message}`, {
        cause: error,
        origin: "destination",
        ...(hint === undefined ? {} : { hint }),
        ...(retryAfter === undefined ? {} : { retryAfter }),
      });
    }
  }
}

/** All of a body, compared with what it says of itself. */
async function receive(key: string, body: Resendable, signal: AbortSignal): Promise<Uint8Array> {
  const reader = body.open().getReader();
  // Ends a pending read at once, also that of a stream that hangs.
  const stop = () => void reader.cancel(cancellation(signal)).catch(() => {});
  signal.addEventListener("abort", stop, { once: true });
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      throwIfCancelled(signal);
      if (done) break;
      size += value.length;
      if (size > body.size) {
        throw new AppError("corrupt", `the body of ${quoted(key)} is longer than its ${body.size} bytes`);
      }
      parts.push(value.slice());
    }
  } finally {
    signal.removeEventListener("abort", stop);
    reader.cancel().catch(() => {});
  }
  const bytes = concat(parts);
  if (size !== body.size || sha256Hex(bytes) !== body.sha256) {
    throw new AppError("corrupt", `the body of ${quoted(key)} is not the one that was announced`);
  }
  return bytes;
}

function checkKey(key: string, prefix: boolean): void {
  const parts = key.split("/");
  if (prefix && parts.at(-1) === "") parts.pop();
  if (parts.every((part) => /^[A-Za-z0-9._-]+$/.test(part) && !/^\.{1,2}$/.test(part))) return;
  throw new AppError("misconfigured", `${quoted(key)} cannot be the name of a stored object`);
}
