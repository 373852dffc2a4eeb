/** The sealed fixture of format 1: what it holds must open for ever, and not a byte of it may change. */
import assert from "node:assert/strict";
import { trustedKeys } from "../../src/archive/chain.ts";
import { layout } from "../../src/archive/layout.ts";
import { encodeManifest, isArchive, manifestHash } from "../../src/archive/manifest.ts";
import { checkArchive, type Sealed, visitEntries } from "../../src/archive/read.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { readIdentities } from "../../src/custody/identities.ts";
import { fingerprintOf } from "../../src/custody/recipients.ts";
import { archiveParts, parseArchiveName } from "../../src/model/archive_name.ts";
import type { Item } from "../../src/model/item.ts";
import { worldWith } from "../base/scratch.ts";
import { collect, piecesOf } from "./bench.ts";
import { shell, stock } from "./stock.ts";
import { openEntry } from "./open_entry.ts";

const FOLDER = new URL("../fixtures/format-1/", import.meta.url).pathname;
const FIRST = "acme_20260203T040506Z_0123abcd.tar.zst.age";
const SECOND = "acme_20260204T040506Z_89abcdef.tar.gz.age";

/** Never to be changed. A new format gets a new folder, and this test stays. */
const PINNED: Record<string, string> = {
  "TEST-ONLY-identity.txt": "2cbc34b8c44d144943b764c9f04e6901c93b5f4099afc5a9fc871bb65846a6a2",
  "acme_20260203T040506Z_0123abcd.tar.zst.age":
    "e1670484f7dc174c2b2e1661aa851d361c8fa5f2c85406e24e9e1803512159cf",
  "acme_20260203T040506Z_0123abcd.tar.zst.age.manifest.json":
    "6b7cfdbe4d41dff301e12f745b97e1000cfefb41290607b84a45c61eb9400c31",
  "acme_20260203T040506Z_0123abcd.tar.zst.age.manifest.json.sig":
    "d7451e6f12eb28848a4d3492839cbcb0b401f87a704f791c1d555cdf5e5eaca6",
  "acme_20260203T040506Z_0123abcd.tar.zst.age.sha256":
    "e0a919b5db1ae0460ec65ff4dba4e59066b6de101b4d4297e85e9ab288617c8b",
  "acme_20260204T040506Z_89abcdef.tar.gz.age":
    "829444c834ea0c5516ebcfdb678e926190ffa87dfede59ba4ebd6de6498f08df",
  "acme_20260204T040506Z_89abcdef.tar.gz.age.manifest.json":
    "5b94e9df6552f108caccdf1e5f57aed636769fdd6be3dd0aa5307807556c518c",
  "acme_20260204T040506Z_89abcdef.tar.gz.age.manifest.json.sig":
    "3b55479227919c9af92ed3c92ede32d3097184f2538951a459a69f17516875e0",
  "acme_20260204T040506Z_89abcdef.tar.gz.age.sha256":
    "ebcb7f98ca154ccdfa431e3738429721b04e35fc356fba2e6df0b94494cf5488",
  "expected.json": "b7df6bc7c3f5583a2bdcf091dbca9d308354f5c94be32d1898195442445ce448",
  "signer.pub": "b971c07066bdeae95a48908baf55a3cd8b1aa697de4bf8066d4b0fec33f56aa8",
};

const read = (name: string) => Deno.readFile(FOLDER + name);
const text = (name: string) => Deno.readTextFile(FOLDER + name);
const expected = JSON.parse(await text("expected.json"));
const identities = await readIdentities(worldWith(), `${FOLDER}TEST-ONLY-identity.txt`);

async function sealed(name: string): Promise<Sealed> {
  const bytes = await read(name);
  return {
    open: () => Promise.resolve(piecesOf(bytes, 4096)),
    compression: parseArchiveName(name)!.compression,
    identities: identities.map(({ secret }) => secret.reveal()),
  };
}

