import { AppError, cancellation, throwIfCancelled } from "./errors.ts";
import { utf8 } from "./bytes.ts";
import type { HttpProxy, Route, Socket } from "./http/contract.ts";
import { proxyAuthorization } from "./http/proxies.ts";
import { Incoming } from "./http/wire.ts";
import { networkError, peerName } from "./network_errors.ts";
import { quoted } from "./safe_names.ts";
import type { Peer } from "./world.ts";

/** Bytes read at once. */
const PIECE = 64 * 1024;

/** Connects; for `https` through a proxy by a tunnel, for `http` to the proxy itself. */
export async function dial(
  route: Route,
  ca: string | undefined,
  signal: AbortSignal,
  moved: () => void,
): Promise<Socket> {
  throwIfCancelled(signal);
  const next = route.proxy ?? route;
  const name = peerName(next.host, next.port);
  // The one that is open at the moment: an abort must end a handshake too.
  let open: Deno.Conn | undefined;
  const stop = () => closeOnce(open);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const connection = await unlessCancelled(
      Deno.connect({ hostname: next.host, port: next.port }),
      signal,
    );
    open = connection;
    throwIfCancelled(signal);
    moved();
    connection.setNoDelay(true);
    if (!route.tls) return socketOf(connection, name);
    if (route.proxy) await tunnel(connection, route, route.proxy, name, moved);
    const secure = await Deno.startTls(connection, {
      hostname: route.host,
      alpnProtocols: ["http/1.1"],
      ...(ca === undefined ? {} : { caCerts: [ca] }),
    });
    open = secure;
    throwIfCancelled(signal);
    await secure.handshake();
    moved();
    return socketOf(secure, peerName(route.host, route.port));
  } catch (error) {
    closeOnce(open);
    if (signal.aborted) throw cancellation(signal);
    throw translated(error, open ? peerName(route.host, route.port) : name);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Connects to a port, or to a socket of this machine. */
export async function connect(peer: Peer, signal: AbortSignal): Promise<Socket> {
  if ("host" in peer) {
    return await dial({ ...peer, tls: false, proxy: undefined }, undefined, signal, () => {});
  }
  throwIfCancelled(signal);
  const name = quoted(peer.path);
  try {
    return socketOf(
      await unlessCancelled(Deno.connect({ transport: "unix", path: peer.path }), signal),
      name,
    );
  } catch (error) {
    if (signal.aborted) throw cancellation(signal);
    throw translated(error, name);
  }
}

/** A connection that arrives after `signal` was aborted is closed; the runtime's own way to stop is not everywhere. */
async function unlessCancelled<C extends Deno.Conn>(connecting: Promise<C>, signal: AbortSignal): Promise<C> {
  return await new Promise((resolve, reject) => {
    const stop = () => {
      connecting.then(closeOnce, () => {});
      reject(cancellation(signal));
    };
    signal.addEventListener("abort", stop, { once: true });
    connecting.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** Asks the proxy to lead this connection on to `route`. */
async function tunnel(
  connection: Deno.Conn,
  route: Route,
  proxy: HttpProxy,
  name: string,
  moved: () => void,
): Promise<void> {
  const socket = socketOf(connection, name);
  const to = peerName(route.host, route.port).slice(1, -1);
  const login = proxyAuthorization(proxy);
  await socket.write(utf8(
    `CONNECT ${to} HTTP/1.1\r\nhost: ${to}\r\n${login ? `proxy-authorization: ${login}\r\n` : ""}\r\n`,
  ));
  const incoming = new Incoming(socket, moved);
  const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(await incoming.line(8192) ?? "") ?? [];
  if (status === undefined) throw new AppError("misconfigured", `${name} is no proxy that we can speak to`);
  if (status !== "200") throw refusedBy(name, status, to);
  while (true) {
    const line = await incoming.line(8192);
    if (line === "") break;
    if (line === undefined) throw new AppError("transient", `the proxy ${name} broke off the connection`);
  }
  if (incoming.left) throw new AppError("misconfigured", `the proxy ${name} speaks out of turn`);
}

function refusedBy(proxy: string, status: string, to: string): AppError {
  if (status === "407") {
    return new AppError(
      "misconfigured",
      `the proxy ${proxy} does not accept our credentials, or wants some`,
      {
        hint: 'give them as "proxyCredentials"',
      },
    );
  }
  return status.startsWith("5")
    ? new AppError("transient", `the proxy ${proxy} cannot reach "${to}": it answers ${status}`)
    : new AppError("misconfigured", `the proxy ${proxy} refuses the way to "${to}": it answers ${status}`);
}

function socketOf(connection: Deno.Conn, name: string): Socket {
  const buffer = new Uint8Array(PIECE);
  return {
    async read() {
      try {
        const length = await connection.read(buffer);
        // A copy as long as what came: a new buffer for every read would be mostly garbage.
        return length === null ? undefined : buffer.slice(0, length);
      } catch (error) {
        throw translated(error, name);
      }
    },
    async write(bytes) {
      try {
        for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
      } catch (error) {
        throw translated(error, name);
      }
    },
    close: () => closeOnce(connection),
  };
}

function translated(error: unknown, name: string): AppError {
  const known = networkError(error, name);
  if (known) return known;
  const why = error instanceof Error ? error.message.replace(/ \(os error \d+\).*/s, "") : String(error);
  return new AppError("transient", `the connection to ${name} failed: ${why}`, { cause: error });
}

function closeOnce(connection: Deno.Conn | undefined): void {
  try {
    connection?.close();
  } catch {
    // closed already, or taken over by TLS
  }
}
