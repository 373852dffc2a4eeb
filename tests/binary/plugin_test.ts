import assert from "node:assert/strict";
import { join } from "node:path";
import { sha256Hex } from "../../src/base/hash.ts";
import { startService } from "../service/mod.ts";
import { binary, ROOT } from "./binary.ts";
import { Place, run } from "./place.ts";

const EXAMPLE = join(ROOT, "docs", "plugins", "rclone.mjs");
const RCLONE = "/usr/bin/rclone";

Deno.test("the binary loads a plugin from disk: backup, verify and restore through rclone", async () => {
  const vaultferry = await binary();
  await using service = await startService({
    name: "Acme",
    vaults: [{ title: "Finance", items: [{ title: "Bank", username: "ada", password: "a secret" }] }],
  });
  await using place = await Place.make(service.token());
  const path = place.at("mine.mjs");
  await Deno.copyFile(EXAMPLE, path);
  await Deno.chmod(path, 0o644);
  const trust = (sha256: string) =>
    place.to({
      name: "remote",
      type: "plugin",
      path,
      sha256,
      options: { program: RCLONE, remote: place.at("nas"), arguments: ["--config", "/dev/null"] },
    });
  await trust(sha256Hex(await Deno.readFile(path)));
  await place.roundTrip((args) => run(vaultferry, args, { cwd: "/" }));
  assert.equal(
    [...Deno.readDirSync(place.at("nas/acme"))].filter(({ name }) => name.endsWith(".age")).length,
    1,
  );

  await Deno.writeTextFile(path, "\n", { append: true });
  const changed = await run(vaultferry, ["list", "--config", place.config], { cwd: "/" });
  assert.notEqual(changed.code, 0);
  assert.match(changed.err, /has the SHA-256 [0-9a-f]{64}, not the one in the config, and was not run/);

  // What its digest does not cover is not run, although the runtime would load it.
  await Deno.writeTextFile(place.at("other.mjs"), 'throw new Error("this ran");');
  const importing = `import "file://${place.at("other.mjs")}";\nexport default { contract: 1, open() {} };\n`;
  await Deno.writeTextFile(path, importing);
  await trust(sha256Hex(importing));
  const refused = await run(vaultferry, ["list", "--config", place.config], { cwd: "/" });
  assert.match(refused.err, /imports "file:\/\/.*other\.mjs", which its SHA-256 does not cover/);
  assert.doesNotMatch(refused.err, /this ran/);
});
