import assert from "node:assert/strict";
import { startService } from "../service/mod.ts";
import { keygen, OpenSsh } from "../servers/openssh/server.ts";
import { binary } from "./binary.ts";
import { Place, run } from "./place.ts";

Deno.test("the binary backs up over SFTP, and restores from there", async () => {
  const account = { name: "Acme", vaults: [{ title: "Finance", items: [{ title: "Bank" }] }] };
  await using service = await startService(account);
  await using place = await Place.make(service.token());
  await using server = await OpenSsh.start();
  await server.authorize(await keygen(place.at("ssh-key"), "ed25519", "made-up passphrase"));
  await place.to({
    name: "box",
    type: "sftp",
    host: "127.0.0.1",
    port: server.port,
    username: server.username,
    path: server.at(),
    privateKey: `file:${place.at("ssh-key")}`,
    passphrase: place.secret("passphrase", "made-up passphrase\n"),
    knownHosts: server.knownHost(),
  });
  const vaultferry = await binary();
  await place.roundTrip((args) => run(vaultferry, args, { cwd: "/" }));
  const names = [...Deno.readDirSync(server.at("acme"))].map(({ name }) => name);
  assert.ok(names.some((name) => name.endsWith(".manifest.json.sig")), `${names}`);
});
