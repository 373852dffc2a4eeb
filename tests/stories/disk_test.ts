import assert from "node:assert/strict";
import { names, story } from "./harness.ts";
import { memoryAccount, memoryItem } from "./memory_source.ts";

const MIB = 1024 * 1024;

/** A file of 3 MiB that no compression makes smaller. */
function large() {
  const account = memoryAccount();
  const bytes = new Uint8Array(3 * MIB);
  for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  account.vaults.push({ id: "v3", items: [memoryItem("v3", "big", [{ id: "big", size: bytes.length }])] });
  account.open = (_, file) =>
    new ReadableStream({
      start(controller) {
        if (file.id === "big") {
          for (let at = 0; at < bytes.length; at += MIB) controller.enqueue(bytes.slice(at, at + MIB));
        } else controller.enqueue(new TextEncoder().encode(`body of ${file.id}\n`));
        controller.close();
      },
    });
  return account;
}

story("a disk that is full while the archive is spooled fails the run and leaves nothing", {
  memory: large(),
}, async (story) => {
  Deno.mkdirSync(story.state);
  await using disk = await Disk.mount(story.state, "1m");
  const { err } = await story.runs(1, "backup");
  assert.match(err, /error: cannot write ".*\/spool\/acme_.*\.partial": no space left on the device\n/);
  assert.deepEqual(story.spooled(), []);
  assert.deepEqual(story.stored(), []);
  assert.deepEqual(names(`${story.state}/acme/chain`), []);
  await disk.resize("32m");
  await story.runs(0, "backup");
  await story.runs(0, "verify", "--identity", story.key);
  story.expected.check(story);
});

story("a disk without room for one more byte does not break the chain", {
  memory: memoryAccount(),
}, async (story) => {
  Deno.mkdirSync(story.state);
  await using disk = await Disk.mount(story.state, "1m");
  await story.runs(0, "backup");
  Deno.writeFileSync(`${story.state}/filler`, new Uint8Array(0), { mode: 0o600 });
  await fill(`${story.state}/filler`);
  const { err } = await story.runs(1, "backup");
  assert.match(err, /no space left on the device/);
  Deno.removeSync(`${story.state}/filler`);
  await disk.resize("32m");
  story.clockOffset = 60_000;
  await story.runs(0, "backup");
  const { summary } = await story.runs(0, "verify", "--archive", "all", "--json");
  assert.deepEqual(summary.jobs[0].copies.map((copy: { sequence: number }) => copy.sequence), [1, 2]);
  story.expected.check(story);
});

story("a destination whose disk is full keeps nothing half and gets the archive when there is room", {
  memory: large(),
}, async (story) => {
  await using disk = await Disk.mount(story.at("nas"), "1m");
  const { err } = await story.runs(1, "backup");
  assert.match(err, /nas: failed: destination "nas": .*no space left on the device/);
  assert.deepEqual(story.stored().filter((name) => name !== "HOW-TO-OPEN.txt"), []);
  assert.equal(story.spooled().length, 1);
  await disk.resize("32m");
  story.clockOffset = 60_000;
  await story.runs(0, "backup");
  const { out } = await story.runs(0, "verify", "--archive", "all", "--identity", story.key);
  assert.match(out, /2 copies checked, all good/);
  story.expected.check(story);
});

story(
  "a destination that can only be read fails without a trace",
  { memory: memoryAccount() },
  async (story) => {
    await using disk = await Disk.mount(story.at("nas"), "1m");
    await disk.remount("ro");
    const { err } = await story.runs(1, "backup");
    assert.match(err, /nas: failed: destination "nas": .*the file system is read-only/);
    await disk.remount("rw");
    story.clockOffset = 60_000;
    await story.runs(0, "backup");
    story.expected.check(story);
  },
);

/** Takes the last byte of the disk. */
async function fill(path: string): Promise<void> {
  using file = await Deno.open(path, { append: true });
  for (let size = 65_536; size >= 1;) {
    try {
      await file.write(new Uint8Array(size));
    } catch {
      size = Math.floor(size / 2);
    }
  }
}

/** A real disk of a size of its own, in memory. */
class Disk implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async mount(path: string, size: string): Promise<Disk> {
    await mount(["-t", "tmpfs", "-o", `size=${size},mode=700`, "tmpfs", path]);
    return new Disk(path);
  }

  resize(size: string): Promise<void> {
    return this.remount(`size=${size}`);
  }

  remount(option: string): Promise<void> {
    return mount(["-o", `remount,${option}`, this.path]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Deno.Command("umount", { args: [this.path] }).output();
  }
}

async function mount(args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("mount", { args }).output();
  assert.ok(
    success,
    `this story needs a small disk, and so root: mount: ${new TextDecoder().decode(stderr)}`,
  );
}
