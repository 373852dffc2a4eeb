/** Bytes of an array that a byte stream fills again and again. */
const SIZE = 512 * 1024;

/** Arrays that are kept for the next stream at most. */
const SPARE = 4;

/**
 * The parts of a stream, each good only until the next one is asked for. A byte stream is given one and the same array
 * to fill: with gigabytes passing through, the arrays left behind cost the garbage collector more time than encryption
 * takes. The arrays of any other stream are passed on as they come.
 */
export class Parts implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #source: Source;
  #given: Uint8Array | undefined;

  /** Locks the stream. */
  constructor(stream: ReadableStream<Uint8Array>) {
    this.#source = new Source(stream);
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#source.takeBack(this.#given);
    this.#given = await this.#source.read();
    return this.#given ? { done: false, value: this.#given } : { done: true, value: undefined };
  }

  /** Lets go of the stream; a loop that is left early does so by itself. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.cancel(undefined);
    return { done: true, value: undefined };
  }

  async cancel(reason: unknown): Promise<void> {
    await this.#source.reader.cancel(reason);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/**
 * Like {@linkcode Parts}, with the next part read while the ones before are used: each is good until the next but one
 * is asked for.
 */
export class PartsAhead {
  readonly #source: Source;
  /** Those that are good, the oldest first. */
  readonly #given: Uint8Array[] = [];
  #coming: Promise<Uint8Array | undefined> | undefined;

  /** Locks the stream, and reads nothing yet. */
  constructor(stream: ReadableStream<Uint8Array>) {
    this.#source = new Source(stream);
  }

  /** The next part; undefined after the last. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#given.length === 2) this.#source.takeBack(this.#given.shift());
    const part = await (this.#coming ?? this.#source.read());
    if (!part) return undefined;
    this.#given.push(part);
    this.#coming = this.#source.read();
    this.#coming.catch(() => {}); // whoever asks for it is told
    return part;
  }

  /** Lets go of the stream; what was being read ends. */
  async cancel(reason: unknown): Promise<void> {
    await this.#source.reader.cancel(reason);
  }
}

/** A stream that is read into arrays of ours where it takes them. */
class Source {
  readonly reader: ReadableStreamBYOBReader | ReadableStreamDefaultReader<Uint8Array>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.reader = fillingReader(stream) ?? stream.getReader();
  }

  /** The next bytes, never none; undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    if (this.reader instanceof ReadableStreamDefaultReader) {
      for (;;) {
        const { done, value } = await this.reader.read();
        if (done || value.length > 0) return value;
      }
    }
    // The stream takes the array and gives its memory back in a new one.
    const { done, value } = await this.reader.read(spare.pop() ?? new Uint8Array(SIZE));
    if (!done) return value;
    this.takeBack(value);
    return undefined;
  }

  /** Nobody uses the part any more. */
  takeBack(part: Uint8Array | undefined): void {
    if (!part || this.reader instanceof ReadableStreamDefaultReader || spare.length === SPARE) return;
    spare.push(new Uint8Array(part.buffer as ArrayBuffer));
  }
}

/** What the streams before have left: files come one after the other. */
const spare: Uint8Array<ArrayBuffer>[] = [];

/** A reader that has its arrays filled; undefined when the stream makes arrays of its own. Locks the stream. */
export function fillingReader(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  if (stream.locked) return undefined; // which is then said as for every other reader
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    return undefined; // the only way to learn what kind of stream it is
  }
}
