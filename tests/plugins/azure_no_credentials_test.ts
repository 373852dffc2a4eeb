/** No credentials are an error. In a file of its own: the library remembers a machine's identity while the process lives. */
import assert from "node:assert/strict";
import { denoWorld } from "../../src/base/deno_world.ts";
import { Place, useAzurite } from "./azure_place.ts";
import { json, startTokens, withEnvironment } from "./azure_tokens.ts";

useAzurite();

Deno.test("azure: without credentials nothing is opened, and nothing is asked of the container", async () => {
  await using place = await Place.start();
  const nothing = { sas: undefined };
  const world = { clock: denoWorld().clock, env: () => undefined };
  const nobody = await startTokens((_, answer) =>
    json(answer, 400, { error: "invalid_request", error_description: "Identity not found" })
  );
  const { url } = nobody;
  await withEnvironment({ AZURE_POD_IDENTITY_AUTHORITY_HOST: url }, async () => {
    await place.fails(
      place.open({ ...nothing, identity: "managed" }, "", world),
      "denied",
      /managed identity .*identity not found/,
    );
  });
  await nobody[Symbol.asyncDispose]();
  await withEnvironment({ AZURE_POD_IDENTITY_AUTHORITY_HOST: url }, async () => {
    await place.fails(
      place.open({ ...nothing, identity: "managed" }, "", world),
      "misconfigured",
      /no managed identity/,
      /another way/,
    );
    await place.fails(
      place.open({ ...nothing, identity: "workload" }, "", world),
      "misconfigured",
      /no credentials to sign in with/,
      /AZURE_FEDERATED_TOKEN_FILE/,
    );
    await place.fails(
      place.open({ ...nothing, identity: "default" }, "", world),
      "misconfigured",
      /no credentials to sign in with/,
      /az login/,
    );
  });
  assert.deepEqual(place.operations(), []);
});
