import assert from "node:assert/strict";
import { startService } from "../service/mod.ts";
import { binary } from "./binary.ts";
import { Place, run } from "./place.ts";

/** Debian: qemu-user-static, libc6-arm64-cross, libgcc-s1-arm64-cross. */
const QEMU = "/usr/bin/qemu-aarch64-static";
const LIBRARIES = "/usr/aarch64-linux-gnu";

Deno.test("the binary for ARM backs up", async () => {
  const vaultferry = await binary("linux-arm64");
  await using service = await startService({
    name: "Acme",
    vaults: [{ title: "Finance", items: [{ title: "Bank" }] }],
  });
  await using place = await Place.make(service.token());
  // On ARM itself, or emulated, which takes a minute.
  const native = Deno.build.arch === "aarch64";
  const emulated = native ? [] : [QEMU, "-L", LIBRARIES];
  const [program, ...args] = [...emulated, vaultferry, "backup", "--json", "--config", place.config];
  const start = performance.now();
  const { code, out, err } = await run(program!, args);
  assert.equal(code, 0, err);
  const summary = JSON.parse(out.trim().split("\n").at(-1)!);
  assert.equal(summary.jobs[0].outcome, "complete");
  console.log(`${((performance.now() - start) / 1000).toFixed(0)} s`);

  // What it made, any machine can open.
  const verified = await run(await binary(), [
    "verify",
    "--identity",
    place.at("key"),
    "--config",
    place.config,
  ]);
  assert.equal(verified.code, 0, verified.err);
});
