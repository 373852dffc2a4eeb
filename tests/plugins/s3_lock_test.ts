/** Locks against removal, and what removal means where versions are kept. */
import assert from "node:assert/strict";
import { bodyOf, never, sample } from "../../src/destination/conformance/bench.ts";
import type { Destination } from "../../src/destination/contract.ts";
import { S3Refusal } from "../servers/s3/refusal.ts";
import type { Version } from "../servers/s3/store.ts";
import { fails, KEY, LARGE, MEMBER, NAME, Place, put, SMALL } from "./s3_place.ts";

const DAY = 86_400_000;

/** Stores with a lock of so many days from now on. */
function lock(destination: Destination, days: number, bytes: Uint8Array = SMALL, key = KEY) {
  const immutableUntil = new Date(Date.now() + days * DAY);
  return destination.put(key, bodyOf(bytes), never, { immutableUntil });
}

function retention(place: Place, name = NAME): NonNullable<Version["retention"]> {
  return place.bucket("locked").current(name)?.retention ?? assert.fail(`${name} is not locked`);
}

Deno.test("s3: what is stored is locked for as long as was asked, against everybody", async () => {
  await using place = await Place.start();
  for (const checksums of ["sha256", "md5"]) {
    const destination = await place.open({ bucket: "locked", checksums });
    for (const [key, bytes] of [["short", SMALL], ["long", LARGE]] as const) {
      await lock(destination, 30, bytes, `${checksums}-${key}`);
      const { mode, until } = retention(place, `backups/${checksums}-${key}`);
      assert.equal(mode, "COMPLIANCE");
      assert.ok(Math.abs(until.getTime() - Date.now() - 30 * DAY) < 60_000, String(until));
      await fails(
        destination.remove(`${checksums}-${key}`, never),
        "denied",
        /AccessDenied/,
        /locked|s3:DeleteObjectVersion/,
      );
      place.holds(bytes, `backups/${checksums}-${key}`, "locked");
    }
  }
});

Deno.test("s3: what an earlier run has stored is locked too", async () => {
  await using place = await Place.start();
  await put(await place.open({ bucket: "locked" }));
  assert.equal(place.bucket("locked").current(NAME)?.retention, undefined);
  for (const [asked, held] of [[1, 1], [8, 8], [2, 8]] as const) {
    await lock(await place.open({ bucket: "locked" }), asked);
    assert.equal(retention(place).mode, "COMPLIANCE");
    assert.ok(Math.abs(retention(place).until.getTime() - Date.now() - held * DAY) < 60_000, `${asked}`);
  }
});

Deno.test("s3: a bucket without locks is refused before a byte is sent", async () => {
  await using place = await Place.start();
  await fails(lock(await place.open(), 30), "unsupported", /"plain" cannot lock/, /Object Lock/);
  assert.deepEqual(new Set(place.server.operations()), new Set(["GetObjectLockConfiguration"]));
  const unknown = new S3Refusal(501, "NotImplemented", "GetObjectLockConfiguration not implemented");
  await using _ = place.server.faults.strike("GetObjectLockConfiguration", { do: "refuse", with: unknown });
  await fails(lock(await place.open({ bucket: "locked" }), 30), "unsupported", /cannot lock/);
});

Deno.test("s3: where it may not be asked for, a missing lock is told by the upload, and nothing is left", async () => {
  const may = ["PutObject", "PutObjectRetention", "AbortMultipartUpload", "ListBucket", "GetObject"];
  await using place = await Place.start({ members: [{ ...MEMBER, may }] });
  for (const bytes of [SMALL, LARGE]) {
    const destination = await place.open();
    await fails(lock(destination, 1, bytes), "unsupported", /Object Lock Configuration/, /Object Lock/);
    place.holdsNothing();
  }
  await lock(await place.open({ bucket: "locked" }), 1);
  assert.equal(retention(place).mode, "COMPLIANCE");
});

Deno.test("s3: removal frees the space of every version, and is done when none is left", async () => {
  await using place = await Place.start();
  const bucket = place.bucket("versioned");
  const destination = await place.open({ bucket: "versioned" });
  await put(destination);
  bucket.store(NAME, { bytes: sample(3), etag: '"x"', metadata: {} }, false);
  await destination.remove(KEY, never);
  assert.equal(bucket.versions.size, 0);
  await destination.remove(KEY, never);
  // A mark on top of it hides it: for us it is gone, and it is nobody's error.
  await put(destination);
  bucket.remove(NAME, undefined);
  await destination.remove(KEY, never);
  await fails(destination.stat(KEY, never), "not-found");
  await put(destination, LARGE);
  place.holds(LARGE, NAME, "versioned");
});

Deno.test("s3: who may not remove versions does not hide them either", async () => {
  const may = ["PutObject", "GetObject", "ListBucket", "DeleteObject"];
  await using place = await Place.start({ members: [{ ...MEMBER, may }] });
  const destination = await place.open({ bucket: "versioned" });
  await put(destination);
  await fails(destination.remove(KEY, never), "denied", /./, /s3:DeleteObjectVersion/);
  place.holds(SMALL, NAME, "versioned");
  const plain = await place.open();
  await put(plain);
  await plain.remove(KEY, never);
  place.holdsNothing();
});
