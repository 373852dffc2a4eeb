/** Lists that are not whole, names that are not ours, and uploads that were left. */
import assert from "node:assert/strict";
import { keysOf, never, sample } from "../../src/destination/conformance/bench.ts";
import type { Fault } from "../servers/s3/faults.ts";
import { document } from "../servers/s3/xml.ts";
import { fails, KEY, LARGE, MEMBER, NAME, Place, put } from "./s3_place.ts";

/** Makes something else of an answer's body. */
const altered = (change: (body: string) => string): Fault => ({
  do: "alter",
  alter: (answer) => ({ ...answer, body: change(String(answer.body)) }),
});

async function filled(count = 8): Promise<Place> {
  const place = await Place.start();
  for (let at = 0; at < count; at++) {
    const stored = { bytes: sample(at), etag: '"x"', metadata: {} };
    place.bucket().store(`backups/acme/${at}`, stored, false);
  }
  return place;
}

Deno.test("s3: a list that is cut, empty of sense or without an end is an error, never a short list", async () => {
  await using place = await filled();
  const destination = await place.open();
  const last = (body: string) => body.includes("<IsTruncated>false");
  const answers: [string, Fault][] = [
    ["cut in an entry", altered((body) => body.slice(0, body.indexOf("</Contents>") + 30))],
    ["cut behind an entry", altered((body) => body.slice(0, body.indexOf("</Contents>") + 11))],
    ["cut before its last tag", altered((body) => body.slice(0, body.indexOf("</ListBucketResult>")))],
    [
      "without a token",
      altered((body) => body.replace(/<NextContinuationToken>.*?<\/NextContinuationToken>/, "")),
    ],
    ["with less than it counts", altered((body) => body.replace(/<Contents>.*?<\/Contents>/, ""))],
    ["with entries that have no size", altered((body) => body.replace(/<Size>\d+<\/Size>/, ""))],
    ["of something else", { do: "answer", status: 200, body: document("ListAllMyBucketsResult", {}) }],
    ["of other names", altered((body) => body.replaceAll("backups/acme", "others/acme"))],
    ["as a single tag", { do: "answer", status: 200, body: "<ListBucketResult/>" }],
    ["as nothing", { do: "answer", status: 200, body: "" }],
    ["as nothing at all", { do: "answer", status: 204 }],
    ["as JSON", { do: "answer", status: 200, headers: { "content-type": "application/json" }, body: "{}" }],
  ];
  for (const [what, fault] of answers) {
    await using strike = place.server.faults.strike("ListObjectsV2", fault);
    await fails(keysOf(destination, "acme/").then((keys) => assert.fail(`${what}: ${keys}`)), "transient");
    assert.ok(strike.times() > 0, what);
  }
  // Turning in a circle: the second page says that the third is the second.
  {
    let token = "";
    await using _ = place.server.faults.strike(
      "ListObjectsV2",
      altered((body) => {
        const next = /<NextContinuationToken>(.*?)</.exec(body)?.[1];
        token ||= next ?? "";
        return next ? body.replace(next, token) : body;
      }),
    );
    await fails(keysOf(destination, "acme/"), "transient", /does not come to its end/);
  }
  // Only the last page is damaged: what came before it is no list either.
  await using _ = place.server.faults.strike(
    "ListObjectsV2",
    altered((body) => last(body) ? body.slice(0, -20) : body),
  );
  await fails(keysOf(destination, "acme/"), "transient", /cut off/);
});

Deno.test("s3: a list goes through every page, and one that fails is asked for again", async () => {
  await using place = await filled();
  const destination = await place.open();
  const busy: Fault = { do: "answer", status: 500, body: "" };
  await using _ = place.server.faults.strike("ListObjectsV2", busy, 2);
  assert.deepEqual((await keysOf(destination, "acme/")).length, 8);
  const asked = place.server.operations().filter((operation) => operation === "ListObjectsV2");
  assert.equal(asked.length, 2 + 3);
});

Deno.test("s3: names of others are passed over, whatever is in them", async () => {
  await using place = await filled(2);
  const names = [
    "a b",
    "plus+",
    "per%cent",
    "ü",
    "line\nbreak",
    "bell\u0007",
    "<&>",
    "",
    "x/",
    ".x.0123.partial",
  ];
  for (const name of names) {
    place.bucket().store(`backups/acme/${name}`, { bytes: sample(1), etag: '"x"', metadata: {} }, false);
  }
  place.bucket().store("backup", { bytes: sample(1), etag: '"x"', metadata: {} }, false);
  const destination = await place.open();
  assert.deepEqual((await keysOf(destination, "")).sort(), ["acme/0", "acme/1"]);
  const bare = await place.open({ prefix: undefined });
  assert.deepEqual((await keysOf(bare, "")).sort(), ["backup", "backups/acme/0", "backups/acme/1"]);
});

Deno.test("s3: discard gives up every upload of exactly this key", async () => {
  await using place = await Place.start();
  const { uploads } = place.bucket();
  const begin = (key: string, id: string) =>
    uploads.set(id, {
      ...{ id, key, initiated: new Date(), algorithm: undefined, metadata: {}, retention: undefined },
      parts: new Map(),
    });
  for (let at = 0; at < 7; at++) begin(NAME, `ours-${at}`);
  for (const name of [`${NAME}.sha256`, NAME.slice(0, -1), KEY, `${NAME}/x`, "odd+ name"]) {
    begin(name, `not-${name}`);
  }
  const destination = await place.open();
  await destination.discard(KEY, never);
  assert.deepEqual([...uploads.keys()].filter((id) => id.startsWith("ours")), []);
  assert.equal(uploads.size, 5);
  await destination.discard(KEY, never);
  for (
    const fault of [
      altered((body) => body.replace("<IsTruncated>false</IsTruncated>", "<IsTruncated>true</IsTruncated>")),
      altered((body) => body.replace("<IsTruncated>false</IsTruncated>", "")),
    ]
  ) {
    await using _ = place.server.faults.strike("ListMultipartUploads", fault);
    await fails(destination.discard(KEY, never), "transient");
  }
});

Deno.test("s3: an upload whose end nobody could tell the service is found by discard", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  await using _ = place.server.faults.strike("UploadPart", { do: "answer", status: 403 });
  {
    await using _ = place.server.faults.strike("AbortMultipartUpload", { do: "answer", status: 500 });
    await fails(put(destination, LARGE), "denied");
  }
  assert.equal(place.bucket().uploads.size, 1);
  await destination.discard(KEY, never);
  place.holdsNothing();
});

Deno.test("s3: who may not see unfinished uploads says so, and how they go away", async () => {
  await using place = await Place.start({ members: [{ ...MEMBER, may: ["PutObject"] }] });
  const destination = await place.open({ access: "create-only" });
  await fails(destination.discard(KEY, never), "denied", /./, /AbortIncompleteMultipartUpload/);
});
