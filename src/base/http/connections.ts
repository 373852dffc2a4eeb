import { AppError, throwIfCancelled } from "../errors.ts";
import type { HttpClient, HttpInit, HttpOptions, HttpProxy, Route, Socket } from "./contract.ts";
import { exchange } from "./exchange.ts";
import { bare, proxyAuthorization, proxyOf } from "./proxies.ts";

/** Opens a connection; what {@linkcode HttpConnections} needs of the outside. */
export type Dial = (
  route: Route,
  ca: string | undefined,
  signal: AbortSignal,
  moved: () => void,
) => Promise<Socket>;

/** Idle connections that are kept for one server. */
const KEPT = 8;

/** Sends requests, each over a connection that no other uses at the time. */
export class HttpConnections implements HttpClient {
  readonly #open = new Set<Socket>();
  readonly #idle = new Map<string, Idle[]>();
  #closed = false;

  constructor(
    readonly options: HttpOptions,
    readonly dial: Dial,
    readonly env: (name: string) => string | undefined,
  ) {}

  async fetch(input: string | URL, init: HttpInit = {}): Promise<Response> {
    const url = new URL(input);
    if (!/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
      throw new AppError(
        "misconfigured",
        "an address begins with http:// or https:// and holds no user name or password",
      );
    }
    const signal = init.signal ?? new AbortController().signal;
    throwIfCancelled(signal);
    const route = this.#route(url);
    const key = JSON.stringify(route);
    // A kept connection may have died unseen, and a stream cannot be sent a second time.
    const streamed = init.body instanceof ReadableStream ? init.body : undefined;
    const kept = streamed ? undefined : this.#takeIdle(key);
    const socket = kept ?? await this.#connect(route, signal, init.moved).catch((error) => {
      streamed?.cancel().catch(() => {});
      throw error;
    });
    return await exchange(socket, {
      url,
      init: { ...init, signal, headers: this.#headers(url, route, init.headers) },
      // To a proxy, `http` is spoken with the whole address.
      target: !route.tls && route.proxy ? url.href.replace(/#.*/, "") : url.pathname + url.search,
      keep: () => this.#keep(key, socket),
      drop: () => this.#drop(socket),
    });
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#idle.clear();
    for (const socket of [...this.#open]) this.#drop(socket);
  }

  #route(url: URL): Route {
    const tls = url.protocol === "https:";
    const proxy: HttpProxy | undefined = this.options.proxy ?? proxyOf(url, this.env);
    return { host: bare(url.hostname), port: Number(url.port) || (tls ? 443 : 80), tls, proxy };
  }

  #headers(url: URL, route: Route, given: HeadersInit | undefined): Headers {
    const headers = new Headers(given);
    headers.set("host", url.host);
    const login = route.proxy && !route.tls ? proxyAuthorization(route.proxy) : undefined;
    if (login !== undefined) headers.set("proxy-authorization", login);
    return headers;
  }

  async #connect(route: Route, signal: AbortSignal, moved: () => void = () => {}): Promise<Socket> {
    const socket = await this.dial(route, this.options.ca, signal, moved);
    this.#open.add(socket);
    if (this.#closed) {
      this.#drop(socket);
      throw new AppError("cancelled", "cancelled");
    }
    return socket;
  }

  #takeIdle(key: string): Socket | undefined {
    const idle = this.#idle.get(key) ?? [];
    for (let last = idle.pop(); last; last = idle.pop()) {
      if (last.alive) return last;
      this.#drop(last.socket);
    }
    return undefined;
  }

  #keep(key: string, socket: Socket): void {
    const idle = this.#idle.get(key) ?? [];
    if (this.#closed || idle.length >= KEPT) return this.#drop(socket);
    this.#idle.set(key, idle);
    idle.push(new Idle(socket));
  }

  #drop(socket: Socket): void {
    const inner = socket instanceof Idle ? socket.socket : socket;
    this.#open.delete(inner);
    inner.close();
  }
}

/** A connection that waits for its next request, and that notices when the server closes it. */
class Idle implements Socket {
  alive = true;
  #ahead: Promise<Uint8Array | undefined> | undefined;
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket instanceof Idle ? socket.socket : socket;
    this.#ahead = this.socket.read();
    // Its end, and anything that nobody has asked for, make it useless.
    const over = () => void (this.alive = false);
    this.#ahead.then(over, over);
  }

  read(): Promise<Uint8Array | undefined> {
    const ahead = this.#ahead ?? this.socket.read();
    this.#ahead = undefined;
    return ahead;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.socket.write(bytes);
  }

  close(): void {
    this.socket.close();
  }
}
