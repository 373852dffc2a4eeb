/**
 * Google Cloud Storage for tests: the part of its JSON API that clients of backups use, and the places where their
 * tokens come from. Measured against two clients of Google's own (`tests/servers/gcs/clients_test.ts`).
 *
 *     POST /upload/storage/v1/b/BUCKET/o?uploadType=resumable|multipart|media      PUT, DELETE …&upload_id=ID
 *     GET, PATCH, DELETE /storage/v1/b/BUCKET/o/NAME      GET …?alt=media      GET /storage/v1/b/BUCKET[/o]
 *     POST /token, /sts, …:generateAccessToken            GET /computeMetadata/v1/instance/service-accounts/default/token
 */
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { noBucket, parseFields, Refusal, say, sayJson, sayRefusal } from "./answers.ts";
import { bodyOf } from "../bodies.ts";
import { Identity, type Permission } from "./identity.ts";
import { multipart } from "./multipart.ts";
import { Bucket, whole } from "./store.ts";
import { type UploadFaults, Uploads } from "./uploads.ts";

/** A request that came: method, then path and query. */
export type Asked = string;

export class GcsServer implements AsyncDisposable {
  readonly buckets = new Map<string, Bucket>();
  readonly identity = new Identity();
  readonly faults: UploadFaults = {};
  readonly uploads = new Uploads(this.faults);
  readonly asked: Asked[] = [];
  /** Objects in one page of a list. */
  page = 1000;
  /** Says of what it answers with instead, and when; undefined lets the request pass. */
  instead: (method: string, url: URL) => Refusal | undefined | void | Promise<Refusal | undefined> = () => {};
  readonly #server: http.Server;

