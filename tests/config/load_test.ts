import assert from "node:assert/strict";
import { destinationOptions } from "../../src/config/destination.ts";
import { sourceOptions } from "../../src/config/schema.ts";
import { EXAMPLE, load, refusalOf, SMALL, worldWith } from "./fixture.ts";

Deno.test("the example of the design loads", async () => {
  const { config, warnings } = await load(EXAMPLE);
  const job = config.jobs.acme!;
  assert.equal(job.name, "acme");
  assert.deepEqual(sourceOptions(job.source), { token: "file:/etc/vaultferry/acme.token" });
  assert.deepEqual(job.vaults, { include: [], exclude: ["Sandbox"], expect: ["Finance"] });
  assert.deepEqual(job.recipients, ["age1…a", "age1…b"]);
  assert.deepEqual(job.destinations.map((one) => one.name), ["nas", "azure", "gcs", "dav", "s3", "box"]);
  assert.deepEqual(destinationOptions(job.destinations[0]!), { path: "/srv/backups" });
  assert.deepEqual(job.retention, { keepWithin: "7d", keepDaily: 14, keepWeekly: 8, keepMonthly: 24 });
  assert.deepEqual(warnings, []);
});

Deno.test("what may be left out gets its default", async () => {
  const job = (await load(SMALL)).config.jobs.acme!;
  assert.equal(job.compression, "zstd");
  assert.equal(job.retention, undefined);
  assert.deepEqual(job.vaults, { include: [], exclude: [], expect: [] });
});

Deno.test("a byte order mark and CRLF line ends are fine, and lines are counted as they are", async () => {
  await load("\ufeff" + SMALL.replaceAll("\n", "\r\n"));
  assert.deepEqual(await refusalOf("\ufeff" + SMALL.replace("age1aaa", "7").replaceAll("\n", "\r\n")), [
    "F:5:18: jobs.acme.recipients[0]: must be text, not a number (put it in quotes)",
  ]);
});

Deno.test("aliases share values between jobs, and errors behind them are found where they stand", async () => {
  const shared = SMALL.replace("[age1aaa]", "&people [age1aaa]") +
    "  beta:\n    source: {type: onepux, path: /b}\n    recipients: *people\n" +
    "    destinations: [{name: nas, type: local, path: /srv/backups}]\n";
  assert.deepEqual((await load(shared)).config.jobs.beta!.recipients, ["age1aaa"]);
  assert.deepEqual(await refusalOf(shared.replace("age1aaa", "''")), [
    "F:5:26: jobs.acme.recipients[0]: is empty",
    "F:5:26: jobs.beta.recipients[0]: is empty",
  ]);
});

