/** kill -9 in the middle of an upload to a cloud: nothing visible is half, and the next run leaves nothing hidden. */
import assert from "node:assert/strict";
import { Child } from "./child.ts";
import { Clouds } from "./clouds.ts";
import { type Story, story } from "./harness.ts";
import { memoryAccount } from "./memory_source.ts";

/** Small here: it is the program of its own that has several parts to send. */
const some = () => ({ memory: memoryAccount(), destinations: [] as string[] });

story(
  "kill -9 during an upload to S3: its parts are swept by the next run, and only they",
  some(),
  async (story) => {
    await using clouds = await Clouds.start(story);
    clouds.addAmazon();
    const bucket = clouds.s3.buckets.get("plain")!;
    // Somebody else's, which is not ours to end.
    const strange = {
      initiated: new Date(),
      algorithm: undefined,
      metadata: {},
      retention: undefined,
      parts: new Map(),
    };
    bucket.uploads.set("strange", { ...strange, id: "strange", key: "x/acme/somebody-else" });
    const strike = clouds.s3.faults.strike(
      "UploadPart",
      { do: "wait", ms: 30_000 },
      Infinity,
      ({ query }) => query.get("partNumber") !== "1",
    );
    await killed(story, () => [...bucket.uploads.values()].some(({ parts }) => parts.size > 0));
    await strike[Symbol.asyncDispose]();
    assert.equal(bucket.uploads.size, 2, "an upload is open, and hidden");
    assert.deepEqual(clouds.stored("amazon"), []);
    await goesOn(story);
    assert.deepEqual([...bucket.uploads.keys()], ["strange"]);
    assert.equal(clouds.stored("amazon").filter((name) => name.endsWith(".age")).length, 2);
  },
);

story(
  "kill -9 during an upload to Google: nothing is visible, and the next run delivers",
  some(),
  async (story) => {
    await using clouds = await Clouds.start(story);
    clouds.addGoogle();
    let parts = 0;
    clouds.gcs.instead = (method) => method === "PUT" && ++parts === 2 ? new Promise(() => {}) : undefined;
    await killed(story, () => parts >= 2);
    clouds.gcs.instead = () => {};
    assert.deepEqual(clouds.stored("google"), []);
    await goesOn(story);
    assert.equal(clouds.stored("google").filter((name) => name.endsWith(".age")).length, 2);
  },
);

story("leftovers that may not be swept are told once, with what to do about them", some(), async (story) => {
  await using clouds = await Clouds.start(story);
  const amazon = clouds.addAmazon("WRITER", { access: "create-only" });
  const bucket = clouds.s3.buckets.get("plain")!;
  const strike = clouds.s3.faults.strike("UploadPart", { do: "wait", ms: 30_000 });
  await killed(story, () => bucket.uploads.size > 0);
  await strike[Symbol.asyncDispose]();
  story.clockOffset = 60_000;
  const { err } = await story.runs(0, "backup");
  assert.match(
    err,
    /warning: what an interrupted run may have left is left to the service: .*\n.*hint: .*AbortIncompleteMultipartUpload/,
  );
  assert.equal(bucket.uploads.size, 1);
  story.clockOffset = 120_000;
  assert.doesNotMatch((await story.runs(0, "backup")).err, /warning/);

  // With credentials for pruning they are swept.
  bucket.uploads.clear();
  amazon.prune = clouds.s3Key("PRUNER");
  const again = clouds.s3.faults.strike("UploadPart", { do: "wait", ms: 30_000 });
  story.clockOffset = 180_000;
  await killed(story, () => bucket.uploads.size > 0);
  await again[Symbol.asyncDispose]();
  story.clockOffset = 240_000;
  assert.doesNotMatch((await story.runs(0, "backup")).err, /warning/);
  assert.equal(bucket.uploads.size, 0);
});

async function killed(story: Story, moment: () => boolean): Promise<void> {
  const child = await Child.startMain("tests/stories/noise_main.ts", story, "backup");
  while (!moment()) {
    if (child.ended) assert.fail(`the moment never came: ${(await child.result()).err}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  child.send("SIGKILL");
  await child.result();
  assert.equal(story.spooled().length, 1);
}

async function goesOn(story: Story): Promise<void> {
  story.clockOffset = 60_000;
  await story.runs(0, "backup");
  const { out } = await story.runs(0, "verify", "--archive", "all", "--identity", story.key);
  assert.match(out, /2 copies checked, all good/);
  assert.deepEqual(story.spooled(), []);
}
