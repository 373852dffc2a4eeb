import assert from "node:assert/strict";
import { type Story, story } from "./harness.ts";
import { memoryAccount, memoryItem } from "./memory_source.ts";

story(
  "the wrong identity opens nothing, and the hint names the keys that would",
  { memory: memoryAccount() },
  async (story) => {
    const second = await story.makeKey("second");
    await story.makeKey("stranger");
    story.job.recipients = { people: [story.recipient], recovery: [second] };
    await story.runs(0, "backup");
    const wrong = ["--identity", story.at("safe/stranger")];
    const { err } = await story.runs(12, "restore", "--to", story.at("restored/x"), ...wrong);
    assert.match(err, /error: this identity does not open the archive\n/);
    assert.ok(
      err.includes(
        `hint: it opens with the key of one of: ${story.recipient} (people), ${second} (recovery)\n`,
      ),
      err,
    );
    const verify = await story.runs(12, "verify", ...wrong);
    assert.ok(verify.err.includes(`${story.recipient} (people), ${second} (recovery)\n`), verify.err);
    await story.runs(12, "restore", "--to", story.at("restored/x"), ...wrong, "--file", archiveAt(story));
    nothingReleased(story);
  },
);

story("an identity file that is none says which line is wrong and shows nothing of it", {
  memory: memoryAccount(),
}, async (story) => {
  await story.runs(0, "backup");
  const text = Deno.readTextFileSync(story.key);
  const bad = story.at("safe/bad");
  Deno.writeTextFileSync(bad, text.replace(/^(AGE-SECRET-KEY-\w+)\w$/m, "$1!"));
  const { err } = await story.runs(2, "restore", "--to", story.at("restored/x"), "--identity", bad);
  assert.match(err, /error: line 3 of ".*bad" is not an age identity\n/);
  Deno.writeTextFileSync(bad, "");
  assert.match((await story.runs(2, "verify", "--identity", bad)).err, /there is no age identity in/);
  assert.match((await story.runs(2, "verify", "--identity", story.at("safe/none"))).err, /it does not exist/);
  // Mode bits of an identity are nobody's business in an emergency.
  Deno.writeTextFileSync(bad, text.replaceAll("\n", "\r\n"));
  Deno.chmodSync(bad, 0o777);
  await story.runs(0, "verify", "--identity", bad);
  nothingReleased(story);
});

const DAMAGES: Record<string, { damage(bytes: Uint8Array): Uint8Array; sentence: RegExp }> = {
  "cut short": { damage: (bytes) => bytes.subarray(0, -1), sentence: /truncated: \d+ of \d+ bytes/ },
  "cut in half": {
    damage: (bytes) => bytes.subarray(0, bytes.length / 2),
    sentence: /truncated: \d+ of \d+ bytes/,
  },
  "empty": { damage: () => new Uint8Array(), sentence: /truncated: 0 of \d+ bytes/ },
  "longer": { damage: (bytes) => Uint8Array.from([...bytes, 0]), sentence: /too long: \d+ of \d+ bytes/ },
  "one bit flipped in its head": { damage: (bytes) => flipped(bytes, 30), sentence: /damaged/ },
  "one bit flipped in its middle": {
    damage: (bytes) => flipped(bytes, bytes.length >> 1),
    sentence: /damaged/,
  },
  "one bit flipped at its end": { damage: (bytes) => flipped(bytes, bytes.length - 1), sentence: /damaged/ },
};

for (const [what, { damage, sentence }] of Object.entries(DAMAGES)) {
  story(
    `an archive that is ${what} at its destination is found out, and nothing of it is released`,
    { memory: memoryAccount() },
    async (story) => {
      await story.runs(0, "backup");
      story.expected.damaged = true;
      const path = archiveAt(story);
      Deno.writeFileSync(path, damage(Deno.readFileSync(path)));
      await mustNotBeReliedOn(story, sentence);
      await story.runs(
        15,
        "restore",
        "--to",
        story.at("restored/x"),
        "--identity",
        story.key,
        "--file",
        path,
      );
      nothingReleased(story);
    },
  );
}

const GROWING = memoryAccount();

