import assert from "node:assert/strict";
import { type Story, story } from "./harness.ts";
import { NIGHT } from "./host_state.ts";
import { memoryAccount } from "./memory_source.ts";

const TWO = { memory: memoryAccount(), destinations: ["nas", "usb"] };

story(
  "what waits for a destination that is away has a limit, and whatever goes is told",
  TWO,
  async (story) => {
    story.job.spool = { keep: 2 };
    Deno.renameSync(story.at("usb"), story.at("away"));
    await night(story, 4);
    await night(story, 4);
    const [oldest, second] = story.archives("nas");
    const { err } = await night(story, 4);
    assert.ok(err.includes(`warning: ${oldest} waits no longer for "usb": more than 2 archives wait\n`), err);
    assert.match(err, /hint: it is at "nas"; "spool: \{keep: …\}" in the config lets more of them wait\n/);
    assert.deepEqual(story.spooled(), story.archives("nas").slice(1));
    Deno.renameSync(story.at("away"), story.at("usb"));
    assert.doesNotMatch((await night(story, 0)).err, /warning/);
    assert.deepEqual(story.archives("usb")[0], second);
    assert.equal(story.archives("usb").length, 3);
    await story.runs(0, "verify", "--archive", "all");
  },
);

story("the only copy of an archive is never given up for room", TWO, async (story) => {
  story.job.spool = { keep: 1 };
  for (const name of story.destinations) Deno.renameSync(story.at(name), story.at(`${name} away`));
  for (const _ of [1, 2, 3]) await night(story, 1);
  const { err } = await night(story, 1);
  assert.match(err, /warning: 4 archives wait on this host, more than 1, and no destination has them\n/);
  assert.equal(story.spooled().length, 4);
  Deno.renameSync(story.at("nas away"), story.at("nas"));
  await night(story, 4);
  assert.equal(story.archives("nas").length, 5);
  assert.equal(story.spooled().length, 1);
  Deno.renameSync(story.at("usb away"), story.at("usb"));
  await night(story, 0);
  assert.equal(story.spooled().length, 0);
});

function night(story: Story, code: number) {
  story.clockOffset += NIGHT;
  return story.runs(code, "backup");
}
