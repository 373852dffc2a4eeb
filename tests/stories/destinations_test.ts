import assert from "node:assert/strict";
import { AppError } from "../../src/base/errors.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import { type Story, story } from "./harness.ts";
import { memoryAccount } from "./memory_source.ts";

const TWO = { memory: memoryAccount(), destinations: ["nas", "usb"] };

story("the only destination is away: the run fails, the archive waits, the next run brings both", {
  memory: memoryAccount(),
}, async (story) => {
  await story.runs(0, "backup");
  Deno.renameSync(story.at("nas"), story.at("away"));
  story.clockOffset = 60_000;
  const { err } = await story.runs(1, "backup");
  assert.ok(err.indexOf('warning: "nas" cannot be opened: ') < err.indexOf("vaultferry: sealed "), err);
  assert.match(err, /nas: failed: destination "nas": the folder ".*\/nas" does not exist\n/);
  assert.match(err, /nas: hint: mount what it is on, or create it: mkdir -p /);
  assert.equal(story.spooled().length, 1);
  assert.throws(
    () => Deno.statSync(story.at("nas")),
    Deno.errors.NotFound,
    "no new folder on the system disk",
  );

  Deno.renameSync(story.at("away"), story.at("nas"));
  story.clockOffset = 120_000;
  await story.runs(0, "backup");
  await wholeChain(story, "nas", 3);
});

