/** Where access keys come from, and that there is no request without them. */
import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { keysOf } from "../../src/destination/conformance/bench.ts";
import type { Fault } from "../servers/s3/faults.ts";
import { S3Refusal } from "../servers/s3/refusal.ts";
import { fails, MEMBER, Place, put, SMALL } from "./s3_place.ts";
import { ASSUMED, role, TOKEN, tokenService } from "./s3_tokens.ts";

const OTHER = { accessKeyId: "AKIAOTHER", secretAccessKey: "another-made-up-secret/0123456789" };
const NONE = { accessKeyId: undefined, secretAccessKey: undefined };

/** Runs `test` with these variables, a folder for files, and nothing else that AWS's library would look at. */
async function withEnvironment(
  variables: (folder: string) => Record<string, string>,
  files: Record<string, string>,
  test: () => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vaultferry-s3-" });
  const before = Object.entries(Deno.env.toObject()).filter(([name]) => name.startsWith("AWS_"));
  const clear = () => {
    for (const name of Object.keys(Deno.env.toObject())) if (name.startsWith("AWS_")) Deno.env.delete(name);
  };
  try {
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${name}`, text);
    clear();
    const set = {
      AWS_SHARED_CREDENTIALS_FILE: `${folder}/credentials`,
      AWS_CONFIG_FILE: `${folder}/config`,
      AWS_EC2_METADATA_DISABLED: "true",
      ...variables(folder),
    };
    for (const [name, value] of Object.entries(set)) Deno.env.set(name, value);
    await test();
  } finally {
    clear();
    for (const [name, value] of before) Deno.env.set(name, value);
    await Deno.remove(folder, { recursive: true });
  }
}

const PROFILES = {
  credentials: [
    "[default]",
    `aws_access_key_id = ${OTHER.accessKeyId}`,
    `aws_secret_access_key = ${OTHER.secretAccessKey}`,
    "[backup]",
    `aws_access_key_id = ${MEMBER.accessKeyId}`,
    `aws_secret_access_key = ${MEMBER.secretAccessKey}`,
  ].join("\n"),
  config: "[profile backup]\nregion = eu-central-1\n[profile empty]\nregion = eu-central-1\n",
};

Deno.test("s3: without credentials nothing is opened, and nothing is asked", async () => {
  await using place = await Place.start();
  await withEnvironment(() => ({}), {}, async () => {
    await fails(place.open(NONE), "misconfigured", /no credentials/, /accessKeyId/);
    await fails(place.open({ ...NONE, profile: "backup" }), "misconfigured", /no credentials|profile/);
  });
  assert.deepEqual(place.server.operations(), []);
});

Deno.test("s3: access keys of the environment, whose secret part is in no error", async () => {
  await using place = await Place.start();
  const variables = () => ({
    AWS_ACCESS_KEY_ID: MEMBER.accessKeyId,
    AWS_SECRET_ACCESS_KEY: MEMBER.secretAccessKey,
    // Addresses in the environment must not lead a backup elsewhere.
    AWS_ENDPOINT_URL: "http://127.0.0.1:9",
    AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9",
  });
  await withEnvironment(variables, {}, async () => {
    const destination = await place.open(NONE);
    await put(destination);
    place.holds(SMALL);
    const blabs: Fault = {
      do: "refuse",
      with: new S3Refusal(403, "Nosy", `I know that ${MEMBER.secretAccessKey} is your secret`),
    };
    await using _ = place.server.faults.strike([], blabs);
    await fails(keysOf(destination, ""), "denied", /i know that \[redacted\] is/i);
  });
});

Deno.test("s3: keys of the config go before those of the environment", async () => {
  await using place = await Place.start();
  const variables = () => ({
    AWS_ACCESS_KEY_ID: OTHER.accessKeyId,
    AWS_SECRET_ACCESS_KEY: OTHER.secretAccessKey,
    AWS_SESSION_TOKEN: "another",
    AWS_PROFILE: "backup",
    AWS_REGION: "eu-north-1",
    AWS_REQUEST_CHECKSUM_CALCULATION: "WHEN_SUPPORTED",
    AWS_AUTH_SCHEME_PREFERENCE: "sigv4a",
    AWS_USE_FIPS_ENDPOINT: "true",
  });
  await withEnvironment(variables, PROFILES, async () => {
    await put(await place.open());
    place.holds(SMALL);
  });
});

Deno.test("s3: a profile gives its keys and its region, and is never replaced by what else there is", async () => {
  await using place = await Place.start({ region: "eu-central-1" });
  const variables = () => ({
    AWS_ACCESS_KEY_ID: OTHER.accessKeyId,
    AWS_SECRET_ACCESS_KEY: OTHER.secretAccessKey,
  });
  await withEnvironment(variables, PROFILES, async () => {
    // With an endpoint the region is the config's, or the usual one.
    const destination = await place.open({ ...NONE, profile: "backup", region: "eu-central-1" });
    await put(destination);
    place.holds(SMALL);
    for (const profile of ["empty", "absent"]) {
      const why = new RegExp(`the profile "${profile}" (gives no credentials|holds no access keys)`);
      await fails(place.open({ ...NONE, profile }), "misconfigured", why);
    }
    await fails(place.open({ ...NONE, profile: "empty", endpoint: undefined }), "misconfigured");
  });
});

Deno.test("s3: without a region and an endpoint there is nowhere to go", async () => {
  await using place = await Place.start();
  await withEnvironment(() => ({}), {}, async () => {
    await fails(place.open({ endpoint: undefined }), "misconfigured", /region is not known/, /"region"/);
  });
  await withEnvironment(() => ({ AWS_REGION: "eu-central-1" }), {}, async () => {
    await place.open({ endpoint: undefined });
  });
});

Deno.test("s3: a web identity is exchanged for keys once, through the same door", async () => {
  await using place = await Place.start({ members: [{ ...MEMBER, sessionToken: TOKEN }] });
  await using sts = await tokenService(200, ASSUMED);
  await withEnvironment(role(sts.url), { token: "made.up.identity" }, async () => {
    const destination = await place.open(NONE);
    await put(destination);
    await keysOf(destination, "");
    place.holds(SMALL);
    assert.equal(sts.asked.length, 1);
    assert.match(sts.asked[0]!, /Action=AssumeRoleWithWebIdentity/);
    assert.match(sts.asked[0]!, /WebIdentityToken=made\.up\.identity/);
    const blabs: Fault = { do: "refuse", with: new S3Refusal(403, "Nosy", `the token ${TOKEN} is known`) };
    await using _ = place.server.faults.strike([], blabs);
    const error = await fails(keysOf(destination, ""), "denied");
    assert.ok(!error.message.includes(TOKEN), error.message);
  });
});

Deno.test("s3: a token service that refuses is denied, one that is down is transient", async () => {
  await using place = await Place.start();
  const cases = [
    [403, "AccessDenied", "denied"],
    [400, "ExpiredTokenException", "denied"],
    [400, "InvalidIdentityToken", "denied"],
    [503, "ServiceUnavailable", "transient"],
  ] as const;
  for (const [status, word, code] of cases) {
    const body = `<ErrorResponse><Error><Code>${word}</Code><Message>No.</Message></Error></ErrorResponse>`;
    await using sts = await tokenService(status, body);
    await withEnvironment(role(sts.url), { token: "made.up.identity" }, async () => {
      const error = await fails(place.open(NONE), code, new RegExp(word));
      assert.ok(!error.message.includes("made.up.identity"));
    });
  }
  await withEnvironment(role("http://127.0.0.1:9"), { token: "x" }, async () => {
    await fails(place.open(NONE), "transient", /refused/);
  });
  assert.deepEqual(place.server.operations(), []);
});

Deno.test("s3: the wait for credentials comes to an end", async () => {
  const waiting = http.createServer(() => {});
  await new Promise<void>((resolve) => waiting.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(waiting.address() as AddressInfo).port}`;
  await using place = await Place.start();
  try {
    await withEnvironment(role(url), { token: "x" }, async () => {
      const before = performance.now();
      // On the hurried clock a minute's patience is over soon.
      await fails(place.open(NONE), "transient", /nothing moved/);
      assert.ok(performance.now() - before < 10_000);
    });
  } finally {
    waiting.closeAllConnections();
    await new Promise((resolve) => waiting.close(resolve));
  }
});
