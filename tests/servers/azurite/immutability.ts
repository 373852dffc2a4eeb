/**
 * Version-level immutability, which Azurite does not have: a reverse proxy in this process that keeps the locks, as
 * Microsoft describes them. Keeping versions is a part of it, so removing what is locked only hides it.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";

/** The lock of one blob. */
export interface Policy {
  until: Date;
  mode: "unlocked" | "locked";
}

const UNTIL = "x-ms-immutability-policy-until-date", MODE = "x-ms-immutability-policy-mode";

export class Immutability implements AsyncDisposable {
  /** By path. */
  readonly policies = new Map<string, Policy>();
  /** Whether the account has it; undefined: it does not even say so. */
  enabled: boolean | undefined = true;
  /** Headers that are not known are passed over, as some do, instead of refused. */
  deaf = false;
  /** What was removed while it was locked: hidden, and kept as an earlier version. */
  readonly hidden: string[] = [];
  readonly #server: http.Server;

  private constructor(server: http.Server, readonly target: number) {
    this.#server = server;
    server.on("request", (request, answer) => this.#handle(request, answer));
  }

  /** Starts one in front of an Azurite of this machine. */
  static async start(target: number): Promise<Immutability> {
    const server = http.createServer();
    server.requestTimeout = 0;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return new Immutability(server, target);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose]() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #handle(request: http.IncomingMessage, answer: http.ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://azurite"), path = url.pathname;
    const comp = url.searchParams.get("comp");
    const asked = request.headers[UNTIL] !== undefined || comp === "immutabilityPolicies";
    const policy = asked && !this.deaf ? this.#asked(request, path) : undefined;
    if (typeof policy === "string") return refuse(request, answer, policy);
    if (comp === "immutabilityPolicies" && policy) {
      this.policies.set(path, policy);
      request.resume();
      return void answer.writeHead(200, { "x-ms-request-id": "made-up", ...told(policy) }).end();
    }
    const { [UNTIL]: _, [MODE]: __, ...headers } = request.headers;
    const onward = http.request({
      ...{
        host: "127.0.0.1",
        port: this.target,
        method: request.method,
        path: request.url,
        headers,
        agent: false,
      },
    }, (came) => {
      const { connection: ___, "keep-alive": ____, ...heard } = came.headers, status = came.statusCode ?? 500;
      if (policy && status === 201) this.policies.set(path, policy);
      if (request.method === "DELETE" && status === 202) this.#removed(path);
      const lock = this.policies.get(path);
      if (lock && /^(GET|HEAD)$/.test(request.method ?? "")) Object.assign(heard, told(lock));
      if (url.searchParams.get("restype") === "container" && this.enabled !== undefined) {
        heard["x-ms-immutable-storage-with-versioning-enabled"] = String(this.enabled);
      }
      answer.writeHead(status, heard);
      came.on("error", () => request.socket.destroy());
      came.pipe(answer);
    });
    onward.on("error", () => request.socket.destroy());
    request.on("close", () => {
      if (!request.complete) onward.destroy();
    });
    request.pipe(onward);
  }

  /** The policy that a request asks for, or the word that refuses it. */
  #asked({ headers }: http.IncomingMessage, path: string): Policy | string {
    if (!this.enabled) return "UnsupportedHeader";
    const text = String(headers[UNTIL] ?? ""), mode = String(headers[MODE] ?? "Unlocked").toLowerCase();
    const until = new Date(text);
    if (until.toUTCString() !== text || until.getTime() < Date.now()) return "InvalidHeaderValue";
    if (mode !== "locked" && mode !== "unlocked") return "InvalidHeaderValue";
    if (String(headers["x-ms-version"]) < "2020-06-12") return "UnsupportedHeader";
    const before = this.policies.get(path);
    const shorter = before?.mode === "locked" && (until < before.until || mode === "unlocked");
    return shorter ? "BlobImmutableDueToPolicy" : { until, mode };
  }

  #removed(path: string): void {
    if ((this.policies.get(path)?.until ?? 0) > new Date()) this.hidden.push(path);
    this.policies.delete(path);
  }
}

function told({ until, mode }: Policy): Record<string, string> {
  return { [UNTIL]: until.toUTCString(), [MODE]: mode };
}

function refuse(request: http.IncomingMessage, answer: http.ServerResponse, code: string): void {
  const status = code === "BlobImmutableDueToPolicy" ? 409 : 400;
  const headers = {
    "content-type": "application/xml",
    "x-ms-error-code": code,
    "x-ms-request-id": "made-up",
  };
  request.resume();
  request.once("end", () =>
    answer.writeHead(status, headers).end(
      `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>It is refused.</Message></Error>`,
    ));
}
