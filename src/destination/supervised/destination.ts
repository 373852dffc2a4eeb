import { AppError, throwIfCancelled, toAppError } from "../../base/errors.ts";
import { streamOf } from "../../base/bytes.ts";
import { quoted } from "../../base/safe_names.ts";
import type { Secret } from "../../base/secret.ts";
import type { Clock } from "../../base/world.ts";
import { refuseUnlessAble, refuseUnsupported } from "../access.ts";
import { guarded } from "../body.ts";
import type { ByteRange, Capabilities, Destination, PutOptions, Resendable, Stored } from "../contract.ts";
import { foldersOfPrefix, partsOfKey, withinSize } from "../keys.ts";
import { inOurVoice, scrubbed } from "../scrub.ts";
import { Watchdog } from "../watchdog.ts";
import { attended, orGivenUp } from "./attention.ts";
import { HeldBody } from "./held_body.ts";
import { judged, type Supervised, type Task, textOf } from "./judge.ts";
import { entryIn, inForm, iteratorIn, sizeIn, type Stranger, streamIn } from "./shape.ts";

/** How a destination is supervised. */
export interface Supervision {
  name: string;
  /** What none of its sentences may hold. */
  secrets: readonly Secret[];
  clock: Clock;
  /** Milliseconds without any sign of life after which a call is given up. */
  silence: number;
  warn(message: string): void;
}

/** Milliseconds for closing. */
const CLOSING = 5000;

/**
 * A destination whose code is not ours, held to the contract as far as that can be seen from outside at little cost:
 * - keys, prefixes, ranges and what it cannot do are judged before it is asked;
 * - the body that it gets ends only when it was right; one that says "stored" must have read it, where nothing is read back;
 * - what it gives is looked at: sizes, listed keys, the exact length of a download;
 * - an abort and silence end every call, even if it heeds no signal;
 * - its errors become errors of the contract, with its name and without a secret.
 *
 * What it stores it may still get wrong: reading back and the conformance cases are there for that.
 */
export class SupervisedDestination implements Destination, Supervised {
  readonly name: string;
  readonly secrets: readonly Secret[];
  readonly can: Capabilities;
  readonly #stranger: Stranger;
  readonly #supervision: Supervision;

  /** @throws `misconfigured` where `opened` has not the form of a destination */
  constructor(opened: unknown, supervision: Supervision) {
    const { stranger, can } = inForm(opened);
    this.name = supervision.name;
    this.secrets = supervision.secrets;
    this.can = can;
    this.#stranger = stranger;
    this.#supervision = supervision;
  }

