/** Whole age files whose inside is not what vaultferry writes: a public key is enough to make one. */
import assert from "node:assert/strict";
import { checkArchive } from "../../src/archive/read.ts";
import { noCounts } from "../../src/model/counts.ts";
import { AppError } from "../../src/base/errors.ts";
import { failure } from "../base/failure.ts";
import {
  bytesOf,
  collect,
  concat,
  contentsOf,
  type RawEntry,
  recordOf,
  sealBytes,
  sealedOf,
  sealTar,
  SMALL,
  streamOf,
  tarOf,
  utf8,
  withManifest,
} from "./bench.ts";
import { compress } from "../../src/archive/compress.ts";

const genuine = await tarOf(withManifest(SMALL));

/** What a check of this tar says; it runs without permissions. */
function refused(name: string, entries: RawEntry[] | Uint8Array, code: AppError["code"], sentence: RegExp) {
  Deno.test({
    name,
    permissions: "none",
    async fn() {
      const tar = entries instanceof Uint8Array ? entries : await tarOf(entries);
      for (const compression of ["zstd", "gzip"] as const) {
        const sealed = sealedOf(await sealTar(tar, compression), { compression });
        await failure(checkArchive(sealed), code, sentence);
      }
    },
  });
}

Deno.test("the tar that all of these are made from is accepted as it is", async () => {
  const { entries } = await checkArchive(sealedOf(await sealTar(genuine)));
  assert.equal(entries.size, SMALL.length);
});

const entries = withManifest(SMALL);
const [format, vault, item, file, manifest] = entries as [RawEntry, RawEntry, RawEntry, RawEntry, RawEntry];
const changedContents = (changes: object) => withManifest(SMALL, contentsOf(SMALL, changes));
const records = SMALL.map(([path, body]) => recordOf(path, body));
const other = { ...records[3]!, sha256: records[0]!.sha256 };

refused(
  "without an inner manifest: corrupt",
  entries.slice(0, -1),
  "corrupt",
  /ends before its inner manifest/,
);
refused(
  "with something after its inner manifest: corrupt",
  [format, vault, manifest, item, file],
  "corrupt",
  /goes on after its inner manifest/,
);
refused(
  "with another entry first: corrupt",
  [vault, format, item, file, manifest],
  "corrupt",
  /does not begin/,
);
refused(
  "that begins with its inner manifest: corrupt",
  [manifest],
  "corrupt",
  /does not begin with "format.json"/,
);
refused(
  "with an entry that its inner manifest does not name: corrupt",
  changedContents({ entries: records.slice(0, 3) }),
  "corrupt",
  /"vaults\/v1\/files\/i1\/f1" is not in the inner manifest/,
);
refused(
  "that lacks an entry of its inner manifest: corrupt",
  [format, vault, file, manifest],
  "corrupt",
  /"vaults\/v1\/items\/i1.json" is missing/,
);
refused(
  "whose inner manifest names an entry twice: corrupt",
  changedContents({ entries: [...records, records[0]] }),
  "corrupt",
  /missing/,
);
refused(
  "whose inner manifest has another size: corrupt",
  changedContents({ entries: [...records.slice(0, 3), { ...records[3], size: 2999 }] }),
  "corrupt",
  /is not what the inner manifest says/,
);
refused(
  "whose inner manifest has another hash: corrupt",
  changedContents({ entries: [...records.slice(0, 3), other] }),
  "corrupt",
  /is not what the inner manifest says/,
);
refused(
  "with a body swapped for another of the same length: corrupt",
  [format, vault, item, { ...file, body: bytesOf(3000, 2) }, manifest],
  "corrupt",
  /is not what the inner manifest says/,
);
refused(
  "of a later format: unsupported",
  [
    { ...format, body: '{"format":"vaultferry/2"}' },
    ...entries.slice(1),
  ],
  "unsupported",
  /"vaultferry\/2", this vaultferry knows "vaultferry\/1"/,
);
refused(
  "whose inner manifest is of a later format: unsupported",
  changedContents({ format: "vaultferry/99" }),
  "unsupported",
  /inner manifest is of format "vaultferry\/99"/,
);
refused("of no format of ours: corrupt", [{ ...format, body: "{}" }, manifest], "corrupt", /does not say/);
refused("whose format.json is no JSON: corrupt", [{ ...format, body: "{" }, manifest], "corrupt", /not JSON/);
refused(
  "whose format.json is no text: corrupt",
  [
    { ...format, body: new Uint8Array([0xff, 0xfe]) },
    manifest,
  ],
  "corrupt",
  /not UTF-8/,
);
refused(
  "whose format.json is endless: corrupt",
  [
    { ...format, body: " ".repeat(70_000) },
    manifest,
  ],
  "corrupt",
  /longer than 65536 bytes/,
);
refused(
  "whose inner manifest is no JSON: corrupt",
  [format, { ...manifest, body: "[" }],
  "corrupt",
  /not JSON/,
);
refused("with bytes after the end of its tar: corrupt", concat([genuine, utf8("evil")]), "corrupt", /./);
refused(
  "with a second tar after the first: corrupt",
  concat([genuine, await tarOf([{ name: "../evil", body: "x" }])]),
  "corrupt",
  /./,
);
refused("without the end marks of its tar: corrupt", genuine.subarray(0, -1024), "corrupt", /./);
refused("with one end mark only: corrupt", genuine.subarray(0, -512), "corrupt", /./);
refused("with an empty tar: corrupt", new Uint8Array(1024), "corrupt", /ends before its inner manifest/);
refused("with nothing at all inside: corrupt", new Uint8Array(0), "corrupt", /./);
refused(
  "with noise instead of a tar: corrupt",
  bytesOf(5000),
  "corrupt",
  /tar inside the archive is damaged/,
);
refused("with a wrong checksum in a tar header: corrupt", flipped(genuine, 100), "corrupt", /damaged/);

