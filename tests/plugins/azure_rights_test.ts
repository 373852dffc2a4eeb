/** Who may do what, and what refusals mean. */
import assert from "node:assert/strict";
import { keysOf, never, sample } from "../../src/destination/conformance/bench.ts";
import type { Destination } from "../../src/destination/contract.ts";
import { KEY, LARGE, NAME, Place, put, refusing, SMALL, useAzurite } from "./azure_place.ts";

useAzurite();

/** Every call that asks the service something. */
const CALLS: [string, (destination: Destination) => Promise<unknown>][] = [
  ["put", (destination) => put(destination)],
  ["long put", (destination) => put(destination, LARGE)],
  ["get", (destination) => destination.get(KEY, undefined, never)],
  ["range", (destination) => destination.get(KEY, { start: 1, end: 2 }, never)],
  ["stat", (destination) => destination.stat(KEY, never)],
  ["list", (destination) => keysOf(destination, "")],
  ["remove", (destination) => destination.remove(KEY, never)],
];

async function allFail(
  place: Place,
  destination: Destination,
  ...[code, sentence, hint]: Fails
): Promise<void> {
  for (const [name, call] of CALLS) {
    await place.fails(call(destination), code, sentence, hint).catch((error) =>
      assert.fail(`${name}: ${error}`)
    );
  }
}
type Fails = [...Parameters<Place["fails"]>] extends [unknown, ...infer Rest] ? Rest : never;

Deno.test("azure: create-only gets by with the right to create, in one request, and replaces nothing", async () => {
  await using place = await Place.start();
  const destination = await place.open({ access: "create-only" }, place.sas({ permissions: "c" }));
  assert.deepEqual(
    [destination.can.read, destination.can.list, destination.can.remove, destination.can.createOnly],
    [false, false, false, true],
  );
  await put(destination);
  await put(destination, LARGE, "long");
  await put(destination, sample(0), "empty");
  assert.deepEqual(place.operations(), ["PUT", "PUT", "PUT"]);
  await place.holds(SMALL);
  await place.holds(LARGE, "backups/long");
  await place.holds(sample(0), "backups/empty");
  for (const other of [sample(3), SMALL]) await place.fails(put(destination, other), "already-exists");
  // Straight to it: it refuses before it has all, which what stands between might lose.
  const endpoint = place.azurite.endpoint();
  const near = await place.open({ endpoint, access: "create-only" }, place.sas({ permissions: "c" }));
  await place.fails(put(near, LARGE), "already-exists");
  await place.holds(SMALL);
  for (const [name, call] of CALLS.slice(2)) {
    await place.fails(call(destination), "unsupported", /may only create/).catch((error) =>
      assert.fail(`${name}: ${error}`)
    );
  }
});

Deno.test("azure: what a signature does not allow is denied, and the hint says what it allows", async () => {
  await using place = await Place.start();
  await put(await place.open());
  // What each right alone is good for.
  const good: Record<string, string[]> = {
    r: ["get", "range", "stat"],
    c: [],
    w: [],
    l: ["list"],
    d: ["remove"],
    rc: ["get", "range", "stat"],
    rl: ["get", "range", "stat", "list"],
  };
  for (const [permissions, works] of Object.entries(good)) {
    await place.azurite.store(place.container, NAME, SMALL);
    const destination = await place.open({}, place.sas({ permissions }));
    for (const [name, call] of CALLS) {
      // The same bytes are there, so a put is none.
      const able = works.includes(name) || (name === "put" && permissions.includes("r"));
      if (able) {
        const got = await call(destination).catch((error) => assert.fail(`${permissions} ${name}: ${error}`));
        if (got instanceof ReadableStream) await got.cancel();
      } else if (!(name === "long put" && permissions.includes("r"))) {
        await place.fails(
          call(destination),
          "denied",
          /403/,
          new RegExp(`allows "${permissions}", and this needs`),
        )
          .catch((error) => assert.fail(`${permissions} ${name}: ${error}`));
      }
    }
  }
});

Deno.test("azure: a key that may only be created and read is created once", async () => {
  await using place = await Place.start();
  // Straight to it: it refuses before it has all, which what stands between might lose.
  const endpoint = place.azurite.endpoint();
  const destination = await place.open({ endpoint }, place.sas({ permissions: "rc" }));
  await put(destination);
  await place.holds(SMALL);
  await place.fails(put(destination, LARGE, "long"), "denied", /403/, /allows "rc", and this needs "w"/);
  assert.deepEqual(await place.azurite.names(place.container), [NAME]);
});