story("two archives whose bytes were swapped are found out", { memory: GROWING }, async (story) => {
  await story.runs(0, "backup");
  story.clockOffset = 60_000;
  GROWING.vaults.push({ id: "v3", items: [memoryItem("v3", "new")] });
  await story.runs(0, "backup");
  const [one, two] = story.archives().map((name) => story.at(`nas/acme/${name}`));
  const bytes = Deno.readFileSync(one!);
  Deno.copyFileSync(two!, one!);
  Deno.writeFileSync(two!, bytes);
  await mustNotBeReliedOn(story, /truncated|too long|damaged/);
  const all = await story.runs(15, "verify", "--archive", "all");
  assert.match(all.out, /2 copies of 2 must not be relied on/);
});

story(
  "an old archive under the name of the newest is found out",
  { memory: memoryAccount() },
  async (story) => {
    await story.runs(0, "backup");
    story.clockOffset = 60_000;
    await story.runs(0, "backup");
    const [one, two] = story.archives();
    for (const part of ["", ".sha256", ".manifest.json", ".manifest.json.sig"]) {
      Deno.copyFileSync(story.at(`nas/acme/${one}${part}`), story.at(`nas/acme/${two}${part}`));
    }
    const { out } = await story.runs(15, "verify", "--archive", "all");
    assert.match(out, /renamed: its manifest is that of/);
  },
);

for (
  const [part, sentence] of [[".manifest.json.sig", /unsigned: ".*\.sig" is missing/], [
    ".manifest.json",
    /unsigned: ".*\.manifest\.json" is missing/,
  ], [".sha256", /\.sha256/]] as const
) {
  story(`an archive whose ${part} is missing is not good`, { memory: memoryAccount() }, async (story) => {
    await story.runs(0, "backup");
    story.expected.damaged = true;
    Deno.removeSync(archiveAt(story) + part);
    assert.match((await story.runs(15, "verify")).out, sentence);
    assert.match((await story.runs(15, "verify", "--archive", "all")).out, sentence);
    if (part === ".sha256") return; // for people with stock tools; the signature vouches for the archive
    assert.match((await story.run("list")).out, sentence);
    await story.runs(15, "restore", "--to", story.at("restored/x"), "--identity", story.key);
    nothingReleased(story);
  });
}

story(
  "an archive that a receipt promises and that is gone is missed",
  { memory: memoryAccount() },
  async (story) => {
    await story.runs(0, "backup");
    story.expected.damaged = true;
    for (const name of story.stored()) {
      if (name.startsWith("acme_")) Deno.removeSync(story.at(`nas/acme/${name}`));
    }
    assert.match((await story.runs(15, "verify")).out, /missing: it was read back here once/);
    await story.runs(10, "list");
  },
);

story(
  "a stranger's archive is not trusted until the config names its key",
  { memory: memoryAccount() },
  async (story) => {
    await story.runs(0, "backup");
    const other = story.at("host/other");
    story.config.state = other;
    story.clockOffset = 60_000;
    const stranger = await story.runs(15, "verify");
    assert.match(stranger.out, /signed by SHA256:\S+, which is not a trusted signer/);
    const { err } = await story.runs(15, "restore", "--to", story.at("restored/x"), "--identity", story.key);
    assert.match(
      err,
      /error: signed by SHA256:\S+, which is not a trusted signer\nvaultferry: hint: .* "signers:"/,
    );
    nothingReleased(story);
    story.config.signers = [Deno.readTextFileSync(`${story.state}/signer.pub`).trim()];
    await story.runs(0, "verify", "--identity", story.key);
    await story.runs(0, "restore", "--to", story.at("restored/x"), "--identity", story.key);
    await Deno.remove(story.at("restored/x"), { recursive: true });
  },
);

story("a manifest that somebody has edited is not believed", { memory: memoryAccount() }, async (story) => {
  await story.runs(0, "backup");
  const path = archiveAt(story) + ".manifest.json";
  Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replace('"items": 4', '"items": 5'));
  await mustNotBeReliedOn(story, /signature|damaged|signed/);
});

/** Neither `verify` nor `restore` takes it for good, and nothing is left of the try. */
async function mustNotBeReliedOn(story: Story, sentence: RegExp): Promise<void> {
  assert.match((await story.runs(15, "verify")).out, sentence);
  const opened = await story.runs(15, "verify", "--identity", story.key);
  assert.match(opened.out, /must not be relied on/);
  await story.runs(15, "restore", "--to", story.at("restored/x"), "--identity", story.key);
  nothingReleased(story);
}

function archiveAt(story: Story): string {
  return story.at(`nas/acme/${story.archives()[0]}`);
}

function nothingReleased(story: Story): void {
  assert.deepEqual([...Deno.readDirSync(story.at("restored"))], []);
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at]! ^= 1;
  return copy;
}
