/** Resumable sessions that do not go as they should: parts that are not kept, sessions that are lost, answers that mislead. */
import assert from "node:assert/strict";
import { denoWorld } from "../../src/base/deno_world.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { within } from "../../src/destination/conformance/bench.ts";
import { FaultProxy } from "../servers/fault_proxy.ts";
import { Refusal } from "../servers/gcs/answers.ts";
import { type Asked, HttpFaults } from "../servers/http_faults.ts";
import { bodyOf, fails, GcsPlace, KEY, never, sample, UNIT } from "./gcs_bucket.ts";
import { whole } from "../servers/gcs/store.ts";

const MIB = 1024 * 1024;
const BYTES = sample(20 * MIB + 3);

/** Fails unless the one object in the bucket is all of BYTES. */
function isWhole({ server }: GcsPlace) {
  assert.deepEqual([...server.bucket.objects.keys()], [KEY]);
  assert.equal(sha256Hex(server.bucket.objects.get(KEY)!.bytes), sha256Hex(BYTES));
}

const isPart = (method: string, url: URL) => method === "PUT" && url.searchParams.has("upload_id");

Deno.test("a service that keeps less than it was sent gets the rest again", async () => {
  for (const kept of [0, 1, UNIT - 1, UNIT, 5 * MIB + 1, 8 * MIB - 1]) {
    await using place = await GcsPlace.start();
    const destination = await place.open();
    let times = 0;
    place.server.faults.keep = (came) => ++times % 2 === 1 ? Math.min(came, kept) : came;
    await destination.put(KEY, bodyOf(BYTES), never);
    assert.ok(times > 3, `${times} requests with ${kept} kept`);
    isWhole(place);
  }
});

Deno.test("a service that never keeps anything is given up", async () => {
  await using place = await GcsPlace.start();
  const destination = await place.open();
  let times = 0;
  place.server.faults.keep = () => (times++, 0);
  await fails(destination.put(KEY, bodyOf(BYTES), never), "transient", /takes nothing more/);
  assert.ok(times >= 2 && times <= 6, `${times} times`);
  assert.equal(place.server.uploads.sessions.size, 0, "the session was left open");
  assert.equal(place.server.uploads.cancelled.size, 1);
});

Deno.test("after a failure it is asked how much is there, and no more than the rest is sent", async () => {
  await using place = await GcsPlace.start();
  const faulty = await HttpFaults.start(place.server.port);
  {
    await using _ = faulty;
    const destination = await place.open({ endpoint: `http://127.0.0.1:${faulty.port}` });
    // The second part is carried out, and its answer is lost.
    const second = ({ headers }: Asked) => (headers["content-range"] ?? "").startsWith(`bytes ${8 * MIB}-`);
    await using strike = faulty.strike({ do: "lose answer" }, 1, second);
    await destination.put(KEY, bodyOf(BYTES), never);
    assert.equal(strike.times(), 1);
    const ranges = faulty.asked.map(({ headers }) => headers["content-range"]).filter((one) => one);
    assert.deepEqual(ranges, [
      `bytes 0-${8 * MIB - 1}/${BYTES.length}`,
      `bytes ${8 * MIB}-${16 * MIB - 1}/${BYTES.length}`,
      `bytes */${BYTES.length}`,
      `bytes ${16 * MIB}-${BYTES.length - 1}/${BYTES.length}`,
    ]);
    isWhole(place);
    // Where it is known that all is well, nothing is asked twice, and the session is left alone.
    assert.equal(faulty.asked.filter(({ method }) => method === "DELETE").length, 0);
  }
});

