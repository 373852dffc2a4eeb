import assert from "node:assert/strict";
import { headOf, nextEntry } from "../../src/archive/chain.ts";
import { JobState } from "../../src/host/state.ts";
import { failure } from "../base/failure.ts";
import { Scratch, worldWith } from "../base/scratch.ts";
import { manifestWith } from "../archive/manifests.ts";
import { newSigner } from "../archive/signers.ts";

const world = worldWith();
const signer = await newSigner();
const CHAIN = "f".repeat(32);
const { chain: _, sequence: __, previous: ___, signer: ____, ...entry } = manifestWith();

/** A state with this many entries. */
async function stateWith(scratch: Scratch, count: number): Promise<JobState> {
  const state = await load(scratch);
  for (let n = 0; n < count; n++) await state.commit(await nextEntry(state.head, CHAIN, entry, signer));
  return state;
}

const load = (scratch: Scratch) => JobState.load(world, scratch.file("acme"));

Deno.test("a host that has not run yet has no head, and looking makes nothing", async () => {
  await using scratch = await Scratch.make();
  const state = await load(scratch);
  assert.equal(state.head, undefined);
  assert.deepEqual([state.sequences, state.receipts()], [[], {}]);
  assert.deepEqual(scratch.names(), []);
  assert.match(state.newChainId(), /^[0-9a-f]{32}$/);
  assert.notEqual(state.newChainId(), state.newChainId());
});

Deno.test("entries are committed one after the other and read back, after a restart too", async () => {
  await using scratch = await Scratch.make();
  const state = await stateWith(scratch, 3);
  for (const one of [state, await load(scratch)]) {
    assert.deepEqual(one.sequences, [1, 2, 3]);
    assert.deepEqual(one.head, headOf(await one.entry(3)));
    assert.equal((await one.entry(2)).manifest.previous, headOf(await one.entry(1)).hash);
  }
  assert.deepEqual(scratch.names("acme/chain"), ["00000001.json", "00000002.json", "00000003.json"]);
  assert.equal((await Deno.stat(scratch.file("acme/chain/00000001.json"))).mode! & 0o777, 0o600);
});

Deno.test("the stored entry is the very bytes that were signed", async () => {
  await using scratch = await Scratch.make();
  const state = await load(scratch);
  const signed = await nextEntry(
    undefined,
    CHAIN,
    { ...entry, tool: 'vaultferry "\\\u00fc\u{1f600}' },
    signer,
  );
  await state.commit(signed);
  assert.deepEqual(await (await load(scratch)).entry(1), signed);
});

Deno.test("a number is never used twice and none is left out", async () => {
  await using scratch = await Scratch.make();
  const state = await stateWith(scratch, 2);
  const head = state.head!;
  for (const sequence of [0, 1, 3, 50]) {
    const wrong = await nextEntry({ ...head, sequence }, CHAIN, entry, signer);
    await failure(state.commit(wrong), "corrupt", /does not follow the head/);
  }
  assert.deepEqual([state.head, state.sequences], [head, [1, 2]]);
  assert.deepEqual((await load(scratch)).sequences, [1, 2]);
});

Deno.test("two runs that both think it is their turn: the second is refused and replaces nothing", async () => {
  await using scratch = await Scratch.make();
  const one = await stateWith(scratch, 1);
  const other = await load(scratch);
  const [mine, theirs] = [
    await nextEntry(one.head, CHAIN, entry, signer),
    await nextEntry(other.head, CHAIN, { ...entry, tool: "other" }, signer),
  ];
  await one.commit(mine);
  await failure(other.commit(theirs), "already-exists");
  assert.equal(other.head!.sequence, 1);
  assert.deepEqual(await (await load(scratch)).entry(2), mine);
});

Deno.test("a crash before an entry has its name leaves the head where it was", async () => {
  await using scratch = await Scratch.make();
  const state = await stateWith(scratch, 1);
  await scratch.write("acme/chain/00000002.json.0123abcd.tmp", "{");
  await scratch.write("acme/chain/notes.txt", "of a person");
  const again = await load(scratch);
  assert.deepEqual(again.head, state.head);
  await again.commit(await nextEntry(again.head, CHAIN, entry, signer));
  assert.equal((await load(scratch)).head!.sequence, 2);
});

