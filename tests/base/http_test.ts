/** The HTTP client over real sockets: framing, early answers, cuts, aborts, kept connections. */
import assert from "node:assert/strict";
import type net from "node:net";
import { denoWorld } from "../../src/base/deno_world.ts";
import { AppError } from "../../src/base/errors.ts";
import type { HttpInit } from "../../src/base/http/contract.ts";
import { type Heard, RawServer } from "./http_server.ts";
import { failure } from "./failure.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A body in pieces, which remembers whether it was let go of. */
function streamOf(size: number, sizes = 65_536) {
  const state = { cancelled: false, pulled: 0 };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (state.pulled >= size) return controller.close();
      const part = Math.min(sizes, size - state.pulled);
      state.pulled += part;
      controller.enqueue(new Uint8Array(part));
    },
    cancel: () => void (state.cancelled = true),
  }, { highWaterMark: 0 });
  return { stream, state };
}

/** Asks a server that answers with `answer` (a text, or what it does). */
async function asked(
  answer: string | ((socket: net.Socket, heard: Heard) => void),
  init: HttpInit = {},
  after?: (heard: Heard) => number,
) {
  const say = typeof answer === "string"
    ? (socket: net.Socket) => void socket.write(answer, "latin1")
    : answer;
  await using server = await RawServer.start(say, after);
  using http = denoWorld().http({});
  const response = await http.fetch(`${server.url}/path?q=1`, init);
  return {
    status: response.status,
    text: await response.text(),
    headers: response.headers,
    heard: server.heard[0]!,
  };
}

Deno.test("a request is what was asked for, and nothing more", async () => {
  const { heard, text } = await asked(OK, { headers: { "x-one": "1" } });
  assert.equal(heard.head.replace(/127.*/, "HOST"), "GET /path?q=1 HTTP/1.1\r\nhost: HOST\r\nx-one: 1");
  assert.equal(text, "ok");
});

for (const size of [0, 1, 65_535, 65_536, 65_537, 1_000_000]) {
  Deno.test(`bodies of ${size} bytes arrive whole and with their length`, async () => {
    const array = await asked(OK, { method: "PUT", body: new Uint8Array(size) });
    assert.equal(array.heard.body, size);
    assert.match(array.heard.head, new RegExp(`^content-length: ${size}$`, "m"));
    const headers = { "content-length": String(size) };
    const streamed = await asked(OK, { method: "PUT", headers, body: streamOf(size).stream });
    assert.equal(streamed.heard.body, size);
    assert.match(streamed.heard.head, new RegExp(`^content-length: ${size}$`, "m"));
    assert.doesNotMatch(streamed.heard.head, /transfer-encoding/i);
  });
}

Deno.test("a streamed body that is not what its length says is not sent to its end", async () => {
  const send = (size: number) =>
    asked(OK, { method: "PUT", headers: { "content-length": "200" }, body: streamOf(size).stream });
  await failure(send(199), "corrupt", /ended after 199 of its 200 bytes/);
  await failure(send(201), "corrupt", /is longer than its 200 bytes/);
  await failure(asked(OK, { method: "PUT", body: streamOf(5).stream }), "misconfigured", /know its length/);
});

Deno.test("a body that fails is told as it is", async () => {
  const boom = new AppError("corrupt", "boom");
  const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(boom) });
  const error = await failure(
    asked(OK, { method: "PUT", headers: { "content-length": "5" }, body }),
    "corrupt",
  );
  assert.equal(error, boom);
});

for (const end of ["end", "destroy", "stay"] as const) {
  Deno.test(`an answer that comes half-way is heard (the server then does "${end}")`, async () => {
    const refuse = (socket: net.Socket) => {
      socket.write("HTTP/1.1 507 Full\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfull");
      if (end === "end") socket.end();
      if (end === "destroy") setTimeout(() => socket.destroy(), 20);
    };
    const { stream, state } = streamOf(50_000_000);
    const headers = { "content-length": "50000000" };
    const early = () => 100_000;
    const streamed = await asked(refuse, { method: "PUT", headers, body: stream }, early);
    assert.deepEqual([streamed.status, streamed.text], [507, "full"]);
    assert.ok(state.cancelled && state.pulled < 50_000_000, "the rest of the body was read");
    const array = await asked(refuse, { method: "PUT", body: new Uint8Array(50_000_000) }, early);
    assert.deepEqual([array.status, array.text], [507, "full"]);
    await new Promise((resolve) => setTimeout(resolve, 40)); // the server's own timer
  });
}

Deno.test("a success before all was sent is none", async () => {
  const body = new Uint8Array(50_000_000);
  const call = asked(OK, { method: "PUT", body }, () => 100_000);
  await failure(call, "transient", /the answer 200 came before all of the request was sent/);
});

Deno.test("answers in every framing", async () => {
  const answers: [string, string][] = [
    [OK, "ok"],
    ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, "ok"],
    [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n, everyone\r\n0\r\nX: y\r\n\r\n",
      "hello, everyone",
    ],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""],
    ["HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", "ok"],
    ["HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "ok"],
    ["HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "ok"],
    ["HTTP/1.1 204 No Content\r\n\r\n", ""],
    ["HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n", ""],
  ];
  for (const [answer, text] of answers) assert.equal((await asked(answer)).text, text, answer);
  const close = (socket: net.Socket) => socket.end("HTTP/1.0 200 OK\r\n\r\nuntil the end");
  assert.equal((await asked(close)).text, "until the end");
  const head = await asked("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", { method: "HEAD" });
  assert.deepEqual([head.text, head.headers.get("content-length")], ["", "500"]);
});

