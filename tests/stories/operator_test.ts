/** Whoever runs a destination can change anything there: each manipulation is found out, and named. */
import assert from "node:assert/strict";
import { type ArchiveManifest, isArchive } from "../../src/archive/manifest.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { newSigner } from "../archive/signers.ts";
import { forged, keyOf, place, storedEntry } from "./forge.ts";
import { type Story, story } from "./harness.ts";
import { copyOf, NIGHT } from "./host_state.ts";
import { memoryAccount } from "./memory_source.ts";

/** What is there: nos. 1, 2, 4, 6 and 7 are archives, 3 is a record, 5 a rotation. */
interface Scene {
  story: Story;
  folder: string;
  archives: string[];
  records: string[];
}

interface Manipulation {
  what: string;
  act(scene: Scene): void | Promise<void>;
  /** What `verify --archive all` says of a copy. */
  says: RegExp;
}

const PARTS = ["", ".sha256", ".manifest.json", ".manifest.json.sig"];

const MANIPULATIONS: Manipulation[] = [
  {
    what: "last year's signed set renamed to tonight",
    act: ({ folder, archives }) =>
      PARTS.forEach((part) =>
        Deno.renameSync(`${folder}/${archives[0]}${part}`, `${folder}/${tonight(archives[0]!)}${part}`)
      ),
    says: /renamed: its manifest is that of/,
  },
  {
    what: "an old set replayed under a date in the future",
    act: ({ folder, archives }) =>
      PARTS.forEach((part) =>
        Deno.copyFileSync(
          `${folder}/${archives[0]}${part}`,
          `${folder}/acme_20991231T235959Z_0123abcd.tar.zst.age${part}`,
        )
      ),
    says: /renamed: its manifest is that of/,
  },
  {
    what: "the newest archive taken away whole",
    act: ({ folder, archives }) => remove(folder, archives.slice(-1)),
    says: /missing: it was read back here once; rolled back: nothing newer than no\. 6 is shown/,
  },
  {
    what: "the series cut short by two",
    act: ({ folder, archives, records }) => remove(folder, [...archives.slice(-2), ...records]),
    says: /rolled back: nothing newer than no\. 4 is shown/,
  },
  {
    what: "the oldest archive taken away whole",
    act: ({ folder, archives }) => remove(folder, archives.slice(0, 1)),
    says: /missing: it was read back here once$/,
  },
  {
    what: "everything taken away",
    act: ({ folder, archives, records }) => remove(folder, [...archives, ...records]),
    says: /missing: it was read back here once$/,
  },
  {
    what: "an archive taken away, its manifest left",
    act: ({ folder, archives }) => Deno.removeSync(`${folder}/${archives[1]}`),
    says: /missing: only its manifest is there/,
  },
  {
    what: "a signature taken away",
    act: ({ folder, archives }) => Deno.removeSync(`${folder}/${archives[1]}.manifest.json.sig`),
    says: /unsigned: ".*\.sig" is missing/,
  },
  {
    what: "a manifest taken away",
    act: ({ folder, archives }) => Deno.removeSync(`${folder}/${archives[1]}.manifest.json`),
    says: /unsigned: ".*\.manifest\.json" is missing/,
  },
  {
    what: "two archives swapped",
    act: ({ folder, archives: [one, two] }) => {
      Deno.renameSync(`${folder}/${one}`, `${folder}/x`);
      Deno.renameSync(`${folder}/${two}`, `${folder}/${one}`);
      Deno.renameSync(`${folder}/x`, `${folder}/${two}`);
    },
    says: /damaged: its SHA-256 is not the signed one|truncated|too long/,
  },
  {
    what: "an archive cut short",
    act: ({ folder, archives }) => Deno.truncateSync(`${folder}/${archives[1]}`, 500),
    says: /truncated: 500 of \d+ bytes/,
  },
  {
    what: "one bit of an archive flipped",
    act: ({ folder, archives }) => flip(`${folder}/${archives[1]}`, 700),
    says: /damaged: its SHA-256 is not the signed one/,
  },
  {
    what: "a checksum file that says something else",
    act: ({ folder, archives }) => flip(`${folder}/${archives[1]}.sha256`, 3),
    says: /\.sha256" says something else/,
  },
  {
    what: "a manifest cut in half",
    act: ({ folder, archives }) => Deno.truncateSync(`${folder}/${archives[1]}.manifest.json`, 400),
    says: /the signature is not valid: it does not fit/,
  },
  {
    what: "a manifest of 2 MB",
    act: ({ folder, archives }) => Deno.truncateSync(`${folder}/${archives[1]}.manifest.json`, 2_000_000),
    says: /manifest\.json.*longer than|longer than 1048576 bytes/,
  },
  {
    what: "the signature of another entry",
    act: ({ folder, archives: [one, two] }) =>
      Deno.copyFileSync(`${folder}/${one}.manifest.json.sig`, `${folder}/${two}.manifest.json.sig`),
    says: /the signature is not valid: it does not fit/,
  },
  {
    what: "a record taken away",
    act: ({ folder, records }) => remove(folder, records.slice(0, 1)),
    says: /missing: it was read back here once$/,
  },
  {
    what: "the signature of a record taken away",
    act: ({ folder, records }) => Deno.removeSync(`${folder}/${records[0]}.sig`),
    says: /unsigned: ".*\.record\.json\.sig" is missing/,
  },
  {
    what: "one record under the name of another",
    act: ({ folder, records: [one, two] }) =>
      ["", ".sig"].forEach((part) => Deno.copyFileSync(`${folder}/${one}${part}`, `${folder}/${two}${part}`)),
    says: /renamed: it is the record "/,
  },
  {
    what: "a stranger's archive, sealed to the right recipients",
    act: async ({ story, folder }) => {
      const like = await archiveOf(story, 6);
      place(
        folder,
        await forged(undefined, like, { chain: "a".repeat(32), ...another(like) }, await newSigner()),
        BODY,
      );
    },
    says: /signed by SHA256:\S+, which is not a trusted signer/,
  },
  {
    what: "a stranger's archive that claims the next place of the chain",
    act: async ({ story, folder }) => {
      const like = await archiveOf(story, 6);
      place(folder, await forged(await storedEntry(story, 7), like, another(like), await newSigner()), BODY);
    },
    says: /signed by SHA256:\S+, which is not a trusted signer/,
  },
  {
    what: "a second entry of one number, signed with the host's key",
    act: async ({ story, folder }) => {
      const like = await archiveOf(story, 6);
      place(
        folder,
        await forged(await storedEntry(story, 5), like, another(like), await keyOf(story.state)),
        BODY,
      );
    },
    says: /fork: "acme_\S+\.age" at "(nas|usb)" and "(nas|usb)" has the same place 6 in the chain/,
  },
  {
    what: "an entry that skips its predecessor",
    act: async ({ story, folder }) => {
      const like = await archiveOf(story, 6);
      const wrong = await storedEntry(story, 7);
      const bytes = wrong.bytes.slice();
      bytes[10]! ^= 1;
      place(folder, await forged({ ...wrong, bytes }, like, another(like), await keyOf(story.state)), BODY);
    },
    says: /it does not follow "acme_\S+" in the chain/,
  },
  {
    what: "an entry by a key that was rotated away",
    act: async ({ story, folder }) => {
      const like = await archiveOf(story, 6);
      place(
        folder,
        await forged(await storedEntry(story, 7), like, another(like), await keyOf(story.at("host/old"))),
        BODY,
      );
    },
    says: /signed by SHA256:\S+, a key that had been rotated by then/,
  },
  {
    what: "an archive for somebody whom nobody has accepted",
    act: async ({ story, folder }) => {
      const like = await archiveOf(story, 6);
      const recipients = [...like.recipients, `SHA256:${"B".repeat(43)}`];
      const changes = { ...another(like), recipients };
      place(folder, await forged(await storedEntry(story, 7), like, changes, await keyOf(story.state)), BODY);
    },
    says: /changed recipients: sealed to SHA256:B{43} too, whom nobody has accepted/,
  },
];

