/** Every way to sign in, and that there is no request without one. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { azureSettings } from "../../plugins/destinations/azure_blob/settings.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { keysOf, never } from "../../src/destination/conformance/bench.ts";
import { makeCertificates } from "../binary/certificates.ts";
import { ACCOUNT, Azurite } from "../servers/azurite/server.ts";
import { KEY, LARGE, Place, put, SMALL, useAzurite } from "./azure_place.ts";
import { accessToken, json, startTokens, withEnvironment } from "./azure_tokens.ts";

useAzurite();

Deno.test("azure: with the account's key, and with a wrong one", async () => {
  await using place = await Place.start();
  const accountKey = { sas: undefined, accountKey: "env:SECRET" };
  const destination = await place.open(accountKey, place.azurite.key);
  await put(destination, LARGE);
  await place.holds(LARGE);
  assert.deepEqual(await keysOf(destination, ""), [KEY]);
  await destination.remove(KEY, never);
  const wrong = await place.open(accountKey, Buffer.alloc(64, 7).toString("base64"));
  for (const call of [() => put(wrong), () => keysOf(wrong, ""), () => wrong.stat(KEY, never)]) {
    await place.fails(call(), "denied", /403/, /check the credentials/);
  }
  for (const text of ["", "hello world", `AccountKey=${place.azurite.key}`]) {
    await place.fails(place.open(accountKey, text), "misconfigured", /no key of a storage account/, /base64/);
  }
});

Deno.test("azure: a signature may begin with a question mark, and must be one", async () => {
  await using place = await Place.start();
  const sas = place.sas();
  await put(await place.open({}, `?${sas}\n`));
  await place.holds(SMALL);
  place.operations();
  const bad = [
    "",
    "?",
    "hello",
    sas.replace(/sig=[^&]*/, "sig="),
    sas.replace(/&?sig=[^&]*/, ""),
    `${place.endpoint}?${sas}`,
  ];
  for (const text of bad) {
    await place.fails(place.open({}, text), "misconfigured", /no shared access signature/, /question mark/);
  }
  assert.deepEqual(place.operations(), []);
});

Deno.test("azure: with a connection string that holds a key or a signature", async () => {
  await using place = await Place.start();
  const settings = { sas: undefined, endpoint: undefined, connectionString: "env:SECRET" };
  const withKey =
    `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${place.azurite.key};BlobEndpoint=${place.endpoint};`;
  const withSas = `BlobEndpoint=${place.endpoint};SharedAccessSignature=${place.sas()}`;
  for (
    const [at, [text, account]] of ([[withKey, ACCOUNT], [withKey, undefined], [withSas, undefined]] as const)
      .entries()
  ) {
    const destination = await place.open({ ...settings, account }, text);
    await put(destination, SMALL, `${at}`);
    await place.holds(SMALL, `backups/${at}`);
  }
  place.operations();
  const bad: [string, RegExp][] = [
    ["", /cannot be used|neither/],
    ["nonsense", /cannot be used|neither/],
    [withKey.replace(/AccountKey=[^;]*;/, ""), /cannot be used|neither/],
    [withKey.replace(/AccountKey=[^;]*/, "AccountKey=abc"), /no valid AccountKey/],
    [withSas.replace(/SharedAccessSignature=.*/, ""), /cannot be used|neither/],
    [withSas.replace(/sig=[^&]*/, "sig="), /signature/i],
    [withSas.replace("127.0.0.1", "azure.test"), /without https/],
    [withKey.replace(`AccountName=${ACCOUNT}`, "AccountName=another"), /another account/],
  ];
  for (const [text, sentence] of bad) {
    await place.fails(place.open({ ...settings, account: ACCOUNT }, text), "misconfigured", sentence);
  }
  assert.deepEqual(place.operations(), []);
});

Deno.test("azure: settings that make no sense are refused with the reason", () => {
  const good = { account: "acme", container: "vaults", sas: "file:/etc/sas" };
  assert.equal(azureSettings.parse(good).prefix, "");
  const bad: [Record<string, unknown>, RegExp][] = [
    [{ sas: undefined }, /give one of sas, accountKey, connectionString, identity/],
    [{ accountKey: "env:X" }, /besides sas/],
    [{ identity: "managed" }, /besides sas/],
    [{ account: undefined }, /is missing/],
    [{ account: "https://acme.blob.core.windows.net" }, /name alone/],
    [{ container: "Vaults" }, /name alone/],
    [{ container: "a--b" }, /name alone/],
    [{ container: "ab" }, /name alone/],
    [{ container: "vaults/x" }, /name alone/],
    [{ prefix: "no-slash" }, /end with a slash/],
    [{ prefix: "/" }, /folder names/],
    [{ endpoint: "acme.test" }, /address/],
    [{ endpoint: "https://x.test/?sv=1&sig=2" }, /no credentials/],
    [{ endpoint: "http://x.test/acme" }, /https/],
    [{ sas: undefined, connectionString: "env:X", endpoint: "https://x.test" }, /names one itself/],
    [{ sas: "sv=2020&sig=plainly" }, /reference/],
    [{ clientId: "12345678-1234-1234-1234-123456789abc" }, /without an identity/],
    [{ sas: undefined, identity: "me" }, /identity|managed/],
    [{ timeout: "0s" }, /duration/],
    [{ nonsense: 1 }, /nonsense/],
  ];
  for (const [change, why] of bad) {
    const { error } = azureSettings.safeParse({ ...good, ...change });
    assert.match(error?.message ?? assert.fail(JSON.stringify(change)), why);
  }
  assert.ok(
    azureSettings.safeParse({
      ...good,
      sas: undefined,
      accountKey: "env:X",
      endpoint: "http://azurite:10000/a",
    }).success,
  );
});

