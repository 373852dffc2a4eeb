import assert from "node:assert/strict";
import { Clouds } from "./clouds.ts";
import { type Story, story } from "./harness.ts";
import { copyOf, entriesAt, fingerprintIn, NIGHT, recordsAt } from "./host_state.ts";
import { memoryAccount } from "./memory_source.ts";

const ONE = { memory: memoryAccount() };
const TWO = { ...ONE, destinations: ["nas", "usb"] };

story("a first backup to an empty place alarms nobody", ONE, async (story) => {
  const { err } = await story.runs(0, "backup");
  assert.doesNotMatch(err, /warning/);
  assert.match((await story.runs(0, "keys", "trust")).out, /nothing to trust/);
});

story(
  "a host reinstalled without its state publishes, alarms until somebody trusts, and then is quiet",
  TWO,
  async (story) => {
    await nights(story, 2);
    const old = publicKey(story);
    Deno.removeSync(story.state, { recursive: true });
    for (const _ of [1, 2]) {
      story.clockOffset += NIGHT;
      const { err, summary } = await story.runs(15, "backup", "--json");
      assert.equal(summary.jobs[0].outcome, "complete");
      assert.match(
        summary.jobs[0].alarms[0].message,
        /hold another chain of this job, up to no\. 2, signed by SHA256:/,
      );
      assert.doesNotMatch(err, /error/);
    }
    assert.equal(story.archives().length, 4);
    const refused = await story.runs(15, "keys", "trust");
    assert.match(
      refused.err,
      /error: archives at the destinations are signed by SHA256:\S+, which nobody trusts\n/,
    );
    const fingerprint = fingerprintIn(refused.err);
    assert.ok(
      refused.err.includes(
        `hint: if that was this host before its state was lost, or is another host of yours: ` +
          `vaultferry keys trust acme --signer ${fingerprint};`,
      ),
    );
    assert.match(
      (await story.runs(2, "keys", "trust", "--signer", "SHA256:x")).err,
      /no archive .* is signed by SHA256:x/,
    );
    const { out } = await story.runs(0, "keys", "trust", "--signer", fingerprint);
    assert.match(
      out,
      new RegExp(`^trusted: \\S+ \\(${RegExp.escape(old)}\\)\nlinked: chain [0-9a-f]{32} up to no\\. 2, by`),
    );
    await quiet(story);
    const [record] = recordsAt(story, "keys-trust", "usb");
    assert.equal(record!.chains[0].sequence, 2);
    assert.match((await story.runs(0, "keys", "trust")).out, /nothing to trust/);
  },
);

story("a lost state whose key the config lists needs no more than trust", ONE, async (story) => {
  await nights(story, 2);
  story.config.signers = [publicKey(story)];
  Deno.removeSync(story.state, { recursive: true });
  story.clockOffset += NIGHT;
  await story.runs(15, "backup");
  await story.runs(0, "keys", "trust");
  await quiet(story);
});

story(
  "that a destination was away when the state was new does not hide what it holds",
  ONE,
  async (story) => {
    await nights(story, 1);
    Deno.removeSync(story.state, { recursive: true });
    Deno.renameSync(story.at("nas"), story.at("away"));
    story.clockOffset += NIGHT;
    story.destinations.push("usb");
    Deno.mkdirSync(story.at("usb"));
    story.job.destinations.push({ name: "usb", type: "local", path: story.at("usb") });
    const first = await story.runs(4, "backup");
    assert.match(
      first.err,
      /warning: "nas" was not looked at: whether it holds another chain is not known\n/,
    );
    Deno.renameSync(story.at("away"), story.at("nas"));
    story.clockOffset += NIGHT;
    await story.runs(15, "backup");
    Deno.renameSync(story.at("nas"), story.at("away"));
    const { err } = await story.runs(2, "keys", "trust");
    assert.match(err, /error: "nas" cannot be looked at: .*does not exist\n.*hint: nothing was signed/);
    Deno.renameSync(story.at("away"), story.at("nas"));
    story.clockOffset += NIGHT;
    await story.runs(15, "backup");
  },
);