/** Changes to SMALL, and the lines each is refused with. */
const REFUSED: [string, from: string | RegExp, to: string, lines: string[]][] = [
  ["unknown key", "recipients", "recipient", [
    "F:3:3: jobs.acme.recipients: is missing",
    'F:5:5: jobs.acme: unknown key "recipient" (did you mean "recipients"?)',
  ]],
  ["unknown key at the root", "jobs:", "job:", [
    "F:1:1: jobs: is missing",
    'F:2:1: unknown key "job" (did you mean "jobs"?)',
  ]],
  ["unknown key in a plugin's part, in other letters", ", path: /srv", ", Path: /srv", [
    "F:7:9: jobs.acme.destinations[0].path: is missing",
    'F:7:34: jobs.acme.destinations[0]: unknown key "Path" (did you mean "path"?)',
  ]],
  ["unknown key far from all", "version: 1", "version: 1\ncolour: red", ['F:2:1: unknown key "colour"']],
  ["two unknown keys", "version: 1", "version: 1\nzzzz: 1\nsigner: []", [
    'F:2:1: unknown key "zzzz"',
    'F:3:1: unknown key "signer" (did you mean "signers"?)',
  ]],
  ["unknown version", "version: 1", "version: 2", ["F:1:10: version: must be 1, not 2"]],
  ["version as text", "version: 1", "version: '1'", ['F:1:10: version: must be 1, not "1"']],
  ["no version", "version: 1", "", ["F:2:1: version: is missing"]],
  ["unknown source", "type: onepux", "type: onepix", [
    'F:4:20: jobs.acme.source.type: must be "onepassword-sdk" or "onepux", not "onepix" (did you mean "onepux"?)',
  ]],
  ["unknown destination", "type: local", "type: ftp", [
    'F:7:27: jobs.acme.destinations[0].type: must be "local", "azure-blob", "gcs", "webdav", "s3" or "sftp", ' +
    'not "ftp" (did you mean "sftp"?)',
  ]],
  ["no type", "type: local, ", "", ["F:7:9: jobs.acme.destinations[0].type: is missing"]],
  ["wrong kind", "[age1aaa]", "[7]", [
    "F:5:18: jobs.acme.recipients[0]: must be text, not a number (put it in quotes)",
  ]],
  ["wrong kind of both alternatives", "[age1aaa]", "age1aaa", [
    "F:5:17: jobs.acme.recipients: must be a list or a mapping, not text",
  ]],
  ["a mapping for a list", /destinations:\n.*\n/, "destinations: {name: nas}\n", [
    "F:6:19: jobs.acme.destinations: must be a list, not a mapping",
  ]],
  ["nothing after the colon", "recipients: [age1aaa]", "recipients:", [
    "F:5:5: jobs.acme.recipients: is empty",
  ]],
  ["no destinations", /destinations:\n.*\n/, "destinations: []\n", [
    "F:6:19: jobs.acme.destinations: is an empty list",
  ]],
  ["zero recipients", "[age1aaa]", "[]", ["F:5:17: jobs.acme.recipients: is an empty list"]],
  ["zero groups", "[age1aaa]", "{}", ["F:5:17: jobs.acme.recipients: holds no group"]],
  ["an empty group", "[age1aaa]", "{people: [age1aaa], recovery: []}", [
    "F:5:47: jobs.acme.recipients.recovery: is an empty list",
  ]],
  ["a private key", "age1aaa", "age1aaa, age-secret-key-1qqqqqq", [
    "F:5:27: jobs.acme.recipients[1]: is a private key: give the age1… recipient that belongs to it (age-keygen -y)",
  ]],
  ["a post-quantum private key in a group", "[age1aaa]", "{people: [AGE-SECRET-KEY-PQ-1QQQQ]}", [
    "F:5:27: jobs.acme.recipients.people[0]: is a private key: give the age1… recipient that belongs to it (age-keygen -y)",
  ]],
  ["a recipient twice", "age1aaa", "age1aaa, age1bbb, age1aaa", [
    "F:5:36: jobs.acme.recipients[2]: is the same as [0]",
  ]],
  ["a bad job name", "  acme:", "  Acme Inc:", [
    "F:3:3: jobs.Acme Inc: is not a job name: 1 to 40 of a-z, 0-9 and hyphen",
  ]],
  ["no jobs", /jobs:[^]*/, "jobs: {}\n", ["F:2:7: jobs: holds no job"]],
  ["compression", "recipients:", "compression: zst\n    recipients:", [
    'F:5:18: jobs.acme.compression: must be "zstd" or "gzip", not "zst" (did you mean "zstd"?)',
  ]],
  ["a relative state folder", "version: 1", "version: 1\nstate: var/lib", [
    "F:2:8: state: must be an absolute path",
  ]],
  ["a Windows state folder here", "version: 1", "version: 1\nstate: C:\\x", [
    "F:2:8: state: must be an absolute path",
  ]],
  ["an unfilled variable", "/srv/backups", '"${BACKUPS}"', [
    "F:7:40: jobs.acme.destinations[0].path: holds ${…}, and variables are not filled in; a secret may be env:NAME",
  ]],
  ["a secret in place of a reference", "onepux, path: /export.1pux", "onepassword-sdk, token: hunter2", [
    "F:4:44: jobs.acme.source.token: is not a reference to a secret: write file:PATH, credential:NAME, env:NAME or " +
    "{command: [program, …]}",
  ]],
  ["a command as text", "onepux, path: /export.1pux", "onepassword-sdk, token: {command: op read x}", [
    "F:4:54: jobs.acme.source.token.command: must be a list, not text",
  ]],
  ["a name used twice", /$/, "      - {name: nas, type: local, path: /b}\n", [
    'F:8:16: jobs.acme.destinations[1].name: "nas" is taken already',
  ]],
  [
    "one place under two names",
    /$/,
    "      - {name: b, type: local, path: /srv/./x/../backups//, retention: {keepLast: 3}}\n",
    [
      'F:8:9: jobs.acme.destinations[1]: is the same place as "nas"',
    ],
  ],
  ["a bad destination name", "name: nas", "name: NAS 1", [
    "F:7:16: jobs.acme.destinations[0].name: is not a name: 1 to 40 of a-z, 0-9 and hyphen",
  ]],
  ["an empty vault name", "recipients:", "vaults: {include: ['']}\n    recipients:", [
    "F:5:24: jobs.acme.vaults.include[0]: is empty",
  ]],
  [
    "a plugin's own bounds",
    /- \{name.*\}/,
    "- {name: b, type: sftp, host: h, port: 0, username: u, path: /, privateKey: 'env:K', knownHosts: k}",
    [
      "F:7:46: jobs.acme.destinations[0].port: must be at least 1",
    ],
  ],
  [
    "a plugin's word, whose value is not shown",
    /type: local.*\}/,
    "type: s3, bucket: b, region: r, accessKeyId: a, secretAccessKey: 'env:S', class: cold}",
    [
      'F:7:102: jobs.acme.destinations[0].class: must be "STANDARD" or "GLACIER"',
    ],
  ],
  ["a private key in place of a word", "type: onepux", "type: age-secret-key-1qq", [
    'F:4:20: jobs.acme.source.type: must be "onepassword-sdk" or "onepux"',
  ]],
  ["a plugin's URL", /- \{name.*\}/, "- {name: d, type: webdav, url: dav, username: u, password: 'env:P'}", [
    "F:7:38: jobs.acme.destinations[0].url: is not a URL",
  ]],
  ["no signer's key", "version: 1", "version: 1\nsigners: [ssh-rsa AAAA, ssh-ed25519 AAAA]", [
    "F:2:11: signers[0]: is not an ssh-ed25519 public key: ssh-ed25519 AAAA… comment",
    "F:2:25: signers[1]: is not an ssh-ed25519 public key: ssh-ed25519 AAAA… comment",
  ]],
];

