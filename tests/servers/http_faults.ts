/**
 * A service that misbehaves: a reverse proxy for HTTP in this process that answers in the server's place, loses its
 * answers or keeps a byte back. Requests pass as they are, `host` included, so that signatures stay valid.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Strike } from "../../src/destination/conformance.ts";

/** A request as a rule sees it. */
export interface Asked {
  method: string;
  /** Path and query, as sent. */
  url: string;
  headers: http.IncomingHttpHeaders;
}

/** What becomes of a request. */
export type Treatment =
  | { do: "answer"; status: number; headers?: Record<string, string>; body?: string }
  /** Carried out; then the connection is closed without an answer. */
  | { do: "lose answer" }
  /** Taken whole, and never answered. */
  | { do: "hold" }
  /** Passed on without the last byte of its body. */
  | { do: "truncate" };

interface Rule {
  when(asked: Asked): boolean;
  times: number;
  treatment: Treatment;
  struck: number;
}

export class HttpFaults implements AsyncDisposable {
  /** Every request that came, in order. */
  readonly asked: Asked[] = [];
  /** What is asked for in place of a path and query. */
  rewrite: (url: string) => string = (url) => url;
  readonly #server: http.Server;
  readonly #rules = new Set<Rule>();

  private constructor(server: http.Server, readonly target: number) {
    this.#server = server;
    server.on("request", (request, answer) => this.#handle(request, answer));
  }

  /** Starts one in front of a port of this machine. */
  static async start(target: number): Promise<HttpFaults> {
    const server = http.createServer();
    server.requestTimeout = 0;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return new HttpFaults(server, target);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Treats the next `times` requests for which `when` holds in this way. */
  strike(treatment: Treatment, times = Infinity, when: (asked: Asked) => boolean = () => true): Strike {
    const rule: Rule = { treatment, times, when, struck: 0 };
    this.#rules.add(rule);
    return {
      times: () => rule.struck,
      [Symbol.asyncDispose]: () => Promise.resolve(void this.#rules.delete(rule)),
    };
  }

  /** Ends every connection, whatever is under way on it. */
  closeConnections(): void {
    this.#server.closeAllConnections();
  }

  async [Symbol.asyncDispose]() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #handle(request: http.IncomingMessage, answer: http.ServerResponse): void {
    const asked = { method: request.method ?? "", url: request.url ?? "", headers: request.headers };
    this.asked.push(asked);
    const rule = [...this.#rules].find((one) => one.struck < one.times && one.when(asked));
    if (rule) rule.struck++;
    const treatment = rule?.treatment;
    if (treatment?.do === "hold") return void request.resume();
    if (treatment?.do !== "answer") return this.#pass(request, answer, treatment);
    // Some clients read nothing before all is sent.
    request.resume();
    request.once("end", () => answer.writeHead(treatment.status, treatment.headers).end(treatment.body));
  }

  #pass(request: http.IncomingMessage, answer: http.ServerResponse, treatment: Treatment | undefined): void {
    const headers = { ...request.headers };
    const length = Number(headers["content-length"] ?? 0);
    const cut = treatment?.do === "truncate" && length > 0;
    if (cut) headers["content-length"] = String(length - 1);
    const onward = http.request({
      ...{
        host: "127.0.0.1",
        port: this.target,
        method: request.method,
        path: this.rewrite(request.url ?? "/"),
        headers,
        agent: false,
      },
    }, (came) => {
      if (treatment?.do === "lose answer") {
        came.resume();
        came.once("end", () => request.socket.destroy());
        return;
      }
      // What is said of the connection is said of the one behind us.
      const { connection: _, "keep-alive": __, ...told } = came.headers;
      answer.writeHead(came.statusCode ?? 500, told);
      came.on("error", () => request.socket.destroy());
      came.pipe(answer);
    });
    onward.on("error", () => request.socket.destroy());
    request.on("close", () => {
      if (!request.complete) onward.destroy();
    });
    if (!cut) return void request.pipe(onward);
    let sent = 0;
    request.on("data", (bytes: Uint8Array) => {
      const part = bytes.subarray(0, Math.max(0, length - 1 - sent));
      sent += part.length;
      if (part.length > 0) onward.write(part);
    });
    request.once("end", () => onward.end());
  }
}

/** What a captive portal says to everything. */
export const PORTAL: Treatment = {
  do: "answer",
  status: 200,
  headers: { "content-type": "text/html; charset=utf-8" },
  body: "<!doctype html><title>Welcome</title><p>Please accept the terms of use.",
};

/** Leads to `url`, whatever was asked. */
export function redirect(url: string, status = 302): Treatment {
  return { do: "answer", status, headers: { location: url } };
}

/** Counts what arrives, and says yes to it: where a redirect must not lead. */
export async function startTrap(): Promise<AsyncDisposable & { url: string; requests: Asked[] }> {
  const requests: Asked[] = [];
  const server = http.createServer((request, answer) => {
    requests.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers });
    request.resume();
    answer.writeHead(200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/elsewhere`,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
