/** What the S3 destination sends, and what it makes of the answers. */
import assert from "node:assert/strict";
import { partSize } from "../../plugins/destinations/s3/upload.ts";
import { sha256 } from "../../src/base/hash.ts";
import { bodyOf, never, sample } from "../../src/destination/conformance/bench.ts";
import type { Fault } from "../servers/s3/faults.ts";
import { S3Refusal } from "../servers/s3/refusal.ts";
import { errorDocument } from "../servers/s3/xml.ts";
import { fails, KEY, LARGE, MIB, NAME, Place, put, SMALL } from "./s3_place.ts";

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const refuse = (status: number, code: string, message = "Said so."): Fault => ({
  do: "refuse",
  with: new S3Refusal(status, code, message),
});

Deno.test("s3: a short body is one conditional request with its checksum", async () => {
  await using place = await Place.start();
  await put(await place.open());
  place.holds(SMALL);
  const sent = place.server.asked.find(({ operation }) => operation === "PutObject") ?? assert.fail();
  assert.equal(sent.headers["if-none-match"], "*");
  assert.equal(sent.headers["x-amz-checksum-sha256"], base64(sha256(SMALL)));
  assert.equal(sent.headers["x-amz-content-sha256"], Buffer.from(sha256(SMALL)).toString("hex"));
  // What other services of this kind refuse, or do not answer.
  for (
    const name of ["expect", "x-amz-sdk-checksum-algorithm", "x-amz-checksum-crc32", "transfer-encoding"]
  ) {
    assert.equal(sent.headers[name], undefined, name);
  }
  assert.deepEqual(place.server.operations(), ["HeadObject", "ListObjectsV2", "PutObject", "HeadObject"]);
});

Deno.test("s3: a long body goes in checked parts, published by one conditional request", async () => {
  await using place = await Place.start();
  await put(await place.open(), LARGE);
  place.holds(LARGE);
  const parts = place.server.asked.filter(({ operation }) => operation === "UploadPart");
  const expected = [0, 1, 2].map((at) => base64(sha256(LARGE.subarray(at * 8 * MIB, (at + 1) * 8 * MIB))));
  assert.deepEqual(parts.map(({ headers }) => headers["x-amz-checksum-sha256"]).sort(), expected.sort());
  const complete = place.server.asked.filter(({ operation }) => operation === "CompleteMultipartUpload");
  assert.deepEqual(complete.map(({ headers }) => headers["if-none-match"]), ["*"]);
  assert.match(place.bucket().current(NAME)?.checksum?.value ?? "", /-3$/);
  assert.equal(place.bucket().uploads.size, 0);
});

Deno.test("s3: parts grow so that 10,000 of them suffice", () => {
  assert.equal(partSize(0), 8 * MIB);
  assert.equal(partSize(10_000 * 8 * MIB), 8 * MIB);
  assert.equal(partSize(10_000 * 8 * MIB + 1), 9 * MIB);
  for (const size of [1e11, 1e12, 5e12 - 1]) assert.ok(Math.ceil(size / partSize(size)) <= 10_000, `${size}`);
});

Deno.test("s3: no more than three parts are on their way at once", async () => {
  await using place = await Place.start();
  await using _ = place.server.faults.strike("UploadPart", { do: "wait", ms: 150 });
  const bytes = sample(48 * MIB);
  let opened = 0, most = 0;
  const body = bodyOf(bytes);
  const counted = {
    ...body,
    open: () =>
      body.open().pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform(part, controller) {
            opened += part.length;
            const arrived = place.server.asked.filter(({ operation }) => operation === "UploadPart").length;
            most = Math.max(most, opened - arrived * 8 * MIB);
            controller.enqueue(part);
          },
        }),
      ),
  };
  await (await place.open()).put(KEY, counted, never);
  // Those on their way that have not arrived, the one that is being filled, and what streams hold.
  assert.ok(most <= 4 * 8 * MIB + MIB, `${most} bytes were read ahead`);
  place.holds(bytes);
});

