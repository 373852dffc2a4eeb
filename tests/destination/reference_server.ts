/**
 * A small object store of our own over HTTP, for the reference destination: uploads in parts that are published by one
 * conditional request, ranges, pages, tokens, locks. What a real service does is the plugins' tests' business.
 *
 *     HEAD|GET|DELETE /b/BUCKET/KEY         GET  /b/BUCKET?prefix=&after=
 *     POST /b/BUCKET?upload=KEY → id        PUT  /u/ID?part=N     POST /u/ID (if-none-match: *)     DELETE /u/ID
 *     GET  /b/BUCKET?uploads=KEY → ids
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { concat, hex } from "../../src/base/bytes.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { bodyOf } from "../servers/bodies.ts";

export const BUCKET = "acme", TOKEN = "made-up-token-0123456789", PAGE = 100;

interface StoredObject {
  bytes: Uint8Array;
  etag: string;
  lockedUntil: number;
}

export class ReferenceServer implements AsyncDisposable {
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, { key: string; parts: Uint8Array[] }>();
  readonly #server = http.createServer((request, answer) => {
    this.#answer(request, answer).catch((error) => say(answer, 500, String(error)));
  });

  static async start(): Promise<ReferenceServer> {
    const server = new ReferenceServer();
    server.#server.requestTimeout = 0;
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose]() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: http.IncomingMessage, answer: http.ServerResponse): Promise<void> {
    const url = new URL(request.url!, "http://x");
    const [, kind, name = "", ...rest] = url.pathname.split("/");
    const body = await bodyOf(request);
    if (body === undefined) return; // cut off: nothing of it counts
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      return say(
        answer,
        401,
        `<Error><Code>BadToken</Code><Message>Unknown ${request.headers.authorization}.</Message></Error>`,
      );
    }
    if (kind === "u") return this.#upload(request, answer, name, url, body);
    if (name !== BUCKET) return say(answer, 404, "<Error><Code>NoSuchBucket</Code></Error>");
    if (rest.length > 0) return this.#object(request, answer, rest.join("/"));
    const begun = url.searchParams.get("upload"), left = url.searchParams.get("uploads");
    if (begun !== null) {
      const id = hex(crypto.getRandomValues(new Uint8Array(8)));
      this.uploads.set(id, { key: begun, parts: [] });
      return say(answer, 201, id);
    }
    if (left !== null) {
      return say(
        answer,
        200,
        [...this.uploads].filter(([, { key }]) => key === left).map(([id]) => id).join("\n"),
      );
    }
    const prefix = url.searchParams.get("prefix") ?? "", after = url.searchParams.get("after") ?? "";
    const found = [...this.objects].filter(([key]) => key.startsWith(prefix) && key > after)
      .sort(([a], [b]) => a < b ? -1 : 1);
    const items = found.slice(0, PAGE).map(([key, { bytes }]) => ({ key, size: bytes.length }));
    return say(
      answer,
      200,
      JSON.stringify({ items, next: found.length > PAGE ? items.at(-1)!.key : undefined }),
    );
  }

  #upload(
    request: http.IncomingMessage,
    answer: http.ServerResponse,
    id: string,
    url: URL,
    body: Uint8Array,
  ): void {
    const upload = this.uploads.get(id);
    if (!upload) return say(answer, 404, "<Error><Code>NoSuchUpload</Code></Error>");
    if (request.method === "PUT") {
      upload.parts[Number(url.searchParams.get("part"))] = body;
      return say(answer, 200, "");
    }
    this.uploads.delete(id);
    if (request.method === "DELETE") return say(answer, 204, "");
    if (this.objects.has(upload.key)) return say(answer, 412, "<Error><Code>Exists</Code></Error>");
    const bytes = concat(upload.parts);
    const lockedUntil = Date.parse(String(request.headers["x-locked-until"])) || 0;
    this.objects.set(upload.key, { bytes, etag: `"${sha256Hex(bytes).slice(0, 16)}"`, lockedUntil });
    return say(answer, 201, "");
  }

  #object(request: http.IncomingMessage, answer: http.ServerResponse, key: string): void {
    const object = this.objects.get(decodeURIComponent(key));
    if (!object) return say(answer, 404, "<Error><Code>NoSuchKey</Code></Error>");
    if (request.method === "DELETE") {
      if (object.lockedUntil > Date.now()) return say(answer, 403, "<Error><Code>Locked</Code></Error>");
      this.objects.delete(decodeURIComponent(key));
      return say(answer, 204, "");
    }
    const { bytes, etag } = object;
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    if (from === undefined) {
      return say(answer, 200, request.method === "HEAD" ? undefined : bytes, {
        etag,
        "content-length": String(bytes.length),
      });
    }
    const start = Number(from), end = Math.min(to ? Number(to) + 1 : bytes.length, bytes.length);
    if (start >= end) return say(answer, 416, "<Error><Code>InvalidRange</Code></Error>");
    return say(answer, 206, bytes.subarray(start, end), {
      etag,
      "content-range": `bytes ${start}-${end - 1}/${bytes.length}`,
    });
  }
}

function say(
  answer: http.ServerResponse,
  status: number,
  body?: string | Uint8Array,
  headers: Record<string, string> = {},
): void {
  const length = body === undefined ? {} : {
    "content-length": String(
      typeof body === "string" ? new TextEncoder().encode(body).length : body.length,
    ),
  };
  answer.writeHead(status, { ...(status === 204 ? {} : length), ...headers });
  answer.end(status === 204 ? undefined : body);
}
