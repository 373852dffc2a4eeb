import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { deflateRawSync } from "node:zlib";
import { AppError, type ErrorCode } from "../../src/base/errors.ts";
import { failure } from "../base/failure.ts";
import { Bench } from "../onepux/bench.ts";
import { accountWith, documentOf, exportEntries, loginOf, writeExport } from "../onepux/export_writer.ts";
import { ENCRYPTED, LINK, STRONG, writeZip, type WrittenEntry, type ZipLies } from "../onepux/zip_writer.ts";

const SECRET = "made-up-secret-password";
const DATA = accountWith(loginOf("Login", "user", SECRET));
const BODY = Buffer.from("made-up body of a file\n".repeat(5000));

/** An export that must be refused as a whole; returns the error, which gives nothing away. */
async function refused(zip: Uint8Array, code: ErrorCode, sentence: RegExp, hint?: RegExp): Promise<AppError> {
  await using bench = await Bench.of(zip);
  const error = await failure(bench.open(), code, sentence);
  assert.equal(error.origin, "source");
  assert.ok(error.message.includes(`"${bench.path}"`), error.message);
  if (hint) assert.match(error.hint ?? "", hint);
  assert.doesNotMatch(Deno.inspect(error, { depth: 10 }), new RegExp(SECRET));
  return error;
}

Deno.test("what is no zip is a fault of the config", async () => {
  for (const bytes of ["", "x", "%PDF-1.7 ".repeat(10_000), "\0".repeat(100_000), "PK"]) {
    await refused(
      Buffer.from(bytes),
      "misconfigured",
      /is not a 1PUX export: it is no zip file$/,
      /ends in \.1pux/,
    );
  }
});

Deno.test("a path that leads nowhere, or to no file, is a fault of the config", async () => {
  await using bench = await Bench.of({ data: DATA });
  const absent = await failure(
    bench.open(bench.scratch.file("absent")),
    "misconfigured",
    /^there is no export: .*absent/,
  );
  assert.match(absent.hint!, /File > Export/);
  await failure(bench.open(bench.scratch.path), "misconfigured", /is not a file$/);
  bench.files = { stream: () => Promise.reject(new AppError("denied", "cannot read: permission denied")) };
  // Not "denied", which would mean that 1Password refused a sign-in.
  await failure(bench.open(), "misconfigured", /permission denied/);
});

Deno.test("a cut export is refused wherever it was cut", async () => {
  const whole = writeExport({ data: DATA, files: { "x__y": BODY } });
  for (let left = 4; left < whole.length; left += left < 200 || left > whole.length - 200 ? 1 : 977) {
    await refused(
      whole.slice(0, left),
      "corrupt",
      /is cut off: the end of the zip is not there$/,
      /make the export again/,
    );
  }
});

Deno.test("an export with anything behind its end or of many disks is refused", async () => {
  const whole = writeExport({ data: DATA });
  await refused(Buffer.concat([whole, Buffer.from("x")]), "corrupt", /bytes after the end/);
  await refused(writeExport({ data: DATA }, { commentLength: 9 }), "corrupt", /bytes after the end/);
  await refused(
    writeExport({ data: DATA }, { disk: 1 }),
    "unsupported",
    /one part of a zip in several parts/,
  );
  await using commented = await Bench.of({ data: DATA }, { comment: "made by hand" });
  await commented.open();
});

