import assert from "node:assert/strict";
import { AppError } from "../../src/base/errors.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import { Child } from "./child.ts";
import { names, type Story, story } from "./harness.ts";
import {
  COMMANDS,
  expectNoSecret,
  expectSecret,
  furnish,
  GIVEN,
  PRIVATE_FILE,
  PRIVATE_TEXT,
} from "./private_source.ts";
import { Witness } from "./witness.ts";

const NAME = /^vaultferry-[0-9a-f]{32}$/;

for (const command of COMMANDS) {
  const name = command.join(" ");

  story(
    `${name}: a source gets a folder for itself alone, which is wiped when it is done`,
    GIVEN,
    async (story) => {
      let witness: Witness | undefined;
      let gone = false;
      const place = furnish(story, {
        written: (folder) => {
          assert.match(folder, /\/run\/vaultferry-[0-9a-f]{32}$/);
          assert.equal(Deno.statSync(folder).mode! & 0o777, 0o700);
          witness = new Witness(folder);
        },
        released: (folder) => gone = names(place).every((name) => !folder.endsWith(name)),
      });
      await story.runs(0, ...command);
      assert.ok(gone, "gone as soon as it is disposed of");
      witness!.sawItWiped();
      assert.deepEqual(names(place), []);
    },
  );

  story(
    `${name}: a source that forgets its folder, or fails once it has one, leaves none`,
    GIVEN,
    async (story) => {
      const witnesses: Witness[] = [];
      const written = (folder: string) => void witnesses.push(new Witness(folder));
      const place = furnish(story, { forgets: true, written });
      await story.runs(0, ...command);
      furnish(story, {
        written,
        opened: () => {
          throw new AppError("unknown", "it would not open", { origin: "source" });
        },
      });
      await story.runs(1, ...command);
      assert.deepEqual(names(place), []);
      assert.equal(witnesses.length, 2);
      for (const witness of witnesses) witness.sawItWiped();
    },
  );

  for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
    story(`${name}: a real ${signal} ends a real process, and the folder with it`, GIVEN, async (story) => {
      const place = furnish(story);
      const child = await hanging(story, place, ...command);
      const witness = new Witness(place);
      expectNoSecret(story);
      child.send(signal);
      const { code: ended, err } = await child.result();
      assert.equal(ended, code, err);
      assert.doesNotMatch(err, /warning/);
      assert.deepEqual(names(place), []);
      witness.sawItWiped();
    });
  }

  for (const next of COMMANDS) {
    // A dry run holds no lock of the job, so it can sweep only what another dry run left.
    if (command.length === 1 && next.length === 2) continue;
    story(`${name}: what kill -9 leaves is wiped by the next ${next.join(" ")}`, GIVEN, async (story) => {
      const place = furnish(story);
      const witness = await killed(story, place, ...command);
      const [left] = names(place);
      // Not in the journal: whose they are is not known.
      const strangers = ["vaultferry-00112233445566778899aabbccddeeff", "vaultferry", "x"];
      for (const name of strangers) Deno.mkdirSync(`${place}/${name}`);
      const { err } = await story.runs(0, ...next);
      assert.match(
        err,
        new RegExp(
          `warning: a run was killed and left secrets in clear in ".*/${left}"; they have been wiped\n`,
        ),
      );
      witness.sawItWiped();
      assert.deepEqual(names(place), [...strangers].sort());
      for (const name of strangers) Deno.removeSync(`${place}/${name}`);
      story.clockOffset = 60_000;
      assert.doesNotMatch((await story.runs(0, ...next)).err, /warning/, "once is enough");
    });
  }
}

story(
  "what kill -9 leaves is wiped even when nothing else of the next run can be done",
  GIVEN,
  async (story) => {
    const place = furnish(story);
    await story.runs(0, "backup");
    const witness = await killed(story, place, "backup");
    const signer = `${story.state}/signer.key`;
    const kept = Deno.readTextFileSync(signer);
    Deno.writeTextFileSync(signer, "damaged");
    await story.runs(15, "backup");
    witness.sawItWiped();
    assert.deepEqual(names(place), []);
    Deno.writeTextFileSync(signer, kept);
    story.clockOffset = 60_000;
    await story.runs(0, "backup");
  },
);

story("after a restart of the machine nothing is left to wipe, and nothing is said", GIVEN, async (story) => {
  const place = furnish(story);
  (await killed(story, place, "backup")).close();
  Deno.removeSync(place, { recursive: true });
  assert.doesNotMatch((await story.runs(0, "backup")).err, /warning: (a run|what) /);
});

