/** A destination that could not be looked at is not one that shows nothing. */
import assert from "node:assert/strict";
import { AppError } from "../../src/base/errors.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import { type Story, story } from "./harness.ts";
import { NIGHT, recordsAt } from "./host_state.ts";
import { memoryAccount } from "./memory_source.ts";

const TWO = { memory: memoryAccount(), destinations: ["nas", "usb"] };

for (const listed of [true, false]) {
  const how = listed ? "in" : "not in";
  story(
    `a lost state alarms although its first look failed, the old key ${how} the config`,
    TWO,
    async (story) => {
      story.job.retention = { keepLast: 3 };
      for (const _ of [1, 2, 3]) await night(story);
      await loseStateAnd(story, "nas", listed);
      await night(story, 4);
      Deno.renameSync(story.at("away"), story.at("nas"));
      for (const _ of [1, 2]) {
        const { summary } = await night(story, 15, "--json");
        assert.match(summary.jobs[0].alarms[0].message, /hold another chain of this job, up to no\. 3/);
      }
      assert.equal(story.archives().length, 6, "nothing was pruned");
      await trust(story, listed);
      assert.doesNotMatch((await night(story)).err, /warning/);
    },
  );
}

story("that a resend was faster than the next look hides no older chain", TWO, async (story) => {
  for (const _ of [1, 2, 3]) await night(story);
  await loseStateAnd(story, "nas", true);
  await night(story, 4);
  Deno.renameSync(story.at("away"), story.at("nas"));
  await story.runs(0, "backup", "--resend");
  await night(story, 15);
  await trust(story, true);
  assert.doesNotMatch((await night(story)).err, /warning/);
});

story("a look that fails after the opening says why, and nothing else does", TWO, async (story) => {
  await night(story);
  let failing = true;
  story.files = {
    names: (path) => {
      if (!failing || !path.startsWith(story.at("nas"))) return denoFiles.names(path);
      failing = false;
      return Promise.reject(new AppError("unknown", "input/output error"));
    },
  };
  const { err } = await night(story);
  assert.equal(err.match(/input\/output error/g)?.length, 1, err);
  assert.match(err, /warning: "nas" was not looked at: .* is not known \(.*input\/output error/);
  assert.doesNotMatch((await night(story)).err, /warning/);
});

story(
  "two hosts that share their destinations from the start alarm nobody, whatever is down or new",
  TWO,
  async (story) => {
    const [first, second] = [story.state, story.at("host/second")];
    const as = (state: string, other: string) =>
      Object.assign(story.config, { state, signers: [Deno.readTextFileSync(`${other}/signer.pub`).trim()] });
    story.config.state = second;
    await story.runs(0, "keys", "signer");
    story.config.state = first;
    await night(story);
    as(second, first);
    await night(story, 15);
    await story.runs(0, "keys", "trust");
    const both = async (code: number) => {
      as(first, second);
      await night(story, code);
      as(second, first);
      await night(story, code);
    };
    await both(0);
    Deno.renameSync(story.at("nas"), story.at("away"));
    await both(4);
    await both(4);
    Deno.renameSync(story.at("away"), story.at("nas"));
    await both(0);
    // A third destination, where the second host is first.
    Deno.mkdirSync(story.at("third"));
    story.destinations.push("third");
    story.job.destinations.push({ name: "third", type: "local", path: story.at("third") });
    await night(story);
    await both(0);
    // And an old one under another name.
    story.job.destinations[1].name = "disk";
    await both(0);
  },
);

story("a host that makes no backups completes its records with its next command", TWO, async (story) => {
  await night(story);
  const signers = [(await story.runs(0, "keys", "signer")).out.trim()];
  Object.assign(story.config, { state: story.at("host/pruner"), signers });
  await story.runs(0, "keys", "trust");
  Deno.renameSync(story.at("usb"), story.at("away"));
  await story.runs(4, "accept", "acme", story.archives()[0]!);
  Deno.renameSync(story.at("away"), story.at("usb"));
  assert.deepEqual(recordsAt(story, "accept", "usb"), []);
  const { err } = await story.runs(0, "keys", "trust");
  assert.match(err, /usb: sent and read back, every byte compared \(record acme_/);
  assert.equal(recordsAt(story, "accept", "usb").length, 1);
  assert.doesNotMatch((await story.runs(0, "keys", "trust")).err, /record/);
});

story(
  "an archive in the spool that the state does not know is told every time, and kept",
  TWO,
  async (story) => {
    Deno.renameSync(story.at("usb"), story.at("away"));
    await night(story, 4);
    const [stray] = story.spooled();
    for (const name of Deno.readDirSync(`${story.state}/acme`)) {
      if (name.name !== "spool") Deno.removeSync(`${story.state}/acme/${name.name}`, { recursive: true });
    }
    Deno.renameSync(story.at("away"), story.at("usb"));
    for (const _ of [1, 2]) {
      const { err } = await night(story, 15);
      assert.ok(err.includes(`${stray} lies in the spool and goes nowhere`), err);
      assert.deepEqual(story.spooled(), [stray]);
    }
    story.expected.spooled = 1;
  },
);

story("a damaged copy hides no stranger's of the same name elsewhere", TWO, async (story) => {
  await night(story);
  await loseState(story);
  const [archive] = story.archives();
  Deno.removeSync(story.at(`nas/acme/${archive}.manifest.json.sig`));
  const { summary } = await night(story, 15, "--json");
  assert.match(summary.jobs[0].alarms[0].message, /hold another chain/);
  story.expected.damaged = true;
});

function loseState(story: Story) {
  return Deno.remove(story.state, { recursive: true });
}

/** The host begins anew on a night on which `away` is away and the other destination is a new disk. */
async function loseStateAnd(story: Story, away: string, listed: boolean): Promise<void> {
  if (listed) story.config.signers = [(await story.runs(0, "keys", "signer")).out.trim()];
  Deno.removeSync(story.state, { recursive: true });
  Deno.renameSync(story.at(away), story.at("away"));
  Deno.removeSync(story.at("usb"), { recursive: true });
  Deno.mkdirSync(story.at("usb"));
}

async function trust(story: Story, listed: boolean): Promise<void> {
  if (listed) return void await story.runs(0, "keys", "trust");
  const { err } = await story.runs(15, "keys", "trust");
  const [, fingerprint] = /--signer (SHA256:[A-Za-z0-9+/]{43})/.exec(err)!;
  await story.runs(0, "keys", "trust", "--signer", fingerprint!);
}

function night(story: Story, code = 0, ...flags: string[]) {
  story.clockOffset += NIGHT;
  return story.runs(code, "backup", ...flags);
}