Deno.test("the service's own pause is kept", async () => {
  await using place = await GcsPlace.start();
  const faulty = await HttpFaults.start(place.server.port);
  await using _ = faulty;
  const slept: number[] = [];
  const { clock } = denoWorld();
  const watching = {
    ...clock,
    sleep: (ms: number, signal: AbortSignal) => {
      const pause = ms === 500 || ms === 17_000; // not the watchdogs
      if (pause) slept.push(ms);
      return pause ? Promise.resolve() : clock.sleep(ms, signal);
    },
  };
  const destination = await place.open({ endpoint: `http://127.0.0.1:${faulty.port}` }, { clock: watching });
  const busy = { do: "answer", status: 429, headers: { "retry-after": "17" } } as const;
  await using strike = faulty.strike(busy, 1, ({ method }) => method === "PUT");
  await destination.put(KEY, bodyOf(BYTES), never);
  assert.equal(strike.times(), 1);
  assert.deepEqual(slept, [17_000]);
  // One that nobody waits for so long is told at once.
  await using long = faulty.strike(
    { do: "answer", status: 503, headers: { "retry-after": "3600" } },
    Infinity,
    ({ method }) => method === "PUT",
  );
  const error = await fails(destination.put("acme/other", bodyOf(BYTES), never), "transient", /503/);
  assert.equal(error.retryAfter, 3600);
  assert.equal(long.times(), 1);
});

Deno.test("a session that is gone, or has lost what it had confirmed, fails as worth another try", async () => {
  const losses: [RegExp, (place: GcsPlace) => void][] = [
    [/has dropped the upload/, ({ server }) => server.uploads.sessions.clear()],
    [/has lost a part/, ({ server }) => {
      for (const session of server.uploads.sessions.values()) {
        [session.parts, session.size] = [session.parts.slice(0, 1), 8 * MIB];
      }
    }],
  ];
  for (const [sentence, lose] of losses) {
    await using place = await GcsPlace.start();
    const destination = await place.open();
    let parts = 0;
    place.server.instead = (method, url) => {
      if (isPart(method, url) && ++parts === 3) {
        lose(place);
        return new Refusal(503, "backendError", "Please try again.");
      }
      return undefined;
    };
    await fails(destination.put(KEY, bodyOf(BYTES), never), "transient", sentence);
    assert.equal(place.server.bucket.objects.size, 0);
    assert.equal(place.server.uploads.sessions.size, 0);
    place.server.instead = () => undefined;
    await destination.put(KEY, bodyOf(BYTES), never);
    isWhole(place);
  }
});

Deno.test("an upload is sent nowhere else, whatever the service says", async () => {
  await using place = await GcsPlace.start();
  const arrived: string[] = [];
  await using trap = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    arrived.push(request.url);
    return new Response();
  });
  const elsewhere = `http://127.0.0.1:${(trap.addr as Deno.NetAddr).port}`;
  const destination = await place.open();
  place.server.faults.location = (address) => address.replace(place.address, elsewhere);
  const error = await fails(
    destination.put(KEY, bodyOf(BYTES), never),
    "misconfigured",
    /wants the upload sent to "http:\/\/127\.0\.0\.1:\d+", which is not followed/,
  );
  assert.match(error.hint!, /endpoint/);
  assert.deepEqual(arrived, []);
  for (const location of ["", "/upload/storage/v1/b/acme/o", "::"]) {
    place.server.faults.location = () => location;
    await fails(destination.put(KEY, bodyOf(BYTES), never), "transient", /has begun no upload/);
  }
});

Deno.test("an abort ends the session within its time, and nothing of it is published later", async () => {
  await using place = await GcsPlace.start();
  const destination = await place.open();
  const cancel = new AbortController();
  let parts = 0;
  place.server.instead = (method, url) => {
    if (isPart(method, url) && ++parts === 2) cancel.abort();
    return undefined;
  };
  const put = destination.put(KEY, bodyOf(BYTES), cancel.signal);
  await fails(within(put, "the put"), "cancelled", /cancelled/);
  assert.equal(place.asked(/^DELETE .*upload_id=/).length, 1);
  assert.equal(place.server.uploads.sessions.size, 0);
  assert.equal(place.server.bucket.objects.size, 0);
});

