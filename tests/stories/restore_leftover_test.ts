import assert from "node:assert/strict";
import { denoFiles } from "../../src/base/deno_files.ts";
import { AppError } from "../../src/base/errors.ts";
import { checkRestored } from "./compare.ts";
import { Dying } from "./dying.ts";
import { names, type Story, story } from "./harness.ts";
import { memoryAccount } from "./memory_source.ts";
import { Witness } from "./witness.ts";

const MARKER = ".vaultferry-restore";

/** The arguments that restore to x, and x.partial as a restore leaves it that is killed while it extracts. */
async function killed(story: Story): Promise<{ restore: string[]; to: string; partial: string }> {
  await story.runs(0, "backup");
  const to = story.at("restored/x");
  const restore = ["restore", "--to", to, "--identity", story.key];
  // As good as killed: from here on nothing can be done.
  let off = false;
  const dead = new AppError("unknown", "killed");
  story.files = {
    create: (path, mode) => {
      off ||= names(`${to}.partial/restored`).includes("vaults") && path.endsWith("/index.tsv");
      return off ? Promise.reject(dead) : denoFiles.create(path, mode);
    },
    names: (path) => off && path.startsWith(to) ? Promise.reject(dead) : denoFiles.names(path),
    remove: (path, options) =>
      off && path.startsWith(to) ? Promise.reject(dead) : denoFiles.remove(path, options),
  };
  const { err } = await story.runs(1, ...restore);
  assert.match(err, /error: killed\n/);
  assert.match(
    err,
    /warning: what was restored so far lies in clear in ".*x\.partial": killed\nvaultferry: hint: remove it, or/,
  );
  story.files = {};
  return { restore, to, partial: `${to}.partial` };
}

story("what a killed restore left in clear is wiped by the next one to that folder", {}, async (story) => {
  const { restore, to, partial } = await killed(story);
  assert.deepEqual(names(partial), [MARKER, `${MARKER}.lock`, "restored"]);
  const witness = new Witness(`${partial}/restored`);
  const { err } = await story.runs(0, ...restore);
  assert.match(
    err,
    /warning: an earlier restore to ".*\/x" was interrupted: what it left in clear has been wiped\n/,
  );
  witness.sawItWiped();
  await checkRestored(story.service, to);
  assert.deepEqual(names(story.at("restored")), ["x"]);
});

story("it is wiped too when the archive then turns out not to open", {}, async (story) => {
  const { restore, partial } = await killed(story);
  await story.makeKey("other");
  const witness = new Witness(`${partial}/restored`);
  await story.runs(12, ...restore.slice(0, -1), story.at("safe/other"));
  witness.sawItWiped();
  assert.deepEqual(names(story.at("restored")), []);
});

story("a wiping that is itself interrupted is gone on with", {}, async (story) => {
  const { restore, partial } = await killed(story);
  let removed = 0;
  const none = new AppError("unknown", "killed again");
  story.files.remove = (path, options) =>
    path.startsWith(partial) && ++removed > 3 ? Promise.reject(none) : denoFiles.remove(path, options);
  await story.runs(1, ...restore);
  assert.ok(names(partial).includes(MARKER), "it is still known whose it is");
  story.files = {};
  await story.runs(0, ...restore);
  assert.deepEqual(names(story.at("restored")), ["x"]);
});

story("wipe takes what a killed restore left for ours", {}, async (story) => {
  const { partial } = await killed(story);
  await story.runs(0, "wipe", partial);
  assert.deepEqual(names(story.at("restored")), []);
});

