/**
 * The ways of the binary into the clouds without a secret in the config. What the libraries read for them is more than
 * what they need otherwise, and the binary may not do all that a test from source may.
 */
import assert from "node:assert/strict";
import { accessToken, json, startTokens } from "../plugins/azure_tokens.ts";
import { MEMBER } from "../plugins/s3_place.ts";
import { ASSUMED, role, TOKEN, tokenService } from "../plugins/s3_tokens.ts";
import { ACCOUNT, Azurite } from "../servers/azurite/server.ts";
import { GcsServer } from "../servers/gcs/server.ts";
import { S3Server } from "../servers/s3/server.ts";
import { Bucket } from "../servers/s3/store.ts";
import { startService } from "../service/mod.ts";
import { binary } from "./binary.ts";
import { makeCertificates } from "./certificates.ts";
import { type Ended, Place, run } from "./place.ts";

/** A place whose only destination is `cloud`; then backs up there, in an environment with nothing but this. */
async function backUpTo(
  destination: Record<string, unknown>,
  env: (place: Place) => Record<string, string>,
): Promise<Ended> {
  await using service = await startService({
    name: "Acme",
    vaults: [{ title: "Finance", items: [{ title: "Bank" }] }],
  });
  await using place = await Place.make(service.token());
  await place.to({ name: "cloud", ...destination });
  return await run(await binary(), ["backup", "--config", place.config], { cwd: "/", env: env(place) });
}

function arrived({ code, err }: Ended): void {
  assert.equal(code, 0, err);
  assert.match(err, /cloud: sent and read back/);
}

Deno.test("the binary signs in to Azure", async (test) => {
  await using folder = await Place.make("");
  const { authority, server } = await makeCertificates(folder.folder, "azure.test");
  await using azurite = await Azurite.start({
    tls: { cert: folder.at("server.pem"), key: folder.at("server.key") },
  });
  const access = accessToken();
  const given = { access_token: access, expires_in: 3600, token_type: "Bearer" };
  await using machine = await startTokens((_, answer) => json(answer, 200, given));
  await using far = await startTokens((_, answer) => json(answer, 200, given), server);
  const ids = {
    AZURE_TENANT_ID: "ab1f708d-50f6-404c-a006-d71b2ac7a606",
    AZURE_CLIENT_ID: "12345678-1234-1234-1234-123456789abc",
    AZURE_AUTHORITY_HOST: far.url,
  };
  const ways = {
    managed: { AZURE_POD_IDENTITY_AUTHORITY_HOST: machine.url },
    workload: { ...ids, AZURE_FEDERATED_TOKEN_FILE: folder.at("federated") },
    default: { ...ids, AZURE_CLIENT_SECRET: "made-up-client-secret" },
  };
  await Deno.writeTextFile(folder.at("federated"), "made.up.federated");
  for (const [identity, env] of Object.entries(ways)) {
    await test.step(identity, async () => {
      const { code, err } = await backUpTo({
        type: "azure-blob",
        account: ACCOUNT,
        container: "absent",
        endpoint: azurite.endpoint(),
        ca: authority,
        identity,
      }, () => env);
      // The token was taken, every time it was asked for: what is missing is the container.
      assert.equal(code, 1, err);
      assert.match(err, /cloud: failed: destination "cloud": the container "absent" does not exist/);
      assert.ok(!err.includes(access));
    });
  }
});

Deno.test("the binary signs in to Google", async (test) => {
  await using gcs = await GcsServer.start();
  const { identity } = gcs, address = `http://127.0.0.1:${gcs.port}`;
  const bucket = { type: "gcs", bucket: "acme", endpoint: address };

  await test.step("with the key that the environment names", async () => {
    arrived(
      await backUpTo({ ...bucket, prefix: "a/" }, (place) => {
        place.secret("key.json", JSON.stringify(identity.account(address)));
        return { GOOGLE_APPLICATION_CREDENTIALS: place.at("key.json"), GCE_METADATA_HOST: "127.0.0.1:1" };
      }),
    );
  });

  await test.step("as a workload", async () => {
    identity.known.add("a-token-of-the-cluster");
    arrived(
      await backUpTo({ ...bucket, prefix: "b/" }, (place) => {
        place.secret("cluster", "a-token-of-the-cluster");
        const audience =
          "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q";
        const workload = {
          type: "external_account",
          audience,
          subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
          token_url: `${address}/sts`,
          credential_source: { file: place.at("cluster") },
        };
        place.secret("workload.json", JSON.stringify(workload));
        return { GOOGLE_APPLICATION_CREDENTIALS: place.at("workload.json") };
      }),
    );
  });

  await test.step("as a machine", async () => {
    identity.machine = true;
    arrived(await backUpTo({ ...bucket, prefix: "c/" }, () => ({ GCE_METADATA_HOST: address.slice(7) })));
  });
});

Deno.test("the binary signs in to Amazon", async (test) => {
  const members = [MEMBER, { ...MEMBER, accessKeyId: "ASIAMADEUP", sessionToken: TOKEN }];
  await using s3 = await S3Server.start({ members, buckets: [new Bucket("acme")] });
  const bucket = { type: "s3", bucket: "acme", endpoint: s3.url };
  const alone = { AWS_EC2_METADATA_DISABLED: "true" };

  await test.step("with the keys of the environment", async () => {
    const keys = { AWS_ACCESS_KEY_ID: MEMBER.accessKeyId, AWS_SECRET_ACCESS_KEY: MEMBER.secretAccessKey };
    arrived(await backUpTo({ ...bucket, prefix: "a/" }, () => ({ ...alone, ...keys })));
  });

  await test.step("with a profile", async () => {
    arrived(
      await backUpTo({ ...bucket, prefix: "b/", profile: "backup" }, (place) => {
        Deno.mkdirSync(place.at(".aws"));
        place.secret(
          ".aws/credentials",
          `[backup]\naws_access_key_id = ${MEMBER.accessKeyId}\naws_secret_access_key = ${MEMBER.secretAccessKey}\n`,
        );
        return { ...alone, HOME: place.folder };
      }),
    );
  });

  await test.step("as a workload", async () => {
    await using sts = await tokenService(200, ASSUMED.replace(MEMBER.accessKeyId, "ASIAMADEUP"));
    arrived(
      await backUpTo({ ...bucket, prefix: "c/" }, (place) => {
        Deno.mkdirSync(place.at("aws"));
        place.secret("aws/token", "made.up.identity");
        return { ...alone, ...role(sts.url)(place.at("aws")) };
      }),
    );
  });
});
