/** Which archives count, which go and which stay, rule by rule, told to the whole program. */
import assert from "node:assert/strict";
import type { ArchiveManifest } from "../../src/archive/manifest.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { hostSigner } from "../../src/custody/signer.ts";
import { forged, place, storedEntry } from "./forge.ts";
import { type Line, story } from "./harness.ts";
import { recordsAt } from "./host_state.ts";
import { memoryAccount } from "./memory_source.ts";
import { DAY, fate, madeUpName, nights, pruneStory, prunings } from "./pruning.ts";

pruneStory("one destination is down: nothing goes there, and old ones go at the other", {
  keepLast: 3,
}, async (story) => {
  await nights(story, 2);
  Deno.renameSync(story.at("usb"), story.at("away"));
  const down = await nights(story, 1, 4);
  assert.deepEqual(prunings(down), [
    { destination: "nas", state: "done", removed: 1, kept: 3, notYet: 0, later: 0 },
    { destination: "usb", state: "blocked", message: "this backup did not get there" },
  ]);
  Deno.renameSync(story.at("away"), story.at("usb"));
  assert.equal(story.archives("usb").length, 3);
  // The night after, what it missed has come there late, and it catches up.
  assert.deepEqual(prunings(await nights(story, 1)).map(({ removed }) => removed), [1, 2]);
  assert.deepEqual(story.archives("usb"), story.archives("nas"));
  await story.runs(0, "verify", "--archive", "all");
}, ["usb"]);

pruneStory("what is unsigned, a stranger's, cut short or was never read back neither counts nor goes", {
  keepLast: 3,
}, async (story) => {
  await nights(story, 2);
  const folder = story.at("nas/acme"), body = new Uint8Array(1000);
  // Newer than all of ours and older than all of ours.
  const unsigned = [madeUpName(story, 0), madeUpName(story, -300)];
  for (const name of unsigned) Deno.writeFileSync(`${folder}/${name}`, body);
  const { manifest } = await storedEntry(story, 1);
  assert.ok(manifest.kind === "archive");
  const strangers: string[] = [], stranger = await hostSigner(denoWorld(), story.at("safe/stranger"));
  for (const days of [0.01, -0.01, -200]) {
    const name = madeUpName(story, days, "deadbeef");
    const time = new Date(Math.floor((Date.now() + story.clockOffset + days * DAY) / 1000) * 1000);
    const changes: Partial<ArchiveManifest> = {
      archive: { ...manifest.archive, name, size: body.length },
      time: time.toISOString(),
      chain: "f".repeat(32),
      receipts: { nas: [[1, 1]] },
    };
    place(folder, await forged(undefined, manifest, changes, stranger), body);
    strangers.push(name);
  }
  const [first] = story.archives().filter((name) => manifest.archive.name === name);
  // One of ours has lost its end.
  Deno.truncateSync(`${folder}/${first}`, 100);
  story.expected.strangers = /0badcafe|deadbeef/;
  story.expected.damaged = true;
  for (let night = 0; night < 3; night++) {
    const ran = await nights(story, 1);
    assert.equal(
      prunings(ran)[0]!.removed,
      night === 0 ? 0 : 1,
      "two whole ones and that of tonight are three",
    );
  }
  const left = story.archives();
  for (const name of [...unsigned, ...strangers, first!]) assert.ok(left.includes(name), name);
  assert.equal(left.length - unsigned.length - strangers.length - 1, 3);
  // Nothing of it is ever named in a record.
  const named = recordsAt(story, "prune").flatMap(({ removes }) => removes.map((one: Line) => one.archive));
  assert.deepEqual(named.filter((name) => [...unsigned, ...strangers, first].includes(name)), []);
  const { out } = await story.runs(0, "prune", "--dry-run");
  assert.match(
    out,
    /0badcafe.* keep +not known to be ours, so not ours to remove: unsigned: ".*manifest\.json" is missing\n/,
  );
  assert.match(out, /deadbeef.* keep +not known .*: .*signed by SHA256:.*\n/);
  assert.match(out, new RegExp(`${first} .* keep +not known .*: it has 100 of its \\d+ bytes\n`));
});

pruneStory('what no receipt speaks of neither counts nor goes, until "prune" has read it', {
  keepLast: 3,
}, async (story) => {
  await nights(story, 2);
  story.expected.damaged = true;
  // The same place under another name: nothing there was ever read back as far as anybody knows.
  story.job.destinations[0].name = "cellar";
  assert.deepEqual(fate(await nights(story, 1)), ["done", 0, 4]);
  assert.deepEqual(fate(await nights(story, 1)), ["done", 0, 5]);
  const dry = await story.runs(0, "prune", "--dry-run");
  assert.match(dry.out, /cellar: would remove 2 archives\n/);
  const damaged = story.archives()[2]!;
  const path = story.at(`nas/acme/${damaged}`);
  const bytes = Deno.readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  Deno.writeFileSync(path, bytes);
  // It would have been the third: it is read, counts for nothing, and the one before it takes its place.
  assert.deepEqual(fate(await story.runs(0, "prune", "--json")), ["done", 1, 4]);
  assert.ok(story.archives().includes(damaged));
  assert.equal(story.archives().length, 4);
});

