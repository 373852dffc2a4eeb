/** Who asks: digest, basic, a token, nobody; nonces that die; passwords that are wrong. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { challengesIn } from "../../plugins/destinations/webdav/login/challenges.ts";
import { Digest } from "../../plugins/destinations/webdav/login/digest.ts";
import { PasswordLogin } from "../../plugins/destinations/webdav/login/password_login.ts";
import { hurried } from "../../src/destination/conformance/clock.ts";
import { HttpFaults } from "../servers/http_faults.ts";
import { Apache } from "../servers/webdav/apache.ts";
import * as shared from "./webdav_place.ts";

const { Answers, comesBack, fails, keysOf, KEY, multistatus, never, NO_APACHE, Openings } = shared;
const { PASSWORD, put, response, SMALL, TOKEN, USER } = shared;

/** `authorization` headers that came, by scheme. */
function schemes(faults: HttpFaults): string[] {
  return [...new Set(faults.asked.map(({ headers }) => headers.authorization?.split(" ")[0] ?? "none"))];
}

for (const kind of ["basic", "digest"] as const) {
  Deno.test({
    name: `webdav: signs in to Apache by ${kind}, said or found out, and no other way`,
    ignore: NO_APACHE !== undefined,
    async fn() {
      await using apache = await Apache.start({ auth: kind });
      await using faults = await HttpFaults.start(apache.port);
      await using openings = new Openings();
      const url = apache.url(faults.port), other = kind === "basic" ? "digest" : "basic";
      const Kind = kind === "basic" ? "Basic" : "Digest";
      for (
        const [auth, sent] of [[kind, kind === "basic" ? [Kind] : ["none", Kind]], [undefined, [
          "none",
          Kind,
        ]]]
      ) {
        const destination = await openings.open({ url, ...(auth ? { auth } : {}) });
        await put(destination, SMALL, `${auth}`);
        await comesBack(destination, SMALL, `${auth}`);
        assert.deepEqual(schemes(faults), sent);
        faults.asked.length = 0;
      }
      const wrong = await openings.open({ url }, undefined, "wrong");
      await fails(put(wrong), "denied", /does not accept the credentials \(401/, /check the credentials/);
      await fails(keysOf(wrong, ""), "denied");
      const stubborn = await openings.open({ url, auth: other });
      await fails(put(stubborn), "denied", new RegExp(`wants us to sign in by ${kind}`), /check "auth"/);
      const token = await openings.open({
        url,
        username: undefined,
        password: undefined,
        token: "env:TOKEN",
      });
      await fails(put(token), "denied", new RegExp(`sign in by ${kind}`));
      const nobody = await openings.open({ url, username: undefined, password: undefined, auth: "none" });
      await fails(put(nobody), "denied", new RegExp(`sign in by ${kind}`));
      assert.ok(!apache.child.log().includes(PASSWORD));
    },
  });
}

Deno.test({
  name: "webdav: a nonce that dies in the middle costs no byte of a body",
  ignore: NO_APACHE !== undefined,
  async fn() {
    await using apache = await Apache.start({ auth: "digest", nonceLifetime: 1 });
    await using faults = await HttpFaults.start(apache.port);
    await using openings = new Openings();
    const destination = await openings.open({ url: apache.url(faults.port), auth: "digest" }, hurried(50));
    await put(destination, SMALL, "acme/first");
    faults.asked.length = 0;
    // "Not now" to the request with the body, for two seconds of ours: the next one comes with a dead nonce.
    const busy = { do: "answer", status: 503, headers: { "retry-after": "100" } } as const;
    await using strike = faults.strike(busy, 1, ({ method }) => method === "PUT");
    const bytes = shared.sample(3_000_000), body = shared.bodyOf(bytes);
    let opened = 0;
    await destination.put(KEY, { ...body, open: () => (opened++, body.open()) }, never);
    assert.equal(strike.times(), 1);
    const puts = faults.asked.filter(({ method }) => method === "PUT");
    const nonces = puts.map(({ headers }) => /nonce="([^"]+)"/.exec(headers.authorization!)![1]);
    assert.equal(nonces.length, 3, "refused as busy, refused as stale, taken");
    assert.notEqual(nonces[1], nonces[2]);
    assert.equal(opened, 3);
    await comesBack(destination, bytes);
  },
});

