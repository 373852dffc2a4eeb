import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { deflateRawSync } from "node:zlib";
import { AppError } from "../../src/base/errors.ts";
import { failure } from "../base/failure.ts";
import { Bench, brokenContent, contentOf, never } from "../onepux/bench.ts";
import { accountWith, documentOf, exportEntries, type Json, loginOf } from "../onepux/export_writer.ts";
import { ENCRYPTED, LINK, writeZip, type WrittenEntry } from "../onepux/zip_writer.ts";

const BODY = Buffer.from("made-up body of a file\n".repeat(5000));

/** An export with one document, in which the entry of its content is a lie. */
async function broken(
  lie: Partial<WrittenEntry>,
  sentence: RegExp,
  more: { size?: number; declared?: number } = {},
) {
  const file = { name: "files/doc1__body.txt", content: BODY, ...lie };
  const declared = more.declared ?? BODY.length;
  await using bench = await Bench.of({
    data: accountWith(documentOf("Document", "doc1", "body.txt", declared), loginOf("Other", "u", "p")),
    entries: [file],
  });
  const { source, items } = await bench.read();
  assert.deepEqual(items.map(({ title }) => title), ["Document", "Other"]);
  let error: unknown;
  let size = 0;
  try {
    ({ error, size } = await brokenContent(source, items[0]!, items[0]!.files[0]!));
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error instanceof AppError, Deno.inspect(error));
  // "not-found" and "unsupported" would read as if nothing were amiss.
  assert.ok(["corrupt", "unknown"].includes(error.code), error.code);
  assert.equal(error.origin, "source");
  assert.match(error.message, sentence);
  assert.doesNotMatch(error.message, /body\.txt|doc1/, "names may be private");
  if (more.size !== undefined) assert.equal(size, more.size);
}

Deno.test("a file whose entry lies is a gap, and the rest is read", async () => {
  const packed = deflateRawSync(BODY);
  const flipped = Buffer.from(BODY);
  flipped[50_000]! ^= 4;
  const size = BODY.length;
  await broken(
    { data: deflateRawSync(flipped) },
    /^its content is damaged: the zip's checksum \(CRC-32\) does not fit it$/,
    { size },
  );
  await broken({ stored: true, data: flipped }, /checksum/, { size });
  await broken({ directory: { crc: 0 } }, /checksum/, { size });
  await broken({ data: packed.subarray(0, packed.length / 2) }, /^its compressed data is damaged$/);
  await broken({ data: Buffer.alloc(2000, 7) }, /^its compressed data is damaged$/);
  // Everything that is there is given out first, but never more than was promised.
  await broken({ directory: { size: 70_000 } }, /^it holds more than the 70000 bytes/, {
    size: 70_000,
    declared: 70_000,
  });
  await broken({ directory: { size: 0 } }, /^it holds more than the 0 bytes/, { size: 0, declared: 0 });
  await broken(
    { directory: { size: size + 1 } },
    new RegExp(`^it holds ${size} bytes, the zip says ${size + 1}$`),
    {
      size,
      declared: size + 1,
    },
  );
  await broken({ stored: true, directory: { size: size - 1 } }, /^it holds more than/, {
    declared: size - 1,
  });
  await broken({ directory: { size: 2 ** 31 } }, /^it is said to hold more than its data can$/);
  await broken(
    { stored: true, directory: { size: size + 1 } },
    /^it is said to hold more than its data can$/,
  );
  await broken({ zip64: true, directory: { size: Number.MAX_SAFE_INTEGER } }, /^it is said to hold more/);
  await broken({ directory: { flags: ENCRYPTED } }, /^it is encrypted$/);
  await broken({ header: { flags: ENCRYPTED } }, /^its own header in the zip speaks of another file$/);
  await broken({ directory: { method: 12 } }, /^it is compressed in a way/);
  await broken({ directory: { attributes: LINK } }, /^it is a link instead of a file$/);
  await broken(
    { header: { name: "files/doc1__body.tx2" } },
    /^its own header in the zip speaks of another file$/,
  );
  await broken({ name: "files/other__body.txt" }, /^the export does not hold it$/);
});

Deno.test("what is wrong only in the header before the data, which nobody needs, does no harm", async () => {
  await using bench = await Bench.of({
    data: accountWith(documentOf("Document", "doc1", "body.txt", BODY.length)),
    entries: [{ name: "files/doc1__body.txt", content: BODY, header: { crc: 7, size: 7, packed: 7 } }],
  });
  const { source, items } = await bench.read();
  assert.deepEqual(Buffer.from(await contentOf(source, items[0]!, items[0]!.files[0]!)), BODY);
});

Deno.test("a file of another size than its item says is saved whole, and named as doubtful", async () => {
  for (const declared of [0, 1, BODY.length - 1, BODY.length + 1, Number.MAX_SAFE_INTEGER]) {
    await broken({}, new RegExp(`^it has ${BODY.length} bytes in the export, its item says ${declared}$`), {
      declared,
      size: BODY.length,
    });
  }
});

