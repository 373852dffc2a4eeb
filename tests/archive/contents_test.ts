import assert from "node:assert/strict";
import { type Contents, decodeContents, encodeContents } from "../../src/archive/contents.ts";
import { failure } from "../base/failure.ts";
import { contentsOf, SMALL, utf8 } from "./bench.ts";
import { changedAt, properties } from "./manifests.ts";

const gap = {
  shortfall: "gap",
  reason: "unreadable-item",
  vaultId: "v",
  detail: "it could not be read",
} as const;
const short = {
  ...gap,
  reason: "file-shorter",
  itemId: "i",
  fileId: "f",
  actual: { size: 3, sha256: "a".repeat(64) },
} as const;
const genuine: Contents = contentsOf(SMALL, {
  account: { name: "Acme" },
  doorLimits: [{ reason: "passkeys", detail: "this door does not give passkeys" }],
  limits: [{ ...gap, shortfall: "limit" }],
  moved: [{ ...gap, shortfall: "moved" }],
  gaps: [gap, short],
});
const decode = (value: unknown) => decodeContents(utf8(JSON.stringify(value)));

Deno.test("an inner manifest comes back as it was", () => {
  assert.deepEqual(decodeContents(encodeContents(genuine)), genuine);
});

/** What reading relies on; the rest is for people. */
const NEEDED = properties(genuine).map((path) => path.join(".")).filter((name) =>
  /^(format|job|entries|doorLimits|limits|moved|gaps|counts|counts\.(vaults|items|files))$/.test(name)
);

for (const name of NEEDED) {
  Deno.test(`an inner manifest without "${name}", or with another type there, is corrupt`, async () => {
    for (const wrong of [undefined, true, -1, 1.5, null, name === "job" ? {} : "x", [1], { a: 1 }]) {
      await failure(() => decode(changedAt(genuine, name.split("."), wrong)), "corrupt");
    }
  });
}

Deno.test("an entry or shortfall that lacks a property is corrupt", async () => {
  const [entry] = genuine.entries;
  for (const key of ["path", "size", "sha256"]) {
    await failure(() => decode({ ...genuine, entries: [changedAt(entry!, [key], undefined)] }), "corrupt");
  }
  for (
    const wrong of [{ size: -1 }, { size: "1" }, { sha256: "A".repeat(64) }, { sha256: "a" }, { path: 1 }]
  ) {
    await failure(() => decode({ ...genuine, entries: [{ ...entry, ...wrong }] }), "corrupt", /damaged/);
  }
  for (const key of ["shortfall", "reason", "vaultId", "detail"]) {
    await failure(() => decode({ ...genuine, gaps: [changedAt(gap, [key], undefined)] }), "corrupt");
  }
});

Deno.test("properties and reasons that a later version may add are kept", () => {
  const later = { ...gap, reason: "a-new-reason", more: [1] };
  const decoded = decode({ ...genuine, future: 1, gaps: [later] }) as unknown as Record<string, unknown>;
  assert.equal(decoded["future"], 1);
  assert.deepEqual(decoded["gaps"], [later]);
});

Deno.test("a later format is unsupported, anything else is corrupt", async () => {
  await failure(() => decode({ ...genuine, format: "vaultferry/2" }), "unsupported");
  for (const text of ["", "{", "[]", "null", "{}"]) {
    await failure(() => decodeContents(utf8(text)), "corrupt");
  }
  await failure(() => decodeContents(new Uint8Array([0x7b, 0xff])), "corrupt");
});

Deno.test("which of several doors gave what comes back, and archives of one door do without", () => {
  const doors = [{ name: "onepux", vaults: 0, items: 1, files: 0 }];
  const entries = genuine.entries.map((entry) => ({ ...entry, door: "onepux" }));
  const several: Contents = { ...genuine, doors, entries };
  assert.deepEqual(decodeContents(encodeContents(several)), several);
  assert.ok(!("doors" in genuine) && genuine.entries.every((entry) => !("door" in entry)));
});