Deno.test("the fixture of format 1 is what was sealed: these files, with these hashes, and no others", async () => {
  const found: Record<string, string> = {};
  for (const name of [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort()) {
    found[name] = sha256Hex(await read(name));
  }
  assert.deepEqual(found, PINNED);
});

Deno.test("its signatures are those of its signer, and the entries are linked", async () => {
  const trusted = trustedKeys([await text("signer.pub")]);
  const entries = [];
  for (const { name, sequence, previous, outcome, counts } of expected.archives) {
    const parts = archiveParts(name);
    const entry = await openEntry(await read(parts.manifest), await text(parts.signature), trusted);
    const { manifest } = entry;
    assert.ok(isArchive(manifest));
    // Nor does a newer version write such an entry in another way.
    assert.deepEqual(encodeManifest(manifest), entry.bytes);
    assert.deepEqual([manifest.sequence, manifest.previous, manifest.outcome], [sequence, previous, outcome]);
    assert.deepEqual(manifest.counts, counts);
    const bytes = await read(name);
    assert.deepEqual(manifest.archive, { name, size: bytes.length, sha256: sha256Hex(bytes) });
    assert.equal(await text(parts.checksum), `${sha256Hex(bytes)}  ${name}\n`);
    assert.ok(manifest.recipients.includes(fingerprintOf(identities[0]!.recipient)));
    entries.push(entry);
  }
  assert.equal(entries[1]!.manifest.previous, manifestHash(entries[0]!.bytes));
  assert.deepEqual(entries[1]!.manifest.receipts, { nas: [[1, 1]] });
});

for (const name of [FIRST, SECOND]) {
  Deno.test(`${name} opens, with every entry, count and record`, async () => {
    const archive = expected.archives.find((one: { name: string }) => one.name === name);
    const checked = await checkArchive(await sealed(name));
    assert.deepEqual([...checked.entries.values()], archive.entries);
    assert.deepEqual(checked.contents.counts, archive.counts);
    assert.deepEqual(checked.contents.gaps, archive.gaps);
    assert.equal(checked.contents.limits[0]?.reason, "archived-contents");
    assert.equal(checked.contents.doorLimits[0]?.reason, "passkeys");
    const seen: Record<string, string> = {};
    await visitEntries(await sealed(name), checked, async ({ path, body }) => {
      seen[path] = sha256Hex(await collect(body, Infinity, path));
    });
    for (const { path, sha256 } of archive.entries) assert.equal(seen[path], sha256, path);
    assert.deepEqual(Object.keys(seen), [
      ...archive.entries.map(({ path }: { path: string }) => path),
      layout.manifest,
    ]);
  });

  Deno.test(`${name} opens with age, ${name.includes(".gz.") ? "gzip" : "zstd"} and tar`, async () => {
    const unpack = name.includes(".gz.") ? "gzip -d" : "zstd -d";
    const listed = await shell(FOLDER, `age -d -i TEST-ONLY-identity.txt ${name} | ${unpack} | tar -t`);
    const archive = expected.archives.find((one: { name: string }) => one.name === name);
    const paths = archive.entries.map(({ path }: { path: string }) => path);
    assert.deepEqual(listed.trim().split("\n"), [...paths, "manifest.json"]);
    const { code, err } = await stock(FOLDER, ["sha256sum", "-c", `${name}.sha256`]);
    assert.equal(code, 0, err);
  });
}

Deno.test("its items are read as items, and paths are what today's layout makes of their ids", async () => {
  const checked = await checkArchive(await sealed(FIRST));
  const items: Item[] = [];
  await visitEntries(await sealed(FIRST), checked, async ({ path, body }) => {
    const bytes = await collect(body, Infinity, path);
    if (!path.includes("/items/")) return;
    const item: Item = JSON.parse(new TextDecoder().decode(bytes));
    assert.equal(path, layout.item(item.vaultId, item.id));
    for (const file of item.files) {
      assert.equal(checked.entries.get(layout.file(item.vaultId, item.id, file.id))?.size, file.size);
    }
    items.push(item);
  });
  assert.equal(items.length, 4);
  assert.deepEqual(items.map(({ state }) => state).sort(), ["active", "active", "active", "archived"]);
  const bank = items.find(({ title }) => title.startsWith("Bank"))!;
  assert.equal(bank.fields.find(({ id }) => id === "password")?.value, "not a real password");
  assert.equal(bank.notes, "line one\nline two\n\u00c4\u00d6\u00dc \u6f22\u5b57 \u202e");
  assert.ok(items.some(({ id }) => id === "an id/with: odd characters"));
});

Deno.test("the short file of the second archive tells its true length and hash", async () => {
  const { contents, entries } = await checkArchive(await sealed(SECOND));
  const [gap] = contents.gaps;
  assert.equal(gap?.reason, "file-shorter");
  assert.deepEqual(gap.actual, { size: 1234, sha256: sha256Hex(new Uint8Array(1234).fill(7)) });
  assert.equal(entries.get(layout.file(gap.vaultId, gap.itemId!, gap.fileId!))?.size, 5000);
});
