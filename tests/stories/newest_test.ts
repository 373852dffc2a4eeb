import assert from "node:assert/strict";
import { memoryAccount } from "./memory_source.ts";
import { type Story, story } from "./harness.ts";

/** Two backups; returns the names of the older and the newer archive. */
async function two(story: Story): Promise<[older: string, newer: string]> {
  await story.runs(0, "backup");
  story.clockOffset += 60_000;
  await story.runs(0, "backup");
  const [older, newer] = story.archives().sort();
  return [older!, newer!];
}

for (
  const [what, ending] of [["the backup itself", ""], ["its manifest", ".manifest.json"], [
    "its signature",
    ".manifest.json.sig",
  ]]
) {
  story(
    `the newest backup without ${what} is not passed over in silence`,
    { memory: memoryAccount() },
    async (story) => {
      const [older, newer] = await two(story);
      const path = story.at(`nas/acme/${newer}${ending}`);
      Deno.renameSync(path, story.at("taken away"));
      for (const more of [[], ["--identity", story.key]]) {
        const { out } = await story.runs(15, "verify", ...more);
        assert.match(out, new RegExp(`${newer}.*(missing|unsigned)`));
        assert.match(out, /1 copy of 2 must not be relied on/);
      }
      const to = story.at("restored/x");
      const { err, out } = await story.runs(0, "restore", "--to", to, "--identity", story.key);
      assert.match(err, new RegExp(`warning: a newer backup at "nas" cannot be used: ${newer}: `));
      assert.ok(out.includes(`made from ${older}`));
      if (ending === "") {
        assert.match((await story.runs(0, "list")).out, /missing: only its manifest is there/);
      }
      Deno.removeSync(to, { recursive: true });
      Deno.renameSync(story.at("taken away"), path);
      await story.runs(0, "verify");
    },
  );
}

story("a newest manifest with one bit changed is told, whatever the older ones are", {
  memory: memoryAccount(),
}, async (story) => {
  const [, newer] = await two(story);
  const path = story.at(`nas/acme/${newer}.manifest.json`);
  const bytes = Deno.readFileSync(path);
  bytes[40]! ^= 1;
  Deno.writeFileSync(path, bytes);
  assert.match((await story.runs(15, "verify")).out, new RegExp(`${newer}.*the signature is not valid`));
});

story(
  "an archive that has grown at its destination does not fill this disk",
  { memory: memoryAccount() },
  async (story) => {
    await story.runs(0, "backup");
    const path = story.at(`nas/acme/${story.archives()[0]}`);
    Deno.truncateSync(path, 8 * 1024 ** 4); // sparse: eight terabytes that are not there
    const { err } = await story.runs(15, "restore", "--to", story.at("restored/x"), "--identity", story.key);
    assert.match(err, /error: the copy of ".*" at "nas" is damaged/);
  },
);
