/** A local folder under faults: failing calls, cancels, full and read-only disks, kill -9. */
import assert from "node:assert/strict";
import { denoFiles } from "../../src/base/deno_files.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import type { Files } from "../../src/base/world.ts";
import type { Resendable } from "../../src/destination/contract.ts";
import { bodyOf, keysOf, never, sample, within } from "../../src/destination/conformance/bench.ts";
import { body, broken, BYTES, fails, Folder, KEY, openAt } from "./local_folder.ts";

/** `create` with one method of the new file replaced. */
function file(method: "write" | "sync", replacement: (bytes?: Uint8Array) => Promise<void>): Partial<Files> {
  return { create: async (path, mode) => ({ ...await denoFiles.create(path, mode), [method]: replacement }) };
}

Deno.test("a fault at any step leaves nothing, and the next put succeeds", async () => {
  let writes = 0, folderSyncs = 0;
  const fault = broken("unknown", "cannot do it: input/output error");
  const faults: Record<string, Partial<Files>> = {
    makeFolder: { makeFolder: fault },
    names: { names: fault },
    create: { create: fault },
    "first write": file("write", fault),
    "third write": file("write", () => ++writes < 3 ? Promise.resolve() : fault()),
    fsync: file("sync", fault),
    link: { link: fault },
    "folder sync": { syncFolder: fault },
    "parent sync": { syncFolder: (path) => ++folderSyncs < 2 ? denoFiles.syncFolder(path) : fault() },
    "stat afterwards": {
      stat: (path) => /\/archive\.age$/.test(path) && exists(path) ? fault() : denoFiles.stat(path),
    },
  };
  for (const [step, files] of Object.entries(faults)) {
    await using folder = await Folder.make();
    await fails((await folder.open(files)).put(KEY, body(), never), "unknown", /input\/output error/);
    assert.deepEqual(step === "makeFolder" ? [] : folder.names(), [], step);
    const destination = await folder.open();
    assert.deepEqual(await keysOf(destination, ""), [], step);
    await destination.put(KEY, body(), never);
    folder.holds(KEY);
    assert.deepEqual(folder.names(), ["archive.age"], step);
    assert.deepEqual(folder.warnings, [], step);
  }
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

Deno.test("what is wrong with a body is said", async () => {
  await using folder = await Folder.make();
  const destination = await folder.open();
  const refused = (body: Resendable, sentence: RegExp) =>
    fails(destination.put(KEY, body, never), "corrupt", sentence);
  await refused(bodyOf(BYTES, 400_000), /"acme\/archive.age" ended after 400000 of its 500000 bytes/);
  await refused({ ...body(), size: 499_999 }, /is longer than its 499999 bytes/);
  await refused({ ...body(), sha256: sha256Hex("") }, /does not have the SHA-256 it should have/);
  const boom = bodyOf(BYTES, 100, (controller) => controller.error(new Error("boom")));
  await fails(destination.put(KEY, boom, never), "unknown", /cannot store "acme\/archive.age": boom$/);
});

Deno.test("a published file of another length is corrupt and withdrawn", async () => {
  await using folder = await Folder.make();
  const destination = await folder.open({
    async link(from, to) {
      await denoFiles.link(from, to);
      Deno.truncateSync(to, 499_999);
    },
  });
  await fails(destination.put(KEY, body(), never), "corrupt", /499999 bytes instead of 500000/);
  assert.deepEqual(folder.names(), []);
});

Deno.test("an error after another run published the same bytes removes nothing of it", async () => {
  await using folder = await Folder.make();
  const syncFolder = broken("unknown", "input/output error");
  const racing = await folder.open({
    link(from, to) {
      Deno.writeFileSync(to, BYTES);
      return denoFiles.link(from, to);
    },
    syncFolder,
  });
  await fails(racing.put(KEY, body(), never), "unknown");
  folder.holds(KEY);
  // The name may not have been durable then: a later put says yes only after it synced.
  await fails((await folder.open({ syncFolder })).put(KEY, body(), never), "unknown");
  folder.holds(KEY);
});

Deno.test("a put whose partial was taken away is worth another try and publishes nothing", async () => {
  await using folder = await Folder.make();
  const destination = await folder.open({
    link(from, to) {
      Deno.removeSync(from);
      return denoFiles.link(from, to);
    },
  });
  await fails(destination.put(KEY, body(), never), "transient", /another run took away/);
  assert.deepEqual(folder.names(), []);
});

Deno.test("a cancel ends a put that waits for the disk, and leaves nothing", async () => {
  const cases: [string, (hangs: () => Promise<never>) => Partial<Files>][] = [
    ["write", (hangs) => file("write", hangs)],
    ["fsync", (hangs) => file("sync", hangs)],
  ];
  for (const [step, files] of cases) {
    await using folder = await Folder.make();
    const cancel = new AbortController();
    const destination = await folder.open(files(() => {
      queueMicrotask(() => cancel.abort());
      return new Promise(() => {});
    }));
    await fails(within(destination.put(KEY, body(), cancel.signal), step), "cancelled");
    assert.deepEqual(folder.names(), [], step);
  }
});

Deno.test("a cancel ends the comparison with a file that hangs", async () => {
  await using folder = await Folder.make();
  await (await folder.open()).put(KEY, body(), never);
  const cancel = new AbortController();
  const destination = await folder.open({
    stream: () =>
      Promise.resolve(new ReadableStream({ pull: () => (cancel.abort(), new Promise(() => {})) })),
  });
  await fails(within(destination.put(KEY, body(), cancel.signal), "put"), "cancelled");
  folder.holds(KEY);
});

Deno.test("a file that is cut while it is read fails instead of ending", async () => {
  await using folder = await Folder.make();
  const destination = await folder.open(), bytes = sample(2_000_000);
  await destination.put(KEY, bodyOf(bytes), never);
  const reader = (await destination.get(KEY, undefined, never)).getReader();
  await reader.read();
  Deno.truncateSync(folder.file(KEY), 1_000_000);
  const rest = async () => {
    while (!(await reader.read()).done);
  };
  await fails(rest(), "corrupt", /lost its last 1000000 bytes/);
  await fails(destination.get(KEY, { start: 5, end: 4 }, never), "misconfigured", /make no range/);
  await fails(destination.get(KEY, { start: 1_000_001 }, never), "misconfigured", /make no range/);
});

/** A file system in memory of its own. */
async function mounted(
  options: string,
): Promise<{ path: string; remount(options: string): void } & AsyncDisposable> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) {
    assert.fail("this test mounts a tmpfs: it needs root on Linux");
  }
  const path = await Deno.makeTempDir({ prefix: "vaultferry-mount-" });
  const run = (program: string, ...args: string[]) => {
    const { success, stderr } = new Deno.Command(program, { args: [...args, path] }).outputSync();
    if (!success) assert.fail(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  };
  run("mount", "-t", "tmpfs", "-o", options, "tmpfs");
  return {
    path,
    remount: (options) => run("mount", "-o", `remount,${options}`),
    async [Symbol.asyncDispose]() {
      run("umount");
      await Deno.remove(path);
    },
  };
}

Deno.test("a full disk is named, and its partial removed", async () => {
  await using disk = await mounted("size=1m");
  const destination = await openAt(disk.path);
  const names = () => [...Deno.readDirSync(`${disk.path}/acme`)].map(({ name }) => name);
  await fails(destination.put(KEY, bodyOf(sample(2 << 20)), never), "unknown", /no space left on the device/);
  assert.deepEqual(names(), []);
  await destination.put(KEY, bodyOf(sample(900_000)), never);
  await fails(destination.put(`${KEY}.2`, bodyOf(sample(900_000)), never), "unknown", /no space left/);
  assert.deepEqual(names(), ["archive.age"]);
});

Deno.test("a disk without room for another file is named", async () => {
  await using disk = await mounted("nr_inodes=2");
  const destination = await openAt(disk.path);
  await fails(destination.put(KEY, body(), never), "unknown", /no space left on the device/);
  assert.deepEqual(await keysOf(destination, ""), []);
});

Deno.test("a read-only disk is read, and refuses to be written", async () => {
  await using disk = await mounted("size=2m");
  const destination = await openAt(disk.path);
  await destination.put(KEY, body(), never);
  disk.remount("ro");
  await fails(destination.put(`${KEY}.2`, body(), never), "denied", /read-only/);
  await fails(destination.put("other/key", body(), never), "denied", /read-only/);
  await fails(destination.remove(KEY, never), "denied", /read-only/);
  await destination.put(KEY, body(), never);
  assert.deepEqual(await keysOf(destination, ""), [KEY]);
});

/** A program that puts KEY and stops for ever just before `step`, after saying so. */
function stopping(path: string, step: string): string {
  const at = (file: string) => JSON.stringify(new URL(`../../${file}`, import.meta.url).href);
  return `
    import { local } from ${at("plugins/destinations/local/mod.ts")};
    import { denoWorld } from ${at("src/base/deno_world.ts")};
    import { bodyOf, sample, never } from ${at("src/destination/conformance/bench.ts")};
    const world = denoWorld();
    setInterval(() => {}, 1000);
    const stop = () => { console.log("stopped"); return new Promise(() => {}); };
    const files = { ...world.files };
    const step = ${JSON.stringify(step)};
    let writes = 0;
    if (step in files) files[step] = stop;
    else files.create = async (path, mode) => {
      const file = await world.files.create(path, mode);
      return { ...file,
        write: (bytes) => step === "write" && ++writes > 3 ? stop() : file.write(bytes),
        sync: () => step === "sync" ? stop() : file.sync(),
      };
    };
    const context = { world: { ...world, files }, warn() {}, secret() {} };
    const destination = await local.open("nas", { path: ${JSON.stringify(path)} }, context, never);
    await destination.put(${JSON.stringify(KEY)}, bodyOf(sample(500_000)), never);
    Deno.exit(1); // the step was never reached
  `;
}

for (const step of ["write", "sync", "chmod", "link", "remove", "syncFolder"]) {
  Deno.test(`kill -9 just before ${step} leaves a partial or the whole, and the next put succeeds`, async () => {
    await using folder = await Folder.make();
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--ext=ts", "--no-check", stopping(folder.path, step)],
      cwd: new URL("../../", import.meta.url),
      stdout: "piped",
    }).spawn();
    const said = child.stdout.getReader();
    const { value } = await said.read();
    child.kill("SIGKILL");
    await child.status;
    await said.cancel();
    assert.match(new TextDecoder().decode(value), /stopped/);

    const published = step === "remove" || step === "syncFolder";
    const destination = await folder.open();
    assert.deepEqual(await keysOf(destination, ""), published ? [KEY] : []);
    if (published) folder.holds(KEY);
    const partials = folder.names().filter((name) => name !== "archive.age");
    assert.equal(partials.length, step === "syncFolder" ? 0 : 1);
    assert.ok(partials.every((name) => /^\.archive\.age\.[0-9a-f]{16}\.partial$/.test(name)));

    await destination.put(KEY, body(), never);
    folder.holds(KEY);
    assert.deepEqual(folder.names(), ["archive.age"]);
  });
}
