import assert from "node:assert/strict";
import { fingerprintOf } from "../../src/custody/recipients.ts";
import { type Story, story } from "./harness.ts";
import { entriesAt, NIGHT, recordsAt } from "./host_state.ts";
import { memoryAccount } from "./memory_source.ts";

const ONE = { memory: memoryAccount() };

story("the first backup accepts the recipients that the config names, and says so", ONE, async (story) => {
  const { err } = await story.runs(0, "backup");
  assert.ok(err.includes(
    `vaultferry: the recipients of this first backup count as accepted: ${fingerprintOf(story.recipient)}\n`,
  ));
  assert.doesNotMatch((await night(story, 0)).err, /recipients/);
});

story(
  "a recipient that was added to the config reads nothing until somebody accepts it",
  ONE,
  async (story) => {
    await story.runs(0, "backup");
    const added = await story.makeKey("added");
    story.job.recipients = { people: [story.recipient], intruders: [added] };
    const dry = await story.runs(15, "backup", "--dry-run", "--json");
    assert.deepEqual(dry.lines.find((line) => line.event === "plan")!.recipients, [story.recipient]);
    for (const _ of [1, 2]) {
      const { err, summary } = await night(story, 15, "--json");
      assert.doesNotMatch(err, /error/);
      assert.equal(summary.jobs[0].outcome, "complete");
      const [alarm] = summary.jobs[0].alarms;
      assert.equal(alarm.code, "untrusted");
      assert.ok(alarm.message.endsWith(
        `added to the config and are left out of the backup: ${added} (intruders), ${fingerprintOf(added)}`,
      ));
    }
    await story.runs(12, "verify", "--identity", story.at("safe/added"));
    const { out } = await story.runs(0, "keys", "accept");
    assert.match(
      out,
      /^added: age1\S+, SHA256:\S+\naccepted: backups are sealed to 2 recipients from now on\n$/,
    );
    assert.doesNotMatch((await night(story, 0)).err, /warning/);
    await story.runs(0, "verify", "--identity", story.at("safe/added"));
    await story.runs(0, "verify", "--archive", "all");
    assert.match((await story.runs(0, "keys", "accept")).out, /^nothing to accept: /);
    assert.equal(recordsAt(story, "keys-accept").length, 1);
  },
);

story(
  "a recipient that was taken out of the config is left out at once, and is not back in by itself",
  ONE,
  async (story) => {
    const second = await story.makeKey("second");
    const both = [story.recipient, second];
    story.job.recipients = both;
    await story.runs(0, "backup");
    story.job.recipients = [second];
    const { err } = await night(story, 0);
    assert.ok(
      err.includes(
        `not in the config any more, and left out from now on: ${fingerprintOf(story.recipient)}\n`,
      ),
    );
    assert.doesNotMatch(err, /warning/);
    await story.runs(12, "verify", "--identity", story.key);
    assert.doesNotMatch((await night(story, 0)).err, /not in the config/);
    story.job.recipients = both;
    await night(story, 15);
    assert.deepEqual(entriesAt(story).map(({ recipients }) => recipients), [
      both.map(fingerprintOf),
      [fingerprintOf(second)],
      [fingerprintOf(second)],
      [fingerprintOf(second)],
    ]);
  },
);

story("when no accepted recipient is left in the config, nothing is published", ONE, async (story) => {
  await story.runs(0, "backup");
  const stranger = await story.makeKey("stranger");
  story.job.recipients = [stranger];
  const { err } = await night(story, 15);
  assert.match(err, /error: none of the accepted recipients is in the config: nothing was published\n/);
  assert.ok(err.includes(stranger) && err.includes('"vaultferry keys accept acme"'), err);
  assert.equal(story.archives().length, 1);
  assert.deepEqual(story.spooled(), []);
  assert.match((await story.runs(0, "keys", "accept")).out, /^added: .*\nremoved: .*\naccepted: /);
  assert.doesNotMatch((await night(story, 0)).err, /warning/);
  await story.runs(0, "verify", "--identity", story.at("safe/stranger"));
});

