/**
 * Every destination of the binary: the libraries in it were bundled and minified, and what was tested from source need
 * not be what is in the file.
 */
import assert from "node:assert/strict";
import { SERVERS } from "../bench/destinations/servers.ts";
import { accessToken, json, startTokens } from "../plugins/azure_tokens.ts";
import { ACCOUNT, Azurite } from "../servers/azurite/server.ts";
import { startService } from "../service/mod.ts";
import { binary } from "./binary.ts";
import { makeCertificates } from "./certificates.ts";
import { Place, run } from "./place.ts";

const SMALL = { name: "Acme", vaults: [{ title: "Finance", items: [{ title: "Bank" }] }] };

Deno.test("the binary backs up to every kind of destination at once, and restores from each", async (test) => {
  const vaultferry = await binary();
  await using service = await startService(SMALL);
  await using place = await Place.make(service.token());
  await using stack = new AsyncDisposableStack();
  const types = Object.keys(SERVERS);
  const destinations = await Promise.all(types.map(async (type) => {
    const folder = place.at(type);
    await Deno.mkdir(folder);
    const secret = (name: string, text: string) => place.secret(`${type}/${name}`, text);
    return { name: type, type, ...(await SERVERS[type]!({ folder, secret, stack })).ours };
  }));
  await place.to(...destinations);
  await place.roundTrip((args) => run(vaultferry, args, { cwd: "/" }));
  for (const type of types) {
    await test.step(`${type}: restored from there`, async () => {
      const args = ["--from", type, "--identity", place.at("key"), "--config", place.config];
      const to = place.at(`restored-from-${type}`);
      const { code, err } = await run(vaultferry, ["restore", "--to", to, ...args], { cwd: "/" });
      assert.equal(code, 0, err);
      const manifest = JSON.parse(await Deno.readTextFile(`${to}/manifest.json`));
      assert.equal(manifest.counts.items, 1);
    });
    await test.step(`${type}: a destination as it must be`, async () => {
      const args = ["destination", "test", type, "--config", place.config];
      const { code, out, err } = await run(vaultferry, args, { cwd: "/" });
      assert.equal(code, 0, `${err}\n${out}`);
      assert.match(out, /\n[1-9]\d+ passed, 0 failed, \d+ left out: /);
    });
  }
});

Deno.test("the binary signs in to Azure as a managed identity and as a workload", async (test) => {
  const vaultferry = await binary();
  await using service = await startService(SMALL);
  await using place = await Place.make(service.token());
  const { authority, server } = await makeCertificates(place.folder, "azure.test");
  const tls = { cert: place.at("server.pem"), key: place.at("server.key") };
  await using azurite = await Azurite.start({ tls });
  const access = accessToken();
  const given = { access_token: access, expires_in: 3600, token_type: "Bearer" };
  await using machine = await startTokens((_, answer) => json(answer, 200, given));
  await using far = await startTokens((_, answer) => json(answer, 200, given), server);
  await Deno.writeTextFile(place.at("federated"), "made.up.federated");
  const identities = {
    managed: { AZURE_POD_IDENTITY_AUTHORITY_HOST: machine.url },
    workload: {
      AZURE_TENANT_ID: "ab1f708d-50f6-404c-a006-d71b2ac7a606",
      AZURE_CLIENT_ID: "12345678-1234-1234-1234-123456789abc",
      AZURE_AUTHORITY_HOST: far.url,
      AZURE_FEDERATED_TOKEN_FILE: place.at("federated"),
    },
  };
  const before = await Deno.readTextFile(place.config);
  for (const [identity, env] of Object.entries(identities)) {
    await test.step(identity, async () => {
      await Deno.writeTextFile(place.config, before);
      await place.to({
        name: "azure",
        type: "azure-blob",
        account: ACCOUNT,
        container: "absent",
        endpoint: azurite.endpoint(),
        ca: authority,
        identity,
      });
      const { code, err } = await run(vaultferry, ["backup", "--config", place.config], { cwd: "/", env });
      // The token was taken: what is missing is the container.
      assert.equal(code, 1, err);
      assert.match(err, /azure: failed: destination "azure": the container "absent" does not exist/);
      assert.ok(!err.includes(access));
    });
  }
});
