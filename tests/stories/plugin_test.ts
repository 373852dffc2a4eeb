import assert from "node:assert/strict";
import { sha256Hex } from "../../src/base/hash.ts";
import { type Line, type Story, story } from "./harness.ts";
import { memoryAccount } from "./memory_source.ts";

const EXAMPLE = new URL("../../docs/plugins/rclone.mjs", import.meta.url).pathname;

/** The job's only destination becomes the example of docs/plugins.md, with rclone on the folder `nas`. */
function throughRclone(story: Story): Line {
  const path = story.at("host/rclone.mjs");
  Deno.copyFileSync(EXAMPLE, path);
  Deno.chmodSync(path, 0o644);
  const destination = {
    name: "remote",
    type: "plugin",
    path,
    sha256: sha256Hex(Deno.readFileSync(path)),
    options: { remote: story.at("nas"), arguments: ["--config", "/dev/null"], note: "file:no/reference" },
    secrets: { RCLONE_MADE_UP: `file:${story.at("host/secret")}` },
  };
  Deno.writeTextFileSync(story.at("host/secret"), "made-up-rclone-secret", { mode: 0o600 });
  story.job.destinations = [destination];
  return destination;
}

story(
  "a backup through a plugin of one's own comes back whole",
  { memory: memoryAccount() },
  async (story) => {
    throughRclone(story);
    await story.runs(0, "config", "check");
    const { err } = await story.runs(0, "backup");
    assert.match(err, /remote: sent and read back, every byte compared/);
    assert.equal(story.stored().length, 5);
    await story.runs(0, "verify", "--identity", story.key);
    await story.runs(0, "restore", "--to", story.at("restored/x"), "--identity", story.key);
  },
);

story("checking the config looks at a plugin, its options as they are and its secrets", {
  memory: memoryAccount(),
}, async (story) => {
  const destination = throughRclone(story);
  const wrong: [changes: Line, told: RegExp][] = [
    [
      { path: "mine.mjs" },
      /destinations\[0\]\.path: must be an absolute path, such as "\/etc\/vaultferry\/mine\.mjs"/,
    ],
    [
      { sha256: "abc" },
      /destinations\[0\]\.sha256: must be the SHA-256 of the plugin in 64 hexadecimal digits/,
    ],
    [{ sha256: undefined }, /destinations\[0\]\.sha256: is missing/],
    [
      { sha256: "0".repeat(64) },
      /error: destination "remote": the plugin ".*" has the SHA-256 [0-9a-f]{64}, not the/,
    ],
    [{ secrets: { "no-name": "env:X" } }, /is no name for a secret: letters, digits and _/],
    [{ secrets: { PASSWORD: "hunter2hunter2" } }, /is not a reference to a secret/],
    [
      { secrets: { PASSWORD: "file:/nowhere/x" } },
      /destinations\[0\]\.secrets\.PASSWORD: cannot resolve "\/nowhere\/x"/,
    ],
    [{ timeout: 0 }, /destinations\[0\]\.timeout: must be at least 1/],
    [{ optoins: {} }, /unknown key "optoins" \(did you mean "options"\?\)/],
  ];
  for (const [changes, told] of wrong) {
    story.job.destinations = [{ ...destination, ...changes }];
    assert.match((await story.runs(2, "config", "check")).err, told);
  }
  story.job.destinations = [destination];
  Deno.chmodSync(destination.path, 0o666);
  assert.match(
    (await story.runs(2, "config", "check")).err,
    /other users can write the plugin ".*"\n.*hint: chmod go-w/,
  );
  const schema = JSON.parse((await story.runs(0, "config", "schema")).out);
  const { oneOf } = schema.properties.jobs.additionalProperties.properties.destinations.items;
  const own = oneOf.find((one: Line) => one.properties.type.const === "plugin");
  assert.deepEqual(own.required.toSorted(), ["name", "path", "sha256", "type"]);
  for (const key of ["path", "sha256", "options", "secrets", "timeout"]) {
    assert.ok(own.properties[key].description.length > 20, key);
  }
});
