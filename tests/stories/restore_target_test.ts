import assert from "node:assert/strict";
import { AppError } from "../../src/base/errors.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import { checkRestored } from "./compare.ts";
import { Witness } from "./witness.ts";
import { names, type Story, story } from "./harness.ts";

story(
  "restore goes into an empty or a new folder only, and says so before it fetches anything",
  {},
  async (story) => {
    await story.runs(0, "backup");
    const to = story.at("restored/x");
    const restore = ["restore", "--to", to, "--identity", story.key];

    Deno.mkdirSync(to);
    Deno.writeTextFileSync(`${to}/precious.txt`, "precious");
    for (const more of [[], ["--file", archiveAt(story)]]) {
      assert.match(
        (await story.runs(1, ...restore, ...more)).err,
        /error: the folder ".*\/x" is not empty\n/,
      );
    }
    assert.deepEqual([...Deno.readDirSync(to)].map(({ name }) => name), ["precious.txt"]);

    Deno.removeSync(to, { recursive: true });
    Deno.writeTextFileSync(to, "a file");
    assert.match((await story.runs(1, ...restore)).err, /error: ".*\/x" exists and is not a folder\n/);
    assert.equal(Deno.readTextFileSync(to), "a file");

    Deno.removeSync(to);
    Deno.symlinkSync(story.at("nas"), to);
    assert.match((await story.runs(1, ...restore)).err, /exists and is not a folder\n/);
    Deno.removeSync(to);

    Deno.mkdirSync(to);
    await story.runs(0, ...restore);
    await checkRestored(story.service, to);
    assert.equal(Deno.statSync(to).mode! & 0o777, 0o700);
    assert.equal(Deno.statSync(`${to}/manifest.json`).mode! & 0o777, 0o600);
    assert.deepEqual(names(story.at("restored")), ["x"], "nothing beside it");
    assert.deepEqual(names(to).filter((name) => name.startsWith(".")), [], "no mark of ours in it");
  },
);

story(
  "restore makes the folders above its target, and takes a slash at the end for none",
  {},
  async (story) => {
    await story.runs(0, "backup");
    const to = story.at("restored/a/b/c/");
    await story.runs(0, "restore", "--to", to, "--identity", story.key);
    await checkRestored(story.service, story.at("restored/a/b/c"));
  },
);

story("a restore whose disk fills up leaves nothing in clear", {}, async (story) => {
  await story.runs(0, "backup");
  let writes = 0;
  story.files.create = async (path, mode) => {
    const file = await denoFiles.create(path, mode);
    if (!path.includes("/x.partial/")) return file;
    return {
      ...file,
      write: (bytes) =>
        ++writes === 5
          ? Promise.reject(new AppError("unknown", `cannot write "${path}": no space left on the device`))
          : file.write(bytes),
    };
  };
  const { err } = await story.runs(1, "restore", "--to", story.at("restored/x"), "--identity", story.key);
  assert.match(err, /no space left on the device/);
  assert.deepEqual([...Deno.readDirSync(story.at("restored"))], []);
});

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  story(`a restore ended by ${signal} leaves nothing in clear`, {}, async (story) => {
    await story.runs(0, "backup");
    let witness: Witness | undefined;
    story.files.create = (path, mode) => {
      if (path.includes("/x.partial/restored/vaults/")) {
        // An item that is there already: who holds it open sees what becomes of it.
        witness ??= new Witness(story.at("restored/x.partial/restored"));
        story.send(signal);
      }
      return denoFiles.create(path, mode);
    };
    await story.runs(code, "restore", "--to", story.at("restored/x"), "--identity", story.key);
    assert.deepEqual(names(story.at("restored")), []);
    witness!.sawItWiped();
  });
}

