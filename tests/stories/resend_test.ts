/** Earlier archives go to destinations that lack them, from the spool or from a copy that verifies. */
import assert from "node:assert/strict";
import { AppError } from "../../src/base/errors.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import { type Line, type Story, story } from "./harness.ts";
import { memoryAccount } from "./memory_source.ts";

const one = () => ({ memory: memoryAccount(), destinations: ["nas"] });
const two = () => ({ memory: memoryAccount(), destinations: ["nas", "usb"] });

story("a new destination is filled with all old archives, byte by byte the same", one(), async (story) => {
  await backups(story, 3);
  addDestination(story, "late");
  const dry = await story.runs(0, "backup", "--resend", "--dry-run");
  assert.equal(dry.out.match(/ late +\S+ \S+ +nas +would be sent\n/g)?.length, 3, dry.out);
  assert.match(dry.out, /nothing was sent\n$/);
  assert.deepEqual(story.stored("late"), []);

  const sources = opened(story);
  const { summary } = await story.runs(0, "backup", "--resend", "--json");
  assert.equal(sources.count, 0, "1Password was asked");
  assert.deepEqual(
    summary.jobs[0].copies.map((one: Line) => [one.archive, one.destination, one.from, one.state]),
    story.archives("nas").map((name) => [name, "late", "nas", "read-back"]),
  );
  assert.deepEqual(story.stored("late"), story.stored("nas"));
  for (const name of story.stored("nas")) {
    assert.deepEqual(
      Deno.readFileSync(story.at(`late/acme/${name}`)),
      Deno.readFileSync(story.at(`nas/acme/${name}`)),
    );
  }
  assert.deepEqual(receipts(story), { nas: [[1, 3]], late: [[1, 3]] });
  assert.deepEqual([...Deno.readDirSync(`${story.state}/acme/fetched`)], []);
  await story.runs(0, "verify", "--archive", "all", "--identity", story.key);
  const again = await story.runs(0, "backup", "--resend");
  assert.match(again.out, /^nothing is missing: 3 archives at 2 destinations\n$/);
});

story("a disk that was replaced gets the records back, of this host and of others", two(), async (story) => {
  await backups(story, 1);
  const old = Deno.readTextFileSync(`${story.state}/signer.pub`).trim();
  await story.runs(0, "keys", "rotate");
  await backups(story, 1);
  const host = story.state;
  // Another host, which signs a record and no archive.
  Object.assign(story.config, { state: story.at("host/other"), signers: [old] });
  await story.runs(0, "keys", "trust");
  const others = Deno.readTextFileSync(story.at("host/other/signer.pub")).trim();
  Object.assign(story.config, { state: host, signers: [others] });
  Deno.removeSync(story.at("usb"), { recursive: true });
  Deno.mkdirSync(story.at("usb"));

  const dry = await story.runs(0, "backup", "--resend", "--dry-run");
  assert.equal(
    dry.out.match(/record\.json +usb +\S+ \S+ +(state|nas) +would be sent\n/g)?.length,
    2,
    dry.out,
  );
  const { out } = await story.runs(0, "backup", "--resend");
  assert.match(out, /record\.json +usb +\S+ \S+ +state +sent and read back\n/);
  assert.match(out, /record\.json +usb +\S+ \S+ +nas +sent and read back\n/);
  assert.deepEqual(story.stored("usb"), story.stored("nas"));
  assert.match((await story.runs(0, "backup", "--resend")).out, /^nothing is missing/);
  Object.assign(story.config, { state: story.at("host/none"), signers: [old, others] });
  await story.runs(0, "verify", "--archive", "all", "--from", "usb");
});

story("a record that is damaged is told and never replaced", two(), async (story) => {
  await backups(story, 1);
  await story.runs(0, "accept", "acme", story.archives()[0]!);
  const name = story.stored("usb").find((one) => one.endsWith(".record.json"))!;
  const path = story.at(`usb/acme/${name}`);
  const damaged = Deno.readTextFileSync(path).replace("accept", "occept");
  Deno.writeTextFileSync(path, damaged);
  story.expected.damaged = true;
  const { err } = await story.runs(15, "backup", "--resend");
  assert.match(err, /record\.json at "usb": /);
  assert.equal(Deno.readTextFileSync(path), damaged);
  for (const ending of ["", ".sig"]) Deno.removeSync(path + ending);
  await story.runs(0, "backup", "--resend");
  await story.runs(0, "verify", "--archive", "all");
});

