import assert from "node:assert/strict";
import net from "node:net";
import type { NetworkFault } from "../../src/destination/conformance.ts";
import { FaultProxy } from "./fault_proxy.ts";

/** A server that takes everything, gives `bytes` to whoever connects, and counts what it got. */
async function startServer(bytes = 0) {
  const got: number[] = [];
  const ends: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const at = got.push(0) - 1;
    sockets.add(socket);
    socket.on("data", (part: Uint8Array) => got[at]! += part.length);
    socket.on("error", () => ends[at] = "reset");
    socket.on("end", () => {
      ends[at] ??= "end";
      socket.end();
    });
    if (bytes > 0) socket.write(new Uint8Array(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    got,
    ends,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Connects, sends, and reads until the end: how much came, and how it ended. */
async function talk(port: number, send = 0, patience = 2000): Promise<{ came: number; end: string }> {
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  const buffer = new Uint8Array(65_536);
  let came = 0, written = false;
  const writing = (async () => {
    try {
      for (let left = send; left > 0;) left -= await client.write(new Uint8Array(Math.min(left, 65_536)));
      written = true;
      if (send > 0) await client.closeWrite();
    } catch {
      // cut, as the reading side will say
    }
  })();
  const reading = (async () => {
    for (;;) {
      const length = await client.read(buffer);
      if (length === null) return "end";
      came += length;
    }
  })().catch((error: Error) => error instanceof Deno.errors.ConnectionReset ? "reset" : error.name);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => timer = setTimeout(() => resolve("silence"), patience));
  const end = await Promise.race([reading, late]);
  clearTimeout(timer);
  client.close();
  await Promise.all([reading, writing]);
  return { came, end: end === "silence" && send > 0 && !written ? "silence, unsent" : end };
}

async function through(fault: NetworkFault | undefined, serverGives = 0) {
  const server = await startServer(serverGives);
  const proxy = await FaultProxy.start(server.port);
  const strike = fault && proxy.strike(fault);
  return {
    server,
    proxy,
    strike: strike!,
    async [Symbol.asyncDispose]() {
      await strike?.[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

Deno.test("without a fault everything passes, both ways, and each end by itself", async () => {
  await using way = await through(undefined, 3_000_000);
  const told = await talk(way.proxy.port, 5_000_000);
  assert.deepEqual(told, { came: 3_000_000, end: "end" });
  assert.deepEqual(way.server.got, [5_000_000]);
  assert.equal(way.proxy.connections, 1);
});

for (const how of ["fin", "rst"] as const) {
  const end = how === "fin" ? "end" : "reset";

  for (const after of [0, 1, 1000, 1_000_000]) {
    Deno.test(`cut (${how}) on the way down after exactly ${after} bytes`, async () => {
      await using way = await through({ kind: "cut", how, way: "down", after, connections: 1 }, 3_000_000);
      const told = await talk(way.proxy.port);
      assert.equal(told.end, end);
      // What is under way when a reset comes may be lost with it; more than was let through never comes.
      if (how === "fin") assert.equal(told.came, after);
      else assert.ok(told.came <= after);
      assert.equal(way.strike.times(), 1);
    });

    Deno.test(`cut (${how}) on the way up after ${after} bytes`, async () => {
      await using way = await through({ kind: "cut", how, way: "up", after, connections: 1 });
      const told = await talk(way.proxy.port, 5_000_000);
      assert.match(told.end, how === "fin" ? /end|reset/ : /reset/);
      assert.ok((way.server.got[0] ?? 0) <= after, `${way.server.got[0]} bytes got through`);
      assert.equal(way.strike.times(), 1);
    });
  }
}

Deno.test("only so many connections are cut, and none after the fault is over", async () => {
  await using way = await through({ kind: "cut", how: "fin", way: "down", after: 10, connections: 2 }, 1000);
  const came = [];
  for (let times = 0; times < 3; times++) came.push((await talk(way.proxy.port, 0, 200)).came);
  assert.deepEqual(came, [10, 10, 1000]);
  assert.equal(way.strike.times(), 2);
  await way.strike[Symbol.asyncDispose]();
  assert.equal((await talk(way.proxy.port, 0, 200)).came, 1000);
  assert.equal(way.proxy.connections, 4);
});

Deno.test("a stall lets so much through and then nothing, without an end", async () => {
  {
    await using way = await through({ kind: "stall", way: "down", after: 1000 }, 50_000);
    assert.deepEqual(await talk(way.proxy.port, 0, 300), { came: 1000, end: "silence" });
    assert.equal(way.strike.times(), 1);
  }
  await using way = await through({ kind: "stall", way: "up", after: 1000 });
  // More than all buffers on the way hold: the sender notices that nothing is taken.
  assert.equal((await talk(way.proxy.port, 100_000_000, 1000)).end, "silence, unsent");
  assert.equal(way.server.got[0], 1000);
});

Deno.test("a throttled connection is slow, and loses nothing", async () => {
  await using way = await through({ kind: "throttle", bytesPerSecond: 1_000_000 }, 500_000);
  const before = performance.now();
  const told = await talk(way.proxy.port, 400_000, 5000);
  assert.deepEqual(told, { came: 500_000, end: "end" });
  assert.deepEqual(way.server.got, [400_000]);
  assert.ok(performance.now() - before >= 380, `${performance.now() - before} ms`);
  assert.equal(way.strike.times(), 1);
});

Deno.test("a server that cannot be reached ends the connection", async () => {
  const server = await startServer();
  await using proxy = await FaultProxy.start(server.port);
  await server[Symbol.asyncDispose]();
  assert.match((await talk(proxy.port, 10)).end, /end|reset/);
});
