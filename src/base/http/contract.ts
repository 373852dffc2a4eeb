/**
 * HTTP as the destinations need it, where `fetch` does not do: an upload of known length that is streamed, the answer
 * to a request that was refused half-way, a report of every byte that moves, an authority of one's own, a proxy.
 */

/** What every request of a client has in common. */
export interface HttpOptions {
  /** PEM certificates of authorities that are trusted besides those that the runtime trusts. */
  ca?: string | undefined;
  /** Left out: the proxies that the environment names (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`). */
  proxy?: HttpProxy | undefined;
}

export interface HttpProxy {
  host: string;
  port: number;
  /** `user:password` */
  credentials?: string | undefined;
}

/** The requests to a service, and their connections. */
export interface HttpClient extends Disposable {
  /**
   * Sends one request; resolves when the head of its answer is there, as `fetch` does. Other than `fetch`, it follows
   * no redirect, keeps no cookie, asks for no compression, and tries nothing twice.
   *
   * The answer's body must be read or cancelled. It errors unless it came to its end; one whose length nobody told
   * may still be cut short without notice, so whoever knows the length compares.
   *
   * @throws AppError: `transient` when the network or the server broke off; `misconfigured` where it cannot work, as
   * with a certificate that nobody vouches for; `cancelled`, or the reason of `signal` where that is an AppError;
   * what `body` throws as it is. No sentence holds more of the URL than host and port.
   */
  fetch(url: string | URL, init?: HttpInit): Promise<Response>;
}

export interface HttpInit {
  method?: string;
  headers?: HeadersInit;
  /** A stream needs a `content-length` header, and must be exactly as long. */
  body?: Uint8Array | string | ReadableStream<Uint8Array> | null;
  signal?: AbortSignal | null;
  /** Called whenever something moved: connected, bytes sent, bytes received. */
  moved?: () => void;
}

/** A connection, as little of it as HTTP needs. Errors are AppErrors. */
export interface Socket {
  /** The next bytes; undefined at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Writes all of `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
  /** May be called twice; ends what is pending. */
  close(): void;
}

/** Where a connection leads. */
export interface Route {
  host: string;
  port: number;
  tls: boolean;
  proxy: HttpProxy | undefined;
}
