/**
 * A WebDAV server of ours that is as careless as the worst: it replaces whatever is there, whatever `Overwrite` says,
 * shows files while they come, makes folders that exist, knows no ranges, no etags and no lengths, tells what it has not
 * before what it has, and whole addresses in the place of paths.
 */
import type { Planted } from "../../../src/destination/conformance.ts";

type Entry = Uint8Array | "folder";

export class CarelessServer implements AsyncDisposable {
  /** By path without a slash at the end. */
  readonly entries = new Map<string, Entry>([["", "folder"], ["/dav", "folder"]]);
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #over = new AbortController();
  readonly path = "/dav/";

  private constructor(readonly authorization: string) {
    const { signal } = this.#over;
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, signal, onListen() {} }, async (request) => {
      try {
        return await this.#answer(request);
      } catch {
        return new Response(null, { status: 500 }); // its client has gone
      }
    });
  }

  static start(user: string, password: string): CarelessServer {
    return new CarelessServer(`Basic ${btoa(`${user}:${password}`)}`);
  }

  get port(): number {
    return this.#server.addr.port;
  }

  plant(name: string): Promise<Planted> {
    const path = `/dav/${name}`, bytes = new Uint8Array(3);
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      this.entries.set(path.slice(0, at), "folder");
    }
    this.entries.set(path, bytes);
    return Promise.resolve({ intact: () => Promise.resolve(this.entries.get(path) === bytes) });
  }

  async [Symbol.asyncDispose]() {
    this.#over.abort(); // with all connections: some may stand still
    await this.#server.finished;
  }

  async #answer(request: Request): Promise<Response> {
    const done = (status: number, body: BodyInit | null = null) => new Response(body, { status });
    if (request.headers.get("authorization") !== this.authorization) {
      await request.body?.cancel();
      return new Response("who?", { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } });
    }
    const path = pathOf(request.url), entry = this.entries.get(path);
    const parent = this.entries.get(path.slice(0, path.lastIndexOf("/")));
    switch (request.method) {
      case "PROPFIND":
        await request.body?.cancel();
        if (entry === undefined) return done(404, "<html>nothing</html>");
        return done(207, this.#multistatus(new URL(request.url).origin, path, request.headers.get("depth")));
      case "PUT":
        if (parent !== "folder") return done(409);
        await this.#receive(path, request);
        return done(200);
      case "MKCOL":
        if (parent !== "folder") return done(409);
        if (entry === undefined) this.entries.set(path, "folder");
        return done(201);
      case "MOVE": {
        const to = pathOf(request.headers.get("destination") ?? "");
        if (!(entry instanceof Uint8Array)) return done(404);
        this.entries.set(to, entry);
        this.entries.delete(path);
        return done(204);
      }
      case "DELETE":
        for (const one of [...this.entries.keys()]) {
          if (one === path || one.startsWith(`${path}/`)) this.entries.delete(one);
        }
        return done(entry === undefined ? 404 : 204);
      case "GET":
        if (entry === undefined) return done(404);
        return done(200, entry === "folder" ? "<html>a list</html>" : streamOf(entry));
      default:
        return done(405);
    }
  }

  /** Every byte can be seen as soon as it is there, and stays when the rest does not come. */
  async #receive(path: string, request: Request): Promise<void> {
    let room = new Uint8Array(1024 * 1024), size = 0, seen = room.subarray(0, 0);
    this.entries.set(path, seen);
    for await (const part of request.body ?? []) {
      if (this.entries.get(path) !== seen) return; // removed meanwhile, or replaced
      if (size + part.length > room.length) {
        const more = new Uint8Array(2 * (size + part.length));
        more.set(room);
        room = more;
      }
      room.set(part, size);
      seen = room.subarray(0, size += part.length);
      this.entries.set(path, seen);
    }
  }

  #multistatus(origin: string, path: string, depth: string | null): string {
    const within = [...this.entries].filter(([one]) => {
      if (one === path) return true;
      return depth === "1" && one.startsWith(`${path}/`) && !one.slice(path.length + 1).includes("/");
    });
    const responses = within.map(([one, entry]) => {
      const href = `${origin}${one.split("/").map(encodeURIComponent).join("/")}`;
      const has = entry === "folder"
        ? "<resourcetype><collection/></resourcetype>"
        : `<resourcetype/><getcontentlength>${entry.length}</getcontentlength>`;
      return `<response><href>${href}</href>` +
        "<propstat><prop><getetag/><getcontentlength/></prop><status>HTTP/1.1 404 Not Found</status></propstat>" +
        `<propstat><prop>${has}</prop><status>HTTP/1.1 200 OK</status></propstat></response>`;
    });
    return `<?xml version="1.0"?><multistatus xmlns="DAV:">${responses.join("\n")}</multistatus>`;
  }
}

function pathOf(url: string): string {
  return decodeURIComponent(new URL(url, "http://x").pathname).replace(/\/+$/, "");
}

/** In pieces, and without telling how many there are. */
function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at += 100_000));
    },
  });
}