story(
  "without a runtime directory it lies in /dev/shm, and is wiped from there too",
  GIVEN,
  async (story) => {
    const seen: string[] = [];
    furnish(story, { written: (folder) => void seen.push(folder) });
    delete story.env.RUNTIME_DIRECTORY;
    await story.runs(0, "backup");
    const child = await Child.startMain("tests/stories/private_main.ts", story, "backup");
    const left = await until(() => unfinished(story));
    const witness = await until(() => readable(left) ? new Witness(left) : undefined);
    child.send("SIGKILL");
    await child.result();
    story.clockOffset = 60_000;
    await story.runs(0, "backup");
    witness.sawItWiped();
    for (const path of [left, ...seen]) {
      assert.match(path, /^\/dev\/shm\/vaultferry-[0-9a-f]{32}$/);
      assert.throws(() => Deno.lstatSync(path), Deno.errors.NotFound);
    }
  },
);

story(
  "where there is no memory to write to, it lies in the state folder, and that is said",
  GIVEN,
  async (story) => {
    furnish(story, {
      written: (folder) => assert.ok(folder.startsWith(Deno.realPathSync(`${story.state}/private/`) + "/")),
    });
    story.files.fileSystem = () => Promise.resolve("ext4");
    const { err } = await story.runs(0, "backup");
    assert.match(
      err,
      /warning: there is no folder in memory for what a source writes in clear \(".*\/run" is not in memory; "\/dev\/shm" is not in memory; "\/run" is not in memory\), so it lies in ".*\/host\/state\/private" for a while; it is wiped, but a disk may keep/,
    );
    assert.deepEqual(names(`${story.state}/private`), []);
  },
);

story(
  "a folder that cannot be wiped now is wiped by the next run, and the backup is made",
  GIVEN,
  async (story) => {
    const place = furnish(story);
    expectSecret(story);
    story.files.names = (path) =>
      path.startsWith(place) && names(path).includes(PRIVATE_FILE)
        ? Promise.reject(new AppError("unknown", "cannot list: input/output error"))
        : denoFiles.names(path);
    const { err } = await story.runs(0, "backup");
    assert.match(
      err,
      /warning: secrets in clear were not wiped, the next run tries again: cannot list: input\/output/,
    );
    const [left] = names(place);
    assert.match(left!, NAME);
    const witness = new Witness(place);
    story.files = {};
    expectNoSecret(story);
    story.clockOffset = 60_000;
    await story.runs(0, "backup");
    witness.sawItWiped();
    assert.deepEqual(names(place), []);
  },
);

story("looking does not keep a backup from being made, nor the other way round", GIVEN, async (story) => {
  const place = furnish(story);
  const [first, second] = COMMANDS as [string[], string[]];
  for (const [holds, comes] of [[first, second], [second, first]] as const) {
    const child = await hanging(story, place, ...holds);
    const [held] = names(place);
    story.clockOffset += 60_000;
    await story.runs(0, ...comes);
    assert.deepEqual(names(place), [held], "the folder of a run at work is nobody else's to wipe");
    expectNoSecret(story);
    child.send("SIGTERM");
    await child.result();
  }
  story.clockOffset += 60_000;
  await story.runs(0, "backup");
});

/** A child that has written its secret and waits. */
async function hanging(story: Story, place: string, ...args: string[]): Promise<Child> {
  const before = new Set(names(place));
  expectSecret(story);
  const child = await Child.startMain("tests/stories/private_main.ts", story, ...args);
  await until(() =>
    names(place).some((name) => !before.has(name) && readable(`${place}/${name}`)) || undefined
  );
  return child;
}

async function killed(story: Story, place: string, ...args: string[]): Promise<Witness> {
  const child = await hanging(story, place, ...args);
  const witness = new Witness(place);
  child.send("SIGKILL");
  await child.result();
  expectNoSecret(story);
  story.clockOffset = 60_000;
  return witness;
}

function readable(folder: string): boolean {
  try {
    return Deno.readTextFileSync(`${folder}/${PRIVATE_FILE}`).length >= PRIVATE_TEXT.length * 100;
  } catch {
    return false;
  }
}

/** The folder that the journal says was begun and not finished. */
function unfinished(story: Story): string | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`${story.state}/acme/journal.jsonl`);
  } catch {
    return undefined;
  }
  const lines = text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  const folders = lines.filter(({ what }) => what === "folder");
  return folders.at(-1)?.step === "begin" ? folders.at(-1).path : undefined;
}

async function until<T>(come: () => T | undefined): Promise<T> {
  const end = performance.now() + 30_000;
  for (;;) {
    const found = come();
    if (found !== undefined) return found;
    assert.ok(performance.now() < end, "it never came so far");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
