/** What happens to everybody: no false alarm, nothing lost, and `verify` tells the truth. */
import assert from "node:assert/strict";
import type { RecordManifest } from "../../src/archive/manifest.ts";
import { forged, keyOf, place, storedEntry } from "./forge.ts";
import { type Story, story } from "./harness.ts";
import { NIGHT } from "./host_state.ts";
import { memoryAccount } from "./memory_source.ts";

const TWO = { memory: memoryAccount(), destinations: ["nas", "usb"] };

story("a destination that was down for two days misses nothing afterwards", TWO, async (story) => {
  await night(story);
  Deno.renameSync(story.at("usb"), story.at("away"));
  await night(story, 4);
  await night(story, 4);
  assert.match((await story.runs(4, "verify", "--archive", "all")).out, /^3 copies checked, all good$/m);
  Deno.renameSync(story.at("away"), story.at("usb"));
  assert.match((await story.runs(0, "verify", "--archive", "all")).out, /^never sent to "usb": 2 archives$/m);
  await night(story);
  assert.match((await story.runs(0, "verify", "--archive", "all")).out, /^8 copies checked, all good\n$/m);
});

story("what waited too long is never sent, and not missed", TWO, async (story) => {
  story.job.spool = { keep: 1 };
  await night(story);
  Deno.renameSync(story.at("usb"), story.at("away"));
  for (const _ of [1, 2, 3]) await night(story, 4);
  Deno.renameSync(story.at("away"), story.at("usb"));
  await night(story);
  const { out } = await story.runs(0, "verify", "--archive", "all");
  assert.match(out, /never sent to "usb": 2 archives\n/);
  const { summary } = await story.runs(0, "verify", "--archive", "all", "--json");
  assert.deepEqual(summary.jobs[0].neverSent, [{
    destination: "usb",
    archives: story.archives("nas").slice(1, 3),
  }]);
});

story("a destination moved by hand, with all that is in it, is the same destination", TWO, async (story) => {
  await night(story);
  await night(story);
  Deno.mkdirSync(story.at("new"));
  Deno.renameSync(story.at("usb/acme"), story.at("new/acme"));
  story.job.destinations[1].path = story.at("new");
  await night(story);
  await story.runs(0, "verify", "--archive", "all");
});

story("a new destination has what came since, and the rest was never sent there", TWO, async (story) => {
  await night(story);
  Deno.mkdirSync(story.at("third"));
  story.job.destinations.push({ name: "third", type: "local", path: story.at("third") });
  await story.runs(0, "accept", "acme", story.archives()[0]!);
  await night(story);
  assert.match((await story.runs(0, "verify", "--archive", "all")).out, /never sent to "third": 1 archive\n/);
});

story("the clock set forward and back changes no order", TWO, async (story) => {
  await night(story);
  story.clockOffset += 400 * NIGHT;
  await story.runs(0, "backup");
  story.clockOffset -= 399 * NIGHT;
  await story.runs(0, "backup");
  await story.runs(0, "verify", "--archive", "all");
  const { summary } = await story.runs(0, "verify", "--json");
  assert.deepEqual(summary.jobs[0].copies.map(({ sequence }: { sequence: number }) => sequence), [3, 3]);
});

story(
  "what a signed record says was pruned is not missed, neither here nor elsewhere",
  TWO,
  async (story) => {
    for (const _ of [1, 2, 3]) await night(story);
    const [oldest, second] = story.archives();
    await prune(story, "nas", oldest!);
    story.expected.damaged = true;
    assert.match((await story.runs(0, "verify", "--archive", "all")).out, /^5 copies checked, all good\n$/m);
    const { out } = await story.runs(0, "list", "--from", "nas");
    assert.ok(!out.includes(oldest!) && out.includes("prune"), out);
    // What no record tells of is missed still, and so is the same archive elsewhere.
    Deno.removeSync(story.at(`nas/acme/${second}`));
    assert.match(
      (await story.runs(15, "verify", "--archive", "all")).out,
      /1 copy of 5 must not be relied on/,
    );
    Deno.removeSync(story.at(`usb/acme/${oldest}`));
    assert.match(
      (await story.runs(15, "verify", "--archive", "all")).out,
      /2 copies of 5 must not be relied on/,
    );
  },
);