story(
  "what a killed restore left is not touched when somebody has put something there",
  {},
  async (story) => {
    const { restore, partial } = await killed(story);
    const before = [...names(`${partial}/restored`)];
    const put: [string, (path: string) => void, RegExp][] = [
      ["restored/vaults/thesis.odt", (path) => Deno.writeTextFileSync(path, "precious"), /thesis\.odt/],
      ["notes.txt", (path) => Deno.writeTextFileSync(path, "precious"), /notes\.txt/],
      ["restored/link", (path) => Deno.symlinkSync(story.at("nas"), path), /restored\/link/],
      // Saved from here by a second name, which wiping would reach too.
      [
        "../saved",
        (path) => Deno.linkSync(`${partial}/restored/format.json`, path),
        /restored\/format\.json/,
      ],
    ];
    for (const [name, make, told] of put) {
      make(`${partial}/${name}`);
      const { err } = await story.runs(1, ...restore);
      assert.match(err, /error: ".*x\.partial" holds what no restore has written: /);
      assert.match(err, told);
      assert.match((await story.runs(1, "wipe", partial)).err, told);
      assert.deepEqual(names(`${partial}/restored`).filter((name) => name !== "link"), before);
      Deno.removeSync(`${partial}/${name}`);
    }
    await story.runs(0, ...restore);
  },
);

story("a folder of that name which no restore has left stays as it is", {}, async (story) => {
  await story.runs(0, "backup");
  const to = story.at("restored/x");
  const restore = ["restore", "--to", to, "--identity", story.key];
  const partial = `${to}.partial`;
  const refused = async (arm: () => void) => {
    arm();
    // Also before anything is fetched.
    const { err } = await story.runs(1, ...restore, "--from", "nas");
    assert.match(
      err,
      /error: ".*x\.partial" exists, and it is not certain that a restore left it\n.*hint: it may hold/,
    );
    assert.doesNotMatch(err, /checking the archive/);
  };
  const line = `vaultferry restore 1: a restore that has not ended; what lies here is in clear\n`;
  await refused(() => {
    Deno.mkdirSync(partial);
    Deno.writeTextFileSync(`${partial}/precious.txt`, "precious");
  });
  await refused(() => Deno.writeTextFileSync(`${partial}/${MARKER}`, "made by hand\n"));
  await refused(() => {
    Deno.writeTextFileSync(`${partial}/${MARKER}`, line);
    Deno.chmodSync(partial, 0o770);
  });
  assert.equal(Deno.readTextFileSync(`${partial}/precious.txt`), "precious");
  Deno.removeSync(partial, { recursive: true });
  await refused(() => {
    Deno.mkdirSync(story.at("restored/elsewhere"));
    Deno.symlinkSync(story.at("restored/elsewhere"), partial);
  });
  Deno.removeSync(partial);
  await refused(() => Deno.writeTextFileSync(partial, "a file"));
  Deno.removeSync(partial);
  await refused(() => {
    Deno.mkdirSync(partial, { mode: 0o700 });
    Deno.writeTextFileSync(`${partial}/${MARKER}`, line);
    // Somebody else's, who may do anything with it while root wipes.
    story.files.stat = async (path) => ({
      ...await denoFiles.stat(path),
      ...path === partial ? { uid: 65534 } : {},
    });
  });
  story.files = {};
  await story.runs(0, ...restore);
  Deno.removeSync(to, { recursive: true });
  Deno.mkdirSync(partial);
  await story.runs(0, ...restore); // an empty folder is in nobody's way
});

story("two restores to one folder do not mix", {}, async (story) => {
  await story.runs(0, "backup");
  const to = story.at("restored/x");
  const restore = ["restore", "--to", to, "--identity", story.key];
  let second: Promise<[restored: string, wiped: string]> | undefined;
  story.files.create = async (path, mode) => {
    if (!second && path.includes("/x.partial/restored/vaults/")) {
      second = Promise.all([
        story.runs(11, ...restore).then(({ err }) => err),
        story.runs(11, "wipe", "--force", `${to}.partial`).then(({ err }) => err),
      ]);
      await second;
    }
    return await denoFiles.create(path, mode);
  };
  await story.runs(0, ...restore);
  const [restored, wiped] = await second!;
  assert.match(restored, /error: another restore is writing to ".*x\.partial"\nvaultferry: hint: wait/);
  assert.match(wiped, /error: a restore is writing to ".*x\.partial"\n/);
  await checkRestored(story.service, to);
});