Deno.test("a zip's end that lies about the directory is found out", async () => {
  const entries = exportEntries({ data: DATA, files: { "x__y": "z" } });
  const lies: [ZipLies, RegExp][] = [
    [{ count: 2 }, /more files than the zip's end says/],
    [{ count: 0 }, /more files than the zip's end says/],
    [{ count: 4 }, /directory of the zip .* is damaged/],
    [{ directoryStart: 0 }, /directory of the zip .* is damaged/],
    [{ directoryStart: 0xfffffff0 }, /directory of the zip .* is damaged/],
    [{ directoryStart: 2 ** 63, zip64: true }, /directory of the zip .* is damaged/],
    [{ count: 2 ** 53, zip64: true }, /directory of the zip .* is damaged/],
  ];
  for (const [lie, sentence] of lies) await refused(writeZip(entries, lie), "corrupt", sentence);
});

Deno.test("every damaged byte of a directory either does no harm or is refused in a sentence", async () => {
  const whole = writeExport({ data: DATA, files: { "doc1__x": "y" } });
  const start = Buffer.from(whole).indexOf("PK\u0001\u0002", 0, "latin1");
  await using bench = await Bench.of(whole);
  for (let at = start; at < whole.length; at++) {
    for (const bit of [1, 0x80]) {
      const damaged = whole.slice();
      damaged[at]! ^= bit;
      await Deno.writeFile(bench.path, damaged);
      try {
        const { items } = await bench.read();
        assert.equal(items[0]!.fields[1]!.value, SECRET);
      } catch (error) {
        assert.ok(error instanceof AppError, `byte ${at}: ${Deno.inspect(error)}`);
        assert.equal(error.origin, "source");
      }
    }
  }
});

Deno.test("an export without its descriptions, or with two of one, is refused", async () => {
  await refused(writeExport({ data: null }), "corrupt", /is not a 1PUX export: it holds no "export\.data"$/);
  await refused(
    writeExport({ data: DATA, attributes: null }),
    "corrupt",
    /it holds no "export\.attributes"$/,
  );
  await refused(writeZip([]), "corrupt", /it holds no "export\.attributes"$/);
  const inFolder = exportEntries({ data: DATA }).map((entry) => ({
    ...entry,
    name: `account/${entry.name}`,
  }));
  await refused(writeZip(inFolder), "corrupt", /holds no "export\.attributes"$/, /inside a folder/);
  for (const name of ["export.data", "export.attributes"]) {
    const entries = [{ name, content: "{}" }];
    await refused(
      writeExport({ data: DATA, entries }),
      "corrupt",
      new RegExp(`holds "${name}" more than once$`),
    );
  }
  // No other way of writing a name is that name.
  for (
    const name of [
      "./export.data",
      "/export.data",
      "\\export.data",
      "EXPORT.DATA",
      "x/../export.data",
      "export.data\0",
    ]
  ) {
    await refused(
      writeExport({ data: null, entries: [{ name, content: "{}" }] }),
      "corrupt",
      /holds no "export\.data"$/,
    );
  }
});

Deno.test("encrypted exports and strange compressions are refused with the reason", async () => {
  const [attributes, data] = exportEntries({ data: DATA });
  const lies: [Partial<WrittenEntry>, RegExp][] = [
    [{ directory: { flags: ENCRYPTED }, header: { flags: ENCRYPTED } }, /"export\.data" in .* is encrypted$/],
    [
      { directory: { method: 99 }, header: { method: 99 } },
      /is compressed in a way that 1Password does not use$/,
    ],
    [{ directory: { method: 93 } }, /is compressed in a way that 1Password does not use$/],
    [{ directory: { flags: STRONG } }, /is an encrypted zip$/],
  ];
  for (const [lie, sentence] of lies) {
    await refused(
      writeZip([attributes!, { ...data!, ...lie } as WrittenEntry]),
      "unsupported",
      sentence,
      /1Password/,
    );
  }
});

Deno.test("descriptions whose content is not what the directory promises are refused", async () => {
  const [attributes, data] = exportEntries({ data: DATA });
  const text = Buffer.from(data!.content as string);
  const flipped = Buffer.from(text);
  flipped[flipped.indexOf(SECRET)]! ^= 1;
  const packed = deflateRawSync(text);
  const lies: [Partial<WrittenEntry>, RegExp][] = [
    [{ data: deflateRawSync(flipped) }, /its content is damaged: the zip's checksum/],
    [{ directory: { crc: 1 } }, /its content is damaged/],
    [{ data: packed.subarray(0, -5) }, /its compressed data is damaged$/],
    [{ data: Buffer.from("no deflate at all") }, /its compressed data is damaged$/],
    [{ directory: { size: text.length - 1 } }, /it holds more than the \d+ bytes that the zip says$/],
    [{ directory: { size: text.length + 1 } }, /it holds \d+ bytes, the zip says \d+$/],
    [{ directory: { size: 300 * 2 ** 20 } }, /it is said to hold more than its data can$/],
    [{ directory: { attributes: LINK } }, /it is a link instead of a file$/],
    [{ header: { name: "export.dat2" } }, /its own header in the zip speaks of another file$/],
    [{ header: { method: 0 } }, /its own header in the zip speaks of another file$/],
    [{ stored: true, directory: { method: 8 }, header: { method: 8 } }, /its compressed data is damaged$/],
  ];
  for (const [lie, sentence] of lies) {
    const whole = new RegExp(`^cannot read "export\\.data" in .*: ${sentence.source}`);
    await refused(
      writeZip([attributes!, { ...data!, ...lie } as WrittenEntry]),
      "corrupt",
      whole,
      /make the export again/,
    );
  }
});

Deno.test("a description that is larger than any is refused before it is read", async () => {
  const [attributes, data] = exportEntries({ data: DATA });
  const lie = { data: Buffer.alloc(600_000), directory: { size: 500 * 2 ** 20 + 1 } };
  const large = { ...data!, ...lie } as WrittenEntry;
  await refused(
    writeZip([attributes!, large]),
    "corrupt",
    /"export\.data" in .* is larger than 524288000 bytes$/,
  );
  const long = { ...attributes!, content: `{"version":3,"x":"${"y".repeat(1024 * 1024)}"}` };
  await refused(
    writeZip([long, data!]),
    "corrupt",
    /"export\.attributes" in .* is larger than 1048576 bytes$/,
  );
});

Deno.test("a description of countless values is refused before it fills the memory", async () => {
  const [attributes] = exportEntries({ data: DATA });
  const content = Buffer.alloc(3 * 21_000_000, "[],");
  const entry = { name: "export.data", content };
  await refused(writeZip([attributes!, entry]), "corrupt", /holds more than any account does$/);
});

Deno.test("bombs are refused: files on top of each other, and files that come to more than any", async () => {
  const [attributes, data] = exportEntries({ data: DATA });
  const at = writeZip([attributes!, data!]);
  const start = Buffer.from(at).indexOf("PK\u0001\u0002", 0, "latin1");
  const kernel = { name: "files/a__a", content: BODY };
  const overlap = { name: "files/b__b", content: BODY, directory: { offset: start } };
  await refused(writeZip([attributes!, data!, kernel, overlap]), "corrupt", /lie on top of each other$/);
  await refused(
    writeZip([attributes!, data!, { ...kernel, directory: { packed: BODY.length } }, overlap]),
    "corrupt",
    /lie on top of each other$/,
  );

  const zeros = deflateRawSync(Buffer.alloc(32 * 2 ** 20));
  const many = Array.from(
    { length: 330 },
    (_, at) => documentOf(`bomb ${at}`, "bomb", "zeros", 32 * 2 ** 20),
  );
  const bomb = { name: "files/bomb__zeros", content: "", data: zeros, directory: { size: 32 * 2 ** 20 } };
  await refused(
    writeExport({ data: accountWith(...many), entries: [bomb] }),
    "corrupt",
    /^the files in ".*" would come to 11072962560 bytes, out of \d+: this is no honest export$/,
  );
});

Deno.test("a directory of more entries than any account has is refused", async () => {
  const entries = Array.from(
    { length: 100_001 },
    (_, at) => ({ name: `files/${at}__x`, content: "", stored: true }),
  );
  await refused(writeZip(entries, { zip64: true }), "corrupt", /holds more than 100000 files$/);
});

Deno.test("a cancelled run ends while the export is read", async () => {
  await using bench = await Bench.of({
    data: accountWith(documentOf("Document", "doc1", "body.txt", BODY.length), loginOf("a", "b", "c")),
    files: { "doc1__body.txt": BODY },
  });
  const gone = AbortSignal.abort();
  await failure(bench.open(bench.path, gone), "cancelled");
  const { source, vaults, items: [item] } = await bench.read();
  await failure(Array.fromAsync(source.items(vaults[0]!, gone)), "cancelled");
  const stream = await source.open(item!, item!.files[0]!, gone);
  await failure(stream.getReader().read(), "cancelled");
});
