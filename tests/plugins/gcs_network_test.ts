/** A company's network: its own authority, and a proxy as the only way out. */
import assert from "node:assert/strict";
import { makeCertificates } from "../binary/certificates.ts";
import { startProxy } from "../binary/proxy.ts";
import { missing } from "../servers/child.ts";
import { bodyOf, fails, GcsPlace, KEY, never, sample } from "./gcs_bucket.ts";

const NAME = "storage.acme.test";

Deno.test({
  name: "the service and the place for tokens are both reached through the proxy, by the given authority",
  ignore: await missing("openssl", "version") !== undefined,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "vaultferry-gcs-tls-" });
    const certificates = await makeCertificates(folder, NAME);
    await using place = await GcsPlace.start(certificates.server);
    await using proxy = startProxy(place.server.port);
    const endpoint = `https://${NAME}`, keyFile = place.keyFile(undefined, endpoint);
    const settings = { endpoint, keyFile, proxy: proxy.url, ca: certificates.authority };
    {
      const destination = await place.openAs(settings);
      const bytes = sample(100_000);
      await destination.put(KEY, bodyOf(bytes), never);
      const got = await new Response(await destination.get(KEY, undefined, never)).arrayBuffer();
      assert.equal(got.byteLength, bytes.length);
      assert.deepEqual([...new Set(proxy.asked)], [`${NAME}:443`]);
      assert.equal(place.asked("/token").length, 1);
    }
    const { ca: _, ...trusting } = settings;
    const stranger = await place.openAs(trusting);
    await fails(stranger.stat(KEY, never), "misconfigured", /nobody trusted vouches for the certificate/);
    const alone = await place.openAs({ endpoint, keyFile, ca: certificates.authority });
    await fails(alone.stat(KEY, never), "transient", /storage\.acme\.test:443/);
    await Deno.remove(folder, { recursive: true });
  },
});