pruneStory("never fewer than three, whatever the rules say", { keepLast: 1 }, async (story) => {
  assert.deepEqual(fate(await nights(story, 5)), ["done", 1, 3]);
  story.job.retention = { keepWithin: "1h" };
  assert.deepEqual(fate(await nights(story, 3)), ["done", 1, 3]);
  assert.equal(story.archives().length, 3);
});

pruneStory(
  "at most thirty a run, the oldest first; the rest goes the next times",
  undefined,
  async (story) => {
    story.clockOffset = DAY;
    for (let at = 0; at < 36; at++) {
      story.clockOffset += DAY / 24;
      await story.runs(0, "backup");
    }
    const before = story.archives();
    story.job.retention = { keepLast: 3 };
    story.clockOffset += DAY / 24;
    const { err } = await story.runs(0, "backup");
    assert.match(err, /nas: 30 old archives removed, 8 stay, 5 of them until the next runs\n/);
    assert.deepEqual(story.archives().slice(0, -1), before.slice(30));
    assert.deepEqual(fate(await nights(story, 1)), ["done", 6, 3]);
    assert.equal(recordsAt(story, "prune").length, 2);
    await story.runs(0, "verify", "--archive", "all");
  },
);

pruneStory("names that are not ours are never touched", { keepLast: 3 }, async (story) => {
  const others = [
    "notes.txt",
    "acme_20200101T000000Z_00000000.tar.zst",
    "acme_20200101T000000Z_0000000g.tar.zst.age",
    "other_20200101T000000Z_00000000.tar.zst.age",
    ".hidden",
    "acme_20200101T000000Z_00000000.tar.zst.age.bak",
  ];
  for (const name of others) Deno.writeTextFileSync(story.at(`nas/acme/${name}`), "mine");
  Deno.mkdirSync(story.at("nas/other"));
  Deno.writeTextFileSync(story.at("nas/other/x.age"), "mine");
  const old = story.archives().find((name) => name.startsWith("acme_2") && !others.includes(name))!;
  // Beside an archive of ours, too.
  Deno.writeTextFileSync(story.at(`nas/acme/${old}.notes`), "mine");
  assert.equal(prunings(await nights(story, 4))[0]!.removed, 1);
  for (const name of [...others, `${old}.notes`]) {
    assert.equal(Deno.readTextFileSync(story.at(`nas/acme/${name}`)), "mine", name);
  }
  assert.equal(Deno.readTextFileSync(story.at("nas/other/x.age")), "mine");
  assert.ok(!story.archives().includes(old));
  story.expected.strangers = /mine|notes|other|0{8}|0000g|hidden/;
});

pruneStory("--no-prune removes nothing, and the next run makes up for it", { keepLast: 3 }, async (story) => {
  const ran = await nights(story, 4, 0, "--no-prune");
  assert.deepEqual([prunings(ran), ran.summary.jobs[0].pruned], [[], undefined]);
  assert.equal(story.archives().length, 5);
  assert.deepEqual(fate(await nights(story, 1)), ["done", 3, 3]);
});

pruneStory('without rules nothing is ever pruned, and "prune" says so', undefined, async (story) => {
  const ran = await nights(story, 4);
  assert.deepEqual([prunings(ran), story.archives().length], [[], 5]);
  const { err } = await story.runs(2, "prune");
  assert.match(
    err,
    /error: job "acme" has no rules for what to keep: nothing is ever pruned\n.*hint: give it some/,
  );
  await story.runs(2, "prune", "--dry-run");
});

pruneStory("each destination has rules of its own, or the job's, or none", undefined, async (story) => {
  const [nas, usb] = story.job.destinations;
  nas.retention = { keepLast: 3 };
  const ran = await nights(story, 5);
  assert.deepEqual(prunings(ran).map(({ destination, removed }) => [destination, removed]), [["nas", 1]]);
  assert.deepEqual([story.archives("nas").length, story.archives("usb").length], [3, 6]);
  story.job.retention = { keepLast: 5 };
  assert.deepEqual(prunings(await nights(story, 1)).map(({ removed }) => removed), [1, 2]);
  assert.deepEqual([story.archives("nas").length, story.archives("usb").length], [3, 5]);
  // What was removed here on purpose is not brought back from there, and not missed.
  assert.match((await story.runs(0, "backup", "--resend")).out, /^nothing is missing/);
  await story.runs(0, "verify", "--archive", "all", "--identity", story.key);
  usb.retention = { keepLast: 3 };
  assert.match((await story.runs(0, "prune")).err, /usb: 2 old archives removed, 3 stay\n/);
}, ["usb"]);

