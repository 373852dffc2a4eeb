/** The way of a destination to its service: settings, watchdog, redirects. */
import assert from "node:assert/strict";
import { z } from "zod";
import { denoWorld } from "../../src/base/deno_world.ts";
import { Secret } from "../../src/base/secret.ts";
import type { HttpOptions } from "../../src/base/http/contract.ts";
import type { World } from "../../src/base/world.ts";
import { hurried, never } from "../../src/destination/conformance/clock.ts";
import { HttpDoor } from "../../src/destination/http/door.ts";
import { type HttpSettings, httpSettings } from "../../src/destination/http/settings.ts";
import { failure } from "../base/failure.ts";
import { RawServer } from "../base/http_server.ts";
import { Scratch } from "../base/scratch.ts";
import { makeCertificates } from "../binary/certificates.ts";
import { startTrap } from "../servers/http_faults.ts";

function open(settings: HttpSettings = {}, changes: Partial<World> = {}) {
  const secret = () => Promise.resolve(new Secret("user:made-up"));
  return HttpDoor.open(settings, { world: { ...denoWorld(), ...changes }, secret }, never);
}

Deno.test("settings: absolute paths, proxies without credentials", () => {
  const schema = z.strictObject(httpSettings);
  for (
    const settings of [{}, { ca: "/etc/ca.pem" }, { ca: "C:\\ca.pem" }, {
      proxy: "http://proxy:3128",
      proxyCredentials: "file:/x",
    }]
  ) {
    assert.ok(schema.safeParse(settings).success, JSON.stringify(settings));
  }
  for (
    const settings of [
      { ca: "ca.pem" },
      { proxy: "proxy" },
      { proxy: "https://proxy" },
      { proxy: "http://me:made-up@proxy" },
      { proxyCredentials: "user:made-up" },
      { proxy: "http://proxy/?x" },
    ]
  ) {
    const { error } = schema.safeParse(settings);
    assert.ok(error, JSON.stringify(settings));
    assert.doesNotMatch(error.message, /made-up/);
  }
  z.toJSONSchema(schema);
});

Deno.test("settings reach the client", async () => {
  let given: HttpOptions | undefined;
  const http: World["http"] = (options) => {
    given = options;
    return denoWorld().http({});
  };
  using door = await open({ proxy: "http://proxy:3128", proxyCredentials: "env:X" }, { http });
  assert.deepEqual(given!.proxy, { host: "proxy", port: 3128, credentials: "user:made-up" });
  assert.equal(door.secrets[0]!.reveal(), "user:made-up");
  await failure(open({ proxyCredentials: "env:X" }, { http }), "misconfigured", /without a "proxy"/);
});

Deno.test("an authority's file is looked at before it is used", async () => {
  await using scratch = await Scratch.make();
  const { authority } = await makeCertificates(scratch.path, "x");
  (await open({ ca: authority }))[Symbol.dispose]();
  await failure(
    open({ ca: scratch.file("absent") }),
    "misconfigured",
    /"ca" names ".*absent", which does not exist/,
  );
  const garbage = [
    ["empty", "", /holds no certificate/],
    ["key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", /holds no certificate/],
    ["broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", /is no certificate/],
  ] as const;
  for (const [name, text, sentence] of garbage) {
    await failure(open({ ca: await scratch.write(name, text) }), "misconfigured", sentence);
  }
});

Deno.test("silence before, in and after the head of an answer ends a request; a slow reader does not", async () => {
  await using server = await RawServer.start((socket, { head }) => {
    if (head.includes("/head")) return;
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
    if (head.includes("/whole")) socket.write("x".repeat(996));
  });
  using door = await open({}, { clock: hurried(1000) }); // two minutes take 120 ms
  const get = async (path: string) => (await door.fetch(server.url + path, { signal: never })).text();
  await failure(get("/head"), "transient", /^nothing moved for 120 seconds$/);
  await failure(get("/body"), "transient", /^nothing moved for 120 seconds$/);
  const reader = (await door.fetch(`${server.url}/whole`, { signal: never })).body!.getReader();
  let size = (await reader.read()).value!.length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (let next = await reader.read(); !next.done; next = await reader.read()) size += next.value.length;
  assert.equal(size, 1000);
  await failure(
    door.fetch(`${server.url}/head`, { signal: never, silence: 5000 }),
    "transient",
    /for 5 seconds/,
  );
});

Deno.test("an answer that nobody reads keeps no timer", async () => {
  await using server = await RawServer.start((socket) =>
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
  );
  using door = await open();
  await door.fetch(server.url, { signal: never }); // the leak detector of the test runner is the judge
});

Deno.test("no redirect is followed, wherever it leads", async () => {
  await using trap = await startTrap();
  const to = { self: "", other: trap.url };
  await using server = await RawServer.start((socket, { head }) => {
    const [, status, where] = /^\w+ \/(\d+)\/(\w+)/.exec(head)!;
    const location = to[where as keyof typeof to];
    socket.write(
      `HTTP/1.1 ${status} Moved\r\nLocation: ${location}/new?sig=secret\r\nContent-Length: 0\r\n\r\n`,
    );
  });
  to.self = server.url;
  using door = await open();
  const headers = { authorization: "Bearer made-up" };
  for (const status of [301, 302, 303, 307, 308]) {
    for (const method of ["GET", "PUT"]) {
      const fetch = (where: string) =>
        door.fetch(`${server.url}/${status}/${where}`, { method, headers, signal: never });
      const other = await failure(
        fetch("other"),
        "misconfigured",
        /redirects to "http:\/\/localhost:\d+" \(\d+\)/,
      );
      assert.doesNotMatch(other.message + other.hint, /secret|made-up|elsewhere/);
      await failure(fetch("self"), "misconfigured", /the server redirects \(\d+\), which is not followed/);
    }
  }
  assert.equal(server.heard.length, 20);
  assert.deepEqual(trap.requests, []);
});

Deno.test("308 without a location is an answer: a resumable upload goes on", async () => {
  await using server = await RawServer.start((socket) =>
    socket.write("HTTP/1.1 308 Resume Incomplete\r\nRange: bytes=0-5\r\nContent-Length: 0\r\n\r\n")
  );
  using door = await open();
  const answer = await door.fetch(server.url, { method: "PUT", signal: never });
  assert.deepEqual([answer.status, answer.headers.get("range")], [308, "bytes=0-5"]);
});
