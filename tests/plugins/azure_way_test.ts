/** The way to the container: authorities, proxies, patience, connections that die. */
import assert from "node:assert/strict";
import { denoWorld } from "../../src/base/deno_world.ts";
import { keysOf, never } from "../../src/destination/conformance/bench.ts";
import { makeCertificates } from "../binary/certificates.ts";
import { Azurite } from "../servers/azurite/server.ts";
import { freePort } from "../servers/child.ts";
import { FaultProxy } from "../servers/fault_proxy.ts";
import { KEY, LARGE, Place, put, SMALL, useAzurite } from "./azure_place.ts";

useAzurite();

Deno.test("azure: an authority of one's own is trusted where it is named, and nowhere else", async () => {
  await using place = await Place.start();
  const folder = await Deno.makeTempDir({ prefix: "vaultferry-azure-" });
  try {
    const { authority } = await makeCertificates(folder, "azure.test");
    await using secure = await Azurite.start({
      tls: { cert: `${folder}/server.pem`, key: `${folder}/server.key` },
    });
    const settings = { container: "absent", endpoint: secure.endpoint(), ca: authority };
    await place.fails(
      put(await place.open(settings, secure.sas("absent"))),
      "misconfigured",
      /"absent" does not exist/,
    );
    const distrusting = await place.open({ ...settings, ca: undefined }, secure.sas("absent"));
    await place.fails(put(distrusting), "misconfigured", /vouches for/);
    const elsewhere = { ...settings, endpoint: secure.endpoint(secure.port, "localhost") };
    await place.fails(
      put(await place.open(elsewhere, secure.sas("absent"))),
      "misconfigured",
      /another name|nobody/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("azure: through a proxy, and not past it", async () => {
  await using place = await Place.start();
  // What comes to a proxy names the whole address; ours takes it as it is.
  place.way.rewrite = (url) => url.replace(/^http:\/\/azure\.test/, "");
  const proxy = `http://127.0.0.1:${place.way.port}`;
  const endpoint = "http://azure.test/acmebackups";
  const settings = { proxy, endpoint, sas: undefined, accountKey: "env:SECRET" };
  const destination = await place.open(settings, place.azurite.key);
  await put(destination, LARGE);
  await place.holds(LARGE);
  assert.ok(
    place.way.asked.every(({ url, headers }) => url.startsWith(endpoint) && headers.host === "azure.test"),
  );
  const dead = await place.open({ ...settings, proxy: `http://127.0.0.1:${freePort()}` }, place.azurite.key);
  await place.fails(keysOf(dead, ""), "transient");
});

Deno.test("azure: silence lasts as long as the config says", async () => {
  await using place = await Place.start();
  await using way = await FaultProxy.start(place.azurite.port);
  await using strike = way.strike({ kind: "stall", way: "down", after: 0 });
  const destination = await place.open({ endpoint: place.azurite.endpoint(way.port), timeout: "7s" });
  await place.fails(destination.stat(KEY, never), "transient", /nothing moved for 7 seconds/);
  assert.ok(strike.times() > 0);
});

Deno.test("azure: connections that end between requests do no harm", async () => {
  await using place = await Place.start();
  const destination = await place.open({}, place.sas(), { clock: denoWorld().clock });
  for (let at = 0; at < 5; at++) {
    await put(destination, SMALL, `${at}`);
    place.way.closeConnections();
    if (at % 2 === 1) await keysOf(destination, "");
  }
  assert.equal((await place.azurite.names(place.container)).length, 5);
});