  put(key: string, body: Resendable, signal: AbortSignal, options?: PutOptions): Promise<Stored> {
    return this.#call(`store ${quoted(key)}`, key, signal, async (dog) => {
      refuseUnsupported(this.can, options);
      const held = new HeldBody(key, body, dog);
      try {
        const stored = await orGivenUp(
          this.#stranger.put(key, held.resendable, dog.signal, options && { ...options }),
          dog.signal,
          this.#supervision.clock,
        );
        this.#believe(key, body, held, stored);
        return { key, size: body.size };
      } catch (error) {
        if (held.failure !== undefined && !dog.signal.aborted) throw new BodyFailed(held.failure);
        throw error;
      } finally {
        held.close();
      }
    });
  }

  get(key: string, range: ByteRange | undefined, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return this.#call(`read ${quoted(key)}`, key, signal, async (dog) => {
      refuseUnlessAble(this.can, "read");
      // Without the size nobody could tell a download that was cut off from one that is whole.
      const { size } = await this.#stat(key, dog);
      const { start, end } = withinSize(size, range, key);
      if (start === end) return streamOf(new Uint8Array());
      return await this.#download(key, range && { start, end }, end - start, signal);
    }, true);
  }

  stat(key: string, signal: AbortSignal): Promise<Stored> {
    return this.#call(`look at ${quoted(key)}`, key, signal, (dog) => {
      refuseUnlessAble(this.can, "read");
      return this.#stat(key, dog);
    }, true);
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<Stored> {
    using dog = this.#watchdog(signal);
    const seen = new Set<string>();
    let iterator: AsyncIterator<unknown> | undefined;
    try {
      throwIfCancelled(dog.signal);
      foldersOfPrefix(prefix);
      refuseUnlessAble(this.can, "list");
      iterator = iteratorIn(this.#stranger.list(prefix, dog.signal));
      for (;;) {
        dog.progress();
        const { done, value } = await orGivenUp(iterator.next(), dog.signal, this.#supervision.clock);
        if (done) return;
        const entry = entryIn(value, prefix);
        if (!entry) continue;
        if (seen.has(entry.key)) throw new AppError("unknown", `it listed ${quoted(entry.key)} twice`);
        seen.add(entry.key);
        dog.pause();
        yield entry;
      }
    } catch (error) {
      throw judged(error, this, {
        what: `list ${quoted(prefix)}`,
        absence: false,
        signal: dog.signal,
      });
    } finally {
      // Not waited for: one that hangs would never come to its own end.
      (async () => await iterator?.return?.())().catch(() => {});
    }
  }

  remove(key: string, signal: AbortSignal): Promise<void> {
    return this.#call(`remove ${quoted(key)}`, key, signal, async (dog) => {
      refuseUnlessAble(this.can, "remove");
      await orGivenUp(this.#stranger.remove(key, dog.signal), dog.signal, this.#supervision.clock);
    });
  }

  discard(key: string, signal: AbortSignal): Promise<void> {
    return this.#call(`clean up after ${quoted(key)}`, key, signal, async (dog) => {
      await orGivenUp(this.#stranger.discard(key, dog.signal), dog.signal, this.#supervision.clock);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { clock, warn, name } = this.#supervision;
    const close = this.#stranger[Symbol.asyncDispose]?.bind(this.#stranger);
    if (typeof close !== "function") return;
    using dog = new Watchdog({ clock, signal: new AbortController().signal, silence: CLOSING });
    try {
      await dog.guard((async () => await close())());
    } catch (error) {
      const why = inOurVoice(scrubbed(textOf(error), this.secrets));
      warn(`destination "${name}": could not be closed: ${why}`);
    }
  }

  async #stat(key: string, dog: Watchdog): Promise<Stored> {
    const stored = this.#stranger.stat(key, dog.signal);
    return { key, size: sizeIn(await orGivenUp(stored, dog.signal, this.#supervision.clock)) };
  }

  /** Exactly `length` bytes; its watchdog, and with it the signal that the stranger was given, lives as long as the stream. */
  async #download(
    key: string,
    range: ByteRange | undefined,
    length: number,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const dog = this.#watchdog(signal);
    const asked = (async () => streamIn(await this.#stranger.get(key, range, dog.signal)))();
    try {
      const stream = await orGivenUp(asked, dog.signal, this.#supervision.clock);
      const task = { what: `read ${quoted(key)}`, absence: false, signal: dog.signal };
      return guarded(attended(stream, dog), key, length, signal, (error) => judged(error, this, task));
    } catch (error) {
      asked.then((late) => late.cancel()).catch(() => {}); // it failed by itself, or comes when nobody wants it
      dog[Symbol.dispose]();
      throw error;
    }
  }

  /** Throws where "stored" cannot be true. */
  #believe(key: string, body: Resendable, held: HeldBody, stored: unknown): void {
    const size = sizeIn(stored);
    if (size !== body.size) {
      throw new AppError(
        "corrupt",
        `it says that ${quoted(key)} holds ${size} bytes instead of ${body.size}`,
      );
    }
    if (held.failure !== undefined) throw new BodyFailed(held.failure);
    // With credentials that may only create nobody reads it back, and "there already" is no success.
    if (!this.can.read && !held.whole) {
      throw new AppError("corrupt", `it says that ${quoted(key)} is stored, and has not read all of it`);
    }
  }

  #watchdog(signal: AbortSignal): Watchdog {
    return new Watchdog({ clock: this.#supervision.clock, signal, silence: this.#supervision.silence });
  }

  /** One call: its key first, then `action`, then the last word on its error. */
  async #call<T>(
    what: string,
    key: string,
    signal: AbortSignal,
    action: (dog: Watchdog) => Promise<T>,
    absence = false,
  ): Promise<T> {
    using dog = this.#watchdog(signal);
    const task: Task = { what, absence, signal: dog.signal };
    try {
      throwIfCancelled(dog.signal);
      partsOfKey(key);
      return await action(dog);
    } catch (error) {
      if (!(error instanceof BodyFailed)) throw judged(error, this, task);
      const known = toAppError(error.cause);
      throw known.origin === "destination" ? known : judged(error.cause, this, task);
    }
  }
}

/** The body broke off: whatever the receiver made of it, this is why. */
class BodyFailed extends Error {
  constructor(cause: unknown) {
    super("the body broke off", { cause });
  }
}