Deno.test("receipts are ranges, survive a restart, and belong to one destination each", async () => {
  await using scratch = await Scratch.make();
  const state = await stateWith(scratch, 1);
  for (const sequence of [3, 1, 2, 7, 2]) await state.addReceipt("nas", sequence);
  await state.addReceipt("azure", 2);
  for (const one of [state, await load(scratch)]) {
    assert.deepEqual(one.receipts(), { nas: [[1, 3], [7, 7]], azure: [[2, 2]] });
    assert.deepEqual([1, 2, 3, 4, 7].map((n) => one.hasReceipt("nas", n)), [true, true, true, false, true]);
    assert.equal(one.hasReceipt("azure", 1), false);
    assert.equal(one.hasReceipt("gcs", 1), false);
  }
});

Deno.test("receipts of two destinations at one moment both survive a restart, fifty of each too", async () => {
  await using scratch = await Scratch.make();
  const state = await stateWith(scratch, 1);
  const all = Array.from({ length: 50 }, (_, n) => n + 1);
  await Promise.all(all.flatMap((n) => [state.addReceipt("nas", n), state.addReceipt("azure", n)]));
  assert.deepEqual((await load(scratch)).receipts(), { nas: [[1, 50]], azure: [[1, 50]] });
  assert.deepEqual(scratch.names("acme"), ["chain", "receipts.json"], "no temporary file stays");
});

Deno.test("a receipt that could not be written fails its caller and not the next one", async () => {
  await using scratch = await Scratch.make();
  await stateWith(scratch, 1);
  let full = true;
  const rename = world.files.rename;
  const sometimes = worldWith({
    rename: (from, to) => full ? Promise.reject(new Error("no space left")) : rename(from, to),
  });
  const state = await JobState.load(sometimes, scratch.file("acme"));
  await assert.rejects(state.addReceipt("nas", 1), /no space left/);
  full = false;
  await state.addReceipt("azure", 1);
  assert.ok((await load(scratch)).hasReceipt("azure", 1));
});

Deno.test("a damaged entry is corrupt, names its file and says what to do: nothing is built on it", async () => {
  await using scratch = await Scratch.make();
  await stateWith(scratch, 2);
  const path = "acme/chain/00000002.json";
  const whole = await scratch.read(path);
  const first = await scratch.read("acme/chain/00000001.json");
  const damaged = [
    "",
    "{",
    "null",
    "{}",
    whole.slice(0, 200),
    first,
    whole.replace("acme_2026", "acme_2025"),
  ];
  damaged.push(whole.replace("vaultferry 0.1.0", "vaultferry 0.1.1"), whole.replace(/U1NI/, "U1NJ"));
  damaged.push(whole.replace('"signature":"', '"signature":"x'), whole.replace("complete", "incomplete"));
  for (const text of [...damaged, new Uint8Array([0xff, 0xfe])]) {
    assert.notEqual(text, whole);
    await scratch.write(path, text);
    const error = await failure(load(scratch), "corrupt", /00000002\.json/);
    assert.match(error.hint!, /restore the state folder/);
  }
});

Deno.test("damaged receipts are those of the newest entry; without one they are corrupt, with a hint", async () => {
  await using scratch = await Scratch.make();
  await Deno.mkdir(scratch.file("acme"));
  const damaged = ["", "{", "[]", '{"nas":1}', '{"nas":[[1]]}', '{"nas":[["1","2"]]}', '{"nas":[[1,2,3]]}'];
  damaged.push(
    '{"nas":[[1,99999999999999]]}',
    '{"nas":[[-5,2]]}',
    '{"nas":[[1.5,2]]}',
    '{"nas":[[1,1e300]]}',
  );
  for (const text of damaged) {
    await scratch.write("acme/receipts.json", text);
    const error = await failure(load(scratch), "corrupt", /receipts\.json" is damaged/);
    assert.match(error.hint!, /restore the state folder/);
  }
  await scratch.write("acme/receipts.json", "{}");
  const state = await load(scratch);
  const receipts: Record<string, [number, number][]> = { nas: [[1, 4]] };
  await state.commit(await nextEntry(undefined, CHAIN, { ...entry, receipts }, signer));
  for (const text of damaged) {
    await scratch.write("acme/receipts.json", text);
    assert.deepEqual((await load(scratch)).receipts(), receipts);
    assert.equal(
      await Deno.readTextFile(scratch.file("acme/receipts.json")),
      text,
      "loading changes nothing",
    );
  }
  assert.match((await (await load(scratch)).mendReceipts())!.message, /receipts\.json" is damaged/);
  assert.equal(await (await load(scratch)).mendReceipts(), undefined);
});

Deno.test("an entry that is not there is not found", async () => {
  await using scratch = await Scratch.make();
  await failure((await stateWith(scratch, 1)).entry(2), "not-found");
});