pruneStory('"prune" shows what it would do and why, does that, and says when there is nothing to do', {
  keepLast: 3,
}, async (story) => {
  await nights(story, 4, 0, "--no-prune");
  const all = story.archives(), files = story.stored();
  const dry = await story.runs(0, "prune", "--dry-run");
  const rows = dry.out.split("\n");
  assert.match(rows[0]!, /^archive +time +why$/);
  const shown = rows.slice(1, 6).map((row) => row.split(/ {2,}/));
  assert.deepEqual(shown.map(([name, , what, why]) => [name, what, why]), [
    [all[4], "keep", "last"],
    [all[3], "keep", "last"],
    [all[2], "keep", "last"],
    [all[1], "remove", "no rule keeps it"],
    [all[0], "remove", "no rule keeps it"],
  ]);
  for (const [, time] of shown) assert.match(time!, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
  assert.equal(rows[6], "nas: would remove 2 archives");
  assert.deepEqual(story.stored(), files, "looking changes nothing");
  const [told] = (await story.runs(0, "prune", "--dry-run", "--json")).summary.jobs[0].pruned;
  assert.deepEqual([told.destination, told.removes, told.removed], ["nas", [all[0], all[1]], []]);
  assert.deepEqual(told.archives[4], { archive: all[0], keep: false, reasons: ["no rule keeps it"] });
  const real = await story.runs(0, "prune", "--json");
  assert.deepEqual(real.summary.jobs[0].pruned[0].removed, [all[0], all[1]]);
  assert.deepEqual(story.archives(), all.slice(2));
  assert.match((await story.runs(0, "prune")).out, /^nothing to remove for job "acme"\n$/);
  assert.equal(recordsAt(story, "prune").length, 1);
  await story.runs(0, "verify", "--archive", "all");
});

story("what was removed and is put back by somebody takes nobody's place", {
  memory: memoryAccount(),
  inMemory: true,
}, async (story) => {
  // A June, so that no year ends in the middle.
  story.clockOffset = Date.UTC(new Date().getUTCFullYear() + 1, 5, 10) - Date.now();
  story.job.retention = { keepLast: 3 };
  await story.runs(0, "backup");
  const first = story.archives()[0]!, path = story.at(`nas/acme/${first}`);
  const bytes = Deno.readFileSync(path);
  await nights(story, 4);
  const left = story.archives();
  assert.deepEqual([left.length, left.includes(first)], [3, false]);
  Deno.writeFileSync(path, bytes);
  story.job.retention = { keepYearly: 12 };
  const { out } = await story.runs(0, "prune", "--dry-run");
  assert.match(out, new RegExp(`${left[0]} .* keep +oldest yearly\n`), out);
  story.job.retention = { keepLast: 3 };
  assert.match((await story.runs(0, "prune")).err, /nas: 1 old archive removed, 3 stay\n/);
  assert.deepEqual(story.archives(), left);
  assert.equal(recordsAt(story, "prune").length, 2, "it is not named once more");
});

story("a copy that was found damaged is none of those that stay, until it is found good", {
  memory: memoryAccount(),
  inMemory: true,
}, async (story) => {
  story.job.retention = { keepLast: 3 };
  await nights(story, 4);
  const [second, third, fourth] = story.archives();
  const path = story.at(`nas/acme/${fourth}`), good = Deno.readFileSync(path);
  const list = `${story.state}/acme/damaged.json`;
  await story.runs(0, "verify", "--archive", "all");
  assert.throws(() => Deno.statSync(list), Deno.errors.NotFound, "nothing to remember, nothing is written");
  Deno.writeFileSync(path, good.with(good.length >> 1, good[good.length >> 1]! ^ 1));
  await story.runs(15, "verify");
  assert.deepEqual(JSON.parse(Deno.readTextFileSync(list)), { nas: [fourth] });

  await nights(story, 1);
  assert.deepEqual(story.archives().slice(0, 3), [second, third, fourth], "three good ones, and the bad one");
  await nights(story, 1);
  const [, , fifth, sixth] = story.archives();
  assert.deepEqual(story.archives(), [third, fourth, fifth, sixth]);
  const { out } = await story.runs(0, "prune", "--dry-run");
  assert.match(out, new RegExp(`${fourth} .*: it was damaged when it was last verified\n`));

  // Nobody knows which are damaged: nothing goes, and looking again tells.
  Deno.writeTextFileSync(list, "{");
  assert.match(
    (await story.runs(1, "prune")).err,
    /damaged\.json" is damaged.*\n.*hint: vaultferry verify --archive all/,
  );
  await story.runs(0, "verify");
  assert.equal(Deno.readTextFileSync(list), "{", "one copy tells nothing of the others");
  await story.runs(15, "verify", "--archive", "all");
  assert.deepEqual(JSON.parse(Deno.readTextFileSync(list)), { nas: [fourth] });

  Deno.writeFileSync(path, good);
  await story.runs(0, "verify", "--archive", "all");
  assert.match((await story.runs(0, "prune")).err, /nas: 1 old archive removed, 3 stay\n/);
  assert.deepEqual(story.archives(), [fourth, fifth, sixth]);
});
