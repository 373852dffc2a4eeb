/** What a put does at servers that keep promises badly, and what it never does. */
import assert from "node:assert/strict";
import { partialName } from "../../src/destination/keys.ts";
import { HttpFaults } from "../servers/http_faults.ts";
import { Apache } from "../servers/webdav/apache.ts";
import { CarelessServer } from "../servers/webdav/careless.ts";
import * as shared from "./webdav_place.ts";

const { Answers, bodyOf, comesBack, fails, keysOf, KEY, never, NO_APACHE, Openings } = shared;
const { PASSWORD, put, sample, SMALL, USER } = shared;

/** A careless server, the way to it, and an opening of its folder. */
async function careless() {
  const server = CarelessServer.start(USER, PASSWORD);
  const faults = await HttpFaults.start(server.port);
  const openings = new Openings();
  const destination = await openings.open({ url: `http://127.0.0.1:${faults.port}${server.path}` });
  return {
    ...{ server, faults, destination },
    methods: () => faults.asked.splice(0).map(({ method }) => method),
    async [Symbol.asyncDispose]() {
      await openings[Symbol.asyncDispose]();
      await faults[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const HIDDEN = `/dav/acme/${partialName("archive.age", new Uint8Array(8))}`;

Deno.test("webdav: a server that replaces whatever it is told is never told to", async () => {
  await using place = await careless();
  const { server, destination, faults } = place;
  // Somebody is faster, after we have looked and while our body is on its way.
  await put(destination, SMALL, "acme/other");
  const theirs = sample(5000, 7);
  const body = bodyOf(SMALL), pull = body.open;
  const late = {
    ...body,
    open: () => (server.entries.set(`/dav/${KEY}`, theirs), pull()),
  };
  faults.asked.length = 0;
  await fails(destination.put(KEY, late, never), "already-exists", /exists already with other content/);
  assert.ok(!place.methods().includes("MOVE"));
  assert.equal(server.entries.get(`/dav/${KEY}`), theirs);
  assert.deepEqual((await keysOf(destination, "")).sort(), [KEY, "acme/other"]);
  assert.equal([...server.entries.keys()].filter((one) => one.includes(".partial")).length, 0);
});

Deno.test("webdav: who finds somebody else's hidden file gives way, unless it is dead", async () => {
  await using place = await careless();
  const { server, destination } = place;
  await put(destination, SMALL, "acme/other");
  server.entries.set(HIDDEN, new Uint8Array(10));
  await fails(put(destination), "transient", /somebody else is about to store/);
  assert.ok(!server.entries.has(`/dav/${KEY}`));
  await destination.discard("acme/archive", never); // another key's
  assert.ok(server.entries.has(HIDDEN));
  await destination.discard(KEY, never);
  assert.ok(!server.entries.has(HIDDEN));
  await put(destination);
  await comesBack(destination);
});

Deno.test({
  name: "webdav: a hidden file that nobody has written to for long is dead, by the server's own clock",
  ignore: NO_APACHE !== undefined,
  async fn() {
    await using apache = await Apache.start();
    await using openings = new Openings();
    const destination = await openings.open({ url: apache.url() });
    const hidden = HIDDEN.replace("/dav/", "");
    await apache.plant(hidden);
    await fails(put(destination), "transient", /somebody else is about to store/);
    const long = (Date.now() - 11 * 60_000) / 1000;
    await Deno.utime(`${apache.folder}/${hidden}`, long, long);
    await put(destination);
    await comesBack(destination);
    assert.ok((await Deno.stat(`${apache.folder}/${hidden}`)).isFile, "that is for discard");
    await destination.discard(KEY, never);
    await assert.rejects(Deno.stat(`${apache.folder}/${hidden}`), Deno.errors.NotFound);
    await comesBack(destination);
  },
});

Deno.test("webdav: a folder in the place of a file, and a file in the place of a folder", async () => {
  await using place = await careless();
  const { server, destination } = place;
  server.entries.set("/dav/acme", "folder").set(`/dav/${KEY}`, "folder").set(
    `/dav/${KEY}/precious`,
    sample(3),
  );
  server.entries.set("/dav/file", sample(3));
  await fails(put(destination), "already-exists", /is a folder/);
  await fails(destination.stat(KEY, never), "corrupt", /is a folder, and no file of ours/);
  await fails(destination.get(KEY, undefined, never), "corrupt", /is a folder/);
  await fails(destination.remove(KEY, never), "corrupt", /is a folder/);
  assert.ok(!place.methods().some((method) => /DELETE|PUT|MOVE|GET/.test(method)));
  assert.ok(server.entries.has(`/dav/${KEY}/precious`));
  await fails(
    put(destination, SMALL, "file/below"),
    "misconfigured",
    /"file" is a file, so nothing can be stored/,
  );
  assert.deepEqual(await keysOf(destination, "file/"), []);
  await destination.remove("file/below", never);
});

Deno.test({
  name:
    "webdav: the same at Apache, which leads to folders by a slash and calls a slash after a file a mistake",
  ignore: NO_APACHE !== undefined,
  async fn() {
    await using apache = await Apache.start();
    await using openings = new Openings();
    const destination = await openings.open({ url: apache.url().replace(/\/$/, "") });
    await apache.plant(`${KEY}/precious`);
    await apache.plant("file");
    await fails(put(destination), "already-exists", /is a folder/);
    await fails(destination.remove(KEY, never), "corrupt", /is a folder/);
    assert.equal(await Deno.readTextFile(`${apache.folder}/${KEY}/precious`), "planted");
    for (const below of ["file/below", "file/far/below"]) {
      await fails(destination.stat(below, never), "not-found", /there is no/);
      await fails(put(destination, SMALL, below), "misconfigured", /"file" is a file, so nothing/);
      await destination.discard(below, never);
    }
    assert.equal(await Deno.readTextFile(`${apache.folder}/file`), "planted");
    // The folder itself: absent, a file, not served as WebDAV, and another spelling of it.
    const base = apache.url().replace("my%20backups/", "");
    const at = async (url: string) => keysOf(await openings.open({ url }), "");
    await fails(at(`${base}absent/`), "misconfigured", /absent\/" does not exist/, /make it/);
    await fails(at(`${apache.url()}file/`), "misconfigured", /file\/" is a file/);
    await fails(at(base.replace("/dav/", "/run/")), "misconfigured", /does not speak WebDAV|not followed/);
    assert.deepEqual((await at(apache.url().replace("my%20backups", "m%79%20backups"))).sort(), [
      "acme/archive.age/precious",
      "file",
    ]);
  },
});

Deno.test("webdav: a server behind a proxy is told where to by the name that it knows", async () => {
  for (const knows of [/^\/dav\//, /^http:\/\/[^/]+\/dav\//]) {
    await using place = await careless();
    const asked: string[] = [];
    await using front = new Answers(async ({ method, path, headers: sent, body }) => {
      const headers = new Headers(sent), to = headers.get("destination");
      if (to !== null) asked.push(to);
      if (to !== null && !knows.test(to)) return new Response(null, { status: 502 });
      headers.delete("host");
      const target = `http://127.0.0.1:${place.faults.port}${path}`;
      const answer = await fetch(target, { method, headers, ...(body === "" ? {} : { body }) });
      const text = await answer.text();
      const asks = answer.headers.get("www-authenticate");
      return new Response(text === "" ? null : text, {
        status: answer.status,
        headers: asks === null ? {} : { "www-authenticate": asks },
      });
    });
    await using openings = new Openings();
    const destination = await openings.open({ url: `${front.origin}/dav/` });
    await put(destination, new TextEncoder().encode("text"), "a");
    assert.ok(asked.length >= 1 && knows.test(asked.at(-1)!), asked.join());
    assert.equal((await destination.stat("a", never)).size, 4);
  }
});

Deno.test("webdav: what a move does not say is found out", async () => {
  await using place = await careless();
  const { server, destination, faults } = place;
  const moves = ({ method }: { method: string }) => method === "MOVE";
  for (
    const [status, code, sentence] of [
      [403, "denied", /do not allow/],
      [409, "transient", /cannot do it now/],
      [412, "transient", /a moment ago and is gone/],
      [423, "transient", /cannot do it now \(423/],
      [507, "quota", /no space left/],
      [200, "corrupt", /stored and is not there/],
      [201, "corrupt", /stored and is not there/],
    ] as const
  ) {
    await using _ = faults.strike({ do: "answer", status }, Infinity, moves);
    await fails(put(destination), code, sentence);
    assert.ok(![...server.entries.keys()].some((one) => one.includes("archive")), `left after ${status}`);
  }
  const inside = shared.multistatus(
    `<D:response><D:href>/dav/x</D:href><D:status>HTTP/1.1 423 Locked</D:status></D:response>`,
  );
  await using _ = faults.strike({ do: "answer", status: 207, body: inside }, Infinity, moves);
  await fails(put(destination), "transient", /423/);
});

Deno.test("webdav: an upload that is not confirmed as such is none", async () => {
  await using place = await careless();
  const { server, destination, faults } = place;
  const puts = ({ method }: { method: string }) => method === "PUT";
  for (
    const [status, code, sentence] of [
      [202, "misconfigured", /cannot do this/],
      [403, "denied", /do not allow/],
      [413, "quota", /takes no file as large/],
      [404, "transient", /has vanished/],
      [423, "transient", /423/],
    ] as const
  ) {
    await using _ = faults.strike({ do: "answer", status }, Infinity, puts);
    await fails(put(destination), code, sentence);
  }
  await using _ = faults.strike({ do: "answer", status: 201 }, Infinity, puts);
  await fails(put(destination), "transient", /took away the unfinished/);
  assert.ok(![...server.entries.keys()].some((one) => one.includes("archive")));
});

Deno.test("webdav: the hidden file of an aborted put is removed while that can be done, else by discard", async () => {
  await using place = await careless();
  const { server, destination, faults } = place;
  await put(destination, SMALL, "acme/other");
  const hidden = () => [...server.entries.keys()].filter((one) => one.includes("archive"));
  let removed = 0;
  // On a busy machine the second that an abort leaves may be too short for a request.
  for (let times = 0; times < 5 && removed === 0; times++) {
    const cancel = new AbortController(), sent = Promise.withResolvers<void>();
    const body = bodyOf(sample(3_000_000), 2_000_000, () => (sent.resolve(), new Promise(() => {})));
    const putting = destination.put(KEY, body, cancel.signal);
    putting.catch(() => {});
    await sent.promise;
    while (hidden().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    cancel.abort();
    await fails(putting, "cancelled", /cancelled/);
    removed = faults.asked.filter(({ method }) => method === "DELETE").length;
    if (removed > 0) assert.deepEqual(hidden(), []);
    await destination.discard(KEY, never);
    assert.deepEqual(hidden(), []);
  }
  assert.ok(removed > 0, "nobody ever tried to remove it");
});

Deno.test("webdav: nothing can be asked for that the service does not have", async () => {
  await using place = await careless();
  const { destination } = place;
  assert.deepEqual(destination.can, {
    read: true,
    list: true,
    remove: true,
    createOnly: false,
    immutableUntil: false,
    checksums: [],
  });
  const until = { immutableUntil: new Date(Date.now() + 1000) };
  await fails(destination.put(KEY, bodyOf(SMALL), never, until), "unsupported", /cannot lock/);
  assert.deepEqual(place.methods(), []);
});
