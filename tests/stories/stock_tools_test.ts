import assert from "node:assert/strict";
import { sampleAccount } from "../service/mod.ts";
import { checkRestored } from "./compare.ts";
import { type Story, story } from "./harness.ts";

// The tools must be there: an archive that they do not open is not the promised one. Debian: apt-get install -y age zstd openssh-client
story("an archive opens with sha256sum, ssh-keygen, age, zstd and tar alone", {
  account: sampleAccount(),
}, async (story) => {
  await story.runs(0, "backup");
  await opensWith(story, "zstd -d");
});

story("a gzip archive opens with gzip", {}, async (story) => {
  story.job.compression = "gzip";
  await story.runs(0, "backup");
  await opensWith(story, "gzip -d");
});

story("every one of several recipients opens the archive, and nobody else", {}, async (story) => {
  story.job.recipients = {
    people: [story.recipient, await story.makeKey("second")],
    recovery: [await story.makeKey("third")],
  };
  await story.makeKey("stranger");
  await story.runs(0, "backup");
  const [archive] = story.archives();
  for (const key of ["key", "second", "third"]) {
    await shell(story, `age -d -i safe/${key} nas/acme/${archive} > /dev/null`);
    await story.runs(0, "verify", "--identity", story.at(`safe/${key}`));
  }
  await assert.rejects(
    shell(story, `age -d -i safe/stranger nas/acme/${archive} > /dev/null`),
    /no identity matched/,
  );
});

story("a post-quantum key opens what was sealed to it", {}, async (story) => {
  story.job.recipients = [await story.makeKey("quantum", "--post-quantum")];
  assert.match(story.job.recipients[0], /^age1pq1/);
  await story.runs(0, "backup");
  await story.runs(0, "verify", "--identity", story.at("safe/quantum"));
  await story.runs(12, "verify", "--identity", story.key);
});

story("the recipe that lies beside the archives works as it is written", {}, async (story) => {
  await story.runs(0, "backup");
  const recipe = Deno.readTextFileSync(story.at("nas/acme/HOW-TO-OPEN.txt"));
  const [archive] = story.archives();
  const { out } = await story.runs(0, "keys", "signer");
  const commands = recipe.split("\n").filter((line) => line.startsWith("       ")).map((line) => line.trim());
  assert.equal(commands.length, 6, "a command was added: see that it is tried here");
  const script = commands.join("\n")
    .replaceAll("NAME.tar.zst.age", archive!)
    .replaceAll("KEYFILE", story.key)
    .replace("ssh-ed25519 AAAA...", out.trim());
  await shell(story, `cp -r nas/acme restored/copy && cd restored/copy && set -e\n${script}`);
  await checkRestored(story.service, story.at("restored/copy/restored"));
});

async function opensWith(story: Story, decompress: string): Promise<void> {
  const [archive] = story.archives();
  const { out } = await story.runs(0, "keys", "signer");
  Deno.writeTextFileSync(story.at("safe/signers"), `host ${out}`);
  await shell(story, `cd nas/acme && sha256sum -c ${archive}.sha256`);
  await shell(
    story,
    `ssh-keygen -Y verify -f safe/signers -I host -n vaultferry -s nas/acme/${archive}.manifest.json.sig \
      < nas/acme/${archive}.manifest.json`,
  );
  await shell(
    story,
    `mkdir restored/stock && age -d -i safe/key nas/acme/${archive} | ${decompress} | tar -x -C restored/stock`,
  );
  await checkRestored(story.service, story.at("restored/stock"));
  const { sha256, size } =
    JSON.parse(Deno.readTextFileSync(story.at(`nas/acme/${archive}.manifest.json`))).archive;
  assert.equal(Deno.statSync(story.at(`nas/acme/${archive}`)).size, size);
  assert.ok(Deno.readTextFileSync(story.at(`nas/acme/${archive}.sha256`)).startsWith(sha256));
}

async function shell(story: Story, script: string): Promise<void> {
  const { success, stderr, stdout } = await new Deno.Command("bash", {
    args: ["-o", "pipefail", "-c", script],
    cwd: story.folder,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`${script}\n${text(stdout)}${text(stderr)}`);
}