Deno.test("s3: a part that is refused ends the upload, and nothing of it is left", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  await using strike = place.server.faults.strike(
    "UploadPart",
    refuse(403, "AccessDenied", "Access Denied"),
    1,
    ({ query }) => query.get("partNumber") === "2",
  );
  let closed = false;
  const hangs = () => new Promise<void>(() => {});
  const body = bodyOf(sample(64 * MIB), 30 * MIB, hangs, () => closed = true);
  await fails(destination.put(KEY, body, never), "denied", /403 AccessDenied/);
  assert.equal(strike.times(), 1);
  assert.ok(closed, "the body was left open");
  place.holdsNothing();
});

Deno.test("s3: a cancelled upload is given up at once", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  const cancel = new AbortController();
  const reached = Promise.withResolvers<void>();
  const hangs = () => (reached.resolve(), new Promise<void>(() => {}));
  const ended = destination.put(KEY, bodyOf(LARGE, 17 * MIB, hangs), cancel.signal);
  ended.catch(() => {});
  await reached.promise;
  cancel.abort();
  const before = performance.now();
  await fails(ended, "cancelled");
  assert.ok(performance.now() - before < 1900);
  place.holdsNothing();
});

Deno.test("s3: a 200 that holds an error is no success", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  const codes = [["InternalError", "transient", 4], ["AccessDenied", "denied", 1], [
    "PreconditionFailed",
    "transient",
    1,
  ]] as const;
  for (const [code, expected, tries] of codes) {
    const body = `\n \n${errorDocument(code, "We encountered an internal error.")}`;
    await using strike = place.server.faults.strike("CompleteMultipartUpload", {
      do: "answer",
      status: 200,
      body,
    });
    await fails(put(destination, LARGE), expected, new RegExp(`${code}|was there a moment ago`));
    assert.equal(strike.times(), tries);
    place.holdsNothing();
  }
  await using _ = place.server.faults.strike(
    "CompleteMultipartUpload",
    { do: "answer", status: 200, body: errorDocument("InternalError", "Try again.") },
    1,
  );
  await put(destination, LARGE);
  place.holds(LARGE);
});

Deno.test("s3: a success that is none of S3's is no success", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  const answers: Fault[] = [
    { do: "answer", status: 200 },
    { do: "answer", status: 200, headers: { "content-type": "application/json" }, body: "{}" },
    { do: "answer", status: 200, headers: { "content-type": "text/html" }, body: "<html>Welcome</html>" },
    { do: "answer", status: 200, headers: { etag: '"x"' }, body: "<!doctype html><p>Welcome" },
    { do: "answer", status: 200, headers: { etag: '"x"' }, body: "<html>Welcome</html>" },
    {
      do: "answer",
      status: 200,
      headers: { etag: '"x"' },
      body: '<?xml version="1.0"?><html>Welcome</html>',
    },
    { do: "answer", status: 204 },
  ];
  for (const answer of answers) {
    for (const operation of ["PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]) {
      await using strike = place.server.faults.strike(operation, answer);
      await fails(put(destination, operation === "PutObject" ? SMALL : LARGE), "transient");
      assert.ok(strike.times() > 0);
      place.holdsNothing();
    }
  }
});

Deno.test("s3: what the service has other bytes of is corrupt, and taken back", async () => {
  for (const bucket of ["plain", "versioned"]) {
    await using place = await Place.start();
    const destination = await place.open({ bucket });
    const other = base64(sha256(sample(3)));
    const altered: [string, Uint8Array, Fault][] = [
      ["PutObject", SMALL, {
        do: "alter",
        alter: (answer) => ({ ...answer, headers: { ...answer.headers, "x-amz-checksum-sha256": other } }),
      }],
      ["UploadPart", LARGE, {
        do: "alter",
        alter: (answer) => ({ ...answer, headers: { ...answer.headers, "x-amz-checksum-sha256": other } }),
      }],
      ["CompleteMultipartUpload", LARGE, {
        do: "alter",
        alter: (answer) => ({
          ...answer,
          body: String(answer.body).replace(/(<ChecksumSHA256>)[^<]*/, `$1${other}-3`),
        }),
      }],
    ];
    for (const [operation, bytes, fault] of altered) {
      await using _ = place.server.faults.strike(operation, fault, 1);
      await fails(put(destination, bytes), "corrupt", /other bytes/);
      place.holdsNothing(bucket);
      assert.equal(place.bucket(bucket).versions.size, 0, "a version was left");
      await put(destination, bytes);
      await destination.remove(KEY, never);
    }
  }
});

