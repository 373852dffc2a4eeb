/** Where credentials come from, what is refused, and that nothing is ever asked without them. */
import assert from "node:assert/strict";
import { within } from "../../src/destination/conformance/bench.ts";
import { freePort } from "../servers/child.ts";
import { type Asked, HttpFaults, PORTAL, redirect, startTrap } from "../servers/http_faults.ts";
import { bodyOf, fails, GcsPlace, KEY, never, sample } from "./gcs_bucket.ts";

/** The requests that are not for tokens. */
const toService = (place: GcsPlace) => place.asked(/\/(storage|upload)\//);

Deno.test("a key file that is of no use is refused before anything is asked, and nothing of it is told", async () => {
  await using place = await GcsPlace.start();
  const key = place.server.identity.account(place.address);
  const text = (change: Record<string, unknown>) => JSON.stringify({ ...key, ...change });
  const bad: [string, string, RegExp][] = [
    ["no JSON", `not-json-${key.private_key}`, /holds no credentials of Google/],
    ["no object", `"${btoa(key.private_key!)}"`, /holds no credentials of Google/],
    ["no type", text({ type: undefined }), /holds no credentials of Google/],
    ["another type", text({ type: "spell" }), /a kind that is not known/],
    ["no account", text({ client_email: undefined }), /lacks "client_email"/],
    ["no key", text({ private_key: "" }), /lacks "private_key"/],
    ["a broken key", text({ private_key: key.private_key!.slice(0, 400) }), /is no private key/],
    ["tokens in clear", text({ token_uri: "http://tokens.example/" }), /begins with https/],
    ["no place for tokens", text({ token_uri: "tokens" }), /begins with https/],
  ];
  for (const [what, content, sentence] of bad) {
    const error = await fails(
      place.open({ keyFile: place.write("bad.json", content) }),
      "misconfigured",
      sentence,
    );
    for (const part of [key.private_key!.slice(40, 80), btoa(key.private_key!).slice(40, 80)]) {
      assert.ok(!error.message.includes(part), what);
    }
  }
  await fails(place.open({ keyFile: `${place.folder}/absent.json` }), "misconfigured", /absent\.json/);
  assert.deepEqual(place.server.asked, []);
});

Deno.test("a key that others may read is refused, what is no secret is not", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using place = await GcsPlace.start();
  const key = JSON.stringify(place.server.identity.account(place.address));
  for (const mode of [0o640, 0o604, 0o644]) {
    const error = await fails(
      place.open({ keyFile: place.write("key.json", key, mode) }),
      "misconfigured",
      /other users may use the secret/,
    );
    assert.match(error.hint!, /^chmod 600 /);
    place.env.GOOGLE_APPLICATION_CREDENTIALS = `${place.folder}/key.json`;
    await fails(place.openAs({}), "misconfigured", /other users may use the secret/);
  }
  assert.deepEqual(place.server.asked, []);
  const exchange = JSON.stringify(workload(place, { credential_source: { file: `${place.folder}/token` } }));
  await place.open({ keyFile: place.write("workload.json", exchange, 0o644) });
  const person = JSON.stringify(workload(place, { client_id: "a", client_secret: "very-secret-words" }));
  const error = await fails(
    place.open({ keyFile: place.write("workload.json", person, 0o644) }),
    "misconfigured",
    /other users may use the secret/,
  );
  assert.ok(!error.message.includes("very-secret"));
});

Deno.test("no credentials anywhere: an error, and no request", async () => {
  await using place = await GcsPlace.start();
  place.env.GCE_METADATA_HOST = `127.0.0.1:${freePort()}`;
  const error = await fails(place.openAs({}), "misconfigured", /no credentials for Google Cloud Storage/);
  assert.match(error.hint!, /keyFile.*gcloud auth application-default login/);
  // A machine of another cloud, or one without an account.
  place.env.GCE_METADATA_HOST = place.address.slice(7);
  await fails(place.openAs({}), "misconfigured", /no credentials for Google Cloud Storage/);
  await using cloud = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => Response.json({ access_token: "a-token-of-another-cloud", expires_in: 3600 }),
  );
  place.env.GCE_METADATA_HOST = `127.0.0.1:${(cloud.addr as Deno.NetAddr).port}`;
  await fails(place.openAs({}), "misconfigured", /no credentials for Google Cloud Storage/);
  assert.deepEqual(toService(place), []);
});

