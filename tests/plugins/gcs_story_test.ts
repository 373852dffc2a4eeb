/** Whole command lines with a bucket as the destination, from the config to the restored folder. */
import assert from "node:assert/strict";
import { sha256Hex } from "../../src/base/hash.ts";
import { GcsServer } from "../servers/gcs/server.ts";
import { story } from "../stories/harness.ts";

story(
  "a backup goes to a bucket, is listed, verified and restored, and no secret is printed",
  {},
  async (story) => {
    await using server = await GcsServer.start();
    const address = `http://127.0.0.1:${server.port}`;
    const key = server.identity.account(address);
    const folder = await Deno.makeTempDir({ prefix: "vaultferry-gcs-" }); // nothing below the story's holds a secret
    const keyFile = `${folder}/gcs.json`;
    await Deno.writeTextFile(keyFile, JSON.stringify(key), { mode: 0o600 });
    story.private.push({ what: "the key of the service account", text: key.private_key!.slice(40, 90) });
    story.env.GCE_METADATA_HOST = "127.0.0.1:1";
    const bucket = { name: "cloud", type: "gcs", bucket: "acme", prefix: "x/", endpoint: address, keyFile };
    story.job.destinations.push(bucket);

    await story.runs(0, "config", "check");
    const { summary } = await story.runs(0, "backup", "--json");
    const names = [...server.bucket.objects.keys()].sort();
    assert.equal(names.length, 5, String(names));
    assert.ok(names.every((name) => name.startsWith("x/acme/")), String(names));
    for (const name of names) {
      const copy = await Deno.readFile(story.at(`nas/${name.slice(2)}`));
      assert.equal(sha256Hex(server.bucket.objects.get(name)!.bytes), sha256Hex(copy), name);
    }
    assert.ok(summary.exitCode === 0);

    const listed = await story.runs(0, "list", "--from", "cloud", "--json");
    const [archive, ...others] = listed.summary.jobs[0].archives;
    assert.deepEqual([archive.at, archive.outcome, others], [["cloud"], "complete", []]);
    await story.runs(0, "verify", "--from", "cloud", "--identity", story.key);
    await story.runs(
      0,
      "restore",
      "--from",
      "cloud",
      "--to",
      story.at("restored/all"),
      "--identity",
      story.key,
    );
    assert.ok((await Deno.stat(story.at("restored/all/manifest.json"))).isFile);

    // A second run adds its own, and touches nothing of the first.
    const before = new Map(server.bucket.objects);
    story.clockOffset = 86_400_000;
    await story.runs(0, "backup");
    assert.equal(server.bucket.objects.size, 9);
    for (const [name, object] of before) assert.equal(server.bucket.objects.get(name), object, name);

    // Credentials that have gone: the other copy is made, and it is said (4).
    server.identity.tokens.clear();
    const stranger = await GcsServer.start();
    await using _ = stranger;
    await Deno.writeTextFile(keyFile, JSON.stringify(stranger.identity.account(address)));
    story.clockOffset = 2 * 86_400_000;
    const failed = await story.run("backup");
    assert.equal(failed.code, 4, failed.err);
    story.expected.spooled = 1; // until the bucket has it
    story.expected.unfinished = 1;
    assert.match(failed.err, /destination "cloud": Google gives no access token/);
    assert.equal(story.archives().length, 3);
    assert.equal(server.bucket.objects.size, 9);
  },
);
