import { AppError, isAppError, toAppError } from "../../base/errors.ts";
import { milliseconds } from "../../base/duration.ts";
import { digestOf } from "../../base/hash.ts";
import { retry } from "../../base/retry.ts";
import { nameOf } from "../../archive/manifest.ts";
import { quoted } from "../../base/safe_names.ts";
import { counted } from "../../destination/body.ts";
import type { Destination, PutOptions } from "../../destination/contract.ts";
import type { Journal } from "../../host/journal.ts";
import { type JobContext } from "../context.ts";
import { destinationConfig, openDestination } from "../open.ts";
import type { Ended } from "./ledger.ts";
import { refuseWithoutLocks } from "./locks.ts";
import { type Part, partsOf, recipeOf, type Shipment } from "./parts.ts";

/**
 * Brings an entry to one destination and reads back what is there. Where that cannot be, because the credentials may
 * only create and there are no others, the archive is sent and that is all that is known.
 *
 * The credentials for writing send; those of `read:`, where there are any, read back.
 */
export async function send(
  context: JobContext,
  journal: Journal,
  shipment: Shipment,
  name: string,
): Promise<Ended> {
  const one = new Sending(context, journal, shipment, name);
  return await one.run();
}

class Sending {
  /** Bytes of all files. */
  readonly #total: number;
  readonly #parts: Part[];
  #reader: Destination | undefined;
  /** Why nothing can be read with the credentials of `read:`; told when everything is sent. */
  #unreadable: AppError | undefined;

  constructor(
    readonly context: JobContext,
    readonly journal: Journal,
    readonly shipment: Shipment,
    readonly name: string,
  ) {
    this.#parts = partsOf(context, shipment);
    this.#total = this.#parts.reduce((sum, { body }) => sum + body.size, 0);
  }

  async run(): Promise<Ended> {
    const { context, name, shipment } = this;
    const { read, immutableFor } = destinationConfig(context, name);
    await using closing = new AsyncDisposableStack();
    const writer = closing.use(await openDestination(context, name, "write"));
    if (immutableFor !== undefined) refuseWithoutLocks(writer);
    if (read !== undefined) await this.#openReader(closing);
    else if (writer.can.read) this.#reader = writer;
    this.#phase("send");
    const lock = immutableFor === undefined
      ? {}
      : { immutableUntil: new Date(context.world.clock.now().getTime() + milliseconds(immutableFor)) };
    await this.#sendAll(writer, lock);
    if (this.#unreadable) throw this.#unreadable;
    const reader = this.#reader, archive = nameOf(shipment.entry.manifest);
    const tell = { event: "destination", job: context.job.name, destination: name, archive } as const;
    context.emit({ ...tell, state: "sent", readBack: reader !== undefined });
    if (!reader) return "sent";
    await this.#readBackAll(reader);
    return "read-back";
  }

  /** The credentials for reading are no reason not to send. */
  async #openReader(closing: AsyncDisposableStack): Promise<void> {
    try {
      const { context, name } = this;
      this.#reader = closing.use(await openDestination(context, name, "read"));
    } catch (error) {
      this.#cannotRead(error);
    }
  }

  #cannotRead(error: unknown): void {
    if (this.context.signal.aborted) throw error;
    this.#unreadable = toAppError(error);
    this.#reader = undefined;
  }

  async #sendAll(writer: Destination, lock: PutOptions): Promise<void> {
    const tell = this.#progress("send");
    for (const [at, part] of this.#parts.entries()) {
      await this.#put(writer, part, lock, tell);
      // After the archive, which may be refused; and not locked: a public text that all archives share, and that lies
      // inside each of them, so a lock would protect nothing and keep the folder from ever becoming empty.
      if (at === 0) await this.#putRecipe(writer);
    }
  }

  async #putRecipe(writer: Destination): Promise<void> {
    const { key, body } = recipeOf(this.context), { signal } = this.context;
    try {
      await this.#patiently(() => writer.put(key, body, signal));
    } catch (error) {
      // An older or a newer version wrote its own wording; either opens every archive of this format.
      if (!isAppError(error, "already-exists")) throw error;
    }
  }

  async #put(writer: Destination, part: Part, lock: PutOptions, tell: Tell): Promise<void> {
    const { key, body } = part, { signal } = this.context;
    if (!writer.can.read && await this.#isThere(part)) return;
    const undertaking = { what: "put", destination: this.name, key } as const;
    await this.journal.begin(undertaking);
    try {
      const heard = { ...body, open: () => counted(body.open(), tell) };
      const stored = await this.#patiently(() => writer.put(key, heard, signal, lock));
      if (stored.size !== body.size) {
        throw new AppError("corrupt", `"${this.name}" kept ${stored.size} of ${body.size} bytes`);
      }
    } catch (error) {
      // To credentials that may only create, this is all that can be told of a copy that an earlier try has left. Its
      // name was made up at random on this host, so nobody else's is there. Reading back compares it, where that can be.
      if (writer.can.read || !isAppError(error, "already-exists")) throw error;
      if (!this.#reader && !this.#unreadable) this.#warnOfUncompared(key);
    }
    await this.journal.end(undertaking);
  }

  /** Whether a copy is there already that the reading back will compare: then a blind writer need not send it in vain. */
  async #isThere({ key, body }: Part): Promise<boolean> {
    const reader = this.#reader;
    if (!reader) return false;
    try {
      const found = await this.#patiently(() => reader.stat(key, this.context.signal));
      if (found.size === body.size) return true;
    } catch (error) {
      if (!isAppError(error, "not-found")) this.#cannotRead(error);
      return false;
    }
    throw new AppError("already-exists", `"${this.name}" holds something else as ${quoted(key)}`);
  }

  /** A backup is one that was read again: every byte comes back and is compared. */
  async #readBackAll(reader: Destination): Promise<void> {
    this.#phase("read-back");
    const tell = this.#progress("read-back");
    for (const { key, body } of this.#parts) {
      const found = await this.#patiently(async () =>
        await digestOf(counted(await reader.get(key, undefined, this.context.signal), tell))
      );
      if (found.size !== body.size || found.sha256 !== body.sha256) {
        throw new AppError("corrupt", `"${this.name}" does not give back what was sent: ${key}`, {
          hint: "the disk or the service damages data; the other copies and the spool are not affected",
        });
      }
    }
  }

  /** What counts the bytes of a phase; those that are sent once more count once more, up to the whole. */
  #progress(phase: "send" | "read-back"): Tell {
    const { context: { emit, job }, name: destination } = this, totalBytes = this.#total;
    let sum = 0;
    return (bytes) => {
      sum = Math.min(sum + bytes, totalBytes);
      emit({ event: "progress", job: job.name, phase, destination, bytes: sum, totalBytes });
    };
  }

  #phase(phase: "send" | "read-back"): void {
    const { context: { emit, job }, name: destination } = this;
    emit({ event: "phase", job: job.name, phase, destination });
  }

  #warnOfUncompared(key: string): void {
    const message = `"${this.name}" has ${key} from an earlier try, and it cannot be compared from here`;
    const hint = 'its "read:" credentials, here or elsewhere, let "vaultferry verify" compare it';
    this.context.emit({ event: "warning", job: this.context.job.name, code: "not-compared", message, hint });
  }

  #patiently<T>(action: () => Promise<T>): Promise<T> {
    const { world: { clock }, signal } = this.context;
    return retry(action, { clock, signal });
  }
}

type Tell = (bytes: number) => void;