const BODY = new Uint8Array(1000).fill(7);

story("whatever the operator of a destination does is found out and named", {
  memory: memoryAccount(),
  destinations: ["nas", "usb"],
  inMemory: true,
}, async (story) => {
  const scene = await set(story);
  const undo = copyOf(scene.folder);
  for (const { what, act, says } of MANIPULATIONS) {
    await act(scene);
    const { summary } = await story.runs(15, "verify", "--archive", "all", "--json");
    const bad = summary.jobs[0].copies.filter((copy: { result: string }) => copy.result === "bad");
    const problems: string[] = bad.map((copy: { problem: { message: string } }) => copy.problem.message);
    assert.ok(problems.some((problem) => says.test(problem)), `${what}:\n${problems.join("\n")}`);
    assert.ok(
      bad.every((copy: { destination: string }) => copy.destination === "nas"),
      `${what}: only there`,
    );
    undo();
  }
  await story.runs(0, "verify", "--archive", "all");
});

story("names that only look like ours are passed over", { memory: memoryAccount() }, async (story) => {
  await story.runs(0, "backup");
  story.expected.strangers = /acme\/ACME|\u0430cme|\u200b|\uff3f/;
  story.expected.damaged = true;
  const [name] = story.archives();
  const twins = [
    name!.toUpperCase(),
    name!.replace("a", "\u0430"),
    `${name}\u200b`,
    name!.replace("_", "\uff3f"),
  ];
  for (const twin of twins) {
    for (const part of PARTS) {
      Deno.copyFileSync(story.at(`nas/acme/${name}${part}`), story.at(`nas/acme/${twin}${part}`));
    }
  }
  assert.match((await story.runs(0, "verify", "--archive", "all")).out, /^1 copy checked, all good$/m);
  assert.equal((await story.runs(0, "list", "--json")).summary.jobs[0].archives.length, 1);
});

