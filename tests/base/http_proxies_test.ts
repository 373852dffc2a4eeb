import assert from "node:assert/strict";
import { parseProxy, proxyOf } from "../../src/base/http/proxies.ts";
import { failure } from "./failure.ts";

Deno.test("a proxy is a host and a port, perhaps with credentials", () => {
  assert.deepEqual(parseProxy("http://proxy:3128", "x"), { host: "proxy", port: 3128 });
  assert.deepEqual(parseProxy("proxy.example", "x"), { host: "proxy.example", port: 80 });
  assert.deepEqual(parseProxy("10.0.0.1:8080/", "x"), { host: "10.0.0.1", port: 8080 });
  assert.deepEqual(parseProxy("http://[::1]:8080", "x"), { host: "::1", port: 8080 });
  assert.deepEqual(parseProxy("http://me:p%40ss@proxy:1", "x"), {
    host: "proxy",
    port: 1,
    credentials: "me:p@ss",
  });
});

Deno.test("what is no such proxy is refused without being shown", async () => {
  for (
    const text of [
      "https://me:made-up@proxy",
      "socks5://me:made-up@proxy:1080",
      "http://me:made-up@",
      "http://",
    ]
  ) {
    const { message, hint } = await failure(
      () => parseProxy(text, '"HTTPS_PROXY"'),
      "misconfigured",
      /^"HTTPS_PROXY"/,
    );
    assert.doesNotMatch(message + hint, /made-up/);
  }
});

Deno.test("the environment: which variable, and for which hosts not", () => {
  const hostOf = (url: string, env: Record<string, string>) =>
    proxyOf(new URL(url), (name) => env[name])?.host;
  assert.equal(hostOf("https://a/", {}), undefined);
  assert.equal(hostOf("https://a/", { HTTPS_PROXY: "s", HTTP_PROXY: "p", ALL_PROXY: "a" }), "s");
  assert.equal(hostOf("http://a/", { HTTPS_PROXY: "s", HTTP_PROXY: "p", ALL_PROXY: "a" }), "p");
  assert.equal(hostOf("https://a/", { HTTP_PROXY: "p" }), undefined);
  assert.equal(hostOf("https://a/", { all_proxy: "a" }), "a");
  assert.equal(hostOf("https://a/", { https_proxy: "s" }), "s");
  const exempt = (url: string, list: string) => hostOf(url, { ALL_PROXY: "p", NO_PROXY: list }) === undefined;
  for (
    const [url, list] of [
      ["https://a.example/", "*"],
      ["https://a.example/", "other, a.example"],
      ["https://A.Example/", "a.EXAMPLE"],
      ["https://b.a.example/", "a.example"],
      ["https://b.a.example/", ".a.example"],
      ["https://b.a.example/", "*.a.example"],
      ["https://a.example/", "a.example:443"],
      ["http://a.example:8080/", "a.example:8080"],
      ["http://10.0.0.1/", "10.0.0.1"],
      ["http://[::1]:8080/", "::1"],
      ["http://[::1]/", "[::1]"],
    ] as const
  ) assert.ok(exempt(url, list), `${url} with ${list}`);
  for (
    const [url, list] of [
      ["https://a.example/", ""],
      ["https://ba.example/", "a.example"],
      ["https://a.example/", "a.example:80"],
      ["https://a.example.org/", "a.example"],
      ["http://10.0.0.11/", "10.0.0.1"],
    ] as const
  ) assert.ok(!exempt(url, list), `${url} with ${list}`);
});
