import assert from "node:assert/strict";
import { type Draft, headOf, nextEntry, placeOf } from "../../src/archive/chain.ts";
import type { Place, RecordManifest } from "../../src/archive/manifest.ts";
import { JobState } from "../../src/host/state.ts";
import { manifestWith, RECORD, recordsWith } from "../archive/manifests.ts";
import { newSigner } from "../archive/signers.ts";
import { failure } from "../base/failure.ts";
import { Scratch, worldWith } from "../base/scratch.ts";

const world = worldWith();
const signer = await newSigner();
const CHAIN = "f".repeat(32);
const { chain: _, sequence: __, previous: ___, signer: ____, ...archive } = manifestWith();
const load = (scratch: Scratch) => JobState.load(world, scratch.file("acme"));

/** Signs a record of this kind into the state, with these changes. */
async function add(state: JobState, kind: RecordManifest["kind"], changes: object, by = signer) {
  const { beside: _, ...record } = recordsWith().find((one) => one.kind === kind)!;
  const entry = await nextEntry<RecordManifest>(
    state.head,
    CHAIN,
    { ...record, ...changes } as unknown as Draft<RecordManifest>,
    by,
  );
  await state.commit(entry);
  return entry;
}

Deno.test("what was accepted is read out of the chain, after a restart too", async () => {
  await using scratch = await Scratch.make();
  const state = await load(scratch);
  assert.equal(await state.acceptedRecipients(), undefined);
  await state.commit(await nextEntry(undefined, CHAIN, { ...archive, recipients: ["a", "b"] }, signer));
  await add(state, "accept", { run: "acme_20260203T040506Z_0123abcd" });
  assert.deepEqual(await state.acceptedRecipients(), ["a", "b"]);
  await add(state, "keys-accept", { recipients: ["b", "c"] });
  for (const one of [state, await load(scratch)]) {
    assert.deepEqual(await one.acceptedRecipients(), ["b", "c"]);
    assert.deepEqual([...one.accepted()], ["acme_20260203T040506Z_0123abcd"]);
    assert.equal(one.sequenceOf(archive.archive.name), 1);
    assert.equal(one.sequenceOf(RECORD), 3);
    assert.deepEqual(one.records.map(({ manifest }) => manifest.kind), ["accept", "keys-accept"]);
  }
});

Deno.test("who is accepted is nobody's word but that of the chain's own keys", async () => {
  await using scratch = await Scratch.make();
  const state = await load(scratch);
  await state.commit(await nextEntry(undefined, CHAIN, { ...archive, recipients: ["a"] }, signer));
  await add(state, "keys-accept", { recipients: ["x"] }, await newSigner());
  await add(state, "accept", {});
  assert.deepEqual(await state.acceptedRecipients(), ["a"]);
});

Deno.test("another chain stays open until it is settled, however far it has grown; a branch by its newest entry", async () => {
  await using scratch = await Scratch.make();
  const state = await load(scratch);
  const other: Place = {
    chain: "c".repeat(32),
    signer: signer.key.fingerprint,
    sequence: 4,
    hash: "1".repeat(64),
  };
  const branch: Place = { ...other, chain: CHAIN, hash: "2".repeat(64) };
  await state.commit(await nextEntry(undefined, CHAIN, { ...archive, beside: [other, branch] }, signer));
  assert.deepEqual(state.unsettled(), [other, branch]);
  const grown = { ...other, sequence: 9, hash: "3".repeat(64) };
  await add(state, "keys-trust", { chains: [grown, { ...branch, hash: "4".repeat(64) }], signers: [] });
  assert.deepEqual((await load(scratch)).unsettled(), [branch]);
  assert.deepEqual([state.isSettled(other), state.isSettled(branch)], [true, false]);
  await add(state, "keys-trust", { chains: [branch], signers: [] });
  assert.deepEqual((await load(scratch)).unsettled(), []);
});

Deno.test("the keys of a chain are those that its rotations lead through, and the next one signs", async () => {
  await using scratch = await Scratch.make();
  const state = await load(scratch);
  const [next, last] = [await newSigner(), await newSigner()];
  await add(state, "keys-rotate", { newSigner: next.key.text });
  assert.equal(state.nextSigner, next.key.fingerprint);
  await add(state, "keys-rotate", { newSigner: last.key.text }, next);
  const again = await load(scratch);
  const keys = [last, next, signer].map(({ key }) => key.fingerprint);
  assert.deepEqual(again.signers().map(({ fingerprint }) => fingerprint), keys);
  assert.equal(again.nextSigner, last.key.fingerprint);
});

Deno.test("an entry that a destination showed is taken over, with the receipts that it states, over a gap too", async () => {
  await using scratch = await Scratch.make();
  const state = await load(scratch);
  const first = await nextEntry(undefined, CHAIN, { ...archive, receipts: {} }, signer);
  await state.commit(first);
  const receipts: Record<string, [number, number][]> = { nas: [[1, 4]] };
  const fifth = await nextEntry({ ...headOf(first), sequence: 4 }, CHAIN, { ...archive, receipts }, signer);
  await failure(state.commit(fifth), "corrupt", /does not follow/);
  await state.adopt(fifth);
  for (const one of [state, await load(scratch)]) {
    assert.deepEqual([one.sequences, one.head, one.receipts()], [[1, 5], headOf(fifth), receipts]);
  }
  await failure(state.adopt(fifth), "corrupt", /not one that follows/);
  const foreign = await nextEntry(undefined, "c".repeat(32), { ...archive }, signer);
  await failure(state.adopt(foreign), "corrupt", /not one that follows/);
  assert.notEqual(placeOf(foreign).chain, CHAIN);
});
