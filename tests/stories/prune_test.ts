/** What goes and what stays, night after night, told to the whole program. */
import assert from "node:assert/strict";
import { nights, pruneStory, prunings } from "./pruning.ts";

pruneStory("old archives go after a backup, first named in a signed record; manifests and signatures stay", {
  keepLast: 3,
}, async (story) => {
  const [first] = story.archives();
  const ran = await nights(story, 3);
  assert.deepEqual(prunings(ran).map(({ state, removed, kept }) => [state, removed, kept]), [["done", 1, 3]]);
  assert.equal(story.archives().length, 3);
  const left = story.stored().filter((name) => name.startsWith(first!));
  assert.deepEqual(left, [`${first}.manifest.json`, `${first}.manifest.json.sig`]);
  const records = story.stored().filter((name) => name.endsWith(".record.json"));
  assert.equal(records.length, 1);
  const { kind, destination, removes } = JSON.parse(
    await Deno.readTextFile(`${story.at("nas")}/acme/${records[0]}`),
  );
  assert.deepEqual([kind, destination, removes], ["prune", "nas", [{
    archive: first,
    reason: "no rule keeps it",
  }]]);
  // Nobody takes it for lost.
  const verified = await story.runs(0, "verify", "--archive", "all", "--json");
  assert.deepEqual(verified.lines.filter(({ event }) => event === "error"), []);
  await story.runs(0, "restore", "--to", story.at("restored/one"), "--identity", story.key);
});
