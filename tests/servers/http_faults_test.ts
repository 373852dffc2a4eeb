import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { denoWorld } from "../../src/base/deno_world.ts";
import { failure } from "../base/failure.ts";
import { HttpFaults, PORTAL, redirect, startTrap } from "./http_faults.ts";

/** A server that remembers what it got, behind one that misbehaves. */
async function start() {
  const got: { method: string; url: string; host: string; size: number }[] = [];
  const server = http.createServer((request, answer) => {
    let size = 0;
    request.on("data", (part: Uint8Array) => size += part.length);
    request.on("end", () => {
      got.push({ method: request.method!, url: request.url!, host: request.headers.host!, size });
      answer.writeHead(201, { "x-said": "yes", "content-length": "2" }).end("ok");
    });
    request.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const faults = await HttpFaults.start((server.address() as AddressInfo).port);
  const client = denoWorld().http({});
  return {
    got,
    faults,
    ask: (path: string, body?: Uint8Array) =>
      client.fetch(`http://127.0.0.1:${faults.port}${path}`, {
        method: body ? "PUT" : "GET",
        body: body ?? null,
      }),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await faults[Symbol.asyncDispose]();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

Deno.test("without a fault a request passes as it is, to the letter", async () => {
  await using place = await start();
  const answer = await place.ask("/a%2Fb?c=%20d", new Uint8Array(300_000));
  assert.deepEqual([answer.status, answer.headers.get("x-said"), await answer.text()], [201, "yes", "ok"]);
  const host = `127.0.0.1:${place.faults.port}`;
  assert.deepEqual(place.got, [{ method: "PUT", url: "/a%2Fb?c=%20d", host, size: 300_000 }]);
  assert.equal(place.faults.asked.length, 1);
});

Deno.test("answers in the server's place, so often, for those that it is about", async () => {
  await using place = await start();
  const strike = place.faults.strike(
    { do: "answer", status: 503, headers: { "retry-after": "1" } },
    2,
    ({ url }) => url.startsWith("/x"),
  );
  const statuses = [];
  for (const path of ["/a", "/x", "/x", "/x"]) {
    const answer = await place.ask(path, new Uint8Array(10));
    statuses.push(answer.status);
    await answer.body?.cancel();
  }
  assert.deepEqual(statuses, [201, 503, 503, 201]);
  assert.deepEqual([strike.times(), place.got.length], [2, 2]);
  await strike[Symbol.asyncDispose]();
});

Deno.test("a lost answer: carried out, and nobody hears of it", async () => {
  await using place = await start();
  await using strike = place.faults.strike({ do: "lose answer" }, 1);
  await failure(place.ask("/x", new Uint8Array(10)), "transient");
  assert.deepEqual([place.got.length, strike.times()], [1, 1]);
  assert.equal(await (await place.ask("/x")).text(), "ok");
});

Deno.test("a truncated upload: one byte less arrives, and it is confirmed", async () => {
  await using place = await start();
  await using strike = place.faults.strike({ do: "truncate" }, 2);
  for (const size of [1, 300_000, 5]) {
    assert.equal(await (await place.ask("/x", new Uint8Array(size))).text(), "ok");
  }
  assert.deepEqual(place.got.map(({ size }) => size), [0, 299_999, 5]);
  assert.equal(strike.times(), 2);
});

Deno.test("a portal, and a redirect to a trap that counts", async () => {
  await using place = await start();
  {
    await using _ = place.faults.strike(PORTAL);
    const answer = await place.ask("/x", new Uint8Array(10));
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /html/);
  }
  await using trap = await startTrap();
  await using _ = place.faults.strike(redirect(trap.url, 307));
  const answer = await place.ask("/x", new Uint8Array(10));
  assert.deepEqual([answer.status, answer.headers.get("location")], [307, trap.url]);
  assert.equal(place.got.length, 0);
  await (await fetch(trap.url, { method: "PUT", body: "x" })).body?.cancel();
  assert.equal(trap.requests.length, 1);
});