story("of all archives one can be meant, by name or as the latest", one(), async (story) => {
  await backups(story, 3);
  addDestination(story, "late");
  const [first, second, third] = story.archives("nas");
  await story.runs(0, "backup", "--resend", "--archive", "latest");
  assert.deepEqual(story.archives("late"), [third]);
  await story.runs(0, "backup", "--resend", "--archive", first!.replace(/\.tar\..*/, ""));
  assert.deepEqual(story.archives("late"), [first, third]);
  assert.match(
    (await story.runs(10, "backup", "--resend", "--archive", "nothing")).err,
    /no archive "nothing"/,
  );
  assert.match(
    (await story.runs(2, "backup", "--archive", second!)).err,
    /"--archive" says which archives "--resend"/,
  );
});

story("what waits in the spool is sent without a backup", two(), async (story) => {
  Deno.removeSync(story.at("usb"));
  await story.runs(4, "backup");
  Deno.mkdirSync(story.at("usb"));
  const { summary } = await story.runs(0, "backup", "--resend", "--json");
  const copies = summary.jobs[0].copies;
  assert.deepEqual(copies.map((one: Line) => [one.destination, one.from, one.state]), [[
    "usb",
    undefined,
    "read-back",
  ]]);
  assert.deepEqual(story.spooled(), []);
  assert.deepEqual(receipts(story), { nas: [[1, 1]], usb: [[1, 1]] });
});

story("a damaged copy is never a source: the next one is taken, or none, and it is said", {
  memory: memoryAccount(),
  destinations: ["nas", "usb"],
}, async (story) => {
  await backups(story, 1);
  const [archive] = story.archives("nas");
  damage(story.at(`nas/acme/${archive}`));
  story.expected.damaged = true;
  addDestination(story, "late");
  const { out, err, code } = await story.run("backup", "--resend");
  assert.equal(code, 15, err);
  assert.match(err, /warning: \S+ at "nas": the copy of ".*" at "nas" is damaged\n/);
  assert.match(out, / late +\S+ \S+ +usb +sent and read back\n/);
  assert.deepEqual(
    Deno.readFileSync(story.at(`late/acme/${archive}`)),
    Deno.readFileSync(story.at(`usb/acme/${archive}`)),
  );
  damage(story.at(`usb/acme/${archive}`));
  damage(story.at(`late/acme/${archive}`));
  addDestination(story, "later");
  const none = await story.runs(15, "backup", "--resend");
  assert.match(none.out, / later +\S+ \S+ +failed: no copy of it is what its host signed\n/);
  assert.deepEqual(story.stored("later"), []);
});

story(
  "another object of that name, or a copy of another length, is reported and never replaced",
  two(),
  async (story) => {
    story.expected.damaged = true;
    await backups(story, 2);
    const [first, second] = story.archives("nas");
    const at = (name: string, part = "") => story.at(`usb/acme/${name}${part}`);
    Deno.writeTextFileSync(at(first!), "somebody else's");
    for (const part of ["", ".sha256", ".manifest.json.sig"]) Deno.removeSync(at(second!, part));
    Deno.writeTextFileSync(at(second!, ".manifest.json"), "{}\n");
    Deno.removeSync(`${story.state}/acme/receipts.json`);
    const { err, summary } = await story.runs(15, "backup", "--resend", "--json");
    assert.equal(Deno.readTextFileSync(at(first!)), "somebody else's");
    assert.equal(Deno.readTextFileSync(at(second!, ".manifest.json")), "{}\n");
    const { copies, doubts } = summary.jobs[0];
    assert.deepEqual(doubts.map((one: Line) => [one.archive, one.destination]), [[first, "usb"]], err);
    assert.match(doubts[0].message, /15 bytes are there instead of \d+/);
    const failed = copies.filter((one: Line) => one.state === "failed");
    assert.deepEqual(failed.map((one: Line) => [one.archive, one.destination, one.code]), [
      [second, "usb", "already-exists"],
    ]);
    story.expected.unfinished = 1;
  },
);

story(
  "a copy that is not signed by somebody we trust is neither sent nor completed",
  one(),
  async (story) => {
    story.expected.damaged = true;
    await backups(story, 1);
    const [archive] = story.archives("nas");
    Deno.removeSync(`${story.state}/acme`, { recursive: true });
    for (const name of ["signer.key", "signer.pub"]) Deno.removeSync(`${story.state}/${name}`);
    addDestination(story, "late");
    const { err, out } = await story.runs(15, "backup", "--resend");
    assert.match(
      err,
      new RegExp(`warning: ${archive} at "nas": signed by SHA256:\\S+, which is not a trusted signer`),
    );
    assert.match(out, /^nothing was sent\n$/);
    assert.deepEqual(story.stored("late"), []);
  },
);