Deno.test("application-default credentials: what is named goes first, and fails where it is of no use", async () => {
  await using place = await GcsPlace.start();
  const { server, env } = place;
  server.identity.machine = true;
  env.GCE_METADATA_HOST = place.address.slice(7);
  const kinds = async () => {
    server.identity.issued.length = 0;
    const destination = await place.openAs({});
    await destination.put(KEY, bodyOf(sample(10)), never);
    await destination.remove(KEY, never);
    return [...new Set(server.identity.issued)];
  };
  assert.deepEqual(await kinds(), ["machine"]);

  server.identity.known.add("1//a-refresh-token");
  const person = {
    type: "authorized_user",
    client_id: "x.apps.googleusercontent.com",
    client_secret: "a-client-secret",
    refresh_token: "1//a-refresh-token",
    token_uri: `${place.address}/token`,
  };
  Deno.mkdirSync(`${place.folder}/.config/gcloud`, { recursive: true });
  place.write(".config/gcloud/application_default_credentials.json", JSON.stringify(person));
  assert.deepEqual(await kinds(), ["refresh_token"]);
  env.CLOUDSDK_CONFIG = `${place.folder}/elsewhere`;
  assert.deepEqual(await kinds(), ["machine"]);
  delete env.CLOUDSDK_CONFIG;

  env.GOOGLE_APPLICATION_CREDENTIALS = place.keyFile();
  assert.deepEqual(await kinds(), ["jwt-bearer"]);
  env.GOOGLE_APPLICATION_CREDENTIALS = `${place.folder}/absent.json`;
  await fails(place.openAs({}), "misconfigured", /absent\.json/);

  delete env.GOOGLE_APPLICATION_CREDENTIALS;
  server.identity.known.clear();
  const revoked = await place.openAs({});
  const error = await fails(revoked.stat(KEY, never), "denied", /token has been expired or revoked/);
  assert.doesNotMatch(`${error.message} ${error.hint}`, /a-refresh-token|a-client-secret/);
});

/** A configuration of workload identity. */
function workload(place: GcsPlace, change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    type: "external_account",
    audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: `${place.address}/sts`,
    credential_source: { file: `${place.folder}/token` },
    ...change,
  };
}

Deno.test("workload identity: the token of a cluster is exchanged, also for that of a service account", async () => {
  await using place = await GcsPlace.start();
  const { identity } = place.server;
  identity.known.add("a-token-of-the-cluster");
  place.write("token", "a-token-of-the-cluster");
  const account = "backup@acme.iam.gserviceaccount.com";
  const url = `${place.address}/v1/projects/-/serviceAccounts/${account}:generateAccessToken`;
  for (
    const [change, kinds] of [
      [{}, ["token-exchange"]],
      [{ service_account_impersonation_url: url }, ["token-exchange", "impersonated"]],
    ] as const
  ) {
    identity.issued.length = 0;
    const keyFile = place.write("workload.json", JSON.stringify(workload(place, change)), 0o644);
    const destination = await place.open({ keyFile });
    await destination.put(KEY, bodyOf(sample(10)), never);
    await destination.remove(KEY, never);
    assert.deepEqual(identity.issued, kinds);
  }

  place.write("token", "another-token");
  const keyFile = place.write("workload.json", JSON.stringify(workload(place)));
  const refused = await place.open({ keyFile });
  const error = await fails(refused.stat(KEY, never), "denied", /the subject token is not known/);
  assert.ok(!`${error.message} ${error.hint}`.includes("another-token"));

  Deno.removeSync(`${place.folder}/token`);
  await fails(refused.stat(KEY, never), "misconfigured", /no access token is to be had: .*does not exist/);
  const odd = place.write("workload.json", JSON.stringify(workload(place, { credential_source: {} })));
  await fails(place.open({ keyFile: odd }), "misconfigured", /cannot be used/);
  const clear = workload(place, { token_url: "http://sts.example/v1/token" });
  place.write("token", "a-token-of-the-cluster");
  const leaking = await place.open({ keyFile: place.write("workload.json", JSON.stringify(clear)) });
  await fails(leaking.stat(KEY, never), "misconfigured", /without https/);
});