story(
  "a standby host joins: it asks for trust once, the first host none once it knows the key",
  ONE,
  async (story) => {
    await nights(story, 2);
    const [first, firstKey] = [story.state, publicKey(story)];
    const second = story.at("host/second");
    const as = (state: string, signers: string[]) => Object.assign(story.config, { state, signers });
    as(second, [firstKey]);
    story.clockOffset += NIGHT;
    await story.runs(15, "backup");
    assert.match((await story.runs(0, "keys", "trust")).out, /linked: chain/);
    story.clockOffset += NIGHT;
    await story.runs(0, "backup");
    const secondKey = Deno.readTextFileSync(`${second}/signer.pub`).trim();
    as(first, []);
    story.clockOffset += NIGHT;
    const told = await story.runs(0, "backup");
    assert.match(
      told.err,
      /warning: archives at a destination are signed by SHA256:\S+, which is not a trusted signer\n/,
    );
    await story.runs(15, "verify", "--archive", "all");
    for (
      const [state, signers] of [[first, [secondKey]], [second, [firstKey]], [first, [secondKey]]] as const
    ) {
      as(state, [...signers]);
      await quiet(story);
    }
  },
);

story("a state restored from an older copy goes on where its host had come to", TWO, async (story) => {
  await nights(story, 2);
  const restore = copyOf(story.state);
  await nights(story, 2);
  await story.runs(0, "accept", "acme", story.archives()[0]!);
  restore();
  story.clockOffset += NIGHT;
  const { err } = await story.runs(0, "backup");
  assert.match(
    err,
    /warning: this host's state was older than what it had signed: entries up to 5 were taken over/,
  );
  assert.deepEqual(entriesAt(story).map(({ sequence }) => sequence).sort(), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(entriesAt(story).find(({ sequence }) => sequence === 6)!.receipts.nas, [[1, 4]]);
  assert.match((await story.runs(0, "accept", "acme", story.archives()[0]!)).out, /was accepted before/);
  await quiet(story);
});

story(
  "what was signed and never came anywhere is told once, and its number is not used again",
  TWO,
  async (story) => {
    await nights(story, 1);
    const restore = copyOf(story.state);
    await nights(story, 2);
    const lost = entriesAt(story).find(({ sequence }) => sequence === 2)!.archive.name;
    for (const place of story.destinations) {
      for (const name of story.stored(place).filter((one) => one.startsWith(lost))) {
        Deno.removeSync(story.at(`${place}/acme/${name}`));
      }
    }
    restore();
    story.clockOffset += NIGHT;
    const { err } = await story.runs(15, "backup");
    assert.match(err, /warning: entries of this host's chain are nowhere to be found: 2\n/);
    story.clockOffset += NIGHT;
    assert.doesNotMatch((await story.runs(0, "backup")).err, /warning/);
    assert.deepEqual(entriesAt(story).map(({ sequence }) => sequence).sort(), [1, 3, 4, 5]);
  },
);

story("two hosts with one state never fork in silence", TWO, async (story) => {
  await nights(story, 1);
  const clone = copyOf(story.state);
  // Both sign no. 2, each where the other cannot see it.
  Deno.renameSync(story.at("usb"), story.at("away"));
  await nights(story, 1, 4);
  const original = copyOf(story.state);
  clone();
  Deno.renameSync(story.at("nas"), story.at("hidden"));
  Deno.renameSync(story.at("away"), story.at("usb"));
  await nights(story, 1, 4);
  Deno.renameSync(story.at("hidden"), story.at("nas"));
  for (const _ of [1, 2]) {
    story.clockOffset += NIGHT;
    const { err } = await story.runs(15, "backup");
    assert.match(err, /warning: fork: no\. 2 of this host's chain was signed twice/);
  }
  assert.match((await story.runs(0, "keys", "trust")).out, /linked: chain/);
  story.clockOffset += NIGHT;
  assert.doesNotMatch((await story.runs(0, "backup")).err, /warning/);
  original();
  story.clockOffset += NIGHT;
  assert.match((await story.runs(15, "backup")).err, /fork: no\. \d+ of this host's chain was signed twice/);
});

story("damaged receipts are those of the newest entry, and nothing is set aside", TWO, async (story) => {
  await nights(story, 3);
  damageFile(`${story.state}/acme/receipts.json`);
  story.clockOffset += NIGHT;
  const { err } = await story.runs(0, "backup");
  assert.match(
    err,
    /receipts\.json" is damaged: what was read back at destinations is taken from the newest/,
  );
  assert.deepEqual(entriesAt(story).map(({ receipts }) => receipts.nas ?? []), [[], [[1, 1]], [[1, 2]], [[
    1,
    2,
  ]]]);
  await story.runs(0, "backup", "--resend");
  await quiet(story);
  assert.deepEqual(entriesAt(story).at(-1)!.receipts, { nas: [[1, 4]], usb: [[1, 4]] });
});

for (
  const [what, damage, sentence] of [
    [
      "another signing key",
      (story: Story) => Deno.removeSync(`${story.state}/signer.key`),
      /the key that signs the chain of job "acme" is not on this host/,
    ],
    [
      "a damaged newest entry",
      (story: Story) => damageFile(`${story.state}/acme/chain/00000002.json`),
      /the chain of job "acme" cannot be read/,
    ],
    ["a lost newest entry that no destination shows", (story: Story) => {
      Deno.removeSync(`${story.state}/acme/chain/00000002.json`);
      for (const name of story.stored().filter((one) => one.startsWith(story.archives()[1]!))) {
        Deno.removeSync(story.at(`nas/acme/${name}`));
      }
    }, /has lost its newest entries: what it delivered goes up to 2/],
  ] as const
) {
  story(`a state with ${what} is set aside, and the backup is made all the same`, ONE, async (story) => {
    await nights(story, 2);
    const signer = publicKey(story);
    damage(story);
    story.clockOffset += NIGHT;
    const { err } = await story.runs(15, "backup");
    assert.match(err, sentence);
    assert.match(err, /: it was set aside, and a new chain begins\n/);
    story.clockOffset += NIGHT;
    await story.runs(15, "backup");
    story.config.signers = [signer];
    await story.runs(0, "keys", "trust");
    await quiet(story);
  });
}

story(
  "that a chain was set aside is not forgotten when that run fails, whoever can be asked",
  TWO,
  async (story) => {
    await nights(story, 2);
    damageFile(`${story.state}/acme/chain/00000002.json`);
    for (const name of story.destinations) Deno.renameSync(story.at(name), story.at(`${name} away`));
    const { recipients } = story.job;
    story.job.vaults = { include: ["no such vault"] };
    await nights(story, 1, 15);
    delete story.job.vaults;
    story.job.recipients = recipients;
    const { err } = await story.runs(15, "backup");
    assert.match(err, /warning: the destinations hold another chain of this job, up to no\. 1/);
    for (const name of story.destinations) Deno.renameSync(story.at(`${name} away`), story.at(name));
    await story.runs(0, "keys", "trust");
    await quiet(story);
  },
);

story("an archive of a chain that was set aside still comes to where it is missing", TWO, async (story) => {
  await nights(story, 1);
  Deno.renameSync(story.at("usb"), story.at("away"));
  await nights(story, 1, 4);
  await story.runs(4, "accept", "acme", story.archives()[0]!);
  Deno.removeSync(`${story.state}/signer.key`);
  story.clockOffset += NIGHT;
  await story.runs(15, "backup");
  assert.equal(story.spooled().length, 2);
  Deno.renameSync(story.at("away"), story.at("usb"));
  story.clockOffset += NIGHT;
  const { err } = await story.runs(15, "backup");
  assert.match(err, /usb: sent and read back, every byte compared \(acme_.*, from an earlier run\)/);
  assert.deepEqual(story.archives("usb"), story.archives("nas"));
  assert.deepEqual(story.spooled(), []);
  // The record too, and only once.
  assert.equal(recordsAt(story, "accept", "usb").length, 1);
  story.clockOffset += NIGHT;
  assert.doesNotMatch((await story.runs(15, "backup")).err, /record/);
});

story("what a chain that was set aside sent unseen is no number of the new one", ONE, async (story) => {
  await using clouds = await Clouds.start(story);
  clouds.addGoogle("WRITER", { access: "create-only" });
  const google = story.job.destinations[1];
  await nights(story, 1);
  const { bucket } = google;
  google.bucket = "none";
  await nights(story, 2, 4);
  Deno.removeSync(`${story.state}/signer.key`);
  google.bucket = bucket;
  await nights(story, 3, 15);
  assert.equal([...Deno.readDirSync(`${story.state}/acme/set-aside`)].length, 1);
  assert.deepEqual(story.spooled(), []);
});

/** Backups, a night each. */
async function nights(story: Story, count: number, code = 0): Promise<void> {
  for (let at = 0; at < count; at++) {
    story.clockOffset += NIGHT;
    await story.runs(code, "backup");
  }
}

/** The day after: a backup without any warning, and copies that are all good. */
async function quiet(story: Story): Promise<void> {
  story.clockOffset += NIGHT;
  const { err } = await story.runs(0, "backup");
  assert.doesNotMatch(err, /warning/);
  if (!story.expected.damaged) await story.runs(0, "verify", "--archive", "all");
}

function publicKey(story: Story): string {
  return Deno.readTextFileSync(`${story.state}/signer.pub`).trim().split(" ").slice(0, 2).join(" ");
}

function damageFile(path: string): void {
  Deno.writeTextFileSync(path, Deno.readTextFileSync(path).slice(0, -20));
}
