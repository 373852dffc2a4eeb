import { LiveAccount } from "./account/live_account.ts";
import type { AccountDescription } from "./description.ts";
import { Faults } from "./faults.ts";
import { Requests } from "./requests.ts";
import { answering } from "./server/answer.ts";
import { Hooks, type RequestHook } from "./server/hooks.ts";
import type { RouteName } from "./server/route_names.ts";
import type { TokenOverrides } from "./wire/credentials.ts";

/** How a service runs; everything may be left out. */
export interface ServiceOptions {
  /** TCP port on 127.0.0.1; any free one when left out. */
  port?: number;
  /** Certificate chain and private key, both PEM: the service then speaks HTTPS. */
  tls?: { cert: string; key: string };
  /** How long every request waits before it is looked at, in milliseconds: the distance to a real service. */
  latencyMs?: number;
}

/** A 1Password service that runs in this process. */
export interface LocalService extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, or `https://…` with TLS. */
  readonly url: string;
  readonly port: number;
  /** What it holds, to be looked at and changed while cores are signed in. */
  readonly account: LiveAccount;
  /** What it was asked. */
  readonly requests: Requests;
  /** What it is to do wrong. */
  readonly faults: Faults;
  /** A service account token, `ops_…`, with which the core signs in here. */
  token(overrides?: TokenOverrides): string;
  /**
   * Runs `hook` before each request for `route` is answered, such as to delete an item between list and get. It does not
   * run for requests that are refused or that a fault answers.
   * @returns a function that ends it
   */
  onRequest(route: RouteName, hook: RequestHook): () => void;
  /** Stops it; requests that hang are let go. May be called twice. */
  close(): Promise<void>;
}

/**
 * Starts a service that holds this account. It listens on 127.0.0.1 only.
 * @throws {Deno.errors.AddrInUse} when the port is taken
 */
export async function startService(
  description: AccountDescription,
  options: ServiceOptions = {},
): Promise<LocalService> {
  const account = await LiveAccount.create(description);
  const faults = new Faults();
  const requests = new Requests();
  const hooks = new Hooks();
  const closing = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: options.port ?? 0, onListen() {}, ...options.tls },
    answering({
      account,
      faults,
      requests,
      hooks,
      latencyMs: options.latencyMs ?? 0,
      closing: closing.signal,
    }),
  );
  const url = `${options.tls ? "https" : "http"}://127.0.0.1:${server.addr.port}`;
  const close = async () => {
    closing.abort();
    await server.shutdown();
  };
  return {
    url,
    port: server.addr.port,
    account,
    requests,
    faults,
    token: (overrides) => account.credentials.token(url, overrides),
    onRequest: (route, hook) => hooks.add(route, hook),
    close,
    [Symbol.asyncDispose]: close,
  };
}
