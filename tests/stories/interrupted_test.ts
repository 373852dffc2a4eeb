import assert from "node:assert/strict";
import { denoFiles } from "../../src/base/deno_files.ts";
import { type Story, story } from "./harness.ts";

const MOMENTS: Record<string, (story: Story, strike: () => void) => void> = {
  "the sign-in": (story, strike) => void story.service.onRequest("auth/exchange", strike),
  "the list of vaults": (story, strike) => void story.service.onRequest("vaults/list", strike),
  "the items": (story, strike) => void story.service.onRequest("items/batch", strike),
  "the files": (story, strike) => void story.service.onRequest("file/read", strike),
  "the sealing": (story, strike) => void onCreate(story, /\/spool\//, strike),
  "the sending of the archive": (story, strike) =>
    void onCreate(story, /\/nas\/acme\/\.acme_.*\.age\./, strike),
  "the sending of the signature": (story, strike) => void onCreate(story, /\/nas\/.*\.sig\./, strike),
};

const SIGNALS = [["SIGTERM", 143], ["SIGINT", 130]] as const;

for (const [moment, arm] of Object.entries(MOMENTS)) {
  for (const [signal, code] of moment === "the items" ? SIGNALS : SIGNALS.slice(0, 1)) {
    story(`${signal} during ${moment} ends the run cleanly, and the next one is fine`, {}, async (story) => {
      let struck = 0;
      arm(story, () => {
        if (++struck === 1) story.send(signal);
      });
      const start = performance.now();
      const { err } = await story.runs(code, "backup");
      assert.ok(performance.now() - start < 10_000);
      assert.match(err, new RegExp(`error: stopped by ${signal}\n`));
      assert.ok(struck >= 1);
      assert.equal(story.exited, undefined);
      assert.deepEqual(story.stored().filter((name) => name.startsWith(".")), [], "no half of anything");
      const signed = moment.startsWith("the sending");
      // What was signed belongs to the chain and waits for the next run; nothing else stays.
      assert.equal(story.spooled().length, signed ? 1 : 0);
      assert.ok(!story.stored().some((name) => name.endsWith(".sig")));

      story.files = {};
      story.clockOffset = 60_000;
      await story.runs(0, "backup");
      assert.equal(story.archives().length, signed ? 2 : 1);
      const { out } = await story.runs(0, "verify", "--archive", "all", "--identity", story.key);
      assert.match(out, signed ? /2 copies checked, all good/ : /1 copy checked, all good/);
    });
  }
}

story("a second signal ends the program at once", {}, async (story) => {
  story.service.onRequest("items/batch", () => {
    story.send("SIGTERM");
    story.send("SIGTERM");
  });
  await story.runs(143, "backup");
  assert.equal(story.exited, 143);
});

story("SIGTERM while 1Password hangs does not wait for its deadline", {}, async (story) => {
  story.service.faults.hang("items/overviews");
  const running = story.run("backup");
  await until(() => story.service.requests.count("items/overviews") === 1);
  const start = performance.now();
  story.send("SIGTERM");
  assert.equal((await running).code, 143);
  assert.ok(performance.now() - start < 2000);
});

story("a second run while the first is at work is told so and does no harm", {}, async (story) => {
  story.service.faults.hang("items/overviews", { times: 1 });
  const first = story.run("backup");
  await until(() => story.service.requests.count("items/overviews") === 1);
  const second = await story.runs(11, "backup");
  assert.match(
    second.err,
    /error: another run of job "acme" is at work \(process \d+, since 20\S+Z\)\nvaultferry: hint: wait/,
  );
  assert.equal(story.service.requests.count("auth/start"), 1);
  // Reading is nobody's business but the reader's.
  await story.runs(10, "list");
  await story.runs(10, "verify");
  story.send("SIGTERM");
  assert.equal((await first).code, 143);
  await story.runs(0, "backup");
});

function onCreate(story: Story, path: RegExp, strike: () => void): void {
  story.files.create = async (created, mode) => {
    const file = await denoFiles.create(created, mode);
    if (path.test(created)) strike();
    return file;
  };
}

async function until(true_: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!true_()) {
    assert.ok(performance.now() < end, "it never came so far");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