Deno.test("azure: a signature that has expired, is not valid yet, or is of another container is denied", async () => {
  await using place = await Place.start();
  const hour = 3_600_000, expires = new Date(Date.now() - hour), start = new Date(Date.now() + hour);
  const cases: [string, RegExp][] = [
    [place.sas({ expires, start: new Date(Date.now() - 2 * hour) }), /has expired on 20/],
    [place.sas({ start, expires: new Date(Date.now() + 2 * hour) }), /not valid before 20/],
    [place.azurite.sas("another"), /check the shared access signature/],
    [place.sas().replace(/sig=....../, "sig=AAAAAA"), /check the shared access signature/],
  ];
  for (const [sas, hint] of cases) {
    const destination = await place.open({}, sas);
    place.operations();
    await allFail(place, destination, "denied", /403/, hint);
    // Refused once, and asked once; only a removal goes on where it may not look.
    assert.equal(place.operations().length, CALLS.length + 1);
  }
  await place.holdsNothing();
});

Deno.test("azure: a clock that is wrong is told as such", async () => {
  await using place = await Place.start();
  const { clock } = (await import("../../src/base/deno_world.ts")).denoWorld();
  for (const [minutes, hint] of [[20, /20 minutes ahead/], [-20, /20 minutes behind/]] as const) {
    const wrong = { ...clock, now: () => new Date(Date.now() + minutes * 60_000) };
    const destination = await place.open({}, place.azurite.sas("another"), { clock: wrong });
    await allFail(place, destination, "denied", /403/, hint);
  }
});

Deno.test("azure: a container that is not there is misconfigured, and never an empty one", async () => {
  await using place = await Place.start();
  const destination = await place.open({ container: "absent" }, place.azurite.sas("absent"));
  await allFail(place, destination, "misconfigured", /container "absent" does not exist/, /create it/);
});

Deno.test("azure: a server that is no Azure has no keys, and not none", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  for (const status of [200, 404]) {
    for (const type of ["text/plain", "text/html", "application/xml"]) {
      const body = type === "application/xml" ? "<EnumerationResults></EnumerationResults>" : "Not here.";
      await using _ = place.way.strike({ do: "answer", status, headers: { "content-type": type }, body });
      for (const [name, call] of CALLS) {
        const error = await call(destination).then(() => assert.fail(name), (error) => error);
        const fine = ["misconfigured", "transient"].includes(error.code);
        assert.ok(fine, `${status} ${type} ${name}: ${error.code} ${error.message}`);
      }
    }
  }
});

Deno.test("azure: what the service says has a meaning", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  await put(destination);
  const cases = [
    [403, "AuthorizationPermissionMismatch", "denied"],
    [403, "KeyBasedAuthenticationNotPermitted", "denied"],
    [403, "AuthorizationSourceIPMismatch", "denied"],
    [409, "BlobArchived", "unsupported"],
    [409, "ContainerBeingDeleted", "transient"],
    [500, "OperationTimedOut", "transient"],
    [503, "ServerBusy", "transient"],
    [404, "ResourceNotFound", "misconfigured"],
  ] as const;
  for (const [status, word, code] of cases) {
    await using _ = place.way.strike(refusing(status, word), Infinity, ({ method }) => method === "GET");
    await place.fails(destination.get(KEY, undefined, never), code, new RegExp(word));
  }
});

Deno.test("azure: the words of a service that quotes the signature are shown without it", async () => {
  await using place = await Place.start();
  const sas = place.sas(), signature = new URLSearchParams(sas).get("sig")!;
  const destination = await place.open({}, sas);
  for (const quoted of [sas, signature, encodeURIComponent(signature), `https://x.test/a?${sas}`]) {
    const blabs = refusing(403, "AuthenticationFailed", `I know ${quoted.replaceAll("&", "&amp;")}`);
    await using _ = place.way.strike(blabs);
    await allFail(place, destination, "denied", /[Ii] know|403/);
  }
});

Deno.test("azure: Retry-After is waited for, and told where it is too long", async () => {
  await using place = await Place.start();
  const slept: number[] = [];
  const clock = {
    now: () => new Date(),
    monotonic: () => performance.now(),
    sleep: (ms: number, signal: AbortSignal) => {
      // The watchdog's own waits go on as they are.
      if (ms >= 60_000) {
        return new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(new Error())));
      }
      slept.push(ms);
      return Promise.resolve();
    },
  };
  const destination = await place.open({}, place.sas(), { clock });
  {
    const busy = refusing(503, "ServerBusy", "Later.", { "retry-after": "7" });
    await using strike = place.way.strike(busy, 2, ({ method }) => method === "PUT");
    await put(destination);
    assert.equal(strike.times(), 2);
    assert.deepEqual(slept, [7000, 7000]);
  }
  await using strike = place.way.strike(refusing(503, "ServerBusy", "Later.", { "retry-after": "900" }));
  const error = await place.fails(destination.stat(KEY, never), "transient", /ServerBusy/);
  assert.equal(error.retryAfter, 900);
  assert.equal(strike.times(), 1);
});