story(
  "what was pruned stays pruned when a destination gets another name, and nowhere else",
  TWO,
  async (story) => {
    story.job.destinations[0].retention = { keepLast: 3 };
    for (const _ of [1, 2, 3, 4, 5]) await night(story);
    assert.equal(story.archives("nas").length, 3);
    const [oldest] = story.archives("usb");
    story.job.destinations[0].name = "disk";
    for (const _ of [1, 2]) {
      assert.match((await story.runs(0, "verify", "--archive", "all")).out, /, all good$/m);
      await night(story);
    }
    story.expected.damaged = true;
    for (const ending of ["", ".sha256"]) Deno.removeSync(story.at(`usb/acme/${oldest}${ending}`));
    const { out } = await story.runs(15, "verify", "--archive", "all");
    assert.match(out, /1 copy of \d+ must not be relied on/);
  },
);

story("a host that only prunes is known by its key, and its records count", TWO, async (story) => {
  for (const _ of [1, 2, 3]) await night(story);
  const backupHost = story.state;
  const hostKey = Deno.readTextFileSync(`${backupHost}/signer.pub`).trim();
  const pruner = story.at("host/pruner");
  Object.assign(story.config, { state: pruner, signers: [hostKey] });
  assert.match((await story.runs(0, "keys", "trust")).out, /linked: chain [0-9a-f]{32} up to no\. 3/);
  const prunerKey = Deno.readTextFileSync(`${pruner}/signer.pub`).trim();
  const [oldest] = story.archives();
  await prune(story, "nas", oldest!, pruner);
  story.expected.damaged = true;
  Object.assign(story.config, { state: backupHost, signers: [prunerKey] });
  await night(story);
  await story.runs(0, "verify", "--archive", "all");
  story.config.signers = [];
  await story.runs(15, "verify", "--archive", "all");
});

story("a sample looks at everything and reads a part, the newest always", TWO, async (story) => {
  for (const _ of [1, 2, 3, 4]) await night(story);
  const { out } = await story.runs(0, "verify", "--sample", "10%");
  assert.equal(out.match(/good, not read/g)!.length, 6);
  const { summary } = await story.runs(0, "verify", "--sample", "75", "--json");
  const read = summary.jobs[0].copies.filter((copy: { read: boolean }) => copy.read);
  assert.equal(read.length, 6);
  assert.equal(read.filter((copy: { sequence: number }) => copy.sequence === 4).length, 2);
  for (const wrong of ["0", "101", "x", "-1"]) await story.runs(2, "verify", `--sample=${wrong}`);
  story.expected.damaged = true;
  Deno.truncateSync(story.at(`nas/acme/${story.archives()[0]}`), 100);
  assert.match((await story.runs(15, "verify", "--sample", "1%")).out, /truncated: 100 of/);
});

/** As `prune` does it: first the record, then the archive and its checksum. */
async function prune(story: Story, destination: string, archive: string, state = story.state): Promise<void> {
  const at = Object.assign(Object.create(story) as Story, { config: story.config });
  Object.defineProperty(at, "state", { value: state });
  const sequence = [...Deno.readDirSync(`${state}/acme/chain`)].length;
  const head = await storedEntry(at, sequence);
  const like = {
    ...(await storedEntry(at, sequence)).manifest,
    kind: "prune",
    record: archive.replace(".tar.zst.age", ".record.json"),
    destination,
    removes: [{ archive, reason: "older than what is kept" }],
  } as unknown as RecordManifest;
  const record = await forged(head, like, {}, await keyOf(state));
  for (const name of story.destinations) place(story.at(`${name}/acme`), record);
  const stored = { manifest: new TextDecoder().decode(record.bytes), signature: record.signature };
  const path = `${state}/acme/chain/${String(sequence + 1).padStart(8, "0")}.json`;
  Deno.writeTextFileSync(path, JSON.stringify(stored) + "\n", { mode: 0o600 });
  Deno.removeSync(story.at(`${destination}/acme/${archive}`));
  Deno.removeSync(story.at(`${destination}/acme/${archive}.sha256`));
}

function night(story: Story, code = 0) {
  story.clockOffset += NIGHT;
  return story.runs(code, "backup");
}
