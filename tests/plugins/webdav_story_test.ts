/** Whole command lines with a WebDAV folder as the destination, from the config to the restored folder. */
import assert from "node:assert/strict";
import { sha256Hex } from "../../src/base/hash.ts";
import { CarelessServer } from "../servers/webdav/careless.ts";
import { story } from "../stories/harness.ts";

const PASSWORD = "made-up-dav-password", TOLD = "the password for the WebDAV server";

story(
  "a backup goes to a WebDAV folder, is listed, verified and restored, and no secret is printed",
  {},
  async (story) => {
    await using server = CarelessServer.start("backup", PASSWORD);
    const folder = await Deno.makeTempDir({ prefix: "vaultferry-webdav-" }); // nothing below the story's holds a secret
    await Deno.writeTextFile(`${folder}/password`, PASSWORD, { mode: 0o600 });
    story.private.push({ what: TOLD, text: PASSWORD }, { what: TOLD, text: btoa(`backup:${PASSWORD}`) });
    story.job.destinations.push({
      name: "dav",
      type: "webdav",
      url: `http://127.0.0.1:${server.port}/dav/`,
      username: "backup",
      password: `file:${folder}/password`,
    });

    await story.runs(0, "config", "check");
    await story.runs(0, "backup");
    const files = () => [...server.entries].filter((one): one is [string, Uint8Array] => one[1] !== "folder");
    assert.equal(files().length, 5);
    for (const [path, bytes] of files()) {
      const copy = await Deno.readFile(story.at(`nas/${path.slice("/dav/".length)}`));
      assert.equal(sha256Hex(bytes), sha256Hex(copy), path);
    }
    const listed = await story.runs(0, "list", "--from", "dav", "--json");
    const [archive, ...others] = listed.summary.jobs[0].archives;
    assert.deepEqual([archive.at, archive.outcome, others], [["dav"], "complete", []]);
    await story.runs(0, "verify", "--from", "dav", "--identity", story.key);
    const to = story.at("restored/all");
    await story.runs(0, "restore", "--from", "dav", "--to", to, "--identity", story.key);
    assert.ok((await Deno.stat(`${to}/manifest.json`)).isFile);

    // A second run adds its own, and touches nothing of the first.
    const before = new Map(files());
    story.clockOffset = 86_400_000;
    await story.runs(0, "backup");
    assert.equal(files().length, 9);
    for (const [path, bytes] of before) assert.equal(server.entries.get(path), bytes, path);

    // A password that was changed: the other copy is made, and it is said (4).
    await Deno.writeTextFile(`${folder}/password`, "another-made-up-password");
    story.clockOffset = 2 * 86_400_000;
    const failed = await story.run("backup");
    assert.equal(failed.code, 4, failed.err);
    story.expected.spooled = 1; // until the server has it
    story.expected.unfinished = 1;
    assert.match(failed.err, /destination "dav": the service does not accept the credentials/);
    assert.equal(files().length, 9);
    await Deno.remove(folder, { recursive: true });
  },
);
