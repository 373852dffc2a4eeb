/** A server that does not answer, a run that is cancelled, and what errors may say. */
import assert from "node:assert/strict";
import { AppError, isAppError } from "../../src/base/errors.ts";
import { isShortfall } from "../../src/model/shortfall.ts";
import { ConnectServer } from "../service/connect/mod.ts";
import { startService } from "../service/mod.ts";
import { CALLS, failure, FAULTY, never, openDoor, scene, walk } from "./onepassword_connect_door.ts";

Deno.test("a server that accepts and never answers is given up after the timeout", async () => {
  for (const route of ["vaults", "items", "content"] as const) {
    await scene(FAULTY, async (it) => {
      it.connect.faults.hang(route);
      const error = await failure(CALLS[route](it));
      assert.equal(error.code, "transient");
      assert.match(error.message, /no answer within 0\.05 s/);
      assert.equal(it.connect.requests.count(route), 3);
    }, { timeout: 0.05 });
  }
});

Deno.test("a run that is cancelled leaves no request open within a second", async () => {
  for (const route of ["vaults", "items", "item", "content"] as const) {
    await scene(FAULTY, async ({ source, connect, vault, naps }) => {
      const [item] = (await walk(source, vault)).items;
      connect.requests.reset();
      connect.faults.hang(route);
      const stop = new AbortController();
      const call = {
        vaults: () => source.vaults(stop.signal),
        items: () => source.items(vault, stop.signal)[Symbol.asyncIterator]().next(),
        item: () => source.items(vault, stop.signal)[Symbol.asyncIterator]().next(),
        content: () => source.open(item!, item!.files[0]!, stop.signal),
      }[route]();
      const failed = failure(call as Promise<unknown>);
      await waiting(connect, route === "item" ? 3 : 1);
      const start = performance.now();
      stop.abort();
      assert.equal((await failed).code, "cancelled");
      assert.deepEqual(naps, [], "it was not tried again");
      await connect.requests.idle();
      assert.ok(performance.now() - start < 1000);
    });
  }
});

Deno.test("cancelled before it began, nothing is asked", async () => {
  await scene(FAULTY, async ({ source, connect, vault }) => {
    const stopped = AbortSignal.abort();
    assert.equal((await failure(source.vaults(stopped))).code, "cancelled");
    await assert.rejects(
      source.items(vault, stopped)[Symbol.asyncIterator]().next(),
      (error) => isAppError(error, "cancelled"),
    );
    assert.equal(connect.requests.count(), 0);
  });
});

Deno.test("nobody at the address is a network failure with its reason", async () => {
  await scene(FAULTY, async (it) => {
    await it.connect.close();
    const error = await failure(CALLS.vaults(it));
    assert.equal(error.code, "transient");
    assert.match(error.message, /^cannot reach Connect: .*[Cc]onnection refused/);
    assert.doesNotMatch(error.message, /127\.0\.0\.1/);
    assert.equal(it.naps.length, 2);
  });
});

Deno.test("no error holds the token, even when the server repeats it everywhere", async () => {
  await using service = await startService({ name: "Echo", vaults: FAULTY.vaults });
  await using connect = ConnectServer.start(service.account);
  const token = connect.accepted!;
  const { source, warnings } = await openDoor(connect);
  const [vault] = await source.vaults(never);
  const errors: unknown[] = [];
  const collect = async () => {
    await source.vaults(never).catch((error) => errors.push(error));
    await (async () => {
      for await (const found of source.items(vault!, never)) if (isShortfall(found)) errors.push(found);
    })().catch((error) => errors.push(error));
  };
  for (const status of [400, 403, 404, 418, 429, 500, 401]) {
    connect.faults.clear();
    for (const route of ["vaults", "items", "item"] as const) {
      connect.faults.status(route, status, {
        message: `Bearer ${token} is bad`,
        headers: { "x-echo": token },
      });
      await collect();
    }
  }
  await openDoor(connect).then(() => assert.fail("it was refused"), (error) => errors.push(error));
  connect.faults.clear();
  for (const route of ["vaults", "items", "item"] as const) {
    const { source } = await openDoor(connect);
    connect.faults.redirect(route, `https://${token}.example/?token=${token}`);
    await source.vaults(never).catch((error) => errors.push(error));
    await walk(source, vault!).then(
      ({ shortfalls }) => errors.push(...shortfalls),
      (error) => errors.push(error),
    );
    connect.faults.clear();
    connect.faults.garbage(route, `{"token": "${token}`);
    await source.vaults(never).catch((error) => errors.push(error));
    await walk(source, vault!).then(
      ({ shortfalls }) => errors.push(...shortfalls),
      (error) => errors.push(error),
    );
    connect.faults.clear();
  }
  assert.ok(errors.length > 30, `${errors.length}`);
  const [head, payload, signature] = token.split(".");
  for (const error of errors) {
    const text = Deno.inspect(error, { depth: 20, strAbbreviateSize: Infinity }) + JSON.stringify(error) +
      (error instanceof AppError ? error.message + error.hint : "");
    for (const part of [head, payload, signature]) assert.ok(!text.includes(part!), text);
  }
  assert.deepEqual(warnings, []);
});

async function waiting(connect: ConnectServer, count: number): Promise<void> {
  while (connect.requests.open < count) await new Promise((resolve) => setTimeout(resolve, 5));
}
