/**
 * A place that keeps archives.
 *
 * What must never happen, whatever the service or its library does:
 * - a key that is visible with anything but its whole body;
 * - a key whose body was replaced;
 * - an error, a short page or a missing folder's parent that reads as "nothing there";
 * - a success that was not checked (size always, a checksum where the service has one).
 *
 * Keys are `/`-separated relative paths of ASCII letters, digits and `._-`. Errors are AppErrors with
 * `origin: "destination"`; only `transient` is worth another try.
 */
export interface Destination extends AsyncDisposable {
  readonly name: string;
  readonly can: Capabilities;
  /**
   * Stores `body` under `key`: complete or not visible. A key that exists with the same bytes is a success,
   * with other bytes `already-exists`. After an abort or error nothing of it is visible.
   */
  put(key: string, body: Resendable, signal: AbortSignal): Promise<Stored>;
  /** The bytes from `range.start` to `range.end` (exclusive); `not-found` when the key is absent. */
  get(key: string, range: ByteRange | undefined, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Size of what is stored; `not-found` when the key is absent. */
  stat(key: string, signal: AbortSignal): Promise<Stored>;
  /** Every key that begins with `prefix`, in no particular order; or throws. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<Stored>;
  /** Removes a key; an absent one counts as success. */
  remove(key: string, signal: AbortSignal): Promise<void>;
  /** Removes what an interrupted `put` of this key may have left hidden; never the key itself. */
  discard(key: string, signal: AbortSignal): Promise<void>;
}

/** What a destination offers; asked-for and absent is refused before anything is sent. */
export interface Capabilities {
  read: boolean;
  list: boolean;
  remove: boolean;
  createOnly: boolean;
  immutableUntil: boolean;
  /** Checksums that the service itself verifies. */
  checksums: readonly ("sha256" | "md5" | "crc32c")[];
}

/** A body that can be sent again from its start. */
export interface Resendable {
  /** Bytes. */
  size: number;
  /** Lower-case hexadecimal. */
  sha256: string;
  open(): ReadableStream<Uint8Array>;
}

export interface Stored {
  key: string;
  /** Bytes. */
  size: number;
}

export interface ByteRange {
  /** First byte. */
  start: number;
  /** One past the last byte; to the end when absent. */
  end?: number;
}
