/** Answers that are no answers: lists that are short or turn, words of another day, a service that is none. */
import assert from "node:assert/strict";
import { keysOf } from "../../src/destination/conformance/bench.ts";
import { Refusal } from "../servers/gcs/answers.ts";
import { bodyOf, fails, GcsPlace, KEY, never, sample } from "./gcs_bucket.ts";
import { whole } from "../servers/gcs/store.ts";

Deno.test("a list is whole or fails", async () => {
  await using place = await GcsPlace.start();
  const { server } = place;
  server.page = 3;
  const destination = await place.open({ prefix: "x/" });
  const keys = Array.from({ length: 8 }, (_, at) => `acme/${at}`);
  for (const key of keys) await destination.put(key, bodyOf(sample(1)), never);
  server.bucket.store("x/", whole(new Uint8Array()), {}, new URLSearchParams()); // the folder that the console makes
  assert.deepEqual(await keysOf(destination, ""), keys);
  assert.equal(place.asked("pageToken=").length, 2);

  server.instead = (_, { searchParams }) =>
    searchParams.has("pageToken") ? new Refusal(403, "forbidden", "no longer") : undefined;
  await fails(keysOf(destination, ""), "denied", /no longer/);
  server.instead = (_, { searchParams }) =>
    searchParams.has("pageToken") ? new Refusal(400, "invalid", "Invalid page token.") : undefined;
  await fails(keysOf(destination, ""), "misconfigured", /page token/);
});

Deno.test("no object, in words of another day: the bucket is asked before it is believed", async () => {
  await using place = await GcsPlace.start();
  const destination = await place.open();
  const words = () => {
    place.server.instead = (method, { pathname }) =>
      method !== "POST" && pathname.includes("/o/") ? new Refusal(404, "notFound", "Not Found") : undefined;
  };
  words();
  await fails(destination.stat(KEY, never), "not-found", /there is no "acme/);
  await fails(destination.get(KEY, undefined, never), "not-found", /there is no "acme/);
  await destination.remove(KEY, never);
  const before = place.server.buckets.get("acme")!;
  place.server.buckets.delete("acme");
  await fails(destination.stat(KEY, never), "misconfigured", /there is no bucket "acme"/);
  await fails(destination.remove(KEY, never), "misconfigured", /there is no bucket "acme"/);
  place.server.buckets.set("acme", before);
  place.server.instead = () => {};
  await destination.put(KEY, bodyOf(sample(10)), never);
});

Deno.test("a service that says too little is not believed", async () => {
  const answers: unknown[] = [{}, [], null, "text", { kind: "storage#other" }, { items: [] }];
  for (const value of answers) {
    await using place = await GcsPlace.start();
    await using stranger = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => Response.json(value),
    );
    const endpoint = `http://127.0.0.1:${(stranger.addr as Deno.NetAddr).port}`;
    const destination = await place.open({ endpoint });
    await fails(keysOf(destination, ""), "transient", /not one of Google Cloud Storage/);
    await fails(destination.stat(KEY, never), "transient", /not one of Google Cloud Storage/);
    await fails(
      destination.put(KEY, bodyOf(sample(1)), never),
      "transient",
      /not one of Google Cloud Storage/,
    );
  }
});

Deno.test("a list that turns in a circle is not taken for a long one", async () => {
  await using place = await GcsPlace.start();
  let pages = 0;
  await using stranger = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    const items = [{ name: `acme/${++pages}`, size: "1", generation: "1" }];
    return Response.json({ kind: "storage#objects", items, nextPageToken: pages % 2 ? "odd" : "even" });
  });
  const endpoint = `http://127.0.0.1:${(stranger.addr as Deno.NetAddr).port}`;
  const destination = await place.open({ endpoint });
  await fails(keysOf(destination, ""), "transient", /the same page came twice/);
  assert.equal(pages, 3);
  // Names that were not asked for are an answer to somebody else.
  await fails(keysOf(destination, "other/"), "transient", /not asked for/);
});
