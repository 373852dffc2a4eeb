/** Bytes that wait for the network at most: more than is ever under way. */
const ROOM = 4 * 1024 * 1024;

/** Bytes of one write. */
const PIECE = 256 * 1024;

/**
 * Bytes on their way out, copied into one array: what SSH makes for each packet is let go of at once. Kept until the
 * network takes it, it would live long enough to cost the garbage collector more time than its encryption takes.
 */
export class Outbox {
  readonly #ring = new Uint8Array(ROOM);
  /** Where what waits begins, and how much it is. */
  #start = 0;
  #waiting = 0;
  #sending = false;
  #roomAgain = () => {};
  #empty = () => {};

  /** `send` writes out what it is given and then lets go of it; `fail` is told, once, when it cannot. */
  constructor(readonly send: (bytes: Uint8Array) => Promise<void>, readonly fail: (error: unknown) => void) {}

  /** Takes all of `bytes`, and tells when it has; one call at a time. */
  add(bytes: Uint8Array, taken: () => void): void {
    const now = bytes.subarray(0, ROOM - this.#waiting), rest = bytes.subarray(now.length);
    const end = (this.#start + this.#waiting) % ROOM;
    const first = now.subarray(0, ROOM - end);
    this.#ring.set(first, end);
    this.#ring.set(now.subarray(first.length), 0);
    this.#waiting += now.length;
    if (!this.#sending) this.#sendAll().catch(this.fail); // and stays so when it failed
    if (rest.length === 0) taken();
    else this.#roomAgain = () => this.add(rest, taken);
  }

  /** Tells when all that was added is sent. */
  flush(sent: () => void): void {
    if (this.#sending) this.#empty = sent;
    else sent();
  }

  async #sendAll(): Promise<void> {
    this.#sending = true;
    while (this.#waiting > 0) {
      const bytes = this.#ring.subarray(this.#start, this.#start + Math.min(this.#waiting, PIECE));
      await this.send(bytes);
      this.#start = (this.#start + bytes.length) % ROOM;
      this.#waiting -= bytes.length;
      const roomAgain = this.#roomAgain;
      this.#roomAgain = () => {};
      roomAgain();
    }
    this.#sending = false;
    this.#empty();
  }
}
