/** Who may do what, and what refusals mean. */
import assert from "node:assert/strict";
import { keysOf, never, sample } from "../../src/destination/conformance/bench.ts";
import { hurried } from "../../src/destination/conformance/clock.ts";
import type { Destination } from "../../src/destination/contract.ts";
import type { Fault } from "../servers/s3/faults.ts";
import { S3Refusal } from "../servers/s3/refusal.ts";
import { fails, KEY, LARGE, MEMBER, NAME, Place, put, SMALL } from "./s3_place.ts";

const refuse = (status: number, code: string, message = "", headers: Record<string, string> = {}): Fault => ({
  do: "refuse",
  with: new S3Refusal(status, code, message, {}, headers),
});

/** Every call that asks the service something. */
const CALLS: [string, (destination: Destination) => Promise<unknown>][] = [
  ["put", (destination) => put(destination)],
  ["long put", (destination) => put(destination, LARGE)],
  ["get", (destination) => destination.get(KEY, undefined, never)],
  ["range", (destination) => destination.get(KEY, { start: 1, end: 2 }, never)],
  ["stat", (destination) => destination.stat(KEY, never)],
  ["list", (destination) => keysOf(destination, "")],
  ["remove", (destination) => destination.remove(KEY, never)],
  ["discard", (destination) => destination.discard(KEY, never)],
];

Deno.test("s3: create-only gets by with the right to put, looks at nothing, and replaces nothing", async () => {
  await using place = await Place.start({ members: [{ ...MEMBER, may: ["PutObject"] }] });
  const destination = await place.open({ access: "create-only" });
  assert.deepEqual(
    [destination.can.read, destination.can.list, destination.can.remove, destination.can.createOnly],
    [false, false, false, true],
  );
  await put(destination);
  assert.deepEqual(place.server.operations(), ["PutObject"]);
  await put(destination, LARGE, "long");
  const sent = place.server.operations();
  assert.deepEqual([...new Set(sent)], ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"]);
  place.holds(LARGE, "backups/long");
  await fails(put(destination, sample(3)), "already-exists");
  await fails(put(destination, LARGE), "already-exists");
  place.holds(SMALL);
  for (const [name, call] of CALLS.slice(2, 7)) {
    await fails(call(destination), "unsupported", /may only create/).catch((error) =>
      assert.fail(`${name}: ${error}`)
    );
  }
});

Deno.test("s3: without the right to list, what is absent is denied and never not found", async () => {
  const may = ["PutObject", "GetObject", "DeleteObject"];
  await using place = await Place.start({ members: [{ ...MEMBER, may }] });
  const destination = await place.open();
  for (const [name, call] of CALLS) {
    await fails(call(destination), "denied").catch((error) => assert.fail(`${name}: ${error}`));
  }
  await fails(destination.stat(KEY, never), "denied", /403/, /s3:ListBucket/);
  place.holdsNothing();
});

Deno.test("s3: a bucket that is not there is misconfigured, also where the answer has no word for it", async () => {
  await using place = await Place.start();
  const destination = await place.open({ bucket: "absent" });
  for (const [name, call] of CALLS) {
    const error = await fails(
      call(destination),
      "misconfigured",
      /bucket "absent" does not exist/,
      /"bucket"/,
    )
      .catch((error) => assert.fail(`${name}: ${error}`));
    assert.doesNotMatch(error.message, /\.$/);
  }
});

Deno.test("s3: a server that is no S3 has no keys, and not none", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  for (const headers of [{ "content-type": "text/plain" }, { "content-type": "text/html" }]) {
    await using _ = place.server.faults.strike([], { do: "answer", status: 404, headers, body: "Not here." });
    for (const [name, call] of CALLS) {
      const error = await call(destination).then(() => assert.fail(name), (error) => error);
      assert.ok(
        ["misconfigured", "transient"].includes(error.code),
        `${name}: ${error.code} ${error.message}`,
      );
    }
  }
});

