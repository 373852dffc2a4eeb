import assert from "node:assert/strict";
import { AppError } from "../../src/base/errors.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import type { World } from "../../src/base/world.ts";
import { wipe } from "../../src/host/wipe.ts";
import { wipeLeftovers } from "../../src/jobs/wipe.ts";
import { failure } from "../base/failure.ts";
import { Scratch } from "../base/scratch.ts";

const SECRET = "fake-secret-that-must-go";
const signal = new AbortController().signal;

/** Remembers every byte that goes over a file, and in which order things happen to it. */
function watched(): { world: World; steps: string[]; written: Uint8Array[] } {
  const world = denoWorld();
  const steps: string[] = [];
  const written: Uint8Array[] = [];
  const files: World["files"] = {
    ...world.files,
    overwrite: async (path) => {
      const file = await world.files.overwrite(path);
      return {
        write: async (bytes) => {
          written.push(bytes.slice());
          steps.push("write");
          await file.write(bytes);
        },
        sync: async () => {
          await file.sync();
          // What lies on the disk now is noise, under the old name still.
          assert.ok(!new TextDecoder().decode(await Deno.readFile(path)).includes(SECRET));
          steps.push("sync");
        },
        close: () => file.close(),
      };
    },
    rename: async (from, to) => {
      steps.push("rename");
      await world.files.rename(from, to);
    },
    remove: async (path, options) => {
      steps.push("remove");
      await world.files.remove(path, options);
    },
  };
  return { world: { ...world, files }, steps, written };
}

Deno.test("a file is overwritten to the end of its last block, synced, renamed and removed, in this order", async () => {
  await using scratch = await Scratch.make();
  const path = await scratch.write("key.txt", new TextEncoder().encode(SECRET.repeat(300)));
  const { world, steps, written } = watched();
  const wiped = await wipe(world, path, signal);
  assert.deepEqual(steps, ["write", "sync", "rename", "remove"]);
  assert.equal(written.reduce((sum, bytes) => sum + bytes.length, 0), 8192);
  assert.deepEqual({ files: wiped.files, bytes: wiped.bytes }, { files: 1, bytes: SECRET.length * 300 });
  await assert.rejects(Deno.lstat(path), Deno.errors.NotFound);
});

Deno.test("what goes over a file is another noise for every piece", async () => {
  await using scratch = await Scratch.make();
  const path = await scratch.write("big", new Uint8Array(3 * 1024 * 1024));
  const { world, written } = watched();
  await wipe(world, path, signal);
  assert.equal(written.length, 3);
  for (const bytes of written) assert.ok(new Set(bytes).size > 200, "noise has nearly every byte");
  assert.notDeepEqual(written[0], written[1]);
});

Deno.test("a folder goes with everything below it; links are removed and what they point to stays", async () => {
  await using scratch = await Scratch.make();
  const outside = await scratch.write("outside.txt", new TextEncoder().encode("stays"));
  await Deno.mkdir(`${scratch.path}/restored/vaults/v1`, { recursive: true });
  await Deno.writeTextFile(`${scratch.path}/restored/vaults/v1/vault.json`, SECRET);
  await Deno.symlink(outside, `${scratch.path}/restored/link`);
  const wiped = await wipe(denoWorld(), `${scratch.path}/restored`, signal);
  assert.equal(wiped.files, 1);
  await assert.rejects(Deno.lstat(`${scratch.path}/restored`), Deno.errors.NotFound);
  assert.equal(await Deno.readTextFile(outside), "stays");
});

Deno.test("a file with a second name is refused before anything is touched", async () => {
  await using scratch = await Scratch.make();
  await Deno.mkdir(`${scratch.path}/restored`);
  await Deno.writeTextFile(`${scratch.path}/restored/a`, SECRET);
  await Deno.writeTextFile(`${scratch.path}/elsewhere`, "precious");
  await Deno.link(`${scratch.path}/elsewhere`, `${scratch.path}/restored/b`);
  await failure(wipe(denoWorld(), `${scratch.path}/restored`, signal), "denied", /second name/);
  assert.equal(await Deno.readTextFile(`${scratch.path}/restored/a`), SECRET);
  assert.equal(await Deno.readTextFile(`${scratch.path}/elsewhere`), "precious");
});

