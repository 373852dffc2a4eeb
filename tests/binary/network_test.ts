import assert from "node:assert/strict";
import { type LocalService, startService } from "../service/mod.ts";
import { binary } from "./binary.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { Place, run } from "./place.ts";
import { startProxy } from "./proxy.ts";

const NAME = "acme.1password.invalid";

Deno.test("behind a private authority", async (test) => {
  await withTls(async (service, { authority }) => {
    await using place = await Place.make(service.token());
    const withEnv = async (env: Record<string, string>) => {
      const vaultferry = await binary();
      return await run(vaultferry, ["backup", "--config", place.config], { env });
    };

    await test.step("a server that nobody vouches for is not trusted", async () => {
      const { code, err } = await withEnv({});
      assert.equal(code, 75, err);
      assert.match(err, /certificate/i);
      assert.equal(service.requests.total(), 0);
    });

    await test.step("DENO_CERT names the authority", async () => {
      const { code, err } = await withEnv({ DENO_CERT: authority });
      assert.equal(code, 0, err);
    });

    await test.step("the system's authorities are those of DENO_TLS_CA_STORE=system", async () => {
      const { code, err } = await withEnv({ DENO_TLS_CA_STORE: "system", SSL_CERT_FILE: authority });
      assert.equal(code, 0, err);
    });
  });
});

Deno.test("behind a proxy that alone knows the way", async (test) => {
  await withTls(async (service, { authority }) => {
    const address = `https://${NAME}:8443`;
    await using place = await Place.make(service.token({ signInAddress: address }));
    await using proxy = startProxy(service.port);
    const vaultferry = await binary();

    await test.step("there is no other way", async () => {
      const { code, err } = await run(vaultferry, ["backup", "--config", place.config], {
        env: { DENO_CERT: authority },
      });
      assert.equal(code, 75, err);
    });

    await test.step("HTTPS_PROXY names it", async () => {
      const env = { DENO_CERT: authority, HTTPS_PROXY: proxy.url };
      await place.roundTrip((args) => run(vaultferry, args, { env }));
      assert.deepEqual([...new Set(proxy.asked)], [`${NAME}:8443`]);
    });

    await test.step("NO_PROXY goes past it", async () => {
      proxy.asked.length = 0;
      const { code } = await run(vaultferry, ["backup", "--config", place.config], {
        env: { DENO_CERT: authority, HTTPS_PROXY: proxy.url, NO_PROXY: NAME },
      });
      assert.equal(code, 75);
      assert.deepEqual(proxy.asked, []);
    });
  });
});

async function withTls(
  action: (service: LocalService, certificates: Certificates) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vaultferry-tls-" });
  try {
    const certificates = await makeCertificates(folder, NAME);
    const account = { name: "Acme", vaults: [{ title: "Finance", items: [{ title: "Bank" }] }] };
    await using service = await startService(account, { tls: certificates.server });
    await action(service, certificates);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