/** A server that checks every digest as RFC 7616 has it, and calls a nonce stale after `uses` of it. */
function digestServer(algorithm: string, uses: number, qop: string | undefined) {
  const hash = (text: string) =>
    createHash(algorithm.startsWith("SHA-256") ? "sha256" : "md5").update(text).digest("hex");
  let nonce = 0, used = 0;
  const counts = new Set<string>(), stored = new Map<string, string>();
  const challenge = (stale: boolean) => {
    nonce++, used = 0;
    const header = [
      `Basic realm="a, Digest b"`,
      `Digest realm="quoted \\"realm\\"", nonce="n${nonce}", algorithm=${algorithm}, opaque="o=1, x"` +
      (qop === undefined ? "" : `, qop="${qop}"`) + (stale ? ", stale=true" : ""),
    ].join(", ");
    return new Response("who?", { status: 401, headers: { "www-authenticate": header } });
  };
  return {
    counts,
    stored,
    answer({ method, path, headers, body }: shared.Asked): Response {
      const sent = headers.get("authorization") ?? "";
      if (!sent.startsWith("Digest ")) return challenge(false);
      const { parameters: given } = challengesIn(sent)[0]!;
      const of = (name: string) => given.get(name) ?? "";
      assert.deepEqual([of("uri"), of("realm"), of("opaque")], [path, 'quoted "realm"', "o=1, x"]);
      if (of("nonce") !== `n${nonce}` || ++used > uses) return challenge(true);
      let secret = hash(`${USER}:quoted "realm":${PASSWORD}`);
      if (algorithm.endsWith("-sess")) secret = hash(`${secret}:${of("nonce")}:${of("cnonce")}`);
      const middle = qop === undefined ? "" : `${of("nc")}:${of("cnonce")}:auth:`;
      const response = hash(`${secret}:${of("nonce")}:${middle}${hash(`${method}:${path}`)}`);
      if (response !== of("response")) return challenge(false);
      if (qop !== undefined) {
        assert.ok(!counts.has(`${of("nonce")} ${of("nc")}`), "a count came twice");
        counts.add(`${of("nonce")} ${of("nc")}`);
      }
      return serve(stored, { method, path, headers, body });
    },
  };
}

/** As little of a server as a put needs. */
function serve(stored: Map<string, string>, { method, path, headers, body }: shared.Asked): Response {
  const found = stored.get(path);
  if (method === "PUT") return stored.set(path, body), new Response(null, { status: 201 });
  if (method === "MOVE") {
    stored.set(new URL(headers.get("destination")!).pathname, found!);
    return stored.delete(path), new Response(null, { status: 201 });
  }
  if (method !== "PROPFIND") return new Response(found ?? null, { status: found === undefined ? 404 : 200 });
  if (path !== "/dav/") {
    const status = found === undefined ? 404 : 207;
    return new Response(found === undefined ? null : multistatus(response(path, found.length)), { status });
  }
  const within = headers.get("depth") === "1"
    ? [...stored].map(([one, text]) => response(one, text.length))
    : [];
  return new Response(multistatus(response("/dav/"), ...within), { status: 207 });
}

for (const algorithm of ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess"]) {
  for (const qop of ["auth", "auth-int, auth", undefined]) {
    Deno.test(`webdav: a digest by ${algorithm}, qop ${qop ?? "unknown to the server"}`, async () => {
      const digests = digestServer(algorithm, 3, qop);
      await using server = new Answers((asked) => digests.answer(asked));
      await using openings = new Openings();
      const destination = await openings.open({ url: `${server.origin}/dav/` });
      const text = new TextEncoder().encode("some bytes");
      await Promise.all(["a", "b", "c"].map((key) =>
        put(destination, text, key).catch((error) => {
          assert.equal(error.code, "denied", error.message); // three at once with so short a life
        })
      ));
      await put(destination, text, "d");
      assert.equal(digests.stored.get("/dav/d"), "some bytes");
      const wrong = await openings.open({ url: `${server.origin}/dav/` }, undefined, "wrong");
      const before = server.asked.length;
      await fails(wrong.stat("d", never), "denied", /does not accept the credentials/);
      assert.equal(server.asked.length - before, 2, "a wrong password is sent once");
      assert.ok(server.asked.every(({ headers }) => !headers.get("authorization")?.startsWith("Basic")));
    });
  }
}

