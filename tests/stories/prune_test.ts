/** What goes and what stays, night after night, told to the whole program. */
import assert from "node:assert/strict";
import { type Line, type Ran, type Story, story } from "./harness.ts";
import { memoryAccount } from "./memory_source.ts";

const DAY = 86_400_000;

/** A backup every night, the clock moving on by a day before each but the first. */
async function nights(story: Story, count: number, code = 0): Promise<Ran> {
  let ran: Ran | undefined;
  for (let night = 0; night < count; night++) {
    story.clockOffset += DAY;
    ran = await story.runs(code, "backup", "--json");
  }
  return ran!;
}

const prunings = ({ lines }: Ran): Line[] => lines.filter(({ event }) => event === "pruning");

function pruneStory(
  name: string,
  retention: Line,
  tell: (story: Story) => Promise<void>,
  more: string[] = [],
): void {
  story(name, { memory: memoryAccount(), inMemory: true, destinations: ["nas", ...more] }, async (story) => {
    story.job.retention = retention;
    await story.runs(0, "backup");
    await tell(story);
  });
}

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
