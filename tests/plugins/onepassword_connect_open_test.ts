/** Before the first item: the config, the address, the token, the connection. */
import assert from "node:assert/strict";
import { z } from "zod";
import { onepasswordConnect } from "../../plugins/sources/onepassword_connect/mod.ts";
import { type AppError, isAppError } from "../../src/base/errors.ts";
import { makeCertificates } from "../binary/certificates.ts";
import { startService } from "../service/mod.ts";
import { ConnectServer } from "../service/connect/mod.ts";
import { type DoorOptions, never, openDoor } from "./onepassword_connect_door.ts";

const ACCOUNT = { name: "Open", vaults: [{ title: "V", items: [{ title: "one" }] }, { title: "W" }] };

async function serving(play: (connect: ConnectServer) => Promise<void>): Promise<void> {
  await using service = await startService(ACCOUNT);
  await using connect = ConnectServer.start(service.account);
  await play(connect);
}

async function failure(connect: ConnectServer, options: DoorOptions): Promise<AppError> {
  const error = await openDoor(connect, options).then(() => assert.fail("it was opened"), (error) => error);
  assert.ok(isAppError(error), String(error));
  assert.equal(error.origin, "source");
  return error;
}

function issues(config: unknown): string[] {
  const { error } = onepasswordConnect.config.safeParse(config);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}

Deno.test("the config has an address, a token and a timeout, and says what is wrong with them", () => {
  const token = "file:/etc/vaultferry/connect";
  assert.deepEqual(issues({ url: "https://connect.example:8443", token }), []);
  assert.deepEqual(issues({ url: "http://127.0.0.1:8080/prefix/", token, timeout: 5 }), []);
  for (
    const url of [
      "",
      "connect.example",
      "ftp://connect.example",
      "file:///etc",
      "//connect.example",
      "https://",
    ]
  ) {
    assert.deepEqual(issues({ url, token }), [
      'url: must be the address of a Connect server, such as "https://connect.example:8443"',
    ]);
  }
  const secret = "made-up-secret";
  for (
    const url of [
      `https://u:${secret}@c.example`,
      `https://c.example/?token=${secret}`,
      `https://c.example/#${secret}`,
    ]
  ) {
    const [issue] = issues({ url, token });
    assert.match(issue!, /^url: must (hold no user name|end with the host)/);
    assert.ok(!issue!.includes(secret));
  }
  assert.equal(issues({ url: "https://c.example" }).length, 1);
  assert.equal(issues({ url: "https://c.example", token: "eyJ.made-up.token" }).length, 1);
  assert.equal(issues({ url: "https://c.example", token, timeout: 0 }).length, 1);
  assert.equal(issues({ url: "https://c.example", token, ca: "/etc/ca.pem" }).length, 1);
  assert.ok(z.toJSONSchema(onepasswordConnect.config, { io: "input" }));
});

Deno.test("the address may end in a slash or in the API's own /v1", async () => {
  await serving(async (connect) => {
    for (const ending of ["", "/", "/v1", "/v1/", "//"]) {
      const { source } = await openDoor(connect, { url: connect.url + ending });
      assert.equal((await source.vaults(never)).length, 2);
    }
    connect.problems.length = 0;
    const error = await failure(connect, { url: `${connect.url}/elsewhere` });
    assert.match(error.message, /none that Connect gives \(HTTP 404\)/);
    assert.match(error.hint!, /"url:" names the Connect server/);
    connect.problems.length = 0; // no such request is described
  });
});