async function set(story: Story): Promise<Scene> {
  const night = async () => {
    story.clockOffset += NIGHT;
    await story.runs(0, "backup");
  };
  await night();
  await night();
  await story.runs(0, "accept", "acme", story.archives()[0]!);
  await night();
  Deno.mkdirSync(story.at("host/old"), { mode: 0o700 });
  Deno.copyFileSync(`${story.state}/signer.key`, story.at("host/old/signer.key"));
  await story.runs(0, "keys", "rotate");
  await night();
  await night();
  story.expected.damaged = true;
  const folder = story.at("nas/acme");
  const records = story.stored().filter((name) => name.endsWith(".record.json"));
  return { story, folder, archives: story.archives(), records };
}

async function archiveOf(story: Story, sequence: number): Promise<ArchiveManifest> {
  const { manifest } = await storedEntry(story, sequence);
  assert.ok(isArchive(manifest));
  return manifest;
}

/** Another archive, of the same moment. */
function another(like: ArchiveManifest): Partial<ArchiveManifest> {
  const name = like.archive.name.replace(/_[0-9a-f]{8}\./, "_0123abcd.");
  return { archive: { name, size: BODY.length, sha256: sha256Hex(BODY) } };
}

function tonight(name: string): string {
  return name.replace(/_\d{8}T/, "_20991231T");
}

function remove(folder: string, names: readonly string[]): void {
  for (const { name } of [...Deno.readDirSync(folder)]) {
    if (names.some((one) => name.startsWith(one))) Deno.removeSync(`${folder}/${name}`);
  }
}

function flip(path: string, at: number): void {
  const bytes = Deno.readFileSync(path);
  bytes[at]! ^= 1;
  Deno.writeFileSync(path, bytes);
}

story("another computer, with nothing but the host's public key, finds out the same", {
  memory: memoryAccount(),
  destinations: ["nas", "usb"],
}, async (story) => {
  const { folder, archives } = await set(story);
  const undo = copyOf(folder);
  const key = Deno.readTextFileSync(`${story.state}/signer.pub`).trim();
  const oldKey = (await keyOf(story.at("host/old"))).key.text;
  story.config.state = story.at("host/elsewhere");
  story.config.signers = [oldKey, key];
  await story.runs(0, "verify", "--archive", "all");
  // The receipts in later entries promise it.
  remove(folder, archives.slice(1, 2));
  assert.match(
    (await story.runs(15, "verify", "--archive", "all")).out,
    /missing: it was read back here once/,
  );
  undo();
  remove(folder, archives.slice(1));
  assert.match(
    (await story.runs(15, "verify", "--archive", "all")).out,
    /rolled back: nothing newer than no\. 5 is/,
  );
  // With one destination alone the newest that was taken away cannot be missed: nobody there tells of it.
  undo();
  remove(folder, archives.slice(-1));
  await story.runs(0, "verify", "--archive", "all", "--from", "nas");
});
