import assert from "node:assert/strict";
import { checkArchive, visitEntries } from "../../src/archive/read.ts";
import type { Compression } from "../../src/model/archive_name.ts";
import {
  archiveOf,
  BEGINNING,
  type Bodies,
  bytesIn,
  bytesOf,
  collect,
  owner,
  recordOf,
  sealedOf,
  stranger,
} from "./bench.ts";

const KINDS: Compression[] = ["zstd", "gzip"];
const SIZES = [0, 1, 511, 512, 513, 65_535, 65_536, 65_537, 1_048_575, 1_048_576, 1_048_577];

/** Checks an archive and reads every body back. */
async function contentsBack(archive: Uint8Array, compression: Compression, piece?: number) {
  const sealed = sealedOf(archive, { compression }, piece);
  const checked = await checkArchive(sealed);
  const bodies = new Map<string, Uint8Array>();
  await visitEntries(sealed, checked, async ({ path, body }) => {
    bodies.set(path, await collect(body, Infinity, path));
  });
  return { checked, bodies };
}

for (const kind of KINDS) {
  Deno.test(`${kind}: what was added comes back, byte for byte and in order, whatever its length`, async () => {
    const bodies: Bodies = [
      ...BEGINNING,
      ...SIZES.map((size) => [`vaults/v/files/i/f${size}`, bytesOf(size, size + 1)] as const),
    ];
    const { checked, bodies: back } = await contentsBack(await archiveOf(bodies, kind), kind);
    assert.deepEqual([...back.keys()], [...bodies.map(([path]) => path), "manifest.json"]);
    for (const [path, body] of bodies) {
      assert.deepEqual(back.get(path), bytesIn(body), path);
      assert.deepEqual(checked.entries.get(path), recordOf(path, body));
    }
  });

  Deno.test(`${kind}: an archive with nothing but its format is whole`, async () => {
    const { checked, bodies } = await contentsBack(await archiveOf(BEGINNING, kind), kind);
    assert.deepEqual([...checked.entries.keys()], ["format.json"]);
    assert.deepEqual([...bodies.keys()], ["format.json", "manifest.json"]);
  });

  Deno.test(`${kind}: 5,000 small entries come back, each as its own`, async () => {
    const items = Array.from(
      { length: 5000 },
      (_, at) => [`vaults/v/items/i${at}.json`, `{"id":"i${at}","n":${at}}`] as const,
    );
    const { checked, bodies } = await contentsBack(await archiveOf([...BEGINNING, ...items], kind), kind);
    assert.equal(checked.entries.size, 5001);
    for (const [path, body] of items) assert.deepEqual(bodies.get(path), bytesIn(body));
  });
}

Deno.test("an archive reads the same in pieces of 1, 511, 65,537 bytes and whole", async () => {
  const bodies: Bodies = [...BEGINNING, ["vaults/v/files/i/f", bytesOf(140_000)]];
  const archive = await archiveOf(bodies);
  for (const piece of [1, 511, 65_537, archive.length]) {
    const { bodies: back } = await contentsBack(archive, "zstd", piece);
    assert.deepEqual(back.get("vaults/v/files/i/f"), bodies[1]![1], `pieces of ${piece}`);
  }
});

Deno.test("a body may be passed over without being read, and the next one is still right", async () => {
  const bodies: Bodies = [
    ...BEGINNING,
    ["vaults/v/files/i/big", bytesOf(3_000_000)],
    ["vaults/v/files/i/wanted", bytesOf(1000, 7)],
  ];
  const sealed = sealedOf(await archiveOf(bodies));
  const checked = await checkArchive(sealed);
  let wanted: Uint8Array | undefined;
  await visitEntries(sealed, checked, async ({ path, body }) => {
    if (path.endsWith("/wanted")) wanted = await collect(body, 1000, path);
    else await body.cancel();
  });
  assert.deepEqual(wanted, bodies[2]![1]);
});

Deno.test("look is shown every JSON file of vaults and items, parsed, and nothing else", async () => {
  const archive = await archiveOf([
    ...BEGINNING,
    ["vaults/v/vault.json", '{"title":"\u00dcbung"}'],
    ["vaults/v/items/i.json", '{"title":"a"}'],
    ["vaults/v/files/i/f", "{}"],
  ]);
  const seen: [string, unknown][] = [];
  await checkArchive(sealedOf(archive), { look: (path, json) => seen.push([path, json]) });
  assert.deepEqual(seen, [
    ["vaults/v/vault.json", { title: "\u00dcbung" }],
    ["vaults/v/items/i.json", { title: "a" }],
  ]);
});

Deno.test("progress counts the bytes of contents and ends at their sum", async () => {
  const archive = await archiveOf([...BEGINNING, ["vaults/v/files/i/f", bytesOf(300_000)]]);
  const told: number[] = [];
  await checkArchive(sealedOf(archive), { progress: (bytes) => told.push(bytes) });
  assert.equal(told.at(-1), 300_000);
  assert.deepEqual(told, [...told].sort((a, b) => a - b));
});

Deno.test("every recipient opens the archive, and two archives of one content share no ciphertext", async () => {
  const recipients = [owner.recipient, stranger.recipient];
  const [one, other] = [
    await archiveOf(BEGINNING, "zstd", recipients),
    await archiveOf(BEGINNING, "zstd", recipients),
  ];
  for (const identity of [owner, stranger]) {
    const checked = await checkArchive(sealedOf(one, { identities: [identity.secret.reveal()] }));
    assert.equal(checked.entries.size, 1);
  }
  assert.notDeepEqual(one, other);
});
