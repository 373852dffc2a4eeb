import assert from "node:assert/strict";
import { Scratch } from "../base/scratch.ts";
import { writeBigExport } from "../onepux/big_export.ts";
import { accountWith, loginOf, writeExport } from "../onepux/export_writer.ts";

const MIB = 2 ** 20;

for (const packing of ["stored", "deflated"] as const) {
  Deno.test(`a file of 1 GiB, ${packing}, is read in at most 250 MiB of memory`, async () => {
    await using scratch = await Scratch.make();
    const path = scratch.file("big.1pux");
    const sha256 = await writeBigExport(path, 1024 * MIB, packing);
    const read = await inProcess(path);
    assert.equal(read.size, 1024 * MIB);
    assert.equal(read.sha256, sha256);
    assert.ok(read.peak <= 250 * MIB, `${Math.round(read.peak / MIB)} MiB`);
  });
}

Deno.test("20,000 items open in seconds and in less memory than 600 MiB", async () => {
  await using scratch = await Scratch.make();
  const items = Array.from(
    { length: 20_000 },
    (_, at) =>
      loginOf(`Login ${at}`, `user ${at}`, `made-up password ${at}`, {
        details: { notesPlain: "A note of some length ☕. ".repeat(60) },
      }),
  );
  const path = await scratch.write("many.1pux", writeExport({ data: accountWith(...items) }));
  const read = await inProcess(path);
  assert.equal(read.items, 20_000);
  assert.ok(read.peak <= 600 * MIB, `${Math.round(read.peak / MIB)} MiB`);
  assert.ok(read.opened < 20_000, `${read.opened} ms`);
});

async function inProcess(path: string) {
  const main = new URL("../onepux/memory_main.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-prompt", main, path],
    stderr: "piped",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(code, 0, text(stderr));
  if (Deno.env.get("VAULTFERRY_TEST_VERBOSE")) console.error(text(stdout));
  return JSON.parse(text(stdout));
}
