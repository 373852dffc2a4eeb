/** Bytes of the one array that a byte stream fills again and again. */
const SIZE = 512 * 1024;

/**
 * The parts of a stream, each good only until the next one is asked for. A byte stream is given one and the same array
 * to fill: with gigabytes passing through, the arrays left behind cost the garbage collector more time than encryption
 * takes. The arrays of any other stream are passed on as they come.
 */
export class Parts implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #reader: ReadableStreamBYOBReader | ReadableStreamDefaultReader<Uint8Array>;
  #array: Uint8Array<ArrayBuffer> | undefined;

  /** Locks the stream. */
  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = filling(stream) ?? stream.getReader();
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const { done, value } = await this.#read();
    return done || value === undefined ? { done: true, value: undefined } : { done: false, value };
  }

  /** Lets go of the stream; a loop that is left early does so by itself. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.cancel(undefined);
    return { done: true, value: undefined };
  }

  async cancel(reason: unknown): Promise<void> {
    await this.#reader.cancel(reason);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #read(): Promise<{ done: boolean; value?: Uint8Array | undefined }> {
    if (this.#reader instanceof ReadableStreamDefaultReader) return await this.#reader.read();
    const array = this.#array ?? spare ?? new Uint8Array(SIZE);
    if (array === spare) spare = undefined;
    const result = await this.#reader.read(array);
    // The stream has taken the array and gives its memory back in a new one.
    this.#array = result.value && new Uint8Array(result.value.buffer as ArrayBuffer);
    if (result.done) {
      spare = this.#array;
      this.#array = undefined;
    }
    return result;
  }
}

/** What the stream before has left: files come one after the other. */
let spare: Uint8Array<ArrayBuffer> | undefined;

/** Undefined when the stream makes arrays of its own. */
function filling(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  if (stream.locked) return undefined; // which is then said as for every other reader
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    return undefined; // the only way to learn what kind of stream it is
  }
}