story("an archive file opens without any config, and says what is known of its maker", {}, async (story) => {
  await story.runs(0, "backup");
  const fingerprint = JSON.parse(Deno.readTextFileSync(`${archiveAt(story)}.manifest.json`)).signer;
  Deno.mkdirSync(story.at("restored/usb"));
  const [name] = story.archives();
  const file = story.at(`restored/usb/${name}`);
  for (const part of ["", ".manifest.json", ".manifest.json.sig"]) {
    Deno.copyFileSync(archiveAt(story) + part, file + part);
  }
  const restore = async (to: string) =>
    await story.runs(
      0,
      "restore",
      "--file",
      file,
      "--to",
      story.at(`restored/${to}`),
      "--identity",
      story.key,
    );

  const signed = await restore("signed");
  assert.ok(signed.err.includes(`warning: signed by ${fingerprint} on `), signed.err);
  assert.match(signed.err, /hint: compare with the key you kept: ssh-ed25519 /);
  await checkRestored(story.service, story.at("restored/signed"));

  await Deno.remove(`${file}.manifest.json.sig`);
  assert.match(
    (await restore("unsigned")).err,
    /warning: nothing proves who made this archive: there is no \.manifest\.json\.sig beside it/,
  );
  await Deno.remove(`${file}.manifest.json`);
  const bare = await restore("bare");
  assert.match(bare.err, /there is no \.manifest\.json and no \.manifest\.json\.sig beside it/);
  await checkRestored(story.service, story.at("restored/bare"));
});

story("an archive file under another name opens all the same", {}, async (story) => {
  await story.runs(0, "backup");
  const file = story.at("restored/renamed");
  Deno.copyFileSync(archiveAt(story), file);
  await story.runs(0, "restore", "--file", file, "--to", story.at("restored/x"), "--identity", story.key);
});

story("an archive file that does not fit what lies beside it is not opened", {}, async (story) => {
  await story.runs(0, "backup");
  const path = archiveAt(story);
  const bytes = Deno.readFileSync(path);
  const manifest = Deno.readTextFileSync(`${path}.manifest.json`);
  const restore = ["restore", "--to", story.at("restored/x"), "--identity", story.key, "--file", path];
  const refused = async (sentence: RegExp) => {
    assert.match((await story.runs(15, ...restore)).err, sentence);
    assert.deepEqual([...Deno.readDirSync(story.at("restored"))], []);
  };
  Deno.writeFileSync(path, bytes.subarray(0, -100));
  await refused(
    /is not the file that its signed manifest describes\nvaultferry: hint: it is cut short: \d+ of \d+ bytes/,
  );
  Deno.writeFileSync(path, bytes);
  Deno.writeTextFileSync(`${path}.manifest.json`, manifest.replace('"sequence": 1', '"sequence": 2'));
  await refused(/signature/);
  Deno.writeTextFileSync(`${path}.manifest.json`, manifest);
  Deno.writeTextFileSync(`${path}.manifest.json.sig`, "no signature");
  await refused(/signature/);
  // Without anything beside it, age itself finds out.
  for (const part of [".manifest.json", ".manifest.json.sig"]) Deno.removeSync(path + part);
  story.expected.damaged = true;
  Deno.writeFileSync(path, bytes.subarray(0, -100));
  await refused(/damaged or truncated/);
  Deno.writeTextFileSync(path, "this is no archive");
  await refused(/damaged|not an age|truncated/);
});

story("restore --file takes no job, no destination, and no file that is not there", {}, async (story) => {
  await story.runs(0, "backup");
  const restore = ["restore", "--to", story.at("restored/x"), "--identity", story.key, "--file"];
  await story.runs(2, ...restore, archiveAt(story), "acme");
  await story.runs(2, ...restore, archiveAt(story), "--from", "nas");
  assert.match(
    (await story.runs(10, ...restore, story.at("none"))).err,
    /error: the file ".*none" does not exist/,
  );
  assert.deepEqual([...Deno.readDirSync(story.at("restored"))], []);
});

function archiveAt(story: Story): string {
  return story.at(`nas/acme/${story.archives()[0]}`);
}