  private constructor(tls?: { cert: string; key: string }) {
    const handle = (request: http.IncomingMessage, answer: http.ServerResponse) =>
      void this.#answer(request, answer).catch((error) => {
        if (error instanceof Refusal) return sayRefusal(answer, error);
        sayRefusal(answer, new Refusal(500, "backendError", String(error)));
      });
    this.#server = tls ? https.createServer(tls, handle) : http.createServer(handle);
    this.#server.requestTimeout = 0;
  }

  /** Starts one with the empty bucket "acme". */
  static async start(tls?: { cert: string; key: string }): Promise<GcsServer> {
    const server = new GcsServer(tls);
    server.buckets.set("acme", new Bucket("acme"));
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The bucket that is there from the start. */
  get bucket(): Bucket {
    return this.buckets.get("acme")!;
  }

  async [Symbol.asyncDispose]() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: http.IncomingMessage, answer: http.ServerResponse): Promise<void> {
    request.on("error", () => {}); // whoever reads it is told
    const scheme = this.#server instanceof https.Server ? "https" : "http";
    const url = new URL(request.url ?? "/", `${scheme}://${request.headers.host ?? "localhost"}`);
    this.asked.push(`${request.method} ${url.pathname}${url.search}`);
    const instead = await this.instead(request.method ?? "", url);
    if (instead) {
      request.resume();
      throw instead;
    }
    const fields = url.searchParams.get("fields");
    if (fields !== null) parseFields(fields); // refused before anything is done
    if (await this.identity.answer(request, answer, url)) return;
    const upload = /^(?:\/resumable)?\/upload\/storage\/v1\/b\/([^/]+)\/o$/.exec(url.pathname);
    if (upload) return await this.#upload(request, answer, url, decodeURIComponent(upload[1]!));
    const [, bucket, below, name] =
      /^(?:\/download)?\/storage\/v1\/b\/([^/]+)(\/o(?:\/([^/]+))?)?$/.exec(url.pathname) ?? [];
    if (bucket === undefined) throw new Refusal(404, "notFound", "Not Found");
    const may = this.#allowed(request);
    const found = this.#bucket(decodeURIComponent(bucket));
    if (below === undefined) return this.#showBucket(answer, found, url, may);
    if (name === undefined) return this.#list(answer, found, url.searchParams, may);
    return await this.#object(request, answer, url, found, decodeURIComponent(name), may);
  }

  async #upload(request: http.IncomingMessage, answer: http.ServerResponse, url: URL, bucket: string) {
    const query = url.searchParams, id = query.get("upload_id");
    // Whoever knows the address of a session may upload.
    if (id !== null) return await this.uploads.go(request, answer, id);
    const body = await bodyOf(request);
    if (body === undefined) return;
    const may = this.#allowed(request);
    may("storage.objects.create");
    const found = this.#bucket(bucket);
    const kind = query.get("uploadType");
    const [metadata, bytes] = kind === "multipart"
      ? multipart(String(request.headers["content-type"]), body)
      : kind === "resumable"
      ? [body.length === 0 ? {} : JSON.parse(new TextDecoder().decode(body)), undefined]
      : [{}, body];
    const name = query.get("name") ?? metadata.name;
    if (typeof name !== "string" || name === "") {
      throw new Refusal(400, "required", "Required parameter: name");
    }
    if (metadata.retention) may("storage.objects.setRetention");
    if (bytes === undefined) {
      return this.uploads.begin(answer, url.href, { bucket: found, name, metadata, query });
    }
    const came = { ...whole(bytes), kept: this.faults.stored?.(bytes) };
    const stored = found.store(name, came, metadata, query);
    sayJson(answer, found.show(name, stored), { fields: query.get("fields") });
  }

  #showBucket(answer: http.ServerResponse, bucket: Bucket, url: URL, may: (one: Permission) => void): void {
    may("storage.buckets.get");
    const shown = {
      kind: "storage#bucket",
      id: bucket.name,
      name: bucket.name,
      ...(bucket.objectRetention ? { objectRetention: { mode: "Enabled" } } : {}),
    };
    sayJson(answer, shown, { fields: url.searchParams.get("fields") });
  }

  #list(
    answer: http.ServerResponse,
    bucket: Bucket,
    query: URLSearchParams,
    may: (one: Permission) => void,
  ): void {
    may("storage.objects.list");
    const prefix = query.get("prefix") ?? "", token = query.get("pageToken");
    const after = token === null ? "" : decodeToken(token);
    const most = Math.min(Number(query.get("maxResults") ?? this.page), this.page);
    const found = [...bucket.objects].filter(([name]) => name.startsWith(prefix) && name > after)
      .sort(([one], [other]) => one < other ? -1 : 1);
    const items = found.slice(0, most).map(([name, object]) => bucket.show(name, object));
    const more = found.length > most ? { nextPageToken: encodeToken(found[most - 1]![0]) } : {};
    const page = { kind: "storage#objects", ...more, ...(items.length > 0 ? { items } : {}) };
    sayJson(answer, page, { fields: query.get("fields") });
  }

  async #object(
    request: http.IncomingMessage,
    answer: http.ServerResponse,
    url: URL,
    bucket: Bucket,
    name: string,
    may: (one: Permission) => void,
  ): Promise<void> {
    const query = url.searchParams;
    if (request.method === "DELETE") {
      may("storage.objects.delete");
      bucket.remove(name, query);
      return say(answer, 204);
    }
    may("storage.objects.get");
    const media = query.get("alt") === "media";
    // Where bytes are asked for, Google answers in words.
    if (media && !bucket.objects.has(name)) {
      return say(answer, 404, `No such object: ${bucket.name}/${name}`, {
        "content-type": "text/html; charset=UTF-8",
      });
    }
    const found = bucket.find(name, query.get("generation"));
    bucket.judge(query, found);
    if (request.method === "PATCH") {
      Object.assign(found.metadata, JSON.parse(new TextDecoder().decode(await bodyOf(request))));
      found.metageneration++;
    }
    if (!media) return sayJson(answer, bucket.show(name, found), { fields: query.get("fields") });
    const { bytes, crc32c, generation } = found;
    const headers = {
      "content-type": "application/octet-stream",
      "x-goog-generation": generation,
      "x-goog-hash": `crc32c=${crc32c}`,
      "x-goog-stored-content-length": String(bytes.length),
      "accept-ranges": "bytes",
      etag: generation,
    };
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    if (from === undefined) return say(answer, 200, bytes, headers);
    const start = Number(from), end = to ? Math.min(Number(to) + 1, bytes.length) : bytes.length;
    if (start >= end) {
      const range = { "content-range": `bytes */${bytes.length}` };
      return say(answer, 416, "The requested range cannot be satisfied.", range);
    }
    say(answer, 206, bytes.subarray(start, end), {
      ...headers,
      "content-range": `bytes ${start}-${end - 1}/${bytes.length}`,
    });
  }

  #bucket(name: string): Bucket {
    const found = this.buckets.get(name);
    if (!found) throw noBucket();
    return found;
  }

  /** What throws unless the bearer of a request may do something. */
  #allowed(request: http.IncomingMessage): (one: Permission) => void {
    const permissions = this.identity.permissions(request);
    return (one) => {
      if (permissions.includes(one)) return;
      const message =
        `backup@acme.iam.gserviceaccount.com does not have ${one} access to the Google Cloud Storage ` +
        `object. Permission '${one}' denied on resource (or it may not exist).`;
      throw new Refusal(403, "forbidden", message);
    };
  }
}

function encodeToken(name: string): string {
  return btoa(name);
}

function decodeToken(token: string): string {
  try {
    return atob(token);
  } catch {
    throw new Refusal(400, "invalid", "Invalid page token.");
  }
}
