/**
 * Whether the server is what it says it is: two clients of Google's own, which know nothing of each other nor of us, do
 * with it what they do with the real one.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Bucket, Storage } from "@google-cloud/storage";
import { auth, storage_v1 } from "@googleapis/storage";
import { sample } from "../../../src/destination/conformance/bench.ts";
import { GcsServer } from "./server.ts";

/** A client of `@google-cloud/storage`, with a token of the server. */
function cloudClient(server: GcsServer): Bucket {
  const client = new auth.OAuth2();
  client.setCredentials({ access_token: server.identity.issue("test"), expiry_date: Date.now() + 3_600_000 });
  const storage = new Storage({
    apiEndpoint: `http://127.0.0.1:${server.port}`,
    useAuthWithCustomEndpoint: true,
    projectId: "acme",
    authClient: client as never,
    retryOptions: { autoRetry: false },
  });
  return storage.bucket("acme");
}

/** A client of `@googleapis/storage`, likewise. */
function apiClient(server: GcsServer): storage_v1.Storage {
  const client = new auth.OAuth2();
  client.setCredentials({ access_token: server.identity.issue("test"), expiry_date: Date.now() + 3_600_000 });
  return new storage_v1.Storage({ auth: client, rootUrl: `http://127.0.0.1:${server.port}/` });
}

/** Connections that the clients keep open are none of our leaks. */
const lax = { sanitizeOps: false, sanitizeResources: false };

Deno.test({
  name: "@google-cloud/storage uploads in parts, with its own sums, and reads back what it sent",
  ...lax,
  async fn() {
    await using server = await GcsServer.start();
    const bucket = cloudClient(server);
    for (const size of [1, 256 * 1024, 1_000_001]) {
      const bytes = Buffer.from(sample(size)), file = bucket.file(`deep/${size}`);
      // Begun by hand: an upload that this client begins itself goes to another endpoint without any token.
      const [uri] = await file.createResumableUpload({ preconditionOpts: { ifGenerationMatch: 0 } });
      await file.save(bytes, { resumable: true, uri, chunkSize: 256 * 1024, validation: "crc32c" });
      const [got] = await file.download({ validation: "crc32c" });
      assert.ok(bytes.equals(got), `${size} bytes came back as ${got.length}`);
      const [part] = await file.download({ start: 0, end: Math.max(0, size - 2), validation: false });
      if (size > 2) assert.ok(bytes.subarray(0, size - 1).equals(part));
    }
    assert.ok(server.asked.some((one) => one.startsWith("PUT ") && one.includes("upload_id=")));
    const again = bucket.file("deep/1").createResumableUpload({ preconditionOpts: { ifGenerationMatch: 0 } });
    await assert.rejects(again, /pre-conditions|412|conditionNotMet/);
    assert.equal(server.bucket.objects.size, 3);
  },
});

Deno.test({
  name: "@google-cloud/storage uploads at once, lists page by page, holds and removes",
  ...lax,
  async fn() {
    await using server = await GcsServer.start();
    server.page = 2;
    const bucket = cloudClient(server);
    for (const name of ["a/1", "a/2", "a/3", "a/4", "a/5", "b/1"]) {
      await bucket.file(name).save(Buffer.from(name), { resumable: false, validation: "crc32c" });
    }
    const [files] = await bucket.getFiles({ prefix: "a/" });
    assert.deepEqual(files.map(({ name }) => name), ["a/1", "a/2", "a/3", "a/4", "a/5"]);
    assert.equal(server.asked.filter((one) => one.includes("pageToken=")).length, 2);
    const held = bucket.file("a/1");
    await held.setMetadata({ temporaryHold: true });
    await assert.rejects(held.delete(), /hold/);
    await held.setMetadata({ temporaryHold: false });
    await held.delete();
    await assert.rejects(held.getMetadata(), /No such object/);
    await assert.rejects(
      bucket.file("a/2").save(Buffer.from("x"), { resumable: false, metadata: { crc32c: "AAAAAA==" } }),
      /doesn't match/,
    );
    assert.equal(new TextDecoder().decode(server.bucket.objects.get("a/2")!.bytes), "a/2");
  },
});

Deno.test({
  name: "@googleapis/storage agrees with it",
  ...lax,
  async fn() {
    await using server = await GcsServer.start();
    server.page = 3;
    const rootUrl = `http://127.0.0.1:${server.port}/`; // uploads heed only the one that they are given
    const api = apiClient(server), bytes = Buffer.from(sample(70_000));
    for (let at = 0; at < 7; at++) {
      const { data } = await api.objects.insert({
        bucket: "acme",
        name: `x/${at}`,
        ifGenerationMatch: "0",
        media: { mimeType: "application/octet-stream", body: at === 0 ? bytes.toString("base64") : `${at}` },
      }, { rootUrl });
      assert.equal(data.size, String(at === 0 ? bytes.toString("base64").length : 1));
    }
    const names: string[] = [];
    for (let pageToken: string | undefined = ""; pageToken !== undefined;) {
      const { data }: { data: storage_v1.Schema$Objects } = await api.objects.list({
        bucket: "acme",
        prefix: "x/",
        fields: "nextPageToken,items/name",
        ...(pageToken === "" ? {} : { pageToken }),
      });
      assert.ok(data.items!.every((item) => Object.keys(item).join() === "name"));
      names.push(...data.items!.map(({ name }) => name!));
      pageToken = data.nextPageToken ?? undefined;
    }
    assert.deepEqual(names, [0, 1, 2, 3, 4, 5, 6].map((at) => `x/${at}`));
    const media = { bucket: "acme", object: "x/0", alt: "media" };
    const { data } = await api.objects.get(media, {
      responseType: "arraybuffer",
      headers: { range: "bytes=4-7" },
    });
    assert.equal(Buffer.from(data as ArrayBuffer).toString(), bytes.toString("base64").slice(4, 8));
    const again = api.objects.insert({
      bucket: "acme",
      name: "x/1",
      ifGenerationMatch: "0",
      media: { body: "other" },
    }, { rootUrl });
    await assert.rejects(again, /pre-conditions/);
    await api.objects.delete({ bucket: "acme", object: "x/1" });
    await assert.rejects(api.objects.get({ bucket: "acme", object: "x/1" }), /No such object/);
    await assert.rejects(api.objects.list({ bucket: "nothing-here" }), /bucket does not exist/);
    await assert.rejects(
      api.objects.get({ bucket: "acme", object: "x/2", fields: "size(" }),
      /field selection/,
    );
  },
});

Deno.test({
  name: "nobody without a token that holds is let in",
  ...lax,
  async fn() {
    await using server = await GcsServer.start();
    const url = `http://127.0.0.1:${server.port}/storage/v1/b/acme/o`;
    for (const headers of [{}, { authorization: "Bearer ya29.unknown" }] as Record<string, string>[]) {
      const answer = await fetch(url, { headers });
      assert.equal(answer.status, 401);
      assert.equal((await answer.json()).error.code, 401);
    }
  },
});
