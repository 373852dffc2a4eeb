import assert from "node:assert/strict";
import { AppError } from "../../src/base/errors.ts";
import { story } from "./harness.ts";

story("a config with mistakes is refused with their places before anybody is asked", {}, async (story) => {
  const secret = /AGE-SECRET-KEY-\S+/.exec(Deno.readTextFileSync(story.key))![0];
  const source = `source: {type: onepassword-sdk, token: "file:${story.token}"}`;
  const nas = `{name: nas, type: local, path: ${story.at("nas")}}`;
  const config = (recipients: string, more = "") =>
    `version: 1\nstate: ${story.state}\njobs:\n  acme:\n    ${source}\n    ${recipients}\n    destinations: [${nas}]\n${more}`;
  const wrong: [string, RegExp][] = [
    [config("recipients: []"), /vaultferry\.yaml:6:17: jobs\.acme\.recipients: is an empty list/],
    [
      config(""),
      /vaultferry\.yaml:5:5: jobs\.acme\.recipients: is missing|jobs\.acme\.recipients: is missing/,
    ],
    [
      config(`recipients: [${secret}]`),
      /vaultferry\.yaml:6:18: jobs\.acme\.recipients\[0\]: is a private key/,
    ],
    [config(`recipients: [${story.recipient}, ${story.recipient}]`), /recipients\[1\]: is the same as \[0\]/],
    [
      config(`recipients: [${story.recipient}]`, "    retentoin: {keepLast: 3}\n"),
      /vaultferry\.yaml:8:5: jobs\.acme: unknown key "retentoin".*did you mean "retention"/,
    ],
    [config(`recipients: [${story.recipient}]`, "    destinations: []\n"), /vaultferry\.yaml:8:/],
    ["version: 2\njobs: {}\n", /vaultferry\.yaml:1:10: version: must be 1/],
    ["jobs: [\n", /vaultferry\.yaml:/],
    ["", /vaultferry\.yaml:/],
  ];
  for (const [text, sentence] of wrong) {
    story.writeConfig(text);
    for (const command of [["backup"], ["list"], ["config", "check"]]) {
      const { err } = await story.runs(2, ...command);
      assert.match(err, sentence);
      assert.ok(!err.includes("AGE-SECRET"), err);
    }
  }
  assert.equal(story.service.requests.total(), 0);
  story.writeConfig(config(`recipients: [${story.recipient}]`));
  await story.runs(0, "backup");
});

story("recipients that are no recipients are refused before anybody is asked", {}, async (story) => {
  const quantum = await story.makeKey("quantum", "--post-quantum");
  const typo = story.recipient.slice(0, -1) + (story.recipient.endsWith("q") ? "p" : "q");
  const wrong: [string[], RegExp][] = [
    [[quantum, story.recipient], /error: post-quantum and classic recipients cannot be mixed/],
    [[typo], /error: "age1\w+" is not an age recipient \(a mistyped character\?\)/],
    [[story.recipient.toUpperCase().replace("AGE1", "age1")], /is not an age recipient/],
    [["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA"], /error: SSH keys are not supported as recipients/],
    [["me@example.com"], /is not an age recipient/],
  ];
  for (const [recipients, sentence] of wrong) {
    story.job.recipients = recipients;
    for (const command of [["config", "check"], ["backup"], ["backup", "--dry-run"]]) {
      assert.match((await story.runs(2, ...command)).err, sentence);
    }
  }
  assert.equal(story.service.requests.total(), 0);
});

story("a config that is not there, or cannot be read, is a fault of the config", {}, async (story) => {
  assert.match(
    (await story.runs(2, "list", "--config", story.at("none.yaml"))).err,
    /error: the config ".*none\.yaml" does not exist/,
  );
  assert.match((await story.runs(2, "list", "--config", story.at("nas"))).err, /error: /);
  await story.saveConfig();
  // Tests may run as root, whom no mode keeps out.
  story.files.read = (path) =>
    Promise.reject(new AppError("denied", `cannot read "${path}": permission denied`));
  const { err } = await story.runs(2, "list", "--config", story.configPath);
  assert.match(err, /error: cannot read ".*vaultferry\.yaml": permission denied/);
  story.files = {};
  await Deno.writeFile(story.configPath, new Uint8Array([0xff, 0xfe, 0x00]));
  assert.match((await story.runs(2, "list", "--config", story.configPath)).err, /is not UTF-8 text/);
  await Deno.truncate(story.configPath, 2 * 1024 * 1024);
  assert.match((await story.runs(2, "list", "--config", story.configPath)).err, /is longer than/);
});

story("a config that others may write is warned of", {}, async (story) => {
  await story.saveConfig();
  await Deno.chmod(story.configPath, 0o666);
  const { err } = await story.runs(0, "config", "check", "--config", story.configPath);
  assert.match(err, /warning: other users may write ".*vaultferry\.yaml"/);
});

story("a command line with mistakes is refused with a hint", {}, async (story) => {
  for (
    const args of [
      ["backpu"],
      ["backup", "--jsno"],
      ["backup", "acme", "too much"],
      ["restore", "--to", story.at("restored/x")],
      ["keys", "new"],
    ]
  ) {
    const { err, out } = await story.runs(2, ...args);
    assert.equal(out, "");
    assert.match(err, /^vaultferry: error: /, args.join(" "));
    assert.match(err, /vaultferry: hint: "vaultferry --help"/);
  }
  for (const args of [["--help"], ["--version"], ["backup", "--help"], ["help", "restore"]]) {
    assert.equal((await story.run(...args)).code, 0, args.join(" "));
  }
});

story("a key is never replaced, and a private key is printed only when asked for", {}, async (story) => {
  const before = Deno.readTextFileSync(story.key);
  const { err } = await story.runs(1, "keys", "new", "--output", story.key);
  assert.match(err, /exists already: a key is never replaced/);
  assert.equal(Deno.readTextFileSync(story.key), before);
  assert.equal(Deno.statSync(story.key).mode! & 0o777, 0o600);
});