Deno.test("zeros after the end of the tar, as stock tar writes them, are no damage", async () => {
  const { entries } = await checkArchive(sealedOf(await sealTar(concat([genuine, new Uint8Array(8192)]))));
  assert.equal(entries.size, SMALL.length);
});

Deno.test("a tar cut anywhere inside an intact age file is corrupt", async () => {
  for (let length = 0; length < genuine.length - 1024; length += 61) {
    await failure(checkArchive(sealedOf(await sealTar(genuine.subarray(0, length)))), "corrupt");
  }
});

for (const compression of ["zstd", "gzip"] as const) {
  Deno.test(`${compression} data cut or changed inside an intact age file is corrupt`, async () => {
    const packed = await collect(compress(streamOf(genuine), compression), Infinity, "the tar");
    for (let n = 0; n < 40; n++) {
      const at = Math.floor(n * packed.length / 40);
      for (const plain of [packed.subarray(0, at), flipped(packed, at)]) {
        const sealed = sealedOf(await sealBytes(plain), { compression });
        const found = await outcome(checkArchive(sealed));
        // A flip in a gzip header's time or name changes nothing of the content; the rest must be noticed.
        if (compression === "gzip" && plain.length === packed.length && at < 10 && found === undefined) {
          continue;
        }
        assert.ok(found instanceof AppError && found.code === "corrupt", `at ${at}: ${Deno.inspect(found)}`);
      }
    }
  });

  Deno.test(`the other compression than ${compression} is corrupt`, async () => {
    const sealed = sealedOf(await sealTar(genuine, compression === "zstd" ? "gzip" : "zstd"), {
      compression,
    });
    await failure(checkArchive(sealed), "corrupt", new RegExp(`the ${compression} data .* is damaged`));
  });
}

Deno.test("an index of 100 MiB of zeros in 10 KiB is read without being held", async () => {
  const counts = noCounts();
  const bomb = new Uint8Array(100 * 1024 * 1024);
  const bodies = [SMALL[0]!, ["index.tsv", bomb]] as const;
  const contents = contentsOf(bodies, { counts });
  const { entries } = await checkArchive(
    sealedOf(await sealTar(await tarOf(withManifest(bodies, contents)))),
  );
  assert.equal(entries.get("index.tsv")?.size, bomb.length);
});

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at]! ^= 0x40;
  return copy;
}

async function outcome(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return error;
  }
}
