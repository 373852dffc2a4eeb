/** How bodies are stored: blocks, their ids and sums, leftovers, locks. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { BLOCK, blockSize } from "../../plugins/destinations/azure_blob/upload.ts";
import { bodyOf, keysOf, never, sample } from "../../src/destination/conformance/bench.ts";
import { KEY, LARGE, MIB, NAME, Place, put, refusing, SMALL, useAzurite } from "./azure_place.ts";

useAzurite();

const DAY = 86_400_000;

Deno.test("azure: blocks are 8 MiB until 50,000 of them do not suffice", () => {
  assert.equal(blockSize(0), 8 * MIB);
  assert.equal(blockSize(50_000 * 8 * MIB), 8 * MIB);
  assert.equal(blockSize(50_000 * 8 * MIB + 1), 9 * MIB);
  for (const size of [1e9, 400e9, 420e9, 10e12, 190 * 2 ** 40]) {
    assert.ok(Math.ceil(size / blockSize(size)) <= 50_000, `${size}`);
    assert.equal(blockSize(size) % MIB, 0);
  }
});

Deno.test("azure: a body that is too large is refused before it is read", async () => {
  await using place = await Place.start();
  const endless = (size: number) => ({
    size,
    sha256: "0".repeat(64),
    open: () => assert.fail("it was read"),
  });
  const create = await place.open({ access: "create-only" });
  await place.fails(create.put(KEY, endless(5000 * MIB + 1), never), "quota", /one request/, /5,000 MiB/);
  const destination = await place.open();
  await place.fails(
    destination.put(KEY, endless(50_000 * 4000 * MIB + 1), never),
    "quota",
    /larger than Azure/,
  );
  await place.holdsNothing();
});

Deno.test("azure: a short body is one request, a long one blocks with ids of one length, each with its sum", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  await put(destination, SMALL, "short");
  assert.deepEqual(place.operations(), ["HEAD", "PUT", "HEAD"]);
  await put(destination, LARGE, "long");
  const asked = place.way.asked.splice(0);
  const ids = asked.flatMap(({ url }) => new URL(url, "http://x").searchParams.get("blockid") ?? []);
  assert.equal(new Set(ids).size, 3);
  assert.deepEqual([...new Set(ids.map((id) => Buffer.from(id, "base64").length))], [18]);
  const blocks = asked.filter(({ url }) => /comp=block(&|$)/.test(url));
  assert.ok(blocks.every(({ headers }) => /^[A-Za-z0-9+/]{22}==$/.test(String(headers["content-md5"]))));
  const [commit] = asked.filter(({ url }) => /comp=blocklist/.test(url));
  assert.equal(commit?.headers["if-none-match"], "*");
  await place.holds(LARGE, "backups/long");
  const answer = await place.azurite.ask("HEAD", `/${place.container}/backups%2Flong`);
  assert.equal(answer.headers.get("content-type"), "application/octet-stream");
});

Deno.test("azure: four blocks are on their way at once, and no more is read than they hold", async () => {
  await using place = await Place.start();
  const destination = await place.open(), bytes = sample(7 * BLOCK);
  let read = 0;
  const body = bodyOf(bytes),
    open = () =>
      body.open().pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform(part, controller) {
            read += part.length;
            controller.enqueue(part);
          },
        }),
      );
  const cancel = new AbortController();
  // The first block gets through; then nothing is answered.
  let blocks = 0;
  const silent = { do: "hold" } as const;
  await using held = place.way.strike(
    silent,
    Infinity,
    ({ url }) => /comp=block(&|$)/.test(url) && ++blocks > 1,
  );
  const storing = destination.put(KEY, { ...body, open }, cancel.signal);
  storing.catch(() => {});
  while (held.times() < 4) await new Promise((resolve) => setTimeout(resolve, 20));
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(held.times(), 4);
  assert.ok(read <= 5 * BLOCK + MIB, `${read}`);
  cancel.abort();
  await place.fails(storing, "cancelled");
  await place.holdsNothing();
});

Deno.test("azure: an upload that died leaves nothing visible, and the next one is not disturbed by its blocks", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  const commits = refusing(403, "AuthorizationFailure");
  {
    await using _ = place.way.strike(commits, Infinity, ({ url }) => /comp=blocklist/.test(url));
    await place.fails(put(destination, LARGE), "denied");
  }
  await place.holdsNothing();
  assert.deepEqual(await place.azurite.names(place.container, true), [NAME]);
  assert.deepEqual(await keysOf(destination, ""), []);
  await destination.discard(KEY, never);
  await place.fails(destination.stat(KEY, never), "not-found");
  await put(destination, LARGE);
  await place.holds(LARGE);
});

Deno.test("azure: blocks that another program has left decide how long ids are", async () => {
  await using place = await Place.start();
  const leave = (id: string) =>
    place.azurite.ask(
      "PUT",
      `/${place.container}/${encodeURIComponent(NAME)}?comp=block&blockid=${encodeURIComponent(btoa(id))}`,
      {
        body: "x",
      },
    );
  await leave("12345678");
  const destination = await place.open();
  await put(destination, LARGE);
  await place.holds(LARGE);
  await destination.remove(KEY, never);
  // Too short for ids of our own.
  await leave("abc");
  await place.fails(put(destination, LARGE), "unsupported", /another program/, /a week/);
  await place.holdsNothing();
});

Deno.test("azure: of two long uploads at once the second finds the first, whatever became of its blocks", async () => {
  await using place = await Place.start();
  const [one, other] = [await place.open(), await place.open()];
  const first = LARGE, second = sample(LARGE.length, 7);
  const results = await Promise.allSettled([put(one, first), put(other, second)]);
  const won = results.filter(({ status }) => status === "fulfilled");
  assert.equal(won.length, 1);
  for (const result of results) {
    if (result.status === "rejected") {
      await place.fails(Promise.reject(result.reason), "already-exists");
    }
  }
  await place.holds(results[0]!.status === "fulfilled" ? first : second);
});

Deno.test("azure: a lease or a snapshot keeps a key from being removed, and is told", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  await put(destination);
  const path = `/${place.container}/${encodeURIComponent(NAME)}`;
  const lease = (headers: Record<string, string>) =>
    place.azurite.ask("PUT", `${path}?comp=lease`, { headers });
  await lease({ "x-ms-lease-action": "acquire", "x-ms-lease-duration": "-1" });
  await place.fails(
    destination.remove(KEY, never),
    "denied",
    /locked against removal: somebody holds a lease/,
  );
  await put(destination);
  await place.fails(put(destination, LARGE), "already-exists");
  const create = await place.open({ access: "create-only" }, place.sas({ permissions: "c" }));
  await place.fails(put(create, SMALL), "already-exists");
  await lease({ "x-ms-lease-action": "break" });
  await place.azurite.ask("PUT", `${path}?comp=snapshot`);
  await place.fails(destination.remove(KEY, never), "denied", /locked against removal: it has snapshots/);
  await place.holds(SMALL);
});

Deno.test("azure: what is locked cannot be removed before its time, nor hidden by a removal", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  const until = new Date(Date.now() + 30 * DAY + 500);
  for (const [key, bytes] of [["short", SMALL], ["long", LARGE]] as const) {
    await put(destination, bytes, key, until);
    const path = `/acmebackups/${place.container}/backups/${key}`;
    const policy = place.locks.policies.get(path) ?? assert.fail("it is not locked");
    assert.equal(policy.mode, "locked");
    const late = policy.until.getTime() - until.getTime();
    assert.ok(late >= 0 && late < 1000, `${late}`);
    await place.fails(
      destination.remove(key, never),
      "denied",
      /locked against removal: a policy locks it until 20/,
    );
    await place.holds(bytes, `backups/${key}`);
  }
  assert.deepEqual(place.locks.hidden, []);
});

Deno.test("azure: what an earlier run has stored is locked too, and never for less long", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  await put(destination);
  assert.equal(place.locks.policies.size, 0);
  for (const [days, held] of [[1, 1], [8, 8], [2, 8]] as const) {
    await put(destination, SMALL, KEY, new Date(Date.now() + days * DAY));
    const [policy] = [...place.locks.policies.values()];
    assert.ok(Math.abs(policy!.until.getTime() - Date.now() - held * DAY) < 60_000, `${days}`);
    assert.equal(policy!.mode, "locked");
  }
});

Deno.test("azure: a container that cannot lock is refused before a byte is sent", async () => {
  await using place = await Place.start();
  place.locks.enabled = false;
  const destination = await place.open({ sas: undefined, accountKey: "env:SECRET" }, place.azurite.key);
  const until = new Date(Date.now() + DAY);
  await place.fails(put(destination, SMALL, KEY, until), "unsupported", /cannot lock/, /version-level/);
  assert.deepEqual(place.operations(), ["GET container"]);
});

Deno.test("azure: one that does not say so is told by its refusal, or by a look, and nothing is left", async () => {
  await using place = await Place.start();
  const destination = await place.open(), until = new Date(Date.now() + DAY);
  // A signature for one container may not ask for its properties, as a rule.
  const properties = refusing(403, "AuthorizationFailure");
  await using _ = place.way.strike(
    properties,
    Infinity,
    ({ url }) => /restype=container(&(?!comp)|$)/.test(url),
  );
  place.locks.enabled = undefined;
  for (const deaf of [false, true]) {
    place.locks.deaf = deaf;
    for (const bytes of [SMALL, LARGE]) {
      // Azurite takes blocks that an upload has left for a blob, where all of another one comes at once.
      const key = `${deaf}/${bytes.length}`;
      await place.fails(put(destination, bytes, key, until), "unsupported", /cannot lock/, /version-level/);
      await place.holdsNothing();
    }
  }
  place.locks.deaf = false;
  const create = await place.open({ access: "create-only" }, place.sas({ permissions: "c" }));
  await place.fails(put(create, SMALL, KEY, until), "unsupported", /cannot lock.*UnsupportedHeader/);
  place.locks.enabled = true;
  await put(create, SMALL, KEY, until);
  assert.equal(place.locks.policies.size, 1);
});

Deno.test("azure: what accounts with folders list in the place of one is no key", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  await place.azurite.store(place.container, "backups/acme", sample(0), { "x-ms-meta-hdi_isfolder": "true" });
  await put(destination);
  assert.deepEqual(await keysOf(destination, ""), [KEY]);
  await place.fails(destination.stat("acme", never), "not-found");
  await place.fails(put(destination, sample(0), "acme"), "already-exists", /folder/);
});

Deno.test("azure: a blob that changes while it is read is not put together from two", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  await put(destination, LARGE);
  const reader = (await destination.get(KEY, undefined, never)).getReader();
  await reader.read();
  await place.azurite.store(place.container, NAME, sample(LARGE.length, 9));
  // The next request asks for the blob as it was.
  place.way.closeConnections();
  const rest = async () => {
    while (!(await reader.read()).done);
  };
  await place.fails(rest(), "corrupt", /was changed while it was read/);
});