Deno.test("a size that is no size does not count", async () => {
  for (const declared of [-1, 1.5, "many", null, undefined, 1e300] as Json[]) {
    await using bench = await Bench.of({
      data: accountWith(documentOf("Document", "doc1", "body.txt", declared)),
      files: { "doc1__body.txt": BODY },
    });
    const { source, items: [item] } = await bench.read();
    assert.equal(item!.files[0]!.size, BODY.length);
    assert.deepEqual(Buffer.from(await contentOf(source, item!, item!.files[0]!)), BODY);
  }
});

Deno.test("two entries for one file are one too many; no entry is no file", async () => {
  for (const name of ["files/doc1__body.txt", "files/doc1__other.txt"]) {
    await using bench = await Bench.of({
      data: accountWith(
        documentOf("Document", "doc1", name === "files/doc1__body.txt" ? "body.txt" : "x", 1),
      ),
      entries: [{ name: "files/doc1__body.txt", content: "a" }, { name, content: "b" }],
    });
    const { source, items: [item] } = await bench.read();
    await failure(
      source.open(item!, item!.files[0]!, never),
      "corrupt",
      /^the export holds more than one file of its id$/,
    );
  }
  await using bench = await Bench.of({ data: accountWith(documentOf("Document", "doc1", "body.txt", 77)) });
  const { source, items: [item] } = await bench.read();
  assert.equal(item!.files[0]!.size, 77);
  await failure(source.open(item!, item!.files[0]!, never), "unknown", /^the export does not hold it$/);
});

Deno.test("a file is found by its id where the zip writes its name differently", async () => {
  for (const name of ["files/doc1__a_b.txt", "files/doc1___a:b.txt", "files/doc1__"]) {
    await using bench = await Bench.of({
      data: accountWith(documentOf("Document", "doc1", "a/b.txt", BODY.length)),
      entries: [{ name, content: BODY }, { name: "files/doc11__a_b.txt", content: "x" }],
    });
    const { source, items: [item] } = await bench.read();
    assert.deepEqual(Buffer.from(await contentOf(source, item!, item!.files[0]!)), BODY);
  }
});

Deno.test("a file of the exact name is the one, whatever else begins with its id", async () => {
  await using bench = await Bench.of({
    data: accountWith(documentOf("Document", "doc1", "body.txt", BODY.length)),
    entries: [{ name: "files/doc1__other", content: "x" }, { name: "files/doc1__body.txt", content: BODY }],
  });
  const { source, items: [item] } = await bench.read();
  assert.deepEqual(Buffer.from(await contentOf(source, item!, item!.files[0]!)), BODY);
});

Deno.test("names that lead out of a folder are names like others, and what no item names is counted", async () => {
  const names = [
    "../../etc/passwd",
    "/etc/passwd",
    "C:\\x",
    "..\\..\\x",
    "files/../../x",
    "files/a__\0b",
    "con",
    "files/x/",
  ];
  await using bench = await Bench.of({
    data: accountWith(documentOf("Document", "doc1", "../../../x", 1), loginOf("Login", "u", "p")),
    entries: [
      { name: "files/doc1__../../../x", content: "1" },
      // Another name, whatever some programs take a backslash for.
      { name: "files\\doc1__..\\..\\..\\x", content: "2" },
      ...names.map((name) => ({ name, content: "out", directory: { attributes: LINK } })),
    ],
  });
  const { source, items: [item] } = await bench.read();
  assert.equal(new TextDecoder().decode(await contentOf(source, item!, item!.files[0]!)), "1");
  assert.deepEqual(bench.warnings, ["no item names 8 files of the export: not saved"]);
  assert.deepEqual(bench.scratch.names(), ["sample.1pux"]);
});

Deno.test("a file of zeros, packed a thousandfold, takes its time but no memory, and is right", async () => {
  const size = 64 * 2 ** 20;
  await using bench = await Bench.of({
    data: accountWith(documentOf("Zeros", "doc1", "zeros", size)),
    entries: [{ name: "files/doc1__zeros", content: Buffer.alloc(size) }],
  });
  const { source, items: [item] } = await bench.read();
  let seen = 0;
  for await (const bytes of await source.open(item!, item!.files[0]!, never)) {
    assert.ok(bytes.length <= 256 * 1024, `${bytes.length} bytes at once`);
    seen += bytes.length;
  }
  assert.equal(seen, size);
});

Deno.test("exports in the 64-bit form and with sizes behind the data read like others", async () => {
  for (const form of [{ zip64: true }, { descriptor: true }, { stored: true }]) {
    const entries = exportEntries({
      data: accountWith(documentOf("Document", "doc1", "body.txt", BODY.length)),
      entries: [{ name: "files/doc1__body.txt", content: BODY }],
    }).map((entry) => ({ ...entry, ...form }));
    await using bench = await Bench.of(writeZip(entries, { zip64: "zip64" in form }));
    const { source, items: [item] } = await bench.read();
    assert.deepEqual(Buffer.from(await contentOf(source, item!, item!.files[0]!)), BODY);
  }
});
