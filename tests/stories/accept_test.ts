import assert from "node:assert/strict";
import { type Line, type Story, story } from "./harness.ts";
import { memoryAccount } from "./memory_source.ts";

const TWO = { memory: memoryAccount(), destinations: ["nas", "usb"] };

story("a run is accepted once, in a signed record at every destination", TWO, async (story) => {
  await story.runs(0, "backup");
  const [archive] = story.archives();
  const run = archive!.replace(".tar.zst.age", "");
  const { out, summary } = await story.runs(0, "accept", "acme", archive!, "--json");
  assert.match(out, /"event":"destination"/);
  assert.equal(summary.jobs[0].sequence, 2);
  for (const name of story.destinations) {
    const [record] = recordsAt(story, name);
    assert.deepEqual(
      [record!.kind, record!.run, record!.sequence, record!.receipts],
      ["accept", run, 2, { nas: [[1, 1]], usb: [[1, 1]] }],
    );
  }
  assert.match((await story.runs(0, "accept", "acme", run)).out, /was accepted before/);
  assert.match((await story.runs(0, "list")).out, /^acme_\S+\.record\.json .* 2 +accept +nas, usb$/m);
  assert.equal((await story.runs(0, "list", "--json")).summary.jobs[0].records[0].kind, "accept");
  assert.equal(recordsAt(story).length, 1);
  story.clockOffset = 60_000;
  const { err } = await story.runs(0, "backup");
  assert.doesNotMatch(err, /record|warning/);
  await story.runs(0, "verify", "--archive", "all", "--identity", story.key);
  assert.equal(chainOf(story).length, 3);
});

story("a record that finds a destination down comes there with the next backup", TWO, async (story) => {
  await story.runs(0, "backup");
  Deno.renameSync(story.at("usb"), story.at("away"));
  const { err } = await story.runs(4, "accept", "acme", story.archives()[0]!);
  assert.match(err, /warning: the record is signed and counts here; it goes to where it is missing/);
  assert.equal(recordsAt(story, "nas").length, 1);
  Deno.renameSync(story.at("away"), story.at("usb"));
  assert.equal(recordsAt(story, "usb").length, 0);
  story.clockOffset = 60_000;
  const next = await story.runs(0, "backup");
  assert.match(next.err, /usb: sent and read back, every byte compared \(record acme_\S+\.record\.json\)\n/);
  assert.equal(recordsAt(story, "usb").length, 1);
  story.clockOffset = 120_000;
  assert.doesNotMatch((await story.runs(0, "backup")).err, /record/);
});

story(
  "an archive that was signed and not delivered outlives a record that comes after it",
  TWO,
  async (story) => {
    Deno.renameSync(story.at("usb"), story.at("away"));
    await story.runs(4, "backup");
    // As if the run had been killed before the journal knew that the archive is signed.
    const [archive] = story.archives();
    const line = { at: "2026-01-01T00:00:00Z", step: "begin", what: "spool", name: archive };
    Deno.writeTextFileSync(`${story.state}/acme/journal.jsonl`, JSON.stringify(line) + "\n", {
      append: true,
    });
    await story.runs(4, "accept", "acme", archive!);
    Deno.renameSync(story.at("away"), story.at("usb"));
    story.clockOffset = 60_000;
    await story.runs(0, "backup");
    assert.equal(story.archives("usb").length, 2);
    await story.runs(0, "verify", "--archive", "all");
  },
);

story("what is no run of the job is not accepted", TWO, async (story) => {
  await story.runs(0, "backup");
  for (const wrong of ["latest", "x", "other_20260203T040506Z_0123abcd", ".."]) {
    assert.match(
      (await story.runs(2, "accept", "acme", wrong)).err,
      /is not the name of a run of job "acme"/,
    );
  }
  const { out } = await story.runs(0, "accept", "acme", "acme_20260203T040506Z_0123abcd");
  assert.match(out, /accepted: acme_20260203T040506Z_0123abcd, a run that has no archive/);
});

/** The records of the job at a destination, oldest first. */
function recordsAt(story: Story, destination = "nas"): Line[] {
  return story.stored(destination).filter((name) => name.endsWith(".record.json"))
    .map((name) => JSON.parse(Deno.readTextFileSync(story.at(`${destination}/acme/${name}`))));
}

function chainOf(story: Story): string[] {
  return [...Deno.readDirSync(`${story.state}/acme/chain`)].map(({ name }) => name).sort();
}
