/** Packs a folder as an archive: tar → zstd → age → SHA-256 → spool, as a backup does it. Prints what it took. */
import { denoWorld } from "../../src/base/deno_world.ts";
import { spool } from "../../src/archive/spool.ts";
import { ArchiveWriter } from "../../src/archive/write.ts";

const [folder = "", recipient = "", target = ""] = Deno.args;
const { files } = denoWorld();
const start = performance.now();
const writer = new ArchiveWriter({
  time: new Date(),
  compression: "zstd",
  recipients: [recipient],
  thread: true,
  sink: async (ciphertext, sha256) => void await spool(files, target, "archive.age", ciphertext, { sha256 }),
});
// A source has its items in memory: what reading them costs here is made as small as it is for tar.
for (const name of (await files.names(`${folder}/vaults/v/items`)).sort()) {
  const path = `vaults/v/items/${name}`;
  await writer.add(path, Deno.readFileSync(`${folder}/${path}`));
}
for (const name of (await files.names(`${folder}/vaults/v/files/i`)).sort()) {
  const path = `vaults/v/files/i/${name}`;
  const { size } = Deno.statSync(`${folder}/${path}`);
  await writer.addStream(path, size, await files.stream(`${folder}/${path}`));
}
await writer.finish();
const seconds = (performance.now() - start) / 1000;
const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1]) * 1024;
console.log(JSON.stringify({ seconds, peak }));