for (const [what, from, to, lines] of REFUSED) {
  Deno.test(`refused: ${what}`, async () => {
    assert.notEqual(SMALL.replace(from, to), SMALL);
    assert.deepEqual(await refusalOf(SMALL.replace(from, to)), lines);
  });
}

/** Values of `retention:`, and what is said of each. */
const RETENTION: [value: string, line: string][] = [
  ["{keepDaily: 0}", "5:28: jobs.acme.retention.keepDaily: must be at least 1"],
  ["{keepDaily: -1}", "5:28: jobs.acme.retention.keepDaily: must be at least 1"],
  ["{keepDaily: 1.5}", "5:28: jobs.acme.retention.keepDaily: must be a whole number"],
  ["{keepDaily: .inf}", "5:28: jobs.acme.retention.keepDaily: must be a finite number"],
  ["{keepDaily: '7'}", "5:28: jobs.acme.retention.keepDaily: must be a number, not text"],
  ["{keepdaily: 7}", '5:17: jobs.acme.retention: unknown key "keepdaily" (did you mean "keepDaily"?)'],
  [
    "{}",
    "5:16: jobs.acme.retention: says nothing: give one of keepLast, keepWithin, keepDaily …, or leave retention out to prune nothing",
  ],
  ...["7", "0d", "7 d", "7D", "-7d", "d", "1d1d", "2h1y", "''", "1.5d", "07d", "12345d"].map((
    value,
  ): [string, string] => [
    `{keepWithin: ${value}}`,
    value === "7"
      ? "5:29: jobs.acme.retention.keepWithin: must be text, not a number (put it in quotes)"
      : "5:29: jobs.acme.retention.keepWithin: is not a duration such as 12h, 7d, 2w, 3m (months), 1y or 1y5m7d2h",
  ]),
];

for (const [value, line] of RETENTION) {
  Deno.test(`refused: retention ${value}`, async () => {
    const text = SMALL.replace("recipients:", `retention: ${value}\n    recipients:`);
    assert.deepEqual(await refusalOf(text), [`F:${line}`]);
  });
}

Deno.test("durations that are fine", async () => {
  for (const value of ["12h", "7d", "2w", "3m", "1y", "1y5m7d2h", "9999d"]) {
    const { config } = await load(
      SMALL.replace("recipients:", `retention: {keepWithin: ${value}}\n    recipients:`),
    );
    assert.equal(config.jobs.acme!.retention?.keepWithin, value);
  }
});

Deno.test("one place for two jobs is fine, and ${…} in names of vaults and in commands", async () => {
  await load(
    SMALL + "  beta:\n    source: {type: onepassword-sdk, token: {command: [sh, -c, 'echo ${TOKEN}']}}\n" +
      "    vaults: {include: ['${odd}']}\n    recipients: {people: [age1a], recovery: [age1a]}\n" +
      "    destinations: [{name: nas, type: local, path: /srv/backups}]\n",
  );
});

Deno.test("a signer's key is fine with and without a comment", async () => {
  const data = btoa("\0\0\0\x0bssh-ed25519\0\0\0\x20" + "k".repeat(32));
  const { config } = await load(
    SMALL.replace("jobs:", `signers: [ssh-ed25519 ${data}, ssh-ed25519 ${data} root@host one]\njobs:`),
  );
  assert.equal(config.signers?.length, 2);
});

Deno.test("all problems are told, in the order of the text, but not more than 20", async () => {
  const many = await refusalOf(
    SMALL.replace("[age1aaa]", `[${"7, ".repeat(30)}]`).replace("version: 1", "version: 3"),
  );
  assert.equal(many.length, 21);
  assert.equal(many[0], "F:1:10: version: must be 1, not 3");
  assert.equal(many[20], "… and 11 more");
});

Deno.test("an absolute path is one of the platform", async () => {
  const windows = worldWith({}, { platform: { os: "windows", pid: 1, hostname: () => "h" } });
  const text = SMALL.replace("version: 1", "version: 1\nstate: C:\\ProgramData\\v");
  assert.equal((await load(text, windows)).config.state, "C:\\ProgramData\\v");
});
