/** The HTTP client behind TLS and proxies: whom it trusts, and what others get to see. */
import assert from "node:assert/strict";
import { denoWorld } from "../../src/base/deno_world.ts";
import { HttpConnections } from "../../src/base/http/connections.ts";
import { dial } from "../../src/base/deno_sockets.ts";
import type { HttpOptions } from "../../src/base/http/contract.ts";
import { parseProxy } from "../../src/base/http/proxies.ts";
import { makeCertificates } from "../binary/certificates.ts";
import { startProxy } from "../binary/proxy.ts";
import { failure } from "./failure.ts";
import { RawServer } from "./http_server.ts";
import { Scratch } from "./scratch.ts";

const NAME = "store.example.invalid";

/** A server with a certificate of a private authority, that answers with what it was sent. */
async function secureServer() {
  const scratch = await Scratch.make();
  const { authority, server: { cert, key } } = await makeCertificates(scratch.path, NAME);
  const seen: { headers: Headers; url: string }[] = [];
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", cert, key, onListen: () => {} },
    async (request) => {
      seen.push({ headers: new Headers(request.headers), url: request.url });
      return new Response(`got ${(await request.arrayBuffer()).byteLength}`);
    },
  );
  return {
    port: server.addr.port,
    ca: await Deno.readTextFile(authority),
    seen,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await scratch[Symbol.asyncDispose]();
    },
  };
}

const withEnv = (env: Record<string, string>, options: HttpOptions = {}) =>
  new HttpConnections(options, dial, (name) => env[name]);

Deno.test("a private authority is trusted where it is named, and nowhere else", async () => {
  await using server = await secureServer();
  await using other = await secureServer();
  const put = async (ca: string | undefined, host = "127.0.0.1") => {
    using http = denoWorld().http({ ca });
    const body = new Uint8Array(1_000_000);
    const answer = await http.fetch(`https://${host}:${server.port}/`, { method: "PUT", body });
    return await answer.text();
  };
  assert.equal(await put(server.ca), "got 1000000");
  const untrusted = await failure(
    put(undefined),
    "misconfigured",
    /nobody trusted vouches for the certificate/,
  );
  assert.match(untrusted.hint!, /"ca: \/path/);
  await failure(put(other.ca), "misconfigured", /nobody trusted vouches/);
  await failure(
    put(server.ca, "localhost"),
    "misconfigured",
    /certificate of "localhost:\d+" is for another name/,
  );
  assert.equal(await put(`${other.ca}\n${server.ca}`), "got 1000000");
});

Deno.test("TLS to what speaks none, and none to what speaks TLS", async () => {
  using plain = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = (async () => {
    using client = await plain.accept();
    await client.read(new Uint8Array(10));
    await client.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
  })();
  await using secure = await secureServer();
  using http = denoWorld().http({ ca: secure.ca });
  await failure(http.fetch(`https://127.0.0.1:${plain.addr.port}/`), "misconfigured", /does not speak TLS/);
  await served;
  await failure(http.fetch(`http://127.0.0.1:${secure.port}/`), ["misconfigured", "transient"]);
});

Deno.test("https goes through a proxy by a tunnel: it sees a name and nothing else", async () => {
  await using server = await secureServer();
  await using proxy = startProxy(server.port);
  const { host, port } = parseProxy(proxy.url, "x");
  using http = denoWorld().http({ ca: server.ca, proxy: { host, port, credentials: "user:made-up" } });
  const url = `https://${NAME}:8443/container?sig=secret`;
  for (let times = 0; times < 2; times++) {
    const answer = await http.fetch(url, {
      method: "PUT",
      body: new Uint8Array(10),
      headers: { "x-a": "b" },
    });
    assert.equal(await answer.text(), "got 10");
  }
  assert.deepEqual(proxy.asked, [`${NAME}:8443`], "one tunnel, used twice");
  assert.equal(server.seen[0]!.headers.get("proxy-authorization"), null);
  assert.equal(new URL(server.seen[0]!.url).search, "?sig=secret");
});

Deno.test("the environment's proxy is used, but not for what NO_PROXY names", async () => {
  await using server = await secureServer();
  await using proxy = startProxy(server.port);
  const get = async (env: Record<string, string>) => {
    using http = withEnv(env, { ca: server.ca });
    return await (await http.fetch(`https://${NAME}:8443/`)).text();
  };
  assert.equal(await get({ HTTPS_PROXY: proxy.url }), "got 0");
  assert.equal(await get({ https_proxy: proxy.url, NO_PROXY: "other.example" }), "got 0");
  await failure(
    get({ HTTPS_PROXY: proxy.url, NO_PROXY: ".example.invalid" }),
    "transient",
    /cannot be found/,
  );
  assert.equal(proxy.asked.length, 2);
});

Deno.test("http is spoken with the proxy itself, with its credentials", async () => {
  await using proxy = await RawServer.start((socket) =>
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
  );
  using http = withEnv({ HTTP_PROXY: proxy.url.replace("//", "//us%40er:made-up@") });
  assert.equal(await (await http.fetch("http://store.example.invalid/a?b=c#d")).text(), "ok");
  const { head } = proxy.heard[0]!;
  assert.match(head, /^GET http:\/\/store\.example\.invalid\/a\?b=c HTTP\/1\.1\r\n/);
  assert.match(head, /^host: store\.example\.invalid\r?$/m);
  assert.match(head, new RegExp(`^proxy-authorization: Basic ${btoa("us@er:made-up")}\\r?$`, "m"));
});

Deno.test("a proxy that refuses is told, without its credentials", async () => {
  const answers: [string, "misconfigured" | "transient", RegExp][] = [
    ["HTTP/1.1 407 Proxy Authentication Required", "misconfigured", /does not accept our credentials/],
    [
      "HTTP/1.1 403 Forbidden",
      "misconfigured",
      /refuses the way to "store.example.invalid:443": it answers 403/,
    ],
    ["HTTP/1.1 502 Bad Gateway", "transient", /cannot reach "store.example.invalid:443": it answers 502/],
    ["SSH-2.0-OpenSSH", "misconfigured", /is no proxy/],
  ];
  for (const [answer, code, sentence] of answers) {
    await using proxy = await RawServer.start((socket) => socket.end(`${answer}\r\n\r\n`));
    const { host, port } = parseProxy(proxy.url, "x");
    using http = denoWorld().http({ proxy: { host, port, credentials: "user:made-up" } });
    const { message, hint } = await failure(
      http.fetch("https://store.example.invalid/?sig=secret"),
      code,
      sentence,
    );
    assert.doesNotMatch(`${message}${hint}`, /made-up|secret/);
  }
});

Deno.test("a handshake that never ends is ended by an abort", async () => {
  await using silent = await RawServer.start(() => {}, () => Infinity);
  using http = denoWorld().http({});
  const before = performance.now();
  const call = http.fetch(silent.url.replace("http:", "https:"), { signal: AbortSignal.timeout(100) });
  await failure(call, "cancelled");
  assert.ok(performance.now() - before < 2000);
});
