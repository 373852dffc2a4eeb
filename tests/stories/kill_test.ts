import assert from "node:assert/strict";
import { denoFiles } from "../../src/base/deno_files.ts";
import { AppError } from "../../src/base/errors.ts";
import { Child } from "./child.ts";
import { names, type Story, story } from "./harness.ts";
import { Witness } from "./witness.ts";

const MIB = 1024 * 1024;

/** So large that sending it takes long enough to be killed meanwhile. */
const LARGE = {
  account: {
    name: "Large",
    vaults: [{
      title: "V",
      items: [{
        title: "A disk image",
        category: "Document" as const,
        document: { name: "image.bin", size: 12 * MIB, seed: "image" },
      }],
    }],
  },
};

story("the program runs in a process of its own, with nothing but its config", {}, async (story) => {
  const child = await Child.start(story, "backup", "--json");
  const { code, summary } = await child.result();
  assert.equal(code, 0);
  assert.equal(summary.jobs[0].outcome, "complete");
  await story.runs(0, "verify", "--identity", story.key);
});

for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
  story(`a real ${signal} ends a real process cleanly`, {}, async (story) => {
    story.service.faults.hang("items/batch", { times: 1 });
    const child = await Child.start(story, "backup");
    await until(() => story.service.requests.count("items/batch") === 1);
    child.send(signal);
    const ran = await child.result();
    assert.equal(ran.code, code, ran.err);
    assert.match(ran.err, new RegExp(`error: stopped by ${signal}\n`));
    assert.deepEqual(story.spooled(), []);
    await story.runs(0, "backup");
  });
}

story("a run of another process holds the lock until it ends, also by kill -9", {}, async (story) => {
  story.service.faults.hang("items/batch", { times: 1 });
  const child = await Child.start(story, "backup");
  await until(() => story.service.requests.count("items/batch") === 1);
  assert.match(
    (await story.runs(11, "backup")).err,
    /another run of job "acme" is at work \(process \d+, since /,
  );
  child.send("SIGKILL");
  await child.result();
  await story.runs(0, "backup");
});

story("kill -9 while files are read: the next run sweeps the half archive", {}, async (story) => {
  story.service.faults.hang("file/read", { times: 1 });
  const child = await Child.start(story, "backup");
  await until(() => story.service.requests.count("file/read") === 1);
  assert.ok(await child.killWhen(() => true));
  assert.deepEqual(story.spooled().map((name) => name.replace(/.*\.age/, "")), [".partial"]);
  await goesOn(story, 1);
});

story(
  "what a first run left of its signing key when it was killed is swept by the next",
  {},
  async (story) => {
    Deno.mkdirSync(story.state, { mode: 0o700 });
    Deno.writeTextFileSync(`${story.state}/signer.key.0123abcd.tmp`, "made-up half of a key", {
      mode: 0o600,
    });
    await story.runs(0, "backup");
    const kept = names(story.state).filter((name) => name.startsWith("signer."));
    assert.deepEqual(kept, ["signer.key", "signer.pub"]);
    story.clockOffset = 60_000;
    Deno.writeTextFileSync(`${story.state}/signer.key.0123abcd.tmp`, "made-up half of a key", {
      mode: 0o600,
    });
    story.files.remove = (path, options) =>
      path.includes("signer.key")
        ? Promise.reject(new AppError("denied", "permission denied"))
        : denoFiles.remove(path, options);
    const { err } = await story.runs(0, "backup");
    assert.match(
      err,
      /warning: what a killed run left of the signing key could not be removed: permission denied\n/,
    );
    story.files = {};
    story.clockOffset = 120_000;
    await story.runs(0, "backup");
  },
);

story("kill -9 after signing: the next run delivers what was signed", LARGE, async (story) => {
  await killedAt(story, () => names(`${story.state}/acme/chain`).includes("00000001.json"));
  assert.equal(story.spooled().length, 1);
  assert.ok(!story.stored().some((name) => name.endsWith(".sig")));
  await goesOn(story, 2);
});

story(
  "kill -9 while sending: the next run sweeps the half copy and delivers the whole",
  LARGE,
  async (story) => {
    await killedAt(story, () => story.stored().some((name) => /^\.acme_.*\.partial$/.test(name)));
    assert.equal(story.spooled().length, 1);
    assert.ok(!story.stored().some((name) => name.endsWith(".sig")));
    await goesOn(story, 2);
  },
);

story(
  "kill -9 during a restore: nothing half is taken for whole, and the next one wipes what lies there",
  LARGE,
  async (story) => {
    await story.runs(0, "backup");
    const to = story.at("restored/x");
    const child = await Child.start(story, "restore", "--to", to, "--identity", story.key);
    assert.ok(await child.killWhen(() => names(`${to}.partial/restored/vaults`).length > 0));
    assert.throws(() => Deno.statSync(to), Deno.errors.NotFound);
    const witness = new Witness(`${to}.partial/restored`);
    const { err } = await story.runs(0, "restore", "--to", to, "--identity", story.key);
    assert.match(
      err,
      /warning: an earlier restore to ".*\/x" was interrupted: what it left in clear has been wiped/,
    );
    witness.sawItWiped();
    assert.deepEqual(names(story.at("restored")), ["x"]);
    // The ciphertext that the killed one had fetched is swept by the next backup.
    await story.runs(0, "backup");
  },
);

/** Starts backups until one was killed at this moment: on a busy machine it may pass unseen. */
async function killedAt(story: Story, moment: () => boolean): Promise<void> {
  for (let attempt = 1; attempt <= 5; attempt++) {
    const child = await Child.start(story, "backup");
    if (await child.killWhen(moment)) return;
    for (const folder of [`${story.state}/acme`, story.at("nas/acme")]) {
      await Deno.remove(folder, { recursive: true });
    }
  }
  assert.fail("the moment never came before the run had ended");
}

async function goesOn(story: Story, archives: number): Promise<void> {
  story.clockOffset = 60_000;
  await story.runs(0, "backup");
  const { summary } = await story.runs(0, "verify", "--archive", "all", "--identity", story.key, "--json");
  assert.deepEqual(
    summary.jobs[0].copies.map((
      { sequence, result }: { sequence: number; result: string },
    ) => [sequence, result]),
    Array.from({ length: archives }, (_, at) => [at + 1, "good"]),
  );
  assert.deepEqual(story.spooled(), []);
}

async function until(come: () => boolean): Promise<void> {
  const end = performance.now() + 30_000;
  while (!come()) {
    assert.ok(performance.now() < end, "it never came so far");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
