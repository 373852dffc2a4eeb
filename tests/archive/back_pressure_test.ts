import assert from "node:assert/strict";
import { ArchiveWriter } from "../../src/archive/write.ts";
import { owner, TIME } from "./bench.ts";

const MIB = 1024 * 1024;
const SIZE = 256 * MIB;
/** Measured: 90 to 130 MiB, for 256 MiB as for 1 GiB. What holds the body would hold 256 MiB and more. */
const BOUND = 180 * MIB;

/** The runtime's flags that vaultferry runs with: they decide how much garbage is let lie. */
async function flags(): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  return tasks.vaultferry.command.split(" ").filter((word: string) => word.startsWith("--v8-flags="));
}

Deno.test("a 256 MiB body passes through writer and reader without being held in memory", async () => {
  const path = await Deno.makeTempFile();
  try {
    const main = new URL("back_pressure_main.ts", import.meta.url).pathname;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--no-prompt", ...await flags(), main, path, String(SIZE)],
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const { written, read, size } = JSON.parse(new TextDecoder().decode(stdout));
    assert.equal(size, SIZE);
    assert.ok(written < BOUND, `writing took ${Math.round(written / MIB)} MiB more`);
    assert.ok(read < BOUND, `reading took ${Math.round(read / MIB)} MiB more`);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a sink that stands still makes the source stand still", async () => {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(crypto.getRandomValues(new Uint8Array(65_536)));
    },
  }, { highWaterMark: 0 });
  const stuck = Promise.withResolvers<void>();
  const writer = new ArchiveWriter({
    time: TIME,
    compression: "zstd",
    recipients: [owner.recipient],
    sink: () => stuck.promise,
  });
  const adding = assert.rejects(writer.addStream("vaults/v/files/i/f", 2 ** 40, body), /released/);
  let before = -1;
  while (pulled === 0 || pulled !== before) {
    before = pulled;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(pulled * 65_536 < 32 * MIB, `${pulled * 65_536 / MIB} MiB were taken without a reader`);
  stuck.reject(new Error("released"));
  await adding;
});