story(
  "what is accepted stands in the chain: a state restored from an older copy knows it",
  ONE,
  async (story) => {
    await story.runs(0, "backup");
    const second = await story.makeKey("second");
    story.job.recipients = [story.recipient, second];
    await story.runs(0, "keys", "accept");
    Deno.removeSync(`${story.state}/acme/chain/00000002.json`);
    const { err } = await night(story, 0);
    assert.match(err, /entries up to 2 were taken over/);
    await story.runs(0, "verify", "--identity", story.at("safe/second"));
  },
);

for (
  const [what, damage] of [
    ["entry", (story: Story) => Deno.writeTextFileSync(`${story.state}/acme/chain/00000002.json`, "{}")],
    ["key", (story: Story) => Deno.removeSync(`${story.state}/signer.key`)],
  ] as const
) {
  story(`a chain that is set aside for its ${what} still says who was accepted`, ONE, async (story) => {
    await story.runs(0, "backup");
    const added = await story.makeKey("added");
    story.job.recipients = [story.recipient, added];
    await night(story, 15);
    damage(story);
    const { err } = await night(story, 15);
    assert.match(err, /it was set aside/);
    assert.match(err, /recipients were added to the config and are left out/);
    assert.doesNotMatch(err, /first backup/);
    await night(story, 15);
    for (const { recipients } of entriesAt(story)) {
      assert.deepEqual(recipients, [fingerprintOf(story.recipient)]);
    }
    story.job.recipients = [added];
    assert.match((await night(story, 15)).err, /none of the accepted recipients/);
    assert.match((await story.runs(0, "keys", "accept")).out, /^added: /);
    await night(story, 15);
    await story.runs(0, "verify", "--identity", story.at("safe/added"));
  });
}

story("before the first backup there is nothing to accept", ONE, async (story) => {
  assert.match((await story.runs(0, "keys", "accept")).out, /the first one accepts what the config says/);
  assert.deepEqual(story.stored(), []);
});

story("recipients may stand in files, with comments and any line ends", ONE, async (story) => {
  const second = await story.makeKey("second");
  const path = story.at("host/people.txt");
  story.job.recipients = { people: [`file:${path}`], safe: [story.recipient] };
  Deno.writeTextFileSync(path, `\ufeff# who can open the backups\r\n\r\n  ${second}\t\r\n`);
  assert.match((await story.runs(0, "config", "check")).out, /acme\s+memory\s+2\s/);
  await story.runs(0, "backup");
  await story.runs(0, "verify", "--identity", story.at("safe/second"));
  const wrong: [string, RegExp][] = [
    ["", /there is no recipient in ".*people\.txt"/],
    ["# nobody\r\n\n", /there is no recipient in ".*people\.txt"/],
    [`${second}\nage1nobody\n`, /line 2 of ".*people\.txt": "age1nobody" is not an age recipient/],
    [
      `\nAGE-SECRET-KEY-1${"Q".repeat(58)}\n`,
      /line 2 of ".*people\.txt": a private key was given/,
    ],
    [`${second}\n${second}\n`, /is given twice/],
    [story.recipient, /is given twice/],
  ];
  for (const [text, sentence] of wrong) {
    Deno.writeTextFileSync(path, text);
    assert.match((await story.runs(2, "backup")).err, sentence);
    assert.match((await story.runs(2, "config", "check")).err, sentence);
  }
  Deno.removeSync(path);
  assert.match(
    (await story.runs(2, "backup")).err,
    /the file of recipients cannot be read: .*does not exist/,
  );
  story.job.recipients = ["file:people.txt"];
  assert.match((await story.runs(2, "backup")).err, /must be an absolute path after file:/);
  assert.equal(story.archives().length, 1);
});

function night(story: Story, code: number, ...flags: string[]) {
  story.clockOffset += NIGHT;
  return story.runs(code, "backup", ...flags);
}
