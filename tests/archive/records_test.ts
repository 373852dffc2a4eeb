import assert from "node:assert/strict";
import { nextEntry } from "../../src/archive/chain.ts";
import {
  decodeManifest,
  encodeManifest,
  isArchive,
  nameOf,
  type RecordManifest,
} from "../../src/archive/manifest.ts";
import { failure } from "../base/failure.ts";
import { utf8 } from "./bench.ts";
import { ARCHIVE, changedAt, properties, RECORD, recordsWith } from "./manifests.ts";
import { newSigner } from "./signers.ts";
import { openEntry } from "./open_entry.ts";

const decode = (value: unknown) => decodeManifest(utf8(JSON.stringify(value)));

/** Names and reasons that any program may choose. */
const FREE = /^receipts\.|^beside/;

for (const record of recordsWith()) {
  Deno.test(`a record of kind "${record.kind}" comes back as it was, under its own name`, () => {
    const decoded = decodeManifest(encodeManifest(record));
    assert.deepEqual(decoded, record);
    assert.equal(nameOf(decoded), RECORD);
    assert.ok(!isArchive(decoded));
  });

  Deno.test(`a record of kind "${record.kind}" without any one of its properties is corrupt`, async () => {
    for (const path of properties(record).filter((path) => !FREE.test(path.join(".")))) {
      await failure(() => decode(changedAt(record, path, undefined)), "corrupt");
      await failure(() => decode(changedAt(record, path, path[0] === "kind" ? 5 : { x: [null] })), "corrupt");
    }
  });

  Deno.test(`a record of kind "${record.kind}" is signed into its place like an archive`, async () => {
    const signer = await newSigner();
    const { chain, sequence: _, previous: __, signer: ___, ...draft } = record;
    const signed = await nextEntry<RecordManifest>(undefined, chain, draft, signer);
    const opened = await openEntry(signed.bytes, signed.signature, [signer.key]);
    assert.deepEqual([opened.manifest.kind, opened.manifest.sequence], [record.kind, 1]);
  });
}

Deno.test("a record that names a file of another job, or none of ours, is corrupt", async () => {
  for (
    const name of [
      "other_20260203T040506Z_0123abcd.record.json",
      ARCHIVE,
      "acme.record.json",
      `${RECORD}\n`,
      "",
    ]
  ) {
    await failure(() => decode({ ...recordsWith()[0], record: name }), "corrupt", /not of its job/);
  }
});

Deno.test("a kind that a later version knows is unsupported and not damage", async () => {
  const error = await failure(
    () => decode({ ...recordsWith()[0], kind: "keys-retire" }),
    "unsupported",
    /entries of kind "keys-retire"/,
  );
  assert.match(error.hint!, /newer/);
});
