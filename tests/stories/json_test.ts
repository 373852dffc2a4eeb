import assert from "node:assert/strict";
import { type Line, type Story, story } from "./harness.ts";

// That each line is JSON with v and event and the last one the summary is demanded of every run, in the harness.
story(
  "every command tells programs what it did, one object a line, with a summary at the end",
  {},
  async (story) => {
    const key = story.at("safe/another");
    const made = await story.runs(0, "keys", "new", "--output", key, "--json");
    assert.match(made.summary.recipient, /^age1/);
    assert.equal((await story.runs(0, "config", "check", "--json")).summary.jobs[0].job, "acme");
    const dry = await story.runs(0, "backup", "--dry-run", "--json");
    assert.deepEqual(dry.summary.jobs[0].vaults.map((vault: Line) => vault.included), [true, true]);

    const backup = await story.runs(0, "backup", "--json");
    const [job] = backup.summary.jobs;
    assert.deepEqual([job.job, job.exitCode, job.outcome], ["acme", 0, "complete"]);
    assert.deepEqual(job.destinations, [{ destination: "nas", state: "read-back" }]);
    assert.deepEqual(phases(backup.lines), ["sign-in", "seal", "send", "read-back"]);
    const list = await story.runs(0, "list", "--json");
    assert.deepEqual(list.summary.jobs[0].archives.map((one: Line) => [one.archive, one.sequence, one.at]), [
      [job.archive, 1, ["nas"]],
    ]);
    const verify = await story.runs(0, "verify", "--json", "--identity", story.key);
    assert.equal(verify.summary.jobs[0].copies[0].result, "good");
    assert.equal(verify.summary.jobs[0].copies[0].opened.items, 4);
    const to = story.at("restored/all");
    const restore = await story.runs(0, "restore", "--to", to, "--identity", story.key, "--json");
    assert.deepEqual([restore.summary.jobs[0].items, restore.summary.jobs[0].folder], [4, to]);
    const signer = await story.runs(0, "keys", "signer", "--json");
    assert.match(signer.summary.key, /^ssh-ed25519 /);
  },
);

story("a command that fails tells programs the same as people", {}, async (story) => {
  await failsAlike(story, 10, ["verify"]); // nothing yet: no error, only the code
  await failsAlike(story, 10, ["list"]);
  story.service.account.revokeToken();
  await failsAlike(story, 13, ["backup"]);
  story.job.recipients = ["age1nonsense"];
  await failsAlike(story, 2, ["backup"]);
  await failsAlike(story, 2, ["config", "check"]);
  await failsAlike(story, 2, [
    "restore",
    "--to",
    story.at("restored/x"),
    "--identity",
    story.at("safe/none"),
  ]);
  await failsAlike(story, 2, ["keys", "new", "--output", "-"], "--json would print the key");
});

story("several jobs must be told apart, or all be meant", {}, async (story) => {
  story.config.jobs.other = {
    ...story.job,
    destinations: [{ name: "b", type: "local", path: story.at("nas") }],
  };
  const { err } = await story.runs(2, "backup");
  assert.match(err, /the config has several jobs: "acme", "other"/);
  const none = await story.runs(2, "backup", "acne");
  assert.match(none.err, /no job "acne" in the config\nvaultferry: hint: did you mean "acme"\?/);
  await story.runs(2, "backup", "acme", "--all");
  const all = await story.runs(0, "backup", "--all", "--json");
  assert.deepEqual(all.summary.jobs.map((job: Line) => [job.job, job.exitCode]), [["acme", 0], ["other", 0]]);
  await story.runs(0, "verify", "other");
  // One that fails does not stop the next.
  story.config.jobs.acme = { ...story.job, source: { ...story.job.source, token: "file:/nowhere/token" } };
  const mixed = await story.runs(2, "backup", "--all", "--json");
  assert.deepEqual(mixed.summary.jobs.map((job: Line) => job.exitCode), [2, 0]);
});

story("a progress line is drawn where people watch, and taken away before other text", {}, async (story) => {
  story.interactive = true;
  const { err, out } = await story.runs(0, "backup");
  assert.equal(out, "");
  const text = err.replaceAll("\u001b[2K", "<clear>");
  assert.match(text, /\r<clear>items {2}█+ {2}4\/4/);
  assert.match(text, /\r<clear>sealing\r<clear>vaultferry: [^\r]*vaultferry: sealed /);
  assert.match(text, /[^\r>]\n$/);
});

async function failsAlike(story: Story, code: number, args: string[], onlyJson?: string): Promise<void> {
  const json = await story.runs(code, ...args, "--json");
  if (onlyJson !== undefined) return;
  const people = await story.runs(code, ...args);
  const errors = json.lines.filter((line) => line.event === "error");
  assert.equal(errors.length, /^vaultferry: error: /m.test(people.err) ? 1 : 0);
  for (const { message, hint } of errors) {
    assert.ok(people.err.includes(`vaultferry: error: ${message}\n`), people.err);
    if (hint) assert.ok(people.err.includes(`vaultferry: hint: ${hint}\n`), people.err);
    assert.ok(
      json.err.includes(`vaultferry: error: ${message}\n`),
      "errors are on standard error in any case",
    );
  }
}

function phases(lines: Line[]): string[] {
  return lines.filter((line) => line.event === "phase").map((line) => line.phase);
}