Deno.test("webdav: a token is sent with every request, and only there", async () => {
  const stored = new Map<string, string>();
  await using server = new Answers((asked) => {
    if (asked.headers.get("authorization") === `Bearer ${TOKEN}`) return serve(stored, asked);
    return new Response(TOKEN, { status: 401, headers: { "www-authenticate": "Bearer" } });
  });
  await using openings = new Openings();
  const settings = { url: `${server.origin}/dav/`, username: undefined, password: undefined };
  const destination = await openings.open({ ...settings, token: "env:TOKEN" });
  await put(destination, new TextEncoder().encode("text"), "a");
  assert.deepEqual([...stored], [["/dav/a", "text"]]);
  assert.ok(server.asked.every(({ headers }) => headers.has("authorization")));
  const nobody = await openings.open({ ...settings, auth: "none" });
  await fails(nobody.stat("a", never), "denied", /sign in by bearer/);
});

Deno.test("webdav: reading without a name, writing only with one", async () => {
  const stored = new Map<string, string>(), kinds: string[] = [];
  await using server = new Answers((asked) => {
    const sent = asked.headers.get("authorization");
    kinds.push(`${asked.method} ${sent?.split(" ")[0]}`);
    if (asked.method === "PROPFIND" || sent) return serve(stored, asked);
    return new Response("who?", { status: 401, headers: { "www-authenticate": 'Basic realm="x"' } });
  });
  await using openings = new Openings();
  const destination = await openings.open({ url: `${server.origin}/dav/` });
  await put(destination, new TextEncoder().encode("all of it"), "a");
  assert.equal(stored.get("/dav/a"), "all of it");
  assert.ok(kinds.includes("PUT undefined") && kinds.includes("PUT Basic"));
});

Deno.test("webdav: challenges are read as they are written", () => {
  const read = (text: string) =>
    challengesIn(text).map((one) => [one.scheme, Object.fromEntries(one.parameters)]);
  assert.deepEqual(read(""), []);
  assert.deepEqual(read("Negotiate, NTLM"), [["negotiate", {}], ["ntlm", {}]]);
  assert.deepEqual(read('Basic realm="a \\"b\\", c", charset=UTF-8, Bearer realm=x'), [
    ["basic", { realm: 'a "b", c', charset: "UTF-8" }],
    ["bearer", { realm: "x" }],
  ]);
});

Deno.test("webdav: the strongest digest that can be answered is, and none that cannot", () => {
  const user = {
    username: "Jürgen",
    password: "pässword",
    random: (length: number) => new Uint8Array(length),
  };
  const of = (text: string) => Digest.from(challengesIn(text), user);
  const md5 = 'Digest realm="r", nonce="1", qop="auth"', sha = `${md5.replace("1", "2")}, algorithm=SHA-256`;
  assert.equal(of(`${md5}, ${sha}`)?.nonce, "2");
  assert.equal(of(`${md5.replace("auth", "auth-int")}, ${md5}, algorithm=SHA-512-256`), undefined);
  assert.match(
    of(md5)!.authorize("GET", "/"),
    /username\*=UTF-8''J%C3%BCrgen, realm="r", nonce="1", uri="\/"/,
  );
});

Deno.test("webdav: the password is not sent where a digest was enough", () => {
  const user = { username: "u", password: "p", random: (length: number) => new Uint8Array(length) };
  const login = new PasswordLogin(user, "auto");
  assert.equal(login.authorize("GET", "/"), undefined);
  assert.ok(login.refused('Digest realm="r", nonce="1", qop="auth"', undefined));
  const sent = login.authorize("GET", "/")!;
  login.accepted(sent);
  assert.equal(login.refused('Basic realm="r"', sent), false);
  assert.ok(login.refused('Digest realm="r", nonce="2", qop="auth"', sent), "old, and not said so");
  assert.equal(login.refused('Digest realm="r", nonce="3", qop="auth"', login.authorize("GET", "/")), false);
});