Deno.test("s3: what was damaged on its way is sent again", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  for (const [operation, bytes] of [["PutObject", SMALL], ["UploadPart", LARGE]] as const) {
    await using strike = place.server.faults.strike(operation, refuse(400, "BadDigest"), 2);
    await put(destination, bytes, `${KEY}.${operation}`);
    assert.equal(strike.times(), 2);
    place.holds(bytes, `${NAME}.${operation}`);
  }
});

Deno.test("s3: an upload that is in another's way begins anew, not in its middle", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  for (const code of ["ConditionalRequestConflict", "NoSuchUpload"]) {
    const status = code === "NoSuchUpload" ? 404 : 409;
    await using strike = place.server.faults.strike("CompleteMultipartUpload", refuse(status, code));
    await fails(put(destination, LARGE), "transient", new RegExp(code));
    assert.equal(strike.times(), 1);
    place.holdsNothing();
  }
});

Deno.test("s3: a key that came to be meanwhile stands, whether or not the service heeds conditions", async () => {
  for (const conditionalWrites of [true, false]) {
    await using place = await Place.start();
    const destination = await place.open({ conditionalWrites });
    // Stored by somebody else when the last part has arrived.
    const other = sample(5, 2);
    await using strike = place.server.faults.strike(
      "UploadPart",
      {
        do: "alter",
        alter(answer) {
          place.bucket().store(NAME, { bytes: other, etag: '"x"', metadata: {} }, false);
          return answer;
        },
      },
      1,
      ({ query }) => query.get("partNumber") === "3",
    );
    await fails(put(destination, LARGE), "already-exists");
    assert.equal(strike.times(), 1);
    place.holds(other);
    assert.equal(place.bucket().uploads.size, 0);
    const conditions = place.server.asked.filter(({ headers }) => headers["if-none-match"] !== undefined);
    assert.ok(conditionalWrites || conditions.length === 0);
    await fails(put(destination, SMALL), "already-exists");
    place.holds(other);
  }
});

Deno.test("s3: the condition alone keeps a key that a look has missed", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  const other = sample(5, 2);
  place.bucket().store(NAME, { bytes: other, etag: '"x"', metadata: {} }, false);
  for (const [bytes, looks] of [[SMALL, 1], [LARGE, 2]] as const) {
    await using _ = place.server.faults.strike("HeadObject", refuse(404, "NotFound"), looks);
    await fails(put(destination, bytes), "already-exists");
    place.holds(other);
  }
});

Deno.test("s3: services that know less are told apart, and named what to set", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  const unknown = "A header you provided implies functionality that is not implemented";
  {
    await using _ = place.server.faults.strike("PutObject", refuse(501, "NotImplemented", unknown));
    await fails(put(destination), "unsupported", /NotImplemented/, /conditionalWrites: false/);
  }
  {
    const words = "Unsupported header 'x-amz-checksum-sha256' received for this API call.";
    await using _ = place.server.faults.strike("PutObject", refuse(400, "InvalidArgument", words));
    await fails(put(destination), "unsupported", /InvalidArgument/, /checksums: md5/);
  }
  place.holdsNothing();
});

Deno.test("s3: MD5 in place of SHA-256, and no condition, for services that know no better", async () => {
  await using place = await Place.start();
  const destination = await place.open({ checksums: "md5", conditionalWrites: false });
  assert.deepEqual(destination.can.checksums, ["md5"]);
  for (const [key, bytes] of [["a", SMALL], ["b", LARGE], ["c", sample(0)]] as const) {
    await put(destination, bytes, key);
    place.holds(bytes, `backups/${key}`);
    await fails(put(destination, sample(9), key), "already-exists");
  }
  const sent = place.server.asked.filter(({ operation }) => ["PutObject", "UploadPart"].includes(operation));
  assert.ok(sent.length >= 5);
  for (const { headers } of sent) assert.match(headers["content-md5"] ?? "", /==$/);
  for (const { headers } of place.server.asked) {
    const names = Object.keys(headers).filter((name) =>
      /^x-amz-(checksum|sdk-checksum)|if-none-match/.test(name)
    );
    assert.deepEqual(names, []);
  }
});