Deno.test("an abort does not wait for a service that does not let go of the session", async () => {
  await using place = await GcsPlace.start();
  const destination = await place.open();
  const cancel = new AbortController();
  let parts = 0, asked = false;
  place.server.instead = (method, url) => {
    if (isPart(method, url) && ++parts === 2) cancel.abort();
    if (method !== "DELETE") return;
    asked = true;
    return new Promise(() => {});
  };
  const put = destination.put(KEY, bodyOf(BYTES), cancel.signal);
  await fails(within(put, "the put"), "cancelled", /cancelled/);
  assert.ok(asked);
});

Deno.test("no id of a session is in an error, even where the service says it", async () => {
  await using place = await GcsPlace.start();
  const destination = await place.open();
  for (const status of [400, 403, 500, 503]) {
    place.server.instead = (method, url) =>
      isPart(method, url)
        ? new Refusal(status, "odd", `The upload ${url.searchParams.get("upload_id")} at ${url.href} is odd.`)
        : undefined;
    const error = await destination.put(KEY, bodyOf(BYTES), never).then(
      () => assert.fail(),
      (error) => error,
    );
    const [id] = [...place.server.uploads.sessions.keys(), ...place.server.uploads.cancelled];
    assert.ok(id !== undefined && !`${error.message} ${error.hint}`.includes(id), error.message);
    assert.match(error.message, /odd/);
  }
});

Deno.test("a token that dies during an upload is replaced, once", async () => {
  await using place = await GcsPlace.start();
  const destination = await place.open();
  let parts = 0;
  place.server.instead = (method, url) => {
    if (!isPart(method, url) || ++parts !== 2) return undefined;
    place.server.identity.tokens.clear();
    return new Refusal(401, "authError", "Invalid Credentials");
  };
  await destination.put(KEY, bodyOf(BYTES), never);
  isWhole(place);
  assert.equal(place.server.identity.issued.length, 2);
  // One that the service refuses although it is new is not tried again and again.
  place.server.instead = (_, url) =>
    url.pathname === "/token" ? undefined : new Refusal(401, "authError", "Invalid Credentials");
  await fails(destination.stat(KEY, never), "denied", /does not accept the credentials/);
  assert.equal(place.server.identity.issued.length, 3);
});

Deno.test("an object that is replaced while it is read is never mixed with the other", async () => {
  await using place = await GcsPlace.start();
  await using proxy = await FaultProxy.start(place.server.port);
  const { server } = place, other = sample(BYTES.length, 2);
  const replace = () => {
    server.bucket.objects.delete(KEY);
    server.bucket.store(KEY, whole(other), {}, new URLSearchParams());
  };
  const plain = await place.open();
  await plain.put(KEY, bodyOf(BYTES), never);
  const isMedia = (url: URL) => url.searchParams.get("alt") === "media";

  // Between the look and the bytes, of which none was given out yet: all of the other is as good.
  let reads = 0;
  server.instead = (_, url) => void (isMedia(url) && ++reads === 1 && replace());
  const got = await new Response(await plain.get(KEY, undefined, never)).arrayBuffer();
  assert.equal(sha256Hex(new Uint8Array(got)), sha256Hex(other));
  for (const asked of place.asked("alt=media")) assert.match(asked, /generation=\d+/);

  // Between two connections, when some were.
  [server.instead, reads] = [(_, url) => void (isMedia(url) && ++reads === 1 && setTimeout(replace, 50)), 0];
  await using strike = proxy.strike({ kind: "cut", how: "rst", way: "down", after: 5 * MIB, connections: 1 });
  const destination = await place.open({ endpoint: `http://127.0.0.1:${proxy.port}` });
  const stream = await destination.get(KEY, undefined, never);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await fails(new Response(stream).arrayBuffer(), "corrupt", /was changed while it was read/);
  assert.equal(strike.times(), 1);
});