Deno.test("of what is ours nothing is spared: second names, sockets, pipes, what must not be written to", async () => {
  await using scratch = await Scratch.make();
  const outside = await scratch.write("outside.txt", "stays");
  const folder = `${scratch.path}/private`;
  await Deno.mkdir(`${folder}/closed/deep`, { recursive: true });
  await Deno.writeTextFile(`${folder}/first`, SECRET);
  await Deno.link(`${folder}/first`, `${folder}/second`);
  await Deno.writeTextFile(`${folder}/closed/deep/readonly`, SECRET, { mode: 0o400 });
  await Deno.chmod(`${folder}/closed`, 0o500);
  await Deno.symlink(outside, `${folder}/link`);
  await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
  Deno.listen({ transport: "unix", path: `${folder}/socket` }).close();
  const held = [`${folder}/second`, `${folder}/closed/deep/readonly`].map((path) => Deno.openSync(path));
  assert.equal((await Deno.lstat(`${folder}/pipe`)).isFifo, true);
  await failure(wipe(denoWorld(), folder, signal), ["unsupported", "denied"], /neither file|second name/);
  const { files } = await wipe(denoWorld(), folder, signal, { ours: true });
  assert.equal(files, 3);
  await assert.rejects(Deno.lstat(folder), Deno.errors.NotFound);
  assert.equal(await Deno.readTextFile(outside), "stays");
  for (const file of held) {
    using _ = file;
    const bytes = new Uint8Array(SECRET.length);
    assert.equal(file.readSync(bytes), SECRET.length);
    assert.notEqual(new TextDecoder().decode(bytes), SECRET);
  }
});

Deno.test("a user who is not root wipes what is ours and must not be written to", async () => {
  await using scratch = await Scratch.make();
  await Deno.mkdir(`${scratch.path}/private/closed`, { recursive: true });
  await Deno.writeTextFile(`${scratch.path}/private/closed/readonly`, SECRET, { mode: 0o400 });
  await Deno.chmod(`${scratch.path}/private/closed`, 0o500);
  // What the system refuses to anybody but root; this test may be root.
  const real = denoWorld();
  const writable = (path: string) => (Deno.lstatSync(path).mode! & 0o200) !== 0;
  const refused = (path: string) => new AppError("denied", `${path}: permission denied`);
  const parent = (path: string) => path.slice(0, path.lastIndexOf("/"));
  const files: World["files"] = {
    ...real.files,
    overwrite: (path) => writable(path) ? real.files.overwrite(path) : Promise.reject(refused(path)),
    remove: (path) => writable(parent(path)) ? real.files.remove(path) : Promise.reject(refused(path)),
    rename: (from, to) =>
      writable(parent(from)) ? real.files.rename(from, to) : Promise.reject(refused(from)),
  };
  await wipe({ ...real, files }, `${scratch.path}/private`, signal, { ours: true });
  assert.deepEqual(scratch.names(), []);
});

Deno.test("what is ours and cannot be overwritten is removed all the same, and that is an error", async () => {
  await using scratch = await Scratch.make();
  await Deno.mkdir(`${scratch.path}/private`);
  for (const name of ["a", "b", "c"]) await scratch.write(`private/${name}`, SECRET);
  const real = denoWorld();
  const full = new AppError("unknown", "no space left on the device");
  let overwritten = 0;
  const overwrite: World["files"]["overwrite"] = (path) => {
    if (++overwritten === 2) return Promise.reject(full);
    return real.files.overwrite(path);
  };
  const world = { ...real, files: { ...real.files, overwrite } };
  assert.equal(
    await failure(wipe(world, `${scratch.path}/private`, signal, { ours: true }), "unknown"),
    full,
  );
  assert.equal(overwritten, 3);
  assert.deepEqual(scratch.names(), []);
});

Deno.test("a link is never written through", async () => {
  await using scratch = await Scratch.make();
  await Deno.writeTextFile(`${scratch.path}/precious`, "precious");
  await Deno.symlink(`${scratch.path}/precious`, `${scratch.path}/link`);
  await failure(denoWorld().files.overwrite(`${scratch.path}/link`), "denied", /not a regular file/);
  await wipe(denoWorld(), `${scratch.path}/link`, signal);
  assert.equal(await Deno.readTextFile(`${scratch.path}/precious`), "precious");
});