story(
  "on another computer that trusts the host the copies of its archives are completed",
  one(),
  async (story) => {
    await backups(story, 2);
    const signer = (await story.runs(0, "keys", "signer")).out.trim();
    Deno.renameSync(story.state, story.at("safe/state"));
    story.config.signers = [signer];
    addDestination(story, "late");
    await story.runs(0, "backup", "--resend");
    assert.deepEqual(story.stored("late"), story.stored("nas"));
    // It is not this host's chain, so it keeps no receipts of it.
    assert.throws(() => Deno.statSync(`${story.state}/acme/receipts.json`), Deno.errors.NotFound);
    await story.runs(0, "verify", "--archive", "all", "--from", "late");
  },
);

story(
  "an archive that was removed somewhere stays away, unless it is asked for by name",
  two(),
  async (story) => {
    story.expected.damaged = true;
    await backups(story, 2);
    const [first] = story.archives("usb");
    for (const part of ["", ".sha256"]) Deno.removeSync(story.at(`usb/acme/${first}${part}`));
    assert.match((await story.runs(0, "backup", "--resend")).out, /^nothing is missing/);
    await story.runs(0, "backup", "--resend", "--archive", first!);
    assert.deepEqual(story.stored("usb"), story.stored("nas"));
  },
);

story(
  "what is there without a receipt is compared and gets one; nothing is sent twice",
  two(),
  async (story) => {
    await backups(story, 2);
    Deno.writeTextFileSync(`${story.state}/acme/receipts.json`, '{"nas":[[1,2]],"usb":[[2,2]]}\n');
    let written = 0;
    story.files.create = (path, mode) => {
      if (path.includes("/usb/")) written++;
      return denoFiles.create(path, mode);
    };
    const { summary } = await story.runs(0, "backup", "--resend", "--json");
    assert.deepEqual(summary.jobs[0].copies.map((one: Line) => [one.destination, one.state]), [[
      "usb",
      "read-back",
    ]]);
    assert.equal(written, 0);
    assert.deepEqual(receipts(story), { nas: [[1, 2]], usb: [[1, 2]] });
  },
);

story("a destination that is away is not filled, and the others are", one(), async (story) => {
  await backups(story, 1);
  addDestination(story, "late");
  addDestination(story, "later");
  Deno.removeSync(story.at("later"));
  const { err } = await story.runs(4, "backup", "--resend");
  assert.match(err, /warning: "later" cannot be looked at: .* does not exist/);
  assert.deepEqual(story.stored("late"), story.stored("nas"));
  Deno.mkdirSync(story.at("later"));
  // One that is full fails alone, and leaves nothing half.
  story.files.create = async (path, mode) => {
    const file = await denoFiles.create(path, mode);
    const write = () =>
      Promise.reject(new AppError("quota", `cannot write "${path}": no space left on the device`));
    return path.includes("/later/") ? { ...file, write } : file;
  };
  const full = await story.runs(1, "backup", "--resend");
  assert.match(full.err, /later: failed \(.*, from an earlier run\): destination "later": .*no space left/);
  assert.deepEqual(story.stored("later"), []);
  story.files = {};
  await story.runs(0, "backup", "--resend");
});

story("there is nothing to send where there is no archive", one(), async (story) => {
  assert.match((await story.runs(10, "backup", "--resend")).out, /^no archive of job "acme"\n$/);
});

async function backups(story: Story, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    await story.runs(0, "backup");
    story.clockOffset += 60_000;
  }
}

function addDestination(story: Story, name: string): void {
  Deno.mkdirSync(story.at(name));
  story.job.destinations.push({ name, type: "local", path: story.at(name) });
  story.destinations.push(name);
}

/** Counts how often the source is opened from now on. */
function opened(story: Story): { count: number } {
  const seen = { count: 0 };
  const [source] = story.registry.sources;
  const counting = {
    ...source!,
    open: (...args: Parameters<NonNullable<typeof source>["open"]>) => {
      seen.count++;
      return source!.open(...args);
    },
  };
  story.registry = { ...story.registry, sources: [counting] };
  return seen;
}

function receipts(story: Story): unknown {
  return JSON.parse(Deno.readTextFileSync(`${story.state}/acme/receipts.json`));
}

function damage(path: string): void {
  const bytes = Deno.readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  Deno.writeFileSync(path, bytes);
}