const IDS = {
  AZURE_TENANT_ID: "ab1f708d-50f6-404c-a006-d71b2ac7a606",
  AZURE_CLIENT_ID: "12345678-1234-1234-1234-123456789abc",
};

Deno.test("azure: a managed identity's token opens a container, over TLS of an authority of one's own", async () => {
  await using place = await Place.start();
  const world = { clock: denoWorld().clock, env: (name: string) => Deno.env.get(name) };
  const folder = await Deno.makeTempDir({ prefix: "vaultferry-azure-" });
  try {
    const { authority, server } = await makeCertificates(folder, "azure.test");
    const tls = { cert: `${folder}/server.pem`, key: `${folder}/server.key` };
    await using secure = await Azurite.start({ tls });
    const access = accessToken();
    await using machine = await startTokens((_, answer) =>
      json(answer, 200, {
        access_token: access,
        expires_in: "3600",
        expires_on: `${Math.floor(Date.now() / 1000) + 3600}`,
        token_type: "Bearer",
      })
    );
    const settings = { sas: undefined, identity: "managed", endpoint: secure.endpoint(), ca: authority };
    place.secrets.add(access);
    await withEnvironment({ AZURE_POD_IDENTITY_AUTHORITY_HOST: machine.url }, async () => {
      const destination = await place.open({ ...settings, container: "absent" }, "", world);
      // The token is taken: what is missing is the container.
      await place.fails(put(destination), "misconfigured", /container "absent" does not exist/);
      await place.fails(keysOf(destination, ""), "misconfigured", /"absent" does not exist/);
      assert.equal(machine.asked.length, 1, String(machine.asked));
      assert.match(machine.asked[0]!, /resource=https(:|%3A)/i);
      // Another identity in the same process, after the destination of the first was closed.
      await destination[Symbol.asyncDispose]();
      const other = { ...settings, clientId: IDS.AZURE_CLIENT_ID, container: "absent" };
      await place.fails(
        put(await place.open(other, "", world)),
        "misconfigured",
        /container "absent" does not exist/,
      );
      assert.equal(machine.asked.length, 2, String(machine.asked));
      await place.fails(
        put(await place.open({ ...settings, ca: undefined }, "", world)),
        "misconfigured",
        /vouches for/,
      );
    });
    // A workload's token, exchanged at another place for tokens; and a program's secret.
    await Deno.writeTextFile(`${folder}/federated`, "made.up.federated");
    await using far = await startTokens(
      (_, answer) => json(answer, 200, { access_token: access, expires_in: 3600, token_type: "Bearer" }),
      server,
    );
    const there = { ...IDS, AZURE_AUTHORITY_HOST: far.url };
    await withEnvironment({ ...there, AZURE_FEDERATED_TOKEN_FILE: `${folder}/federated` }, async () => {
      const destination = await place.open(
        { ...settings, identity: "workload", container: "absent" },
        "",
        world,
      );
      await place.fails(put(destination), "misconfigured", /container "absent" does not exist/);
    });
    await withEnvironment({ ...there, AZURE_CLIENT_SECRET: "made-up-client-secret" }, async () => {
      const destination = await place.open(
        { ...settings, identity: "default", container: "absent" },
        "",
        world,
      );
      await place.fails(put(destination), "misconfigured", /container "absent" does not exist/);
    });
    await using refusing = await startTokens(
      (_, answer) =>
        json(answer, 401, {
          error: "invalid_client",
          error_description: "AADSTS7000215: Invalid client secret provided. Trace ID: 1 Correlation ID: 2",
        }),
      server,
    );
    await withEnvironment({
      ...there,
      AZURE_AUTHORITY_HOST: refusing.url,
      AZURE_CLIENT_SECRET: "made-up-client-secret",
    }, async () => {
      const opening = place.open({ ...settings, identity: "default" }, "", world);
      await place.fails(
        opening,
        "denied",
        /no access token comes from Microsoft Entra ID \(invalid_client: AADSTS7000215[^T]*\)$/,
      );
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
