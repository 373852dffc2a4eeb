/** What is peculiar to Google Cloud Storage: its settings, what others see of our objects, locks, credentials that only create. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { auth, storage_v1 } from "@googleapis/storage";
import { gcs } from "../../plugins/destinations/gcs/mod.ts";
import { Crc32c } from "../../plugins/destinations/gcs/crc32c.ts";
import { keysOf } from "../../src/destination/conformance/bench.ts";
import type { Destination } from "../../src/destination/contract.ts";
import { Sums } from "../servers/gcs/checksum.ts";
import { Refusal } from "../servers/gcs/answers.ts";
import { EVERYTHING } from "../servers/gcs/identity.ts";
import { bodyOf, fails, GcsPlace, KEY, never, sample } from "./gcs_bucket.ts";

Deno.test("config: what is taken, and what is refused with a sentence", () => {
  const good = [
    {},
    { prefix: "backups/acme/" },
    { keyFile: "/etc/vaultferry/gcs.json" },
    { keyFile: "C:\\vaultferry\\gcs.json" },
    { keyFile: "credential:gcs" },
    { keyFile: { command: ["pass", "gcs"] } },
    { endpoint: "https://storage-acme.p.googleapis.com/" },
    { endpoint: "http://127.0.0.1:9000" },
    { endpoint: "http://localhost:9000" },
    { timeout: "90s", access: "create-only" },
    { ca: "/etc/ssl/acme.pem", proxy: "http://proxy:3128" },
  ];
  for (const one of good) {
    const parsed = gcs.config.safeParse({ bucket: "acme", ...one });
    assert.ok(parsed.success, `${JSON.stringify(one)}: ${parsed.error}`);
  }
  const bad: [Record<string, unknown>, RegExp][] = [
    [{ bucket: "gs://acme" }, /without gs:/],
    [{ bucket: "Acme" }, /bucket's name/],
    [{ bucket: "acme/x" }, /bucket's name/],
    [{ bucket: "acme?x=y" }, /bucket's name/],
    [{ prefix: "backups" }, /end with a slash/],
    [{ prefix: "/backups/" }, /end with a slash/],
    [{ prefix: "../" }, /end with a slash/],
    [{ prefix: "a b/" }, /end with a slash/],
    [{ keyFile: "gcs.json" }, /keyFile/],
    [{ endpoint: "http://storage.example" }, /must begin with https/],
    [{ endpoint: "http://127.0.0.1.example.com" }, /must begin with https/],
    [{ endpoint: "https://user:word@storage.example" }, /no credentials/],
    [{ endpoint: "storage.example" }, /must be an address/],
    [{ timeout: "2h" }, /90s or 5m/],
    [{ access: "readonly" }, /access/],
    [{ projectId: "acme" }, /projectId/],
  ];
  for (const [one, sentence] of bad) {
    const parsed = gcs.config.safeParse({ bucket: "acme", ...one });
    assert.ok(!parsed.success, JSON.stringify(one));
    assert.match(parsed.error.message, sentence, JSON.stringify(one));
  }
});

Deno.test("CRC-32C: the known sums, in pieces of any length, and as another implementation has it", () => {
  const sum = (...pieces: Uint8Array[]) => {
    const crc = new Crc32c();
    for (const piece of pieces) crc.update(piece);
    return crc.base64();
  };
  const text = (value: string) => new TextEncoder().encode(value);
  // RFC 3720 B.4, and the check value of the catalogue of CRCs.
  assert.equal(Buffer.from(sum(new Uint8Array(32)), "base64").readUInt32BE(), 0x8a9136aa);
  assert.equal(Buffer.from(sum(new Uint8Array(32).fill(255)), "base64").readUInt32BE(), 0x62a8ab43);
  assert.equal(Buffer.from(sum(text("123456789")), "base64").readUInt32BE(), 0xe3069283);
  assert.equal(sum(), "AAAAAA==");
  const bytes = sample(10_007);
  for (const at of [0, 1, 7, 8, 9, 5000, 10_006]) {
    assert.equal(sum(bytes.subarray(0, at), bytes.subarray(at)), Sums.of(bytes).crc32c);
  }
});

Deno.test("a client of Google's own sees our objects as they are, and we see its", async () => {
  await using place = await GcsPlace.start();
  const destination = await place.open({ prefix: "x/" });
  const client = new auth.OAuth2();
  client.setCredentials({ access_token: place.server.identity.issue("test"), expiry_date: Date.now() + 9e6 });
  const rootUrl = `${place.address}/`;
  const api = new storage_v1.Storage({ auth: client, rootUrl });
  for (const size of [0, 1, 8 * 1024 * 1024 + 1]) {
    const bytes = sample(size);
    await destination.put(KEY, bodyOf(bytes), never);
    const { data: object } = await api.objects.get({ bucket: "acme", object: `x/${KEY}` });
    assert.equal(object.size, String(size));
    assert.equal(object.crc32c, Sums.of(bytes).crc32c);
    assert.equal(object.contentType, "application/octet-stream");
    const asked = { bucket: "acme", object: `x/${KEY}`, alt: "media" };
    const { data } = await api.objects.get(asked, { responseType: "arraybuffer" });
    assert.ok(Buffer.from(bytes).equals(Buffer.from(data as ArrayBuffer)));
    await destination.remove(KEY, never);
    await assert.rejects(api.objects.get({ bucket: "acme", object: `x/${KEY}` }), /No such object/);
  }
  const media = { mimeType: "text/plain", body: "from elsewhere" };
  await api.objects.insert({ bucket: "acme", name: "x/other/one", media }, { rootUrl });
  await api.objects.insert({ bucket: "acme", name: "xx/other/two", media }, { rootUrl });
  assert.deepEqual(await keysOf(destination, ""), ["other/one"]);
  assert.equal((await destination.stat("other/one", never)).size, 14);
  const got = await destination.get("other/one", { start: 5 }, never);
  assert.equal(await new Response(got).text(), "elsewhere");
});

Deno.test("the sum of the body goes with its last part, and the condition with the first request", async () => {
  await using place = await GcsPlace.start();
  const destination = await place.open();
  let parts = 0;
  place.server.faults.received = (bytes) =>
    parts++ === 0 ? bytes.map((byte, at) => at === 5 ? byte ^ 1 : byte) : bytes;
  const damaged = destination.put(KEY, bodyOf(sample(9 * 1024 * 1024)), never);
  await fails(damaged, "corrupt", /did not arrive as it was sent/);
  assert.equal(parts, 2);
  assert.equal(place.server.bucket.objects.size, 0);
  await destination.put(KEY, bodyOf(sample(9 * 1024 * 1024)), never);
  const [begun] = place.asked("uploadType=resumable&name=");
  assert.match(begun!, /^POST .*[?&]ifGenerationMatch=0(&|$)/);
  assert.deepEqual(destination.can.checksums, ["crc32c"]);
});

Deno.test("what was stored and is not what was sent is removed again", async () => {
  const lies: [string, (object: Record<string, unknown>) => unknown, RegExp, number][] = [
    ["another length", (object) => ({ ...object, size: "7" }), /holds 7 bytes instead of 1000/, 0],
    ["another sum", (object) => ({ ...object, crc32c: "AAAAAA==" }), /another CRC32C/, 0],
    ["no sum", ({ crc32c: _, ...object }) => object, /another CRC32C/, 0],
    // What has another name is not ours to remove.
    ["another name", (object) => ({ ...object, name: "other" }), /under another name/, 1],
  ];
  for (const [what, shown, sentence, left] of lies) {
    await using place = await GcsPlace.start();
    const destination = await place.open();
    place.server.faults.shown = shown;
    await fails(destination.put(KEY, bodyOf(sample(1000)), never), "corrupt", sentence);
    assert.equal(place.server.bucket.objects.size, left, what);
  }
});

Deno.test("credentials that may only create are enough where nothing else is asked for", async () => {
  await using place = await GcsPlace.start();
  const keyFile = place.keyFile(["storage.objects.create"]);
  const destination = await place.open({ keyFile, access: "create-only" });
  const { read, list, remove, createOnly } = destination.can;
  assert.deepEqual({ read, list, remove, createOnly }, {
    read: false,
    list: false,
    remove: false,
    createOnly: true,
  });
  const before = place.server.asked.length;
  await destination.put(KEY, bodyOf(sample(9 * 1024 * 1024)), never);
  const kinds = place.server.asked.slice(before).map((one) => one.replace(/ .*/, ""));
  assert.deepEqual(
    kinds,
    ["POST", "POST", "PUT", "PUT"],
    "a token, a session and two parts are all it takes",
  );
  assert.equal(place.server.bucket.objects.get(KEY)!.bytes.length, 9 * 1024 * 1024);

  const only = /may only create/;
  await fails(destination.stat(KEY, never), "unsupported", only);
  await fails(destination.get(KEY, undefined, never), "unsupported", only);
  await fails(destination.remove(KEY, never), "unsupported", only);
  await fails(keysOf(destination, ""), "unsupported", only);
  await fails(destination.put(KEY, bodyOf(sample(10)), never), "already-exists", /exists already/);
  // Google may also say it in another way.
  place.server.instead = (method, { pathname }) =>
    method === "POST" && pathname.startsWith("/upload/")
      ? new Refusal(
        403,
        "forbidden",
        "backup@acme does not have storage.objects.delete access to the object.",
      )
      : undefined;
  await fails(destination.put(KEY, bodyOf(sample(10)), never), "already-exists", /exists already/);
  assert.equal(place.server.bucket.objects.get(KEY)!.bytes.length, 9 * 1024 * 1024);
});