Deno.test("an answer that is cut is an error, whatever its framing", async () => {
  const cut = (text: string, rst: boolean) => (socket: net.Socket) => {
    socket.write(text);
    setTimeout(() => rst ? socket.resetAndDestroy() : socket.end(), 30);
  };
  const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
  for (const rst of [false, true]) {
    const kind = rst ? /./ : /the connection ended/;
    await failure(
      asked(cut("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + "x".repeat(500), rst)),
      "transient",
    );
    await failure(asked(cut(chunked, rst)), "transient", kind);
    await failure(asked(cut(chunked + "5\r\nhel", rst)), "transient", kind);
    await failure(asked(cut("HTTP/1.1 200 OK\r\nContent-Le", rst)), "transient", kind);
  }
  await failure(asked((socket) => socket.end()), "transient", /closed without an answer/);
});

Deno.test("what is no HTTP is told so", async () => {
  const answers = [
    "SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/2 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\n0\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    `HTTP/1.1 200 OK\r\nX: ${"x".repeat(70_000)}\r\n\r\n`,
  ];
  for (const answer of answers) await failure(asked(answer), "misconfigured", /does not speak HTTP/);
});

Deno.test("a request cannot be made to say more than it should", async () => {
  const split = { headers: { "x-one": "1\r\nx-two: 2" } };
  await assert.rejects(asked(OK, split), TypeError);
  await failure(asked(OK, { headers: { "x-one": "é" } }), "misconfigured");
  await failure(asked(OK, { method: "GET / HTTP/1.1\r\nx: y" }), "misconfigured");
  using http = denoWorld().http({});
  for (const url of ["http://user:secret@127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd"]) {
    const error = await failure(http.fetch(url), "misconfigured");
    assert.doesNotMatch(error.message, /secret/);
  }
});

Deno.test("connections are used again, and a dead one is not", async () => {
  await using server = await RawServer.start((socket, { head }) => {
    socket.write(
      head.startsWith("GET /close") ? OK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n") : OK,
    );
    if (/^GET \/(close|hidden)/.test(head)) socket.end();
  });
  using http = denoWorld().http({});
  const get = async (path: string) => (await http.fetch(server.url + path)).text();
  for (const path of ["/a", "/b", "/c"]) await get(path);
  assert.equal(server.connections, 1);
  for (const path of ["/close", "/a", "/hidden"]) assert.equal(await get(path), "ok");
  await new Promise((resolve) => setTimeout(resolve, 50)); // the end has arrived by now
  assert.equal(await get("/a"), "ok");
  assert.equal(server.connections, 3);
  assert.deepEqual(await Promise.all(["/1", "/2", "/3"].map(get)), ["ok", "ok", "ok"]);
  assert.equal(server.connections, 5);
  // A body that was not read to its end leaves its connection behind.
  await (await http.fetch(`${server.url}/left`)).body?.cancel();
  await get("/a");
});

Deno.test("a connection on which more came than was asked for is not used again", async () => {
  await using server = await RawServer.start((socket) =>
    socket.write(OK + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
  );
  using http = denoWorld().http({});
  for (let times = 0; times < 2; times++) assert.equal(await (await http.fetch(server.url)).text(), "ok");
  assert.equal(server.connections, 2);
});

Deno.test("an abort ends a request wherever it is", async () => {
  await using server = await RawServer.start((socket, { head }) => {
    if (head.includes("/half")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
  });
  using http = denoWorld().http({});
  const reason = new AppError("cancelled", "stopped by SIGTERM");
  const { stream, state } = {
    stream: new ReadableStream({
      pull: () => new Promise(() => {}),
      cancel: () => void (state.cancelled = true),
    }),
    state: { cancelled: false },
  };
  const waits: [string, HttpInit][] = [
    ["/silent", {}],
    ["/half", {}],
    ["/body", { method: "PUT", headers: { "content-length": "5" }, body: stream }],
    ["/full", { method: "PUT", body: new Uint8Array(50_000_000) }],
  ];
  for (const [path, init] of waits) {
    const cancel = new AbortController();
    const call = http.fetch(server.url + path, { ...init, signal: cancel.signal }).then((answer) =>
      answer.text()
    );
    call.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = performance.now();
    cancel.abort(reason);
    assert.equal(await failure(call, "cancelled"), reason, path);
    assert.ok(performance.now() - before < 500, path);
  }
  assert.ok(state.cancelled, "the body was left open");
  await failure(http.fetch(server.url, { signal: AbortSignal.abort() }), "cancelled");
});

Deno.test("what moves is told, piece by piece", async () => {
  let moved = 0;
  await asked(OK, { method: "PUT", body: new Uint8Array(1_000_000), moved: () => moved++ });
  assert.ok(moved >= 16, `${moved} times for 1 MB`);
});

Deno.test("a server that cannot be reached is told without the rest of the address", async () => {
  using http = denoWorld().http({});
  const refused = await failure(
    http.fetch("http://127.0.0.1:9/x?sig=secret"),
    "transient",
    /"127.0.0.1:9": connection refused/,
  );
  const unknown = await failure(
    http.fetch("http://nowhere.invalid/x?sig=secret"),
    "transient",
    /"nowhere.invalid:80" cannot be found/,
  );
  for (const { message, hint } of [refused, unknown]) assert.doesNotMatch(message + hint, /secret|\/x/);
});

Deno.test("a body whose connection never comes is let go of", async () => {
  using http = denoWorld().http({});
  const { stream, state } = streamOf(5);
  const put = http.fetch("http://127.0.0.1:9/", {
    method: "PUT",
    headers: { "content-length": "5" },
    body: stream,
  });
  await failure(put, "transient");
  assert.ok(state.cancelled);
});
