import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { crc32, createDeflateRaw } from "node:zlib";
import { accountWith, ATTRIBUTES, documentOf, exportEntries } from "./export_writer.ts";
import { directoryEntry, end, localHeader, type Numbers, writeZip } from "./zip_writer.ts";

const PIECE = 2 ** 20;
const ID = "bigdocument";

/** Writes an export with one document of `size` bytes, piece by piece, and returns the SHA-256 of the document. */
export async function writeBigExport(
  path: string,
  size: number,
  packing: "stored" | "deflated",
): Promise<string> {
  const entries = exportEntries({
    attributes: ATTRIBUTES,
    data: accountWith(documentOf("Big", ID, "big.bin", size)),
  });
  const small = Buffer.from(writeZip(entries));
  const start = small.indexOf("PK\u0001\u0002", 0, "latin1");
  const name = `files/${ID}__big.bin`;
  const numbers: Numbers = {
    flags: 0,
    method: packing === "stored" ? 0 : 8,
    crc: 0,
    packed: 0,
    size,
    offset: start,
    attributes: 0,
  };
  using file = await Deno.open(path, { write: true, create: true, mode: 0o600 });
  const write = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  };
  await write(small.subarray(0, start));
  const header = localHeader(name, numbers);
  await write(header);
  const hash = createHash("sha256");
  const content = pieces(size, (bytes) => {
    hash.update(bytes);
    numbers.crc = crc32(bytes, numbers.crc);
  });
  for await (const bytes of packing === "stored" ? content : deflated(content)) {
    numbers.packed += bytes.length;
    await write(bytes);
  }
  const own = small.subarray(start, -22);
  const directory = Buffer.concat([own, directoryEntry(name, numbers)]);
  await write(directory);
  await write(end({}, entries.length + 1, directory.length, start + header.length + numbers.packed));
  await file.seek(start, Deno.SeekMode.Start);
  await write(localHeader(name, numbers));
  return hash.digest("hex");
}

/** An eighth of each piece is noise, the rest is not, so that it packs to about an eighth. */
function* pieces(size: number, see: (bytes: Uint8Array) => void): Generator<Uint8Array> {
  const noise = new Uint8Array(PIECE);
  for (let at = 0; at < PIECE / 8; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536));
  for (let left = size; left > 0; left -= PIECE) {
    noise[0]! += 1;
    const bytes = noise.subarray(0, Math.min(PIECE, left));
    see(bytes);
    yield bytes;
  }
}

async function* deflated(content: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const deflate = createDeflateRaw({ level: 1 });
  const feeding = (async () => {
    for (const bytes of content) {
      if (!deflate.write(bytes.slice())) await new Promise((resolve) => deflate.once("drain", resolve));
    }
    deflate.end();
  })();
  yield* deflate;
  await feeding;
}
