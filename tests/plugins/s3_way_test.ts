/** The way to the bucket: addresses, authorities, proxies, patience. And what the config may say. */
import assert from "node:assert/strict";
import { s3Settings } from "../../plugins/destinations/s3/settings.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { bodyOf, keysOf, never, sample } from "../../src/destination/conformance/bench.ts";
import { hurried } from "../../src/destination/conformance/clock.ts";
import { makeCertificates } from "../binary/certificates.ts";
import { FaultProxy } from "../servers/fault_proxy.ts";
import { freePort } from "../servers/child.ts";
import type { Fault } from "../servers/s3/faults.ts";
import { fails, KEY, LARGE, Place, put, SMALL } from "./s3_place.ts";

Deno.test("s3: an authority of one's own is trusted where it is named, and nowhere else", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vaultferry-s3-" });
  try {
    const { authority, server } = await makeCertificates(folder, "s3.test");
    await using place = await Place.start({ tls: server });
    const destination = await place.open({ ca: authority });
    await put(destination, LARGE);
    place.holds(LARGE);
    await fails(put(await place.open()), "misconfigured", /vouches for/);
    place.server.operations();
    await fails(
      put(await place.open({ endpoint: place.server.url.replace("127.0.0.1", "localhost"), ca: authority })),
      "misconfigured",
      /another name|nobody trusted/,
    );
    assert.deepEqual(place.server.operations(), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("s3: through a proxy, with the bucket's name in the host or in the path", async () => {
  await using place = await Place.start({ domain: "s3.test" });
  const proxy = place.server.url;
  for (const pathStyle of [false, true]) {
    const destination = await place.open({ endpoint: "http://s3.test", proxy, pathStyle });
    await put(destination, SMALL, `${pathStyle}`);
    place.holds(SMALL, `backups/${pathStyle}`);
    const hosts = new Set(place.server.asked.splice(0).map(({ headers }) => headers["host"]));
    assert.deepEqual([...hosts], [pathStyle ? "s3.test" : "plain.s3.test"]);
  }
  // Amazon's own addresses are the library's to know.
  const own = await place.open({
    endpoint: undefined,
    region: "eu-central-1",
    proxy: `http://127.0.0.1:${freePort()}`,
  });
  await fails(keysOf(own, ""), "transient");
});

Deno.test("s3: an endpoint with a path is kept", async () => {
  await using place = await Place.start();
  const destination = await place.open({ endpoint: `${place.server.url}/plain/`, bucket: "deep-er" });
  await put(destination).catch(() => {});
  // The server sees "plain" as the bucket, and "deep-er/…" as the key.
  assert.ok(place.server.asked.every(({ key }) => key.startsWith("deep-er")));
});

Deno.test("s3: silence lasts as long as the config says", async () => {
  await using place = await Place.start();
  await using way = await FaultProxy.start(place.server.port);
  await using strike = way.strike({ kind: "stall", way: "down", after: 0 });
  const endpoint = `http://127.0.0.1:${way.port}`;
  const destination = await place.open({ endpoint, timeout: "7s" });
  await fails(destination.stat(KEY, never), "transient", /nothing moved for 7 seconds/);
  assert.ok(strike.times() > 0);
});

Deno.test("s3: an upload may take its time, as its bytes are not seen to leave", async () => {
  await using place = await Place.start();
  // Answered late: 8 MiB at 32 KiB/s may take 256 s besides the silence.
  await using _ = place.server.faults.strike("PutObject", { do: "wait", ms: 1500 });
  const destination = await place.open({ timeout: "1s" }, hurried(100));
  const bytes = sample(8 * 1024 * 1024);
  await destination.put(KEY, bodyOf(bytes), never);
  place.holds(bytes);
});

Deno.test("s3: connections that end between requests do no harm", async () => {
  await using place = await Place.start();
  const closing: Fault = {
    do: "alter",
    alter: (answer) => ({ ...answer, headers: { ...answer.headers, connection: "close" } }),
  };
  await using _ = place.server.faults.strike(["HeadObject", "ListObjectsV2"], closing);
  const destination = await place.open({}, denoWorld().clock);
  for (let at = 0; at < 5; at++) {
    await put(destination, SMALL, `${at}`);
    await keysOf(destination, "");
  }
  assert.equal(place.bucket().keys("").length, 5);
});

Deno.test("s3: settings that make no sense are refused with the reason", () => {
  const good = { bucket: "acme", accessKeyId: "AKIA", secretAccessKey: "file:/etc/key" };
  assert.equal(s3Settings.parse(good).prefix, "");
  assert.equal(s3Settings.parse({ ...good, endpoint: "https://s3.test/" }).endpoint, "https://s3.test");
  const bad: [Record<string, unknown>, RegExp][] = [
    [{ bucket: "s3://acme" }, /name alone/],
    [{ bucket: "a/b" }, /name alone/],
    [{ region: "EU" }, /region/],
    [{ endpoint: "s3.test" }, /address/],
    [{ endpoint: "ftp://s3.test" }, /address/],
    [{ endpoint: "https://s3.test/?x=1" }, /address/],
    [{ endpoint: "https://me:secret@s3.test" }, /no credentials/],
    [{ prefix: "no-slash" }, /end with a slash/],
    [{ prefix: "../" }, /folder names/],
    [{ prefix: "/" }, /folder names/],
    [{ secretAccessKey: undefined }, /belongs to accessKeyId/],
    [{ accessKeyId: undefined }, /belongs to secretAccessKey/],
    [{ accessKeyId: undefined, secretAccessKey: undefined, sessionToken: "env:X" }, /without an accessKeyId/],
    [{ profile: "x" }, /besides an accessKeyId/],
    [{ secretAccessKey: "plainly-in-the-config" }, /reference/],
    [{ timeout: "0s" }, /duration/],
    [{ access: "none" }, /create-only/],
    [{ nonsense: 1 }, /nonsense/],
  ];
  for (const [change, why] of bad) {
    const { error } = s3Settings.safeParse({ ...good, ...change });
    assert.match(error?.message ?? assert.fail(JSON.stringify(change)), why);
  }
  // As the config puts it together with what every destination has.
  const extended = s3Settings.safeExtend({ type: s3Settings.shape.bucket }).strict();
  assert.ok(!extended.safeParse({ ...good, type: "s3-type", profile: "x" }).success);
});