Deno.test("credentials that may create, where full access was said: denied, and nothing is stored", async () => {
  await using place = await GcsPlace.start();
  const destination = await place.open({ keyFile: place.keyFile(["storage.objects.create"]) });
  const error = await fails(
    destination.put(KEY, bodyOf(sample(10)), never),
    "denied",
    /storage\.objects\.get access/,
  );
  assert.match(error.hint!, /credentials/);
  await fails(keysOf(destination, ""), "denied", /storage\.objects\.list/);
  assert.equal(place.server.bucket.objects.size, 0);
});

Deno.test("a lock: refused before anything is sent, else held against everybody", async () => {
  await using place = await GcsPlace.start();
  const { server } = place;
  const immutableUntil = new Date(Date.now() + 30 * 86_400_000);
  const lock = (destination: Destination, key = KEY) =>
    destination.put(key, bodyOf(sample(10)), never, { immutableUntil });
  const error = await fails(lock(await place.open()), "unsupported", /cannot lock single objects/);
  assert.match(error.hint!, /enable-per-object-retention/);
  assert.deepEqual(place.asked("/upload/"), []);

  // Who may not look at the bucket is told by the service.
  const may = EVERYTHING.filter((one) => one !== "storage.buckets.get");
  const blind = await place.open({ keyFile: place.keyFile(may) });
  await fails(lock(blind), "unsupported", /cannot lock single objects/);
  assert.equal(server.uploads.sessions.size, 0);

  // A service that takes no notice of it is no better.
  server.bucket.objectRetention = true;
  server.faults.shown = ({ retention: _, ...object }) => object;
  await fails(lock(await place.open()), "unsupported", /cannot lock single objects/);
  delete server.faults.shown;
  server.bucket.objects.clear();

  const destination = await place.open();
  await lock(destination);
  const { retention } = server.bucket.objects.get(KEY)!.metadata;
  assert.equal(retention?.mode, "Locked");
  assert.equal(Date.parse(retention!.retainUntilTime), immutableUntil.getTime());
  await fails(destination.remove(KEY, never), "denied", /is locked against removal until 20\d\d-/);
  assert.equal((await destination.stat(KEY, never)).size, 10);
  await lock(destination);
  await destination.put("acme/free", bodyOf(sample(10)), never);
  assert.equal(server.bucket.objects.get("acme/free")!.metadata.retention, undefined);
});

Deno.test("an object under a hold is denied, not gone", async () => {
  await using place = await GcsPlace.start();
  const destination = await place.open();
  await destination.put(KEY, bodyOf(sample(10)), never);
  place.server.bucket.objects.get(KEY)!.metadata.temporaryHold = true;
  await fails(destination.remove(KEY, never), "denied", /is locked against removal/);
});