Deno.test("an account that acts as another one", async () => {
  await using place = await GcsPlace.start();
  const { identity } = place.server;
  const account = "backup@acme.iam.gserviceaccount.com";
  const file = {
    type: "impersonated_service_account",
    service_account_impersonation_url:
      `${place.address}/v1/projects/-/serviceAccounts/${account}:generateAccessToken`,
    source_credentials: identity.account(place.address),
  };
  const destination = await place.open({ keyFile: place.write("as.json", JSON.stringify(file)) });
  await destination.put(KEY, bodyOf(sample(10)), never);
  assert.deepEqual(identity.issued, ["jwt-bearer", "impersonated"]);
  const self = { ...file, source_credentials: file };
  await fails(
    place.open({ keyFile: place.write("as.json", JSON.stringify(self)) }),
    "misconfigured",
    /are no credentials/,
  );
});

Deno.test("one token is for all calls, and is replaced before it runs out", async () => {
  await using place = await GcsPlace.start();
  const { identity } = place.server;
  const destination = await place.open();
  await destination.put(KEY, bodyOf(sample(10)), never);
  await Promise.all([1, 2, 3, 4, 5].map(() => destination.stat(KEY, never)));
  assert.equal(identity.issued.length, 1);
  const hurried = await place.open();
  await Promise.all([1, 2, 3, 4, 5].map(() => hurried.stat(KEY, never)));
  assert.equal(identity.issued.length, 2);
  identity.lifetime = 60;
  const brief = await place.open();
  for (let times = 0; times < 3; times++) await brief.stat(KEY, never);
  assert.equal(identity.issued.length, 5);
});

Deno.test("a place for tokens that refuses, stumbles, lies or hangs", async () => {
  await using place = await GcsPlace.start();
  const faulty = await HttpFaults.start(place.server.port);
  await using _ = faulty;
  const isToken = ({ url }: Asked) => url === "/token";
  const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
    do: "answer" as const,
    status,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const open = async () => {
    const key = place.server.identity.account(`http://127.0.0.1:${faulty.port}`);
    return await place.open({ keyFile: place.write("key.json", JSON.stringify(key)) });
  };
  const put = async () => await (await open()).put(KEY, bodyOf(sample(10)), never);
  {
    await using strike = faulty.strike(answer(503, { error: "internal_failure" }), 2, isToken);
    await put();
    assert.equal(strike.times(), 2);
  }
  const past = new Date(Date.now() - 3_600_000).toUTCString();
  const skewed = { error: "invalid_grant", error_description: "Invalid JWT: Check your iat and exp values." };
  const bad = [
    [answer(503, {}), "transient", /cannot do it now/, undefined],
    [answer(400, skewed), "denied", /no access token .*\(invalid_grant: /, /clock of this machine/],
    [answer(400, skewed, { date: past }), "denied", /invalid_grant/, /60 minutes ahead/],
    [answer(401, { error: "invalid_client" }), "denied", /\(invalid_client\)/, undefined],
    [answer(404, {}), "misconfigured", /no access token/, undefined],
    [answer(200, {}), "transient", /gave none/, undefined],
    [answer(200, { access_token: "" }), "transient", /gave none/, undefined],
    [answer(200, { access_token: "a b\nc: d e f g h" }), "transient", /gave none/, undefined],
    [PORTAL, "transient", /a web page/, undefined],
  ] as const;
  const before = toService(place).length;
  for (const [treatment, code, sentence, hint] of bad) {
    await using _ = faulty.strike(treatment, Infinity, isToken);
    const error = await fails(put(), code, sentence);
    if (hint) assert.match(error.hint ?? "", hint);
  }
  {
    await using trap = await startTrap();
    await using _ = faulty.strike(redirect(trap.url), Infinity, isToken);
    await fails(put(), "misconfigured", /redirects/);
    assert.deepEqual(trap.requests, []);
  }
  place.server.instead = (_, url) => url.pathname === "/token" ? new Promise(() => {}) : undefined;
  const cancel = new AbortController();
  const destination = await open();
  const hanging = destination.stat(KEY, cancel.signal);
  setTimeout(() => cancel.abort(), 100);
  await fails(within(hanging, "a stat without a token"), "cancelled", /cancelled/);
  await within(destination[Symbol.asyncDispose](), "closing");
  assert.equal(toService(place).length, before, "the service was asked without a token");
});