story("destinations that cannot be opened are told before the export, and the backup waits for them", {
  memory: memoryAccount(),
  destinations: ["nas", "usb"],
}, async (story) => {
  for (const name of ["nas", "usb"]) Deno.removeSync(story.at(name));
  const { err } = await story.runs(1, "backup");
  assert.match(
    err,
    /warning: "nas" cannot be opened: destination "nas": the folder ".*\/nas" does not exist\n/,
  );
  assert.match(err, /warning: "usb" cannot be opened: /);
  assert.ok(err.indexOf("cannot be opened") < err.indexOf("reading items"), err);
  assert.equal(story.spooled().length, 1);
  // A dry run says so too.
  assert.match((await story.runs(2, "backup", "--dry-run")).out, /nas \(cannot be opened\), usb \(cannot/);
  // One that can be opened is enough for a backup.
  Deno.mkdirSync(story.at("nas"));
  assert.match(
    (await story.runs(4, "backup", "--dry-run")).out,
    /destinations: nas, usb \(cannot be opened\)\n/,
  );
  await story.runs(4, "backup");
  Deno.mkdirSync(story.at("usb"));
  await story.runs(0, "backup");
});

story(
  "one of two destinations is away: the other has the archive, and the next run completes the missing one",
  TWO,
  async (story) => {
    Deno.removeSync(story.at("usb"));
    const { summary } = await story.runs(4, "backup", "--json");
    assert.deepEqual(
      summary.jobs[0].destinations.map((
        { destination, state }: { destination: string; state: string },
      ) => [destination, state]),
      [["nas", "read-back"], ["usb", "failed"]],
    );
    assert.equal(story.spooled().length, 1);
    await wholeChain(story, "nas", 1, "--from", "nas");
    story.clockOffset = 60_000;
    await story.runs(4, "backup");
    assert.equal(story.spooled().length, 2);

    // What can be read can be read, although one cannot be asked.
    const list = await story.runs(4, "list");
    assert.match(list.out, /complete +nas\n/);
    assert.match(list.err, /warning: "usb" cannot be listed: .* does not exist/);
    assert.match((await story.runs(4, "verify")).out, /1 copy checked, all good/);
    story.job.destinations.reverse();
    const restore = await story.runs(0, "restore", "--to", story.at("restored/x"), "--identity", story.key);
    assert.match(restore.err, /warning: "usb" cannot give the archive: /);
    story.job.destinations.reverse();

    Deno.mkdirSync(story.at("usb"));
    story.clockOffset = 120_000;
    await story.runs(0, "backup");
    for (const name of ["nas", "usb"]) await wholeChain(story, name, 3, "--from", name);
    const third = JSON.parse(
      Deno.readTextFileSync(story.at(`usb/acme/${story.archives("usb")[2]}.manifest.json`)),
    );
    assert.deepEqual(third.receipts, { nas: [[1, 2]] });
  },
);

story("a destination that gives back other bytes has failed and gets no receipt", {
  memory: memoryAccount(),
}, async (story) => {
  story.files.stream = async (path, range) => {
    const stream = await denoFiles.stream(path, range);
    if (!/\/nas\/.*\.age$/.test(path)) return stream;
    return stream.pipeThrough(
      new TransformStream({
        transform(bytes, controller) {
          const copy = Uint8Array.from(bytes);
          copy[copy.length >> 1]! ^= 1;
          controller.enqueue(copy);
        },
      }),
    );
  };
  const { err } = await story.runs(1, "backup");
  assert.match(err, /nas: failed: "nas" does not give back what was sent: acme\/acme_\S+\.age\n/);
  assert.equal(story.spooled().length, 1);
  assert.throws(() => Deno.statSync(`${story.state}/acme/receipts.json`), Deno.errors.NotFound);
  // A disk that lied once and holds the right bytes after all.
  story.files = {};
  story.clockOffset = 60_000;
  await story.runs(0, "backup");
  await wholeChain(story, "nas", 2);
});

story(
  "a destination that is full fails without a trace, and has the archive when there is room again",
  TWO,
  async (story) => {
    story.files.create = async (path, mode) => {
      const file = await denoFiles.create(path, mode);
      if (!path.includes("/usb/")) return file;
      const write = () =>
        Promise.reject(new AppError("unknown", `cannot write "${path}": no space left on the device`));
      return { ...file, write };
    };
    const { err } = await story.runs(4, "backup");
    assert.match(err, /usb: failed: destination "usb": .*no space left on the device/);
    assert.deepEqual(story.stored("usb"), []);
    story.files = {};
    story.clockOffset = 60_000;
    await story.runs(0, "backup");
    await wholeChain(story, "usb", 2, "--from", "usb");
  },
);

story("names at a destination that are not ours are left alone and hide nothing", {
  memory: memoryAccount(),
}, async (story) => {
  story.expected.strangers =
    /^(acme\/)?(holiday\.jpg|acme_20260230T000000Z_00000000\.tar\.zst\.age|\.hidden|sub\/x)$/;
  await story.runs(0, "backup");
  Deno.mkdirSync(story.at("nas/acme/sub"));
  for (const name of ["holiday.jpg", "acme_20260230T000000Z_00000000.tar.zst.age", ".hidden", "sub/x"]) {
    Deno.writeTextFileSync(story.at(`nas/acme/${name}`), "not ours");
  }
  story.clockOffset = 60_000;
  await story.runs(0, "backup");
  await wholeChain(story, "nas", 2);
  assert.equal(Deno.readTextFileSync(story.at("nas/acme/holiday.jpg")), "not ours");
});

story("a new destination gets the archives from now on, and the old ones are not missed there", {
  memory: memoryAccount(),
}, async (story) => {
  await story.runs(0, "backup");
  Deno.mkdirSync(story.at("late"));
  story.job.destinations.push({ name: "late", type: "local", path: story.at("late") });
  story.clockOffset = 60_000;
  await story.runs(0, "backup");
  const { out } = await story.runs(0, "verify", "--archive", "all");
  assert.match(out, /3 copies checked, all good/);
});

async function wholeChain(
  story: Story,
  destination: string,
  length: number,
  ...more: string[]
): Promise<void> {
  const { summary } = await story.runs(
    0,
    "verify",
    "--archive",
    "all",
    "--identity",
    story.key,
    "--json",
    ...more,
  );
  assert.deepEqual(
    summary.jobs[0].copies.map((
      { sequence, result }: { sequence: number; result: string },
    ) => [sequence, result]),
    Array.from({ length }, (_, at) => [at + 1, "good"]),
  );
  const own = story.archives(destination).filter((name) =>
    story.stored(destination).includes(`${name}.sha256`)
  );
  assert.equal(own.length, length);
}
