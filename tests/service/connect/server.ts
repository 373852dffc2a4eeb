import type { LiveAccount } from "../account/live_account.ts";
import { pause } from "../server/pause.ts";
import { type Affliction, type Cut, Faults } from "./faults.ts";
import { published } from "./find_published.ts";
import { Requests } from "./requests.ts";
import { answerTo, type Call, findRoute, needsToken, refusal, type Reply, type RouteName } from "./routes.ts";
import { makeToken, type TokenContent } from "./token.ts";
import { type Archive, copyOf, liveView, type View } from "./view.ts";

export interface ConnectOptions {
  /** Certificate chain and private key, both PEM: the server then speaks HTTPS. */
  tls?: { cert: string; key: string };
  /** What becomes of archived items; "readable" when left out. */
  archive?: Archive;
  /**
   * Whether 1Password can be reached. Where this is given, the server answers from a copy of the account, which it
   * takes anew before each list of vaults while 1Password is there. Left out: it always has what the account holds.
   */
  upstream?: () => Promise<boolean>;
}

/** Runs before a request is answered, such as to delete an item between list and get; the request waits for it. */
export type ConnectHook = (call: Call) => void | Promise<void>;

/** Makes the answers of a Connect server that holds this account, and keeps what is wrong with them. */
export class ConnectServer implements AsyncDisposable {
  readonly faults = new Faults();
  readonly requests = new Requests();
  /** What does not fit Connect's published description, of requests and answers; a test must end without any. */
  readonly problems: string[] = [];
  /** Answers that were compared with the description. */
  checked = 0;
  /** The one token that is good; undefined when it was revoked. */
  accepted: string | undefined;
  /** Ids of the vaults that the token was made for; all when undefined. */
  scope: readonly string[] | undefined;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #hooks = new Map<RouteName, Set<ConnectHook>>();
  readonly #closing = new AbortController();
  readonly #live: View;
  #view: View;

  private constructor(readonly account: LiveAccount, readonly options: ConnectOptions) {
    this.#live = liveView(account, options.archive ?? "readable");
    this.#view = options.upstream ? copyOf(this.#live) : this.#live;
    this.accepted = makeToken(account);
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {}, ...options.tls },
      (request, info) => this.#handle(request, info.completed),
    );
  }

  /** Starts a server on 127.0.0.1. */
  static start(account: LiveAccount, options: ConnectOptions = {}): ConnectServer {
    return new ConnectServer(account, options);
  }

  get url(): string {
    return `${this.options.tls ? "https" : "http"}://127.0.0.1:${this.#server.addr.port}`;
  }

  /** The token that the server accepts from now on; those before it are refused. */
  token(content: TokenContent = {}): string {
    this.scope = content.vaults;
    return this.accepted = makeToken(this.account, content);
  }

  /** Refuses every token. */
  revokeToken(): void {
    this.accepted = undefined;
  }

  /** @returns a function that ends it */
  onRequest(route: RouteName, hook: ConnectHook): () => void {
    const hooks = this.#hooks.get(route) ?? new Set();
    this.#hooks.set(route, hooks.add(hook));
    return () => void hooks.delete(hook);
  }

  /** Stops the server; requests that hang are let go. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#server.shutdown();
  }

  /** Stops it, and throws when anything did not fit Connect's description. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    if (this.problems.length > 0) {
      throw new Error(`not as Connect describes it:\n${this.problems.join("\n")}`);
    }
  }

  async #handle(request: Request, completed: Promise<void>): Promise<Response> {
    const url = new URL(request.url);
    const call = findRoute(request.method, url.pathname);
    const entry = this.requests.note(request.method, call.route, url.pathname, completed);
    let status: number | undefined;
    try {
      this.problems.push(...published?.request(url) ?? []);
      const affliction = this.faults.strike(call);
      // Only a request that hangs asks for its own signal, which the runtime comments on.
      const until = affliction.hang
        ? AbortSignal.any([request.signal, this.#closing.signal])
        : this.#closing.signal;
      await pause(affliction.hang ? Infinity : affliction.delayMs, until);
      if (until.aborted) return new Response(null, { status: 503 });
      let reply = affliction.reply ?? await this.#reply(call, request.headers.get("authorization"));
      this.#check(url.pathname, reply, affliction);
      reply = affliction.edits.reduce((edited, edit) => edit(edited), reply);
      status = reply.status;
      return toResponse(reply, affliction.cut);
    } catch (error) {
      // A description that cannot be built, or a test's hook: neither may pass for a fault of the client.
      this.problems.push(String(error));
      return new Response(null, { status: 500 });
    } finally {
      this.requests.answered(entry, status);
    }
  }

  async #reply(call: Call, authorization: string | null): Promise<Reply> {
    if (needsToken(call.route) && (!this.accepted || authorization !== `Bearer ${this.accepted}`)) {
      return refusal(401, authorization ? "Invalid token signature" : "Invalid or missing token");
    }
    for (const hook of [...this.#hooks.get(call.route) ?? []]) await hook(call);
    if (call.route === "vaults" && await this.options.upstream?.()) this.#view = copyOf(this.#live);
    return answerTo(call, this.#view, (vaultId) => this.scope?.includes(vaultId) ?? true);
  }

  #check(path: string, reply: Reply, { reply: injected }: Affliction): void {
    if (!published || findRoute("GET", path).route === "unknown") return; // the request was wrong already
    this.checked++;
    this.problems.push(...published.answer(path, { ...reply, injected: injected !== undefined }));
  }
}

function toResponse({ status, contentType, body, headers = {} }: Reply, cut: Cut | undefined): Response {
  const bytes = body instanceof Uint8Array
    ? body
    : new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
  const all = new Headers({ ...headers, ...contentType === "" ? {} : { "content-type": contentType } });
  if (!cut) {
    all.delete("content-length"); // the server's own: an edit may have changed the body
    return new Response(bytes, { status, headers: all });
  }
  const { share = 0.5, announced = true } = cut;
  if (announced) all.set("content-length", String(bytes.length));
  else all.delete("content-length");
  const part = ReadableStream.from([bytes.subarray(0, Math.floor(bytes.length * share))]);
  return new Response(part, { status, headers: all });
}
