/** `prune --dry-run` tells what pruning would come to and leaves this host as it was. */
import assert from "node:assert/strict";
import { type Story, story } from "./harness.ts";
import { copyOf, NIGHT } from "./host_state.ts";
import { memoryAccount } from "./memory_source.ts";

const ONE = { memory: memoryAccount() };

story("on a host that has never run it makes neither key nor folder", ONE, async (story) => {
  await nights(story, 4);
  story.config.state = story.at("host/other");
  const { err, out } = await story.runs(15, "prune", "--dry-run");
  assert.match(out + err, /hold another chain of this job, up to no\. 4/);
  assert.ok(![...Deno.readDirSync(story.at("host"))].some(({ name }) => name === "other"));
});

story("a chain that cannot go on stays where it is", ONE, async (story) => {
  await nights(story, 4);
  const path = `${story.state}/acme/chain/00000004.json`;
  Deno.writeTextFileSync(path, "{}");
  const { err, out } = await unchanged(story, () => story.runs(15, "prune", "--dry-run"));
  assert.match(out + err, /cannot be read .*: the next backup sets it aside and begins a new chain/);
  story.clockOffset += NIGHT;
  await story.runs(15, "backup");
});

story("an older state takes over for itself only, and damaged receipts stay damaged", ONE, async (story) => {
  await nights(story, 2);
  const restore = copyOf(story.state);
  await nights(story, 2);
  restore();
  Deno.writeTextFileSync(`${story.state}/acme/receipts.json`, "{");
  const { err, out } = await unchanged(story, () => story.runs(0, "prune", "--dry-run"));
  assert.match(err, /entries up to 4 were taken over/);
  assert.match(err, /receipts\.json" is damaged/);
  assert.match(out, /no rule keeps it/);
  assert.equal(story.archives().length, 4);
});

async function nights(story: Story, count: number): Promise<void> {
  story.job.retention = { keepLast: 3 };
  for (let at = 0; at < count; at++) {
    story.clockOffset += NIGHT;
    await story.runs(0, "backup", "--no-prune");
  }
}

/** Does something, and demands that the state folder is the same afterwards, file by file. */
async function unchanged<T>(story: Story, act: () => Promise<T>): Promise<T> {
  const before = [...filesIn(story.state)];
  const result = await act();
  assert.deepEqual([...filesIn(story.state)], before);
  return result;
}

function* filesIn(folder: string): Generator<[string, string]> {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* filesIn(path);
    else yield [path, Deno.readTextFileSync(path)];
  }
}