Deno.test("s3: the wrong region is named, with or without words", async () => {
  await using place = await Place.start({ region: "eu-central-1" });
  const destination = await place.open();
  for (const [name, call] of CALLS) {
    await fails(call(destination), "misconfigured").catch((error) => assert.fail(`${name}: ${error}`));
  }
  await fails(keysOf(destination, ""), "misconfigured", /expecting 'eu-central-1'/, /"region"/);
  const right = await place.open({ region: "eu-central-1" });
  await put(right);
  const home = { "x-amz-bucket-region": "eu-west-3" };
  for (
    const [status, code] of [[301, "PermanentRedirect"], [400, "BadRequest"], [403, "AccessDenied"]] as const
  ) {
    await using _ = place.server.faults.strike([], refuse(status, code, "Elsewhere.", home));
    for (const [name, call] of CALLS) {
      await fails(call(right), "misconfigured", /"eu-west-3", not in "eu-central-1"/, /region: eu-west-3/)
        .catch((error) => assert.fail(`${name}: ${error}`));
    }
  }
});

Deno.test("s3: a redirect to the bucket's region is not followed, and names where it leads", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  const location = "http://plain.s3.eu-west-3.test/backups/x";
  const to: Fault = { do: "answer", status: 307, headers: { location }, body: "" };
  await using strike = place.server.faults.strike([], to);
  for (const [name, call] of CALLS) {
    await fails(call(destination), "misconfigured", /redirects to "http:\/\/plain\.s3\.eu-west-3\.test"/)
      .catch((error) => assert.fail(`${name}: ${error}`));
  }
  assert.equal(strike.times(), CALLS.length);
});

Deno.test("s3: a wrong clock is told as such, each time, and not worked around", async () => {
  await using place = await Place.start();
  for (const minutes of [20, -20]) {
    const clock = hurried(100);
    const wrong = { ...clock, now: () => new Date(Date.now() + minutes * 60_000) };
    const destination = await place.open({}, wrong);
    const hint = minutes > 0 ? /20 minutes ahead/ : /20 minutes behind/;
    for (const [name, call] of CALLS) {
      await fails(call(destination), "denied", /./, hint).catch((error) => assert.fail(`${name}: ${error}`));
    }
  }
  assert.deepEqual(place.server.asked.filter(({ member }) => member !== undefined), []);
  const destination = await place.open();
  await put(destination);
});

Deno.test("s3: expired keys, wrong keys and unknown keys are denied, and said once", async () => {
  await using place = await Place.start({ members: [{ ...MEMBER, sessionToken: "made-up-token" }] });
  const token = { ...MEMBER, sessionToken: "made-up-token" };
  await put(await place.open({}, undefined, token));
  place.holds(SMALL);
  place.server.operations();
  const openings = [
    place.open(),
    place.open({}, undefined, { ...token, sessionToken: "another-token" }),
    place.open({}, undefined, { ...token, secretAccessKey: "wrong" }),
    place.open({ accessKeyId: "AKIANOBODY" }, undefined, token),
  ];
  for (const opening of openings) {
    const destination = await opening;
    await fails(keysOf(destination, ""), "denied");
    await fails(destination.get(KEY, undefined, never), "denied");
    assert.equal(place.server.operations().length, 2);
  }
  const destination = await place.open({}, undefined, token);
  const expired = refuse(400, "ExpiredToken", "The provided token has expired.");
  await using _ = place.server.faults.strike([], expired);
  await fails(keysOf(destination, ""), "denied", /ExpiredToken/);
});

Deno.test("s3: what is in an archive's cold storage is not there to be read", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  await put(destination);
  const cold = refuse(403, "InvalidObjectState", "The operation is not valid for the object's storage class");
  await using _ = place.server.faults.strike("GetObject", cold);
  await fails(destination.get(KEY, undefined, never), "unsupported", /storage class/);
  assert.ok(place.bucket().current(NAME));
});
