import assert from "node:assert/strict";
import { encodeContents } from "../../src/archive/contents.ts";
import { checkArchive, visitEntries } from "../../src/archive/read.ts";
import { ArchiveWriter, type StreamedEntry } from "../../src/archive/write.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { BEGINNING, bytesIn, bytesOf, collect, concat, contentsOf } from "./bench.ts";
import { owner, piecesOf, recordOf, sealedOf, TIME } from "./bench.ts";

const PATH = "vaults/v/files/i/f";

/** Streams one body of `declared` bytes into an archive; what the writer said, and what a reader then finds. */
async function stream(declared: number, body: ReadableStream<Uint8Array>) {
  let archive = new Uint8Array(0);
  const writer = new ArchiveWriter({
    time: TIME,
    compression: "zstd",
    recipients: [owner.recipient],
    sink: async (ciphertext) => {
      archive = await collect(ciphertext, Infinity, "the archive");
    },
  });
  for (const [path, text] of BEGINNING) await writer.add(path, bytesIn(text));
  const said = await writer.addStream(PATH, declared, body);
  await writer.add("vaults/v/files/i/next", bytesOf(10));
  const contents = { ...contentsOf([]), entries: [...writer.entries] };
  await writer.add("manifest.json", encodeContents(contents));
  await writer.finish();
  const found = new Map<string, Uint8Array>();
  const sealed = sealedOf(archive);
  await visitEntries(sealed, await checkArchive(sealed), async (entry) => {
    found.set(entry.path, await collect(entry.body, Infinity, entry.path));
  });
  assert.deepEqual(found.get("vaults/v/files/i/next"), bytesOf(10), "the next entry is unharmed");
  return { said, stored: found.get(PATH)! };
}

/** A body that gives `bytes` and then fails. */
function breaking(bytes: Uint8Array, reason: unknown): ReadableStream<Uint8Array> {
  let given = false;
  return new ReadableStream({
    pull(controller) {
      if (given || bytes.length === 0) return controller.error(reason);
      given = true;
      controller.enqueue(bytes);
    },
  });
}

function asStored({ path, size, sha256 }: StreamedEntry) {
  return { path, size, sha256 };
}

for (const size of [0, 1, 511, 512, 513, 65_536, 1_048_577]) {
  Deno.test(`a body of exactly the declared ${size} bytes is stored as it is`, async () => {
    const bytes = bytesOf(size);
    const { said, stored } = await stream(size, piecesOf(bytes, 1000));
    assert.deepEqual(stored, bytes);
    assert.deepEqual(said, recordOf(PATH, bytes), "no word of a difference");
  });
}

for (const [declared, real] of [[1, 0], [1000, 999], [200_000, 3], [513, 512]] as const) {
  Deno.test(`a body of ${real} bytes declared as ${declared} is filled up with zeros, and that is said`, async () => {
    const bytes = bytesOf(real);
    const padded = concat([bytes, new Uint8Array(declared - real)]);
    const { said, stored } = await stream(declared, piecesOf(bytes, 100));
    assert.deepEqual(stored, padded);
    assert.deepEqual(asStored(said), recordOf(PATH, padded));
    assert.deepEqual(said.actual, { size: real, sha256: sha256Hex(bytes) });
    assert.equal("broken" in said, false);
  });
}

for (const [declared, real] of [[0, 1], [999, 1000], [3, 200_000], [512, 513]] as const) {
  Deno.test(`a body of ${real} bytes declared as ${declared} is cut, and its true hash is said`, async () => {
    const bytes = bytesOf(real);
    const { said, stored } = await stream(declared, piecesOf(bytes, 300));
    assert.deepEqual(stored, bytes.subarray(0, declared));
    assert.deepEqual(asStored(said), recordOf(PATH, bytes.subarray(0, declared)));
    assert.deepEqual(said.actual, { size: real, sha256: sha256Hex(bytes) });
  });
}

Deno.test("a body that breaks off is filled up, and the entry says why and what was there", async () => {
  const reason = new Error("connection reset");
  const bytes = bytesOf(700);
  const { said, stored } = await stream(2000, breaking(bytes, reason));
  assert.deepEqual(stored, concat([bytes, new Uint8Array(1300)]));
  assert.equal(said.broken, reason);
  assert.deepEqual(said.actual, { size: 700, sha256: sha256Hex(bytes) });
});

Deno.test("a body that breaks off before its first byte is all zeros and broken", async () => {
  const { said, stored } = await stream(5, breaking(new Uint8Array(0), new Error("refused")));
  assert.deepEqual(stored, new Uint8Array(5));
  assert.deepEqual(said.actual, { size: 0, sha256: sha256Hex(new Uint8Array(0)) });
  assert.match(String(said.broken), /refused/);
});

Deno.test("a body that breaks off after its last byte is whole and still said to be broken", async () => {
  const { said, stored } = await stream(700, breaking(bytesOf(700), new Error("late")));
  assert.deepEqual(stored, bytesOf(700));
  assert.deepEqual(said.actual, { size: 700, sha256: sha256Hex(bytesOf(700)) });
  assert.match(String(said.broken), /late/);
});

Deno.test("a body that breaks off without a reason is broken all the same", async () => {
  const { said } = await stream(10, breaking(bytesOf(3), undefined));
  assert.match(String(said.broken), /the body broke off/);
  assert.equal(said.actual?.size, 3);
});