story("dead before any one operation on what lies in clear, the next restore to that folder goes well", {
  memory: memoryAccount(),
  inMemory: true,
}, async (story) => {
  await story.runs(0, "backup");
  const to = story.at("restored/x");
  // From the file itself: what is fetched for a restore that dies is the next backup's to sweep.
  const file = story.at(`nas/acme/${story.archives()[0]}`);
  const restore = ["restore", "--file", file, "--to", to, "--identity", story.key];
  let struck: string | undefined;
  let at = 0;
  do {
    const dying = new Dying(++at, (path) => path.startsWith(story.at("restored")));
    story.files = dying.files();
    const { code, err } = await story.run(...restore);
    story.files = {};
    struck = dying.struck;
    const where = `${struck}\n${err}`;
    assert.ok(code === 0 || struck !== undefined, where);
    // Only a whole one has the name.
    const whole = names(story.at("restored")).includes("x");
    if (whole) assert.ok(names(to).includes("manifest.json"), where);
    if (whole) Deno.removeSync(to, { recursive: true });
    const next = await story.run(...restore);
    assert.equal(next.code, 0, `${where}${next.err}`);
    assert.deepEqual(names(story.at("restored")), ["x"], where);
    Deno.removeSync(to, { recursive: true });
  } while (struck !== undefined);
  assert.ok(at > 60, "the operations are counted");
});

story(
  "everything is on the disk before the folder gets its name, and its name before the end",
  {},
  async (story) => {
    await story.runs(0, "backup");
    const steps: string[] = [];
    const root = story.at("restored/x.partial/restored");
    const short = (path: string) => path.slice(story.at("restored/").length) || ".";
    story.files = {
      create: async (path, mode) => {
        const file = await denoFiles.create(path, mode);
        if (!path.startsWith(root)) return file;
        return {
          write: file.write,
          sync: async () => {
            await file.sync();
            steps.push(`sync ${short(path)}`);
          },
          close: file.close,
        };
      },
      syncFolder: async (path) => {
        await denoFiles.syncFolder(path);
        if (path.startsWith(story.at("restored/"))) steps.push(`sync ${short(path)}`);
      },
      rename: async (from, to) => {
        if (from === root) steps.push("rename");
        await denoFiles.rename(from, to);
      },
    };
    await story.runs(0, "restore", "--to", story.at("restored/x"), "--identity", story.key);
    const at = steps.indexOf("rename");
    const before = new Set(steps.slice(0, at));
    for (const path of everythingBelow(story.at("restored/x"))) {
      const then = `sync x.partial/restored${path}`;
      assert.ok(before.has(then), then);
    }
    assert.deepEqual(steps.slice(at + 1), ["sync ."]);
  },
);

// One in the middle, and the last.
for (const name of ["vault.json", "manifest.json"]) {
  story(
    `a file that the disk does not take (${name}) fails the restore, which leaves nothing`,
    {},
    async (story) => {
      await story.runs(0, "backup");
      story.files.create = async (path, mode) => {
        const file = await denoFiles.create(path, mode);
        if (!path.endsWith(`/${name}`)) return file;
        return {
          ...file,
          sync: () => Promise.reject(new AppError("unknown", "cannot sync: input/output error")),
        };
      };
      const { err } = await story.runs(1, "restore", "--to", story.at("restored/x"), "--identity", story.key);
      assert.match(err, /error: cannot sync: input\/output error\n/);
      assert.deepEqual(names(story.at("restored")), []);
    },
  );
}

/** Paths of all files and folders, from the folder on; its own is empty. */
function everythingBelow(folder: string, below = ""): string[] {
  return [
    below,
    ...[...Deno.readDirSync(folder + below)].flatMap(({ name, isDirectory }) =>
      isDirectory ? everythingBelow(folder, `${below}/${name}`) : [`${below}/${name}`]
    ),
  ];
}
