/**
 * Writes a body of many MiB through a writer into a file and reads it back, in a process of its own: the memory
 * of a test runner is no measure. Prints by how many bytes the resident memory grew.
 */
import { checkArchive } from "../../src/archive/read.ts";
import { encodeContents } from "../../src/archive/contents.ts";
import { ArchiveWriter } from "../../src/archive/write.ts";
import { BEGINNING, bytesIn, contentsOf, owner, sealedOf, TIME } from "./bench.ts";

const [path = "", size = "0"] = Deno.args;
const before = Deno.memoryUsage().rss;
let most = before;
const look = () => most = Math.max(most, Deno.memoryUsage().rss);

const writer = new ArchiveWriter({
  time: TIME,
  compression: "zstd",
  recipients: [owner.recipient],
  sink: async (ciphertext) => {
    using out = await Deno.open(path, { write: true });
    for await (const piece of ciphertext) {
      for (let at = 0; at < piece.length;) at += await out.write(piece.subarray(at));
    }
  },
});
for (const [name, text] of BEGINNING) await writer.add(name, bytesIn(text));
await writer.addStream("vaults/v/files/i/f", Number(size), noise(Number(size)));
await writer.add("manifest.json", encodeContents({ ...contentsOf([]), entries: [...writer.entries] }));
await writer.finish();
const written = most - before;

most = before;
const open = async () => (await Deno.open(path)).readable;
const { entries } = await checkArchive({ ...sealedOf(new Uint8Array(0)), open }, { progress: look });
const read = most - before;
console.log(JSON.stringify({ written, read, size: entries.get("vaults/v/files/i/f")?.size }));

/** A body that is made while it is read and cannot be compressed. */
function noise(length: number): ReadableStream<Uint8Array> {
  let left = length;
  return new ReadableStream({
    pull(controller) {
      look();
      if (left === 0) return controller.close();
      const piece = crypto.getRandomValues(new Uint8Array(Math.min(left, 65_536)));
      left -= piece.length;
      controller.enqueue(piece);
    },
  }, { highWaterMark: 0 });
}
