import assert from "node:assert/strict";
import { decodeManifest, encodeManifest, MANIFEST_LIMIT, toRanges } from "../../src/archive/manifest.ts";
import { failure } from "../base/failure.ts";
import { utf8 } from "./bench.ts";
import { changedAt, manifestWith, properties } from "./manifests.ts";

const genuine = manifestWith();
const decode = (value: unknown) => decodeManifest(utf8(JSON.stringify(value)));

/** Names that users choose: any is fine. */
const FREE = new Set(["receipts.nas", "receipts.azure"]);

Deno.test("a manifest comes back as it was, and the first of a chain has no previous", () => {
  for (const manifest of [genuine, manifestWith({ previous: null, sequence: 1, receipts: {} })]) {
    assert.deepEqual(decodeManifest(encodeManifest(manifest)), manifest);
  }
});

Deno.test("a manifest ends in a line end and is read by people", () => {
  const text = new TextDecoder().decode(encodeManifest(genuine));
  assert.match(text, /^\{\n {2}"format": "vaultferry\/1",\n/);
  assert.ok(text.endsWith("}\n"));
});

for (const path of properties(genuine)) {
  const name = path.join(".");
  if (!FREE.has(name)) {
    Deno.test(`a manifest without "${name}" is corrupt`, async () => {
      await failure(() => decode(changedAt(genuine, path, undefined)), "corrupt");
    });
  }
  Deno.test(`a manifest whose "${name}" is of another type is corrupt`, async () => {
    for (
      const wrong of [true, name === "tool" || name === "kind" ? 5 : "x", -1, 1.5, 1e300, [[]], { a: 1 }, [
        "x",
        5,
      ]]
    ) {
      await failure(() => decode(changedAt(genuine, path, wrong)), "corrupt");
    }
    if (name !== "previous") await failure(() => decode(changedAt(genuine, path, null)), "corrupt");
  });
}

const WRONG: [string, unknown][] = [
  ["kind", "Prune"],
  ["kind", ""],
  ["tool", "x".repeat(101)],
  ["job", "Acme"],
  ["job", "../acme"],
  ["chain", "0123456789ABCDEF0123456789ABCDEF"],
  ["chain", ""],
  ["signer", `MD5:${"A".repeat(43)}`],
  ["sequence", 0],
  ["sequence", 2 ** 53],
  ["previous", "B".repeat(64)],
  ["time", "yesterday"],
  ["time", "2026-02-03"],
  ["time", "2026-02-30T00:00:00Z"],
  ["recipients", []],
  ["outcome", "fine"],
  ["receipts", { nas: [[1]] }],
  ["receipts", { nas: [[1, 2, 3]] }],
  ["receipts", { nas: [["1", "2"]] }],
  ["receipts", { nas: [[-1, 2]] }],
];

for (const [name, value] of WRONG) {
  Deno.test(`a manifest with "${name}" ${JSON.stringify(value).slice(0, 40)} is corrupt and says where`, async () => {
    await failure(() => decode({ ...genuine, [name]: value }), "corrupt", new RegExp(`damaged at "${name}`));
  });
}

Deno.test("properties that a later version may add are tolerated at every level", () => {
  const more = { ...genuine, future: { a: 1 }, archive: { ...genuine.archive, blake3: "x" } };
  assert.equal(decode({ ...more, counts: { ...genuine.counts, passkeys: 3 } }).sequence, 7);
});

Deno.test("a manifest that names an archive of another job, or no archive of ours, is corrupt", async () => {
  const names = ["other_20260203T040506Z_0123abcd.tar.zst.age", "acme.tar.zst.age", "../acme", "", "a/b"];
  names.push("acme_20260203T040506Z_0123abcd.tar.zst.age\n", "acme_20260230T040506Z_0123abcd.tar.zst.age");
  for (const name of names) {
    const archive = { ...genuine.archive, name };
    await failure(() => decode({ ...genuine, archive }), "corrupt", /not of its job/);
  }
});

Deno.test("a later format is unsupported, and the hint says what to do", async () => {
  for (const format of ["vaultferry/2", "vaultferry/10"]) {
    const error = await failure(() => decode({ ...genuine, format }), "unsupported", /vaultferry\/1/);
    assert.match(error.hint!, /newer/);
  }
  // Whatever else such a manifest says: it is for another program to judge.
  await failure(() => decode({ format: "vaultferry/2" }), "unsupported");
});

Deno.test("what is no manifest at all is corrupt", async () => {
  for (const format of ["vaultferry", "vaultferry/x", "vaultferry/2\n", "restic/2", 1, null, undefined]) {
    await failure(() => decode({ ...genuine, format }), "corrupt");
  }
  for (const text of ["", "{", "null", "[]", "1", '"x"', "{}", "\0"]) {
    await failure(() => decodeManifest(utf8(text)), "corrupt");
  }
  await failure(() => decodeManifest(new Uint8Array([0xff, 0xfe, 0x00])), "corrupt");
});

Deno.test("a manifest of more than 1 MiB is refused unread, one of exactly 1 MiB is read", async () => {
  const pad = (length: number) => {
    const bytes = new Uint8Array(length).fill(0x20);
    bytes.set(encodeManifest(genuine));
    return bytes;
  };
  assert.equal(decodeManifest(pad(MANIFEST_LIMIT)).sequence, 7);
  await failure(() => decodeManifest(pad(MANIFEST_LIMIT + 1)), "corrupt", /longer than 1048576 bytes/);
});

Deno.test("properties named like those of every object are only names", () => {
  const text = JSON.stringify(genuine).replace('"nas"', '"__proto__"');
  const decoded = decodeManifest(utf8(text));
  assert.equal(Object.getPrototypeOf({}), Object.prototype);
  assert.deepEqual(decoded.receipts["azure"], []);
});

Deno.test("sequence numbers become closed ranges, whatever their order", () => {
  assert.deepEqual(toRanges([]), []);
  assert.deepEqual(toRanges([5]), [[5, 5]]);
  assert.deepEqual(toRanges([1, 3, 4, 6]), [[1, 1], [3, 4], [6, 6]]);
  assert.deepEqual(toRanges([1, 2, 3, 7]), [[1, 3], [7, 7]]);
  assert.deepEqual(toRanges([10, 9, 2, 1, 2, 11]), [[1, 2], [9, 11]]);
  assert.deepEqual(toRanges(new Set([100, 20, 3])), [[3, 3], [20, 20], [100, 100]]);
});
