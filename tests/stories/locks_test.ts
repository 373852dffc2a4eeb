/** `immutableFor`: what is stored cannot be removed before its time, or nothing is sent. */
import assert from "node:assert/strict";
import { bodyOf } from "../../src/destination/conformance/bench.ts";
import { MemoryDestination } from "../../src/destination/memory.ts";
import { Clouds } from "./clouds.ts";
import { type Line, story } from "./harness.ts";
import { memoryAccount } from "./memory_source.ts";

const DAY = 86_400_000;
const LOCK = { immutableFor: "30d" };
const some = () => ({ memory: memoryAccount(), destinations: ["nas"] });

story(
  "an archive and the three files beside it are locked until then; the recipe is not",
  some(),
  async (story) => {
    await using clouds = await Clouds.start(story);
    clouds.gcs.bucket.objectRetention = true;
    clouds.addGoogle("OWNER", LOCK);
    clouds.addAmazon("OWNER", { ...LOCK, bucket: "locked" });
    story.clockOffset = 5 * 60_000;
    const before = Date.now() + story.clockOffset;
    await story.runs(0, "backup");
    const after = Date.now() + story.clockOffset;
    const names = clouds.stored("google");
    assert.deepEqual(names, clouds.stored("amazon", "locked"));
    assert.equal(names.length, 5);
    for (const name of names) {
      const google = clouds.gcs.bucket.objects.get(`x/acme/${name}`)!.metadata.retention;
      const amazon = clouds.s3.buckets.get("locked")!.current(`x/acme/${name}`)!.retention;
      if (name === "HOW-TO-OPEN.txt") {
        assert.deepEqual([google, amazon], [undefined, undefined]);
        continue;
      }
      assert.deepEqual([google!.mode, amazon!.mode], ["Locked", "COMPLIANCE"], name);
      for (const until of [Date.parse(google!.retainUntilTime), amazon!.until.getTime()]) {
        // By this host's clock, from the moment of the upload on.
        assert.ok(
          until >= before + 30 * DAY - 1000 && until <= after + 30 * DAY,
          new Date(until).toISOString(),
        );
      }
    }
  },
);

story(
  "without locks nothing is sent: the others have the archive, and the reason is told",
  some(),
  async (story) => {
    await using clouds = await Clouds.start(story);
    clouds.addGoogle("OWNER", LOCK);
    clouds.addAmazon("OWNER", LOCK);
    const { summary, err } = await story.runs(4, "backup", "--json");
    const fates = summary.jobs[0].destinations.map((one: Line) => [one.destination, one.state, one.code]);
    assert.deepEqual(fates, [
      ["nas", "read-back", undefined],
      ["google", "failed", "unsupported"],
      ["amazon", "failed", "unsupported"],
    ], err);
    assert.deepEqual([clouds.stored("google"), clouds.stored("amazon")], [[], []]);
    assert.ok(!clouds.gcs.asked.some((one) => one.includes("/upload/")));
    assert.deepEqual(clouds.s3.operations().filter((one) => /Put|Create|Upload/.test(one)), []);
    story.expected.spooled = 1;
    story.expected.unfinished = 2;
  },
);

story(
  "a kind of destination that has no locks is refused by the config, before anything else",
  some(),
  async (story) => {
    story.job.destinations[0].immutableFor = "30d";
    for (const command of [["config", "check"], ["backup"]]) {
      const { err } = await story.runs(2, ...command);
      assert.match(err, /destinations\[0\]\.immutableFor: is nothing that "local" can do: it cannot lock/);
    }
    assert.deepEqual(story.stored("nas"), []);
  },
);

story(
  "an opening that says it has no locks is refused before anything is sent",
  some(),
  async (story) => {
    const asked: string[] = [];
    const plain = new MemoryDestination("plain", new Map(), {
      before: (operation) => void asked.push(operation),
    });
    story.addDestination(plain, LOCK);
    const { err } = await story.runs(4, "backup");
    assert.match(
      err,
      /warning: "plain" cannot be opened: destination "plain": it cannot lock what it stores/,
    );
    assert.match(err, /plain: failed: destination "plain": it cannot lock what it stores against removal\n/);
    assert.deepEqual(asked, ["list"], "it is looked at, and nothing is sent");
    await plain.put("acme/x", bodyOf(new Uint8Array(3)), new AbortController().signal);
    story.expected.spooled = 1;
  },
);
