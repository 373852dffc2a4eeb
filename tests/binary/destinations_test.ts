/**
 * Every destination of the binary: the libraries in it were bundled and minified, and what was tested from source need
 * not be what is in the file.
 */
import assert from "node:assert/strict";
import { SERVERS } from "../bench/destinations/servers.ts";
import { startService } from "../service/mod.ts";
import { binary } from "./binary.ts";
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
  await test.step("as a user whom nobody knows, without a home", async () => {
    await Deno.copyFile(vaultferry, place.at("vaultferry")); // the cache is root's
    const nobody = Deno.uid() === 0 ? { uid: 12345, gid: 12345 } : {};
    if (nobody.uid !== undefined) await place.chown(nobody.uid, nobody.gid);
    const { code, err } = await run(place.at("vaultferry"), ["backup", "--config", place.config], {
      cwd: "/",
      ...nobody,
    });
    assert.equal(code, 0, err);
    if (nobody.uid !== undefined) await place.chown(0, 0);
  });
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
      assert.match(out, /\n[1-9]\d+ passed, 0 failed, 0 left out: /);
    });
  }
});
