/**
 * A place that keeps archives.
 *
 * What must never happen, whatever the service or its library does:
 * - a key that is visible with anything but its whole body;
 * - a key whose body was replaced, or a name touched that is no key of ours;
 * - an error, a short page or a missing folder's parent that reads as "nothing there";
 * - a success that was not checked (size always, a checksum where the service has one);
 * - a call that hangs: an abort ends every call within two seconds, and silence of the service every transfer;
 * - a secret in a sentence, also not as a part of a URL.
 *
 * Keys are `/`-separated relative paths of ASCII letters, digits and `._-` (`keys.ts`). Errors are AppErrors with
 * `origin: "destination"` (`errors.ts`); their codes mean, whatever the service calls them:
 * - `not-found`: the place answers, and this key is not in it. Nothing else, ever.
 * - `misconfigured`: the bucket, container or folder is missing; the address, certificate or proxy is wrong; a redirect.
 * - `denied`: credentials that are wrong, expired or not enough. No credentials at all are `misconfigured`, and never
 *   an anonymous request.
 * - `already-exists`: the key holds other bytes. `quota`: no room, or too large a file. `unsupported`: asked for and
 *   not to be had.
 * - `corrupt`: a body that is not what it says, or that was not kept or given back whole.
 * - `transient`: the only one that is worth another try (with `retryAfter` where the service says when). A plugin tries
 *   single requests again by itself (`base/retry.ts`); the caller tries whole calls again.
 *
 * Most of it is there to be used: `put_once.ts`, `body.ts` (bodies as a stream or in blocks), `resumable_get.ts`,
 * `watchdog.ts`, and for what speaks HTTP `http/door.ts` and `http/refusal.ts`.
 */
export interface Destination extends AsyncDisposable {
  readonly name: string;
  readonly can: Capabilities;
  /**
   * Stores `body` under `key`: complete or not visible. A key that exists with the same bytes is a success,
   * with other bytes `already-exists`. `body` is opened as often as it is needed, and every stream of it is read to its
   * end or cancelled.
   *
   * After an error or abort nothing is visible, with one exception: when the very request that publishes was cut off,
   * the whole may be there. The next `put` of the same bytes finds it and succeeds. What stays hidden (a temporary file,
   * an upload that was not completed) is removed at once where that can be done within the time that an abort leaves,
   * else by `discard`.
   *
   * Of two calls for one key at once at most one stores its body. The other ends with `already-exists` or `transient`,
   * or with success where its bytes are the same. So no hidden name is shared by two calls.
   */
  put(key: string, body: Resendable, signal: AbortSignal, options?: PutOptions): Promise<Stored>;
  /**
   * The bytes from `range.start` to `range.end` (exclusive); `not-found` when the key is absent, by the call itself. The
   * stream errors unless it gave exactly these bytes: it never ends early. A range outside the object is `misconfigured`.
   */
  get(key: string, range: ByteRange | undefined, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Size of what is stored; `not-found` when the key is absent. */
  stat(key: string, signal: AbortSignal): Promise<Stored>;
  /**
   * Every key that begins with `prefix`, in no particular order; or throws. Names that can be no key of ours, and
   * unfinished uploads, are left out. A folder that nothing was stored in yet is empty; a missing place is an error.
   */
  list(prefix: string, signal: AbortSignal): AsyncIterable<Stored>;
  /** Removes a key; an absent one counts as success. What is locked against removal is `denied`. */
  remove(key: string, signal: AbortSignal): Promise<void>;
  /**
   * Removes what `put`s of this key that died may have left hidden; never the key itself, nor anything of another key.
   * Called by the next run for what the journal names. Nothing to do where the service drops such things by itself.
   */
  discard(key: string, signal: AbortSignal): Promise<void>;
}

/** What a destination offers; asked-for and absent is refused with `unsupported` before anything is sent. */
export interface Capabilities {
  /** Whether this opening may; all three are false with `access: create-only`. */
  read: boolean;
  list: boolean;
  remove: boolean;
  /**
   * Whether `put` gets by with credentials that may do nothing but create: it then looks at nothing, neither before nor
   * after, sends the body in one upload, and takes "it exists" for `already-exists`.
   */
  createOnly: boolean;
  /** Whether `put` can be asked for {@linkcode PutOptions.immutableUntil}. */
  immutableUntil: boolean;
  /** Checksums of the body that we send and that the service itself compares before it publishes. */
  checksums: readonly ("sha256" | "md5" | "crc32c")[];
}

/** What may be asked of a `put` beyond its bytes. */
export interface PutOptions {
  /** The service refuses to remove or replace the key before this moment, whoever asks. */
  immutableUntil?: Date | undefined;
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
