/** Pruning that is cut off, wherever that is: nothing is lost, nothing is taken for lost, and the next run is quiet. */
import assert from "node:assert/strict";
import { MemoryDestination } from "../../src/destination/memory.ts";
import { Faulty } from "./faulty.ts";
import { type Line, story } from "./harness.ts";
import { copyOf, recordsAt } from "./host_state.ts";
import { memoryAccount } from "./memory_source.ts";
import { DAY, fate, nights, pruneStory, prunings } from "./pruning.ts";

pruneStory(
  'the power fails before any one of all file operations of "prune"',
  { keepLast: 3 },
  async (story) => {
    await nights(story, 4, 0, "--no-prune");
    const back = [copyOf(story.state), copyOf(story.at("nas"))];
    const before = story.archives();
    const counting = new Faulty({ at: Infinity, forEver: false });
    story.files = counting.files();
    await story.runs(0, "prune");
    const all = counting.seen;
    assert.equal(all.filter((one) => /^remove .*\/nas\/.*\.(age|sha256)$/.test(one)).length, 4);
    assert.ok(all.length > 20, `${all.length} operations`);
    let cutAfterRecord = 0;
    for (let at = 1; at <= all.length; at++) {
      for (const restore of back) restore();
      const faulty = new Faulty({ at, forEver: true });
      story.files = faulty.files();
      const broken = await story.run("prune");
      const where = `${faulty.struck} (operation ${at} of ${all.length})\n${broken.err}`;
      assert.notEqual(broken.code, 0, where);
      story.files = {};
      // What is gone is named in a record that lies there, with its signature.
      const left = story.archives(), files = story.stored();
      const named = recordsAt(story, "prune").filter(({ record }) => files.includes(`${record}.sig`))
        .flatMap(({ removes }) => removes.map((one: Line) => one.archive));
      const gone = before.filter((name) => !left.includes(name));
      for (const name of gone) assert.ok(named.includes(name), `${name} is gone and not named: ${where}`);
      assert.ok(left.length >= 3, where);
      if (gone.length > 0) cutAfterRecord++;
      const now = await story.run("verify", "--archive", "all", "--json");
      for (const copy of now.summary.jobs[0].copies) {
        if (copy.result === "bad") {
          assert.match(
            copy.problem.message,
            /^unsigned: /,
            `${where}${copy.problem.message}`,
          );
        }
      }
      // The next night is an ordinary one.
      story.clockOffset += DAY;
      const next = await story.run("backup", "--json");
      assert.equal(next.code, 0, `the run after ${where}${next.out}`);
      assert.deepEqual(story.archives().slice(0, -1), before.slice(-2), where);
      assert.deepEqual(fate(next).slice(0, 1), ["done"], where);
      const opened = await story.run("verify", "--archive", "all", "--identity", story.key, "--json");
      assert.equal(opened.code, 0, `verify after ${where}${opened.out}`);
      // Nothing lies about, no checksum file either.
      story.expected.check(story);
      story.clockOffset -= DAY;
    }
    assert.ok(cutAfterRecord >= 3, "the power failed between the removals, too");
  },
);

story("a stop by hand in the middle: said, and taken up the next night", {
  memory: memoryAccount(),
  inMemory: true,
}, async (story) => {
  let removals = 0;
  story.addDestination(
    new MemoryDestination("cellar", new Map(), {
      before: (operation) => {
        if (operation === "remove" && ++removals === 3) story.send("SIGINT");
      },
    }),
  );
  await nights(story, 6);
  const rules = { keepLast: 3 };
  story.job.retention = rules;
  for (const command of [["prune"], ["backup"]]) {
    removals = 0;
    story.clockOffset += DAY;
    const { err } = await story.runs(130, ...command);
    assert.doesNotMatch(err, /pruning failed/);
    await story.runs(0, "verify", "--archive", "all");
    delete story.job.retention;
    await nights(story, 2);
    story.job.retention = rules;
  }
  removals = 10;
  const ran = await nights(story, 1);
  assert.ok(prunings(ran).every(({ state, kept }) => state === "done" && kept === 3), ran.out);
  await story.runs(0, "verify", "--archive", "all", "--identity", story.key);
});
