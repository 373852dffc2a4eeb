import { concat, streamOf } from "../base/bytes.ts";
import { AppError, throwIfCancelled } from "../base/errors.ts";
import { sha256Hex } from "../base/hash.ts";
import { quoted } from "../base/safe_names.ts";
import { refuseUnsupported } from "./access.ts";
import { pour } from "./body.ts";
import type { ByteRange, Capabilities, Destination, PutOptions, Resendable, Stored } from "./contract.ts";
import { named } from "./errors.ts";
import { foldersOfPrefix, isKey, partsOfKey, withinSize } from "./keys.ts";

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

/** Until when what is stored is locked against removal; of all views of one place. */
const LOCKED = new WeakMap<Map<string, Uint8Array>, Map<string, Date>>();

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

  put(key: string, body: Resendable, signal: AbortSignal, options?: PutOptions): Promise<Stored> {
    return this.#run("put", key, signal, async () => {
      refuseUnsupported(this.can, options);
      const bytes = await receive(key, body, signal);
      // From here to the end nothing waits: of two puts at once one finds the other's object.
      const present = this.objects.get(key);
      if (present === undefined) this.#store(key, bytes, options);
      else if (sha256Hex(present) !== body.sha256) {
        throw new AppError("already-exists", `${quoted(key)} exists already with other content`);
      }
      return { key, size: body.size };
    });
  }

  get(key: string, range: ByteRange | undefined, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return this.#run("get", key, signal, () => {
      const bytes = this.#object(key);
      const { start, end } = withinSize(bytes.length, range, key);
      return streamOf(bytes.slice(start, end));
    });
  }

  stat(key: string, signal: AbortSignal): Promise<Stored> {
    return this.#run("stat", key, signal, () => ({ key, size: this.#object(key).length }));
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<Stored> {
    const found = await this.#run("list", prefix, signal, () => [...this.objects]);
    for (const [key, bytes] of found) {
      if (key.startsWith(prefix) && isKey(key)) yield { key, size: bytes.length };
    }
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return this.#run("remove", key, signal, () => {
      if ((LOCKED.get(this.objects)?.get(key)?.getTime() ?? 0) > Date.now()) {
        throw new AppError("denied", `${quoted(key)} is locked against removal`);
      }
      this.objects.delete(key);
    });
  }

  discard(key: string, signal: AbortSignal): Promise<void> {
    return this.#run("discard", key, signal, () => {}); // an interrupted put leaves nothing here
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #store(key: string, bytes: Uint8Array, options: PutOptions | undefined): void {
    const kept = this.faults.kept?.(key, bytes) ?? bytes;
    if (kept.length !== bytes.length) {
      throw new AppError("corrupt", `${quoted(key)} holds ${kept.length} bytes instead of ${bytes.length}`);
    }
    this.objects.set(key, kept);
    if (!options?.immutableUntil) return;
    const locked = LOCKED.get(this.objects) ?? new Map<string, Date>();
    LOCKED.set(this.objects, locked.set(key, options.immutableUntil));
  }

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
    return await named(this, `${operation} ${quoted(key)}`, signal, async () => {
      if (operation === "list") foldersOfPrefix(key);
      else partsOfKey(key);
      await this.faults.before?.(operation, key);
      throwIfCancelled(signal);
      return await action();
    });
  }
}

/** All of a body, compared with what it says of itself. */
async function receive(key: string, body: Resendable, signal: AbortSignal): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  await pour(key, body, (bytes) => Promise.resolve(void parts.push(bytes.slice())), signal);
  return concat(parts);
}