Deno.test("http is for this machine: anywhere else the token travels in clear, which is said", async () => {
  await serving(async (connect) => {
    const { port } = new URL(connect.url);
    const answering: DoorOptions["fetch"] = (input, init) => {
      const { pathname } = new URL(String(input));
      return fetch(connect.url + pathname, init);
    };
    const warned = async (host: string) =>
      (await openDoor(connect, { url: `${host}:${port}`, fetch: answering })).warnings;
    const quiet = [
      "http://127.0.0.1",
      "http://127.8.9.1",
      "http://[::1]",
      "http://localhost",
      "http://connect.localhost",
      "https://c.example",
    ];
    for (const host of quiet) assert.deepEqual(await warned(host), [], host);
    for (
      const host of [
        "http://c.example",
        "http://10.0.0.1",
        "http://192.168.1.1",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://[fd00::1]",
      ]
    ) {
      const [warning, ...others] = await warned(host);
      assert.match(warning!, /^the Connect token and all secrets travel in clear to "/);
      assert.ok(warning!.includes(new URL(`${host}:${port}`).host));
      assert.deepEqual(others, []);
    }
  });
});

Deno.test("what cannot be a Connect token is refused before it is sent", async () => {
  await serving(async (connect) => {
    const tokens = ["", "made-up", "a.b", "a.b.c.d", "a.b.c\r\nx-evil: 1", " a.b.c", "a.b.ü", "Bearer a.b.c"];
    for (const token of tokens) {
      const error = await failure(connect, { token });
      assert.equal(error.code, "denied");
      if (token.length > 3) assert.ok(!(error.message + error.hint + Deno.inspect(error)).includes(token));
    }
    const service = await failure(connect, { token: "ops_" + "A".repeat(300) });
    assert.match(service.hint!, /source onepassword-sdk/);
    assert.equal(connect.requests.count(), 0);
  });
});

Deno.test("a wrong token is one request, and a refusal when the source is opened", async () => {
  await serving(async (connect) => {
    const old = connect.accepted!;
    connect.token({ name: "the next one" });
    const error = await failure(connect, { token: old });
    assert.equal(error.code, "denied");
    assert.match(error.message, /^the Connect server refused the token: it is wrong, expired or revoked$/);
    assert.equal(connect.requests.count(), 1);
    assert.equal(connect.requests.log[0]!.status, 401);
  });
});

Deno.test("vaults that the token was made for and the server does not show are named, once", async () => {
  await serving(async (connect) => {
    const [first, second] = connect.account.vaults;
    connect.token({ vaults: [first!.id, "x".repeat(26)] });
    const { source, warnings } = await openDoor(connect);
    assert.deepEqual((await source.vaults(never)).map(({ id }) => id), [first!.id]);
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0]!,
      /^the Connect token was made for vaults that the server does not show: x{26} /,
    );
    assert.ok(!warnings[0]!.includes(second!.id));
    // Case does not matter: servers write ids in small letters, tokens may not.
    connect.token({ vaults: [first!.id] });
    const [head, payload, signature] = connect.accepted!.split(".");
    const capitals = btoa(
      atob(payload!.replace(/-/g, "+").replace(/_/g, "/")).replace(first!.id, first!.id.toUpperCase()),
    );
    connect.accepted = [head, capitals.replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, ""), signature]
      .join(".");
    assert.deepEqual((await openDoor(connect)).warnings, []);
  });
});

Deno.test("a token that says nothing of itself works as well", async () => {
  await serving(async (connect) => {
    for (const payload of ["bm90aGluZw", "e30", "bnVsbA", "____", "W10"]) {
      connect.accepted = `a.${payload}.c`;
      const { source, warnings } = await openDoor(connect);
      assert.equal(await source.account(never), undefined);
      assert.deepEqual(warnings, []);
    }
  });
});

Deno.test("every request says who asks, for which kind of answer, and nothing of it compressed", async () => {
  await serving(async (connect) => {
    const seen: Headers[] = [];
    const { source } = await openDoor(connect, {
      fetch(input, init) {
        assert.equal(init?.redirect, "manual");
        seen.push(new Headers(init.headers));
        return fetch(input, init);
      },
    });
    await source.vaults(never);
    assert.equal(seen.length, 2);
    for (const headers of seen) {
      assert.equal(headers.get("user-agent"), "vaultferry/0.0.1");
      assert.equal(headers.get("accept"), "application/json");
      assert.equal(headers.get("accept-encoding"), "identity");
      assert.equal(headers.get("authorization"), `Bearer ${connect.accepted}`);
    }
  });
});

Deno.test("https with an authority of one's own: refused with a hint, and trusted through the World's fetch", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { authority, server } = await makeCertificates(folder, "connect.example");
    await using service = await startService(ACCOUNT);
    await using connect = ConnectServer.start(service.account, { tls: server });
    const error = await failure(connect, {});
    assert.equal(error.code, "transient");
    assert.match(error.hint!, /DENO_CERT=/);
    using client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(authority)] });
    const { source, warnings } = await openDoor(connect, {
      fetch: (input, init) => fetch(input, { ...init, client }),
    });
    assert.equal((await source.vaults(never)).length, 2);
    assert.deepEqual(warnings, []);
    await connect.requests.idle();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("TLS to a port that speaks none is a network failure, not a refusal", async () => {
  await serving(async (connect) => {
    const error = await failure(connect, { url: connect.url.replace("http:", "https:") });
    assert.equal(error.code, "transient");
    assert.match(error.message, /^cannot reach Connect: /);
  });
});
