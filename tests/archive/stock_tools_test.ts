/** Promise 3: every archive opens with stock age, zstd and tar, and theirs open here. */
import assert from "node:assert/strict";
import { HOW_TO_OPEN } from "../../src/archive/people.ts";
import { checkArchive, visitEntries } from "../../src/archive/read.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { identityFile } from "../../src/custody/identities.ts";
import type { Compression } from "../../src/model/archive_name.ts";
import { Scratch } from "../base/scratch.ts";
import {
  archiveOf,
  BEGINNING,
  type Bodies,
  bytesIn,
  bytesOf,
  collect,
  owner,
  sealedOf,
  TIME,
} from "./bench.ts";
import { shell, stock } from "./stock.ts";

const BODIES: Bodies = [
  ...BEGINNING,
  ["README.txt", ""],
  ...[1, 511, 512, 513, 65_535, 65_536, 65_537, 1_048_577].map((size) =>
    [`vaults/v/files/i/f${size}`, bytesOf(size)] as const
  ),
  // The longest path that the format allows needs the second name field of a tar header.
  [`vaults/${"v".repeat(64)}/files/${"i".repeat(64)}/${"f".repeat(64)}`, "deep"],
  ...Array.from({ length: 300 }, (_, n) => [`vaults/v/items/i${n}.json`, `{"n":${n}}`] as const),
];
const NAMES = { zstd: "a.tar.zst.age", gzip: "a.tar.gz.age" } as const;
const UNPACK = { zstd: "zstd -d", gzip: "gzip -d" } as const;

async function withArchive(kind: Compression): Promise<Scratch> {
  const scratch = await Scratch.make();
  await scratch.write("key", identityFile(owner, TIME));
  await scratch.write(NAMES[kind], await archiveOf(BODIES, kind));
  await Deno.mkdir(scratch.file("restored"));
  return scratch;
}

for (const kind of ["zstd", "gzip"] as const) {
  Deno.test(`age, ${kind} and tar open what we write: every entry, byte for byte, for its owner alone`, async () => {
    await using scratch = await withArchive(kind);
    await shell(scratch.path, `age -d -i key ${NAMES[kind]} | ${UNPACK[kind]} | tar -x -C restored`);
    for (const [path, body] of BODIES) {
      assert.deepEqual(await Deno.readFile(scratch.file(`restored/${path}`)), bytesIn(body), path);
    }
    const { mode, mtime } = await Deno.stat(scratch.file("restored/format.json"));
    assert.equal(mode! & 0o777, 0o600);
    assert.deepEqual(mtime, TIME);
    const listed = await shell(scratch.path, `age -d -i key ${NAMES[kind]} | ${UNPACK[kind]} | tar -t`);
    assert.deepEqual(listed.trim().split("\n"), [...BODIES.map(([path]) => path), "manifest.json"]);
  });

  Deno.test(`what tar, ${kind} and age pack from an extracted archive is read here`, async () => {
    await using scratch = await withArchive(kind);
    await shell(scratch.path, `age -d -i key ${NAMES[kind]} | ${UNPACK[kind]} | tar -x -C restored`);
    const files = [...BODIES.map(([path]) => path), "manifest.json"].join("\n") + "\n";
    await scratch.write("files", files);
    for (const format of ["gnu", "pax", "ustar"]) {
      await shell(
        scratch.path,
        `tar -c --format=${format} -C restored -T files | ${kind} -c | age -r ${owner.recipient} > packed.age`,
      );
      const sealed = sealedOf(await Deno.readFile(scratch.file("packed.age")), { compression: kind });
      const checked = await checkArchive(sealed);
      const back = new Map<string, string>();
      await visitEntries(sealed, checked, async ({ path, body }) => {
        back.set(path, sha256Hex(await collect(body, Infinity, path)));
      });
      for (const [path, body] of BODIES) {
        assert.equal(back.get(path), sha256Hex(bytesIn(body)), `${format}: ${path}`);
      }
    }
  });
}

Deno.test("zstd and gzip find nothing wrong with what is inside", async () => {
  for (const kind of ["zstd", "gzip"] as const) {
    await using scratch = await withArchive(kind);
    await shell(scratch.path, `age -d -i key ${NAMES[kind]} | ${kind} -t`);
  }
});

Deno.test("sha256sum -c reads our checksum line and refuses a changed archive", async () => {
  await using scratch = await withArchive("zstd");
  const name = NAMES.zstd;
  const bytes = await Deno.readFile(scratch.file(name));
  await scratch.write(`${name}.sha256`, `${sha256Hex(bytes)}  ${name}\n`);
  assert.match((await stock(scratch.path, ["sha256sum", "-c", `${name}.sha256`])).out, /: OK$/m);
  bytes[bytes.length - 1]! ^= 1;
  await scratch.write(name, bytes);
  assert.notEqual((await stock(scratch.path, ["sha256sum", "-c", `${name}.sha256`])).code, 0);
});

Deno.test("age refuses what we refuse: a changed byte, a cut file, another key", async () => {
  await using scratch = await withArchive("zstd");
  const whole = await Deno.readFile(scratch.file(NAMES.zstd));
  const changed = Uint8Array.from(whole);
  changed[whole.length >> 1]! ^= 1;
  await scratch.write("changed", changed);
  await scratch.write("cut", whole.subarray(0, -1));
  for (const file of ["changed", "cut"]) {
    assert.notEqual((await stock(scratch.path, ["age", "-d", "-i", "key", "-o", "out", file])).code, 0, file);
  }
  assert.equal((await stock(scratch.path, ["age-keygen", "-o", "other"])).code, 0);
  assert.notEqual((await stock(scratch.path, ["age", "-d", "-i", "other", NAMES.zstd])).code, 0);
});

Deno.test("the instructions beside the archives give the very commands of these tests", () => {
  const text = new TextDecoder().decode(HOW_TO_OPEN);
  assert.ok(text.includes("age -d -i KEYFILE NAME.tar.zst.age | zstd -d | tar -x -C restored"));
  assert.ok(text.includes('"gzip -d" instead of "zstd -d"'));
  assert.ok(text.includes("sha256sum -c NAME.tar.zst.age.sha256"));
  assert.match(text, /ssh-keygen -Y verify -f signers -I host -n vaultferry/);
});
