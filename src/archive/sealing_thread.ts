import { AppError } from "../base/errors.ts";
import { PLAIN_BATCH, plainBatches } from "./age_payload.ts";
import type { FromWorker, ToWorker } from "./sealing_worker.ts";

/** An age file on its way. */
export interface Sealed {
  ciphertext: ReadableStream<Uint8Array>;
  /** The hash of all of it, once it has been read to its end; absent where it was not made on the way. */
  sha256?: () => string;
}

/** Batches that the thread has at once: one in work and one to go on with. */
const AHEAD = 2;

/**
 * Encrypts a payload, and hashes all of the age file, on a thread of its own: with tar and compression on this one
 * both cores of a small host are busy, and a backup takes half the time. `head` is what stands before the payload.
 */
export function sealOnThread(
  plain: ReadableStream<Uint8Array>,
  key: Uint8Array,
  head: Uint8Array<ArrayBuffer>,
): Sealed {
  let sha256: string | undefined;
  const reader = plain.getReader();
  const sealed = sealing(pieces(reader), key, head, (made) => sha256 = made);
  return {
    ciphertext: new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await sealed.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel(reason) {
        await reader.cancel(reason); // first, so that nobody waits for a source that stands still
        await sealed.return(undefined);
      },
    }, { highWaterMark: AHEAD }), // so that the next batch is made while this one is written
    sha256: () => {
      if (sha256 === undefined) throw new AppError("unknown", "the archive has not been sealed to its end");
      return sha256;
    },
  };
}

async function* pieces(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel(); // does nothing once it has ended
  }
}

async function* sealing(
  plain: AsyncIterable<Uint8Array>,
  key: Uint8Array,
  head: Uint8Array<ArrayBuffer>,
  finished: (sha256: string) => void,
): AsyncGenerator<Uint8Array> {
  const thread = new SealingThread(key, head);
  key.fill(0);
  try {
    yield head;
    const under: Promise<Uint8Array>[] = [];
    for await (const { bytes, last } of plainBatches(plain, () => thread.take())) {
      const made = thread.seal(bytes, last, finished);
      made.catch(() => {}); // met below, unless an earlier one has failed already
      under.push(made);
      if (under.length >= AHEAD) yield await under.shift()!;
    }
    for (const made of under) yield await made;
  } finally {
    thread.end();
  }
}

type Made = Extract<FromWorker, { sealed: unknown }>;

/** The worker, and the answers that it owes. */
class SealingThread {
  readonly #worker = new Worker(new URL("./sealing_worker.ts", import.meta.url), {
    type: "module",
    name: "sealing",
  });
  readonly #owed: PromiseWithResolvers<Made>[] = [];
  /** Arrays that came back: making new ones all the time costs more than filling them. */
  readonly #spare: ArrayBuffer[] = [];
  #broken: AppError | undefined;

  constructor(key: Uint8Array, head: Uint8Array) {
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if ("failed" in data) return this.#break(data.failed);
      this.#owed.shift()?.resolve(data);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault(); // told to whoever waits, instead of ending the process
      this.#break(event.message);
    };
    this.#post({ key, head });
  }

  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(PLAIN_BATCH));
  }

  async seal(
    plain: Uint8Array<ArrayBuffer>,
    last: boolean,
    finished: (sha256: string) => void,
  ): Promise<Uint8Array> {
    if (this.#broken) throw this.#broken;
    const owed = Promise.withResolvers<Made>();
    this.#owed.push(owed);
    this.#post({ plain, last }, [plain.buffer]);
    const { sealed, spare, sha256 } = await owed.promise;
    this.#spare.push(spare);
    if (sha256 !== undefined) finished(sha256);
    return sealed;
  }

  end(): void {
    this.#worker.terminate();
    this.#break("it was stopped");
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #break(why: string): void {
    this.#broken ??= new AppError("unknown", `the thread that encrypts has ended: ${why}`);
    for (const owed of this.#owed.splice(0)) owed.reject(this.#broken);
  }
}
