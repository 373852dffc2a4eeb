/** What others see of what we have stored, and we of what they have: rclone, with its own implementation. */
import assert from "node:assert/strict";
import { keysOf, never, sample } from "../../src/destination/conformance/bench.ts";
import { collect } from "../../src/base/bytes.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { LARGE, MIB, Place, put, SMALL, useAzurite } from "./azure_place.ts";

useAzurite();

async function rclone(place: Place, ...args: string[]): Promise<Uint8Array> {
  const { success, stdout, stderr } = await new Deno.Command("rclone", {
    args: ["--config", "/dev/null", "--retries", "1", ...args],
    env: {
      RCLONE_CONFIG_AZ_TYPE: "azureblob",
      RCLONE_CONFIG_AZ_SAS_URL: `${place.azurite.endpoint()}/${place.container}?${place.sas()}`,
    },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return stdout;
}

Deno.test("azure: rclone lists and reads what we have stored, short and in blocks", async () => {
  await using place = await Place.start();
  const destination = await place.open();
  await put(destination, SMALL, "acme/short");
  await put(destination, LARGE, "acme/long");
  await put(destination, sample(0), "acme/empty");
  const at = `az:${place.container}/backups/acme`;
  const listed = JSON.parse(new TextDecoder().decode(await rclone(place, "lsjson", at))) as {
    Name: string;
    Size: number;
  }[];
  assert.deepEqual(
    listed.map(({ Name, Size }) => `${Name} ${Size}`).sort(),
    ["empty 0", `long ${LARGE.length}`, `short ${SMALL.length}`],
  );
  for (const [name, bytes] of [["short", SMALL], ["long", LARGE]] as const) {
    assert.equal(sha256Hex(await rclone(place, "cat", `${at}/${name}`)), sha256Hex(bytes));
  }
});

Deno.test("azure: we list and read what rclone has stored, and do not replace it", async () => {
  await using place = await Place.start();
  const folder = await Deno.makeTempDir({ prefix: "vaultferry-azure-" });
  try {
    await Deno.writeFile(`${folder}/short`, SMALL);
    await Deno.writeFile(`${folder}/long`, LARGE);
    const chunks = ["--azureblob-chunk-size", "4Mi"];
    await rclone(place, "copy", ...chunks, folder, `az:${place.container}/backups/acme`);
    const destination = await place.open();
    assert.deepEqual((await keysOf(destination, "")).sort(), ["acme/long", "acme/short"]);
    for (const [key, bytes] of [["acme/short", SMALL], ["acme/long", LARGE]] as const) {
      const got = await collect(await destination.get(key, undefined, never), 32 * MIB, key);
      assert.equal(sha256Hex(got), sha256Hex(bytes));
      await put(destination, bytes, key); // the same bytes are there
      await place.fails(put(destination, sample(7), key), "already-exists");
      await destination.remove(key, never);
    }
    assert.equal(new TextDecoder().decode(await rclone(place, "lsf", "-R", `az:${place.container}`)), "");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