Deno.test("a folder with something that vaultferry did not write needs to be asked for by force", async () => {
  await using scratch = await Scratch.make();
  const folder = `${scratch.path}/restored`;
  await Deno.mkdir(`${folder}/vaults/v1/items`, { recursive: true });
  await Deno.writeTextFile(`${folder}/vaults/v1/items/i1.json`, SECRET);
  await Deno.writeTextFile(`${folder}/vaults/v1/thesis.odt`, "precious");
  await failure(wipeLeftovers(denoWorld(), folder, false, signal), "denied", /vaults\/v1\/thesis\.odt/);
  assert.equal(await Deno.readTextFile(`${folder}/vaults/v1/items/i1.json`), SECRET);
  await wipeLeftovers(denoWorld(), `${folder}/`, true, signal);
  await assert.rejects(Deno.lstat(folder), Deno.errors.NotFound);
});

Deno.test("what a restore leaves is known as ours, files that were cut short too", async () => {
  await using scratch = await Scratch.make();
  const folder = `${scratch.path}/restored`;
  await Deno.mkdir(`${folder}/vaults/v1/files/i1`, { recursive: true });
  await Deno.writeTextFile(`${folder}/vaults/v1/files/i1/f1.incomplete`, SECRET);
  await Deno.writeTextFile(`${folder}/index.tsv`, SECRET);
  assert.equal((await wipeLeftovers(denoWorld(), folder, false, signal)).files, 2);
});

Deno.test("roots and the current folder are never wiped, force or not", async () => {
  for (const path of ["/", "//", "C:", "C:\\", ".", "./", ".."]) {
    await failure(wipeLeftovers(denoWorld(), path, true, signal), "misconfigured", /never wiped/);
  }
});

Deno.test("file systems that write to new places are told", async () => {
  await using scratch = await Scratch.make();
  const world = denoWorld();
  for (const [kind, doubt] of [["btrfs", "btrfs"], ["ext4", undefined], [undefined, undefined]] as const) {
    const path = await scratch.write("f", new Uint8Array(1));
    const files = { ...world.files, fileSystem: () => Promise.resolve(kind) };
    assert.equal((await wipe({ ...world, files }, path, signal)).doubt, doubt);
  }
});

Deno.test("a link to a restored folder is refused, because wiping it would leave everything", async () => {
  await using scratch = await Scratch.make();
  await Deno.mkdir(`${scratch.path}/restored/vaults`, { recursive: true });
  await Deno.symlink(`${scratch.path}/restored`, `${scratch.path}/link`);
  for (const path of ["link", "link/"]) {
    const call = wipeLeftovers(denoWorld(), `${scratch.path}/${path}`, true, signal);
    const { hint } = await failure(call, "unsupported", /is a link/);
    assert.ok(hint?.endsWith("/restored"));
  }
});

Deno.test("a key, an archive or any other single file is wiped only by force", async () => {
  await using scratch = await Scratch.make();
  const key = await scratch.write("anna.key", "AGE-SECRET-KEY-1FAKE");
  await failure(wipeLeftovers(denoWorld(), key, false, signal), "denied", /single file/);
  assert.equal(await Deno.readTextFile(key), "AGE-SECRET-KEY-1FAKE");
  await wipeLeftovers(denoWorld(), key, true, signal);
  await assert.rejects(Deno.lstat(key), Deno.errors.NotFound);
});

Deno.test("a stranger's folder that happens to use our names is not taken for a restore", async () => {
  await using scratch = await Scratch.make();
  await Deno.mkdir(`${scratch.path}/extension`);
  for (const name of ["manifest.json", "README.txt"]) await scratch.write(`extension/${name}`, "{}");
  await failure(
    wipeLeftovers(denoWorld(), `${scratch.path}/extension`, false, signal),
    "denied",
    /does not look like/,
  );
  assert.deepEqual(scratch.names("extension"), ["README.txt", "manifest.json"]);
});
