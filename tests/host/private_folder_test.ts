import assert from "node:assert/strict";
import { denoFiles } from "../../src/base/deno_files.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { AppError } from "../../src/base/errors.ts";
import type { Files, World } from "../../src/base/world.ts";
import { Journal } from "../../src/host/journal.ts";
import { PrivateFolders } from "../../src/host/private_folder.ts";
import { failure } from "../base/failure.ts";
import { Scratch, worldWith } from "../base/scratch.ts";

const NAME = /^vaultferry-[0-9a-f]{32}$/;

interface Given {
  /** What `$RUNTIME_DIRECTORY` is; a folder `run` in the scratch when left out. */
  runtime?: string | undefined;
  files?: Partial<Files>;
  world?: Partial<World>;
  /** Which folders of the scratch are in memory; all of them, and /dev/shm, when left out. */
  memory?: string[];
}

/** A host in a scratch folder: `run` is its runtime directory, `state` its state folder. */
class Host {
  readonly warnings: string[] = [];
  #journal: Journal | undefined;

  constructor(readonly scratch: Scratch) {}

  static async make(): Promise<Host> {
    const host = new Host(await Scratch.make());
    for (const name of ["run", "state"]) await Deno.mkdir(host.scratch.file(name), { mode: 0o700 });
    return host;
  }

  /** A run that begins: it reads the journal. */
  async begin({ runtime = this.scratch.file("run"), files = {}, world = {}, memory }: Given = {}) {
    const real = worldWith({
      fileSystem: (path) => {
        const inMemory = memory?.map((name) => name.startsWith("/") ? name : this.scratch.file(name));
        return Promise.resolve(!inMemory || inMemory.includes(path) ? "tmpfs" : "ext4");
      },
      ...files,
    }, { env: (name) => name === "RUNTIME_DIRECTORY" ? runtime || undefined : undefined, ...world });
    this.#journal = await Journal.load(real, this.scratch.file("state/journal.jsonl"));
    const warn = (message: string) => void this.warnings.push(message);
    return new PrivateFolders(real, { journal: this.#journal, state: this.scratch.file("state"), warn });
  }

  /** Paths that the journal knows as begun and unfinished. */
  async unfinished(): Promise<string[]> {
    const journal = await Journal.load(denoWorld(), this.scratch.file("state/journal.jsonl"));
    return journal.unfinished().map((one) => one.what === "folder" ? one.path : one.what);
  }

  /** A folder that a killed run has left at this path, with a secret in it. */
  async left(path: string): Promise<string> {
    const journal = await Journal.load(denoWorld(), this.scratch.file("state/journal.jsonl"));
    await journal.begin({ what: "folder", path });
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
    await Deno.writeTextFile(`${path}/secret`, "made-up-secret");
    return path;
  }

  async [Symbol.asyncDispose]() {
    await this.scratch[Symbol.asyncDispose]();
  }
}

const LEFT = "vaultferry-00112233445566778899aabbccddeeff";

Deno.test("a folder is in the journal, durably, before there is one, and no longer when it is gone", async () => {
  await using host = await Host.make();
  const steps: string[] = [];
  const folders = await host.begin({
    files: {
      append: async (path, mode) => {
        const file = await denoFiles.append(path, mode);
        return { ...file, sync: () => file.sync().then(() => void steps.push("journal")) };
      },
      makeFolder: async (path, mode) => {
        assert.deepEqual(await host.unfinished(), [path]);
        steps.push("folder");
        await denoFiles.makeFolder(path, mode);
      },
      remove: async (path) => {
        await denoFiles.remove(path);
        if (!path.endsWith("/empty")) steps.push("removed"); // that it can be written to was tried
      },
    },
  });
  const folder = await folders.make();
  assert.deepEqual(steps, ["journal", "folder"]);
  assert.match(folder.path.slice(host.scratch.file("run/").length), NAME);
  assert.equal(Deno.statSync(folder.path).mode! & 0o7777, 0o700);
  await Deno.writeTextFile(`${folder.path}/secret`, "made-up-secret");
  await folder[Symbol.asyncDispose]();
  assert.deepEqual(steps.slice(2), ["removed", "removed", "journal"]);
  assert.deepEqual([await host.unfinished(), host.scratch.names("run"), host.warnings], [[], [], []]);
  await folder[Symbol.asyncDispose]();
  await folders[Symbol.asyncDispose]();
  assert.equal(steps.length, 5, "once is enough");
});

Deno.test("a wide umask or a narrow one, the folder is its owner's alone or not there", async () => {
  await using host = await Host.make();
  const folders = await host.begin();
  const umask = Deno.umask(0);
  try {
    assert.equal(Deno.statSync((await folders.make()).path).mode! & 0o777, 0o700);
    await folders[Symbol.asyncDispose]();
    Deno.umask(0o277);
    const none = await host.begin();
    await failure(none.make(), "denied", /did not become a folder for this program alone/);
  } finally {
    Deno.umask(umask);
  }
  assert.deepEqual([await host.unfinished(), host.scratch.names("run")], [[], []]);
});

Deno.test("folders that were forgotten go with the run, and later ones are refused", async () => {
  await using host = await Host.make();
  const folders = await host.begin();
  const made = await Promise.all([folders.make(), folders.make(), folders.make()]);
  assert.equal(new Set(made.map(({ path }) => path)).size, 3);
  await made[1]![Symbol.asyncDispose]();
  assert.equal(host.scratch.names("run").length, 2);
  await folders[Symbol.asyncDispose]();
  assert.deepEqual([await host.unfinished(), host.scratch.names("run")], [[], []]);
  await failure(folders.make(), "cancelled");
  assert.deepEqual(host.scratch.names("run"), []);
});

Deno.test("the first place that is in memory and safe is taken, and others are passed over", async () => {
  await using host = await Host.make();
  const { scratch } = host;
  for (const name of ["disk", "open", "real"]) await Deno.mkdir(scratch.file(name));
  await Deno.chmod(scratch.file("open"), 0o777);
  await Deno.symlink(scratch.file("real"), scratch.file("link"));
  await scratch.write("file", "");
  const named = [
    "",
    "relative",
    scratch.file("none"),
    scratch.file("disk"),
    scratch.file("open"),
    scratch.file("file"),
  ];
  const memory = ["open", "real", "run", "file", "/dev/shm"];
  const placeOf = async (runtime: string, more: Given = {}) => {
    await using folders = await host.begin({ runtime, memory, ...more });
    const { path } = await folders.make();
    return path.slice(0, path.lastIndexOf("/"));
  };
  assert.equal(
    await placeOf([...named, scratch.file("link"), scratch.file("run")].join(":")),
    scratch.file("real"),
  );
  assert.equal(await placeOf(named.join(":")), "/dev/shm");
  assert.equal(await placeOf(""), "/dev/shm");
  // As /dev/shm itself is: anybody may write, and nobody may touch what is not his.
  await Deno.chmod(scratch.file("open"), 0o1777);
  assert.equal(await placeOf(scratch.file("open")), scratch.file("open"));
  // Nothing can be made there.
  const full = (path: string, mode: number) =>
    path.startsWith(scratch.file("run/"))
      ? Promise.reject(new AppError("unknown", "no space left on the device"))
      : denoFiles.makeFolder(path, mode);
  assert.equal(await placeOf(scratch.file("run"), { files: { makeFolder: full } }), "/dev/shm");
  assert.deepEqual([await host.unfinished(), host.warnings], [[], []]);
});

Deno.test("without memory it is the state folder, which is said once, with the reason", async () => {
  await using host = await Host.make();
  await using folders = await host.begin({ memory: [] });
  for (let times = 0; times < 2; times++) {
    const { path } = await folders.make();
    assert.equal(path.slice(0, path.lastIndexOf("/")), host.scratch.file("state/private"));
  }
  assert.equal(Deno.statSync(host.scratch.file("state/private")).mode! & 0o777, 0o700);
  const [warning, ...others] = host.warnings;
  assert.deepEqual(others, []);
  assert.match(
    warning!,
    /\/run" is not in memory; "\/dev\/shm" is not in memory; "\/run" is not in memory\), so it lies in ".*\/state\/private"/,
  );
});

Deno.test("where a folder can be made and nothing written in it, as the binary in /dev/shm, another place is taken", async () => {
  await using host = await Host.make();
  const create = (path: string, mode: number) =>
    path.startsWith(host.scratch.file("state/"))
      ? denoFiles.create(path, mode)
      : Promise.reject(new AppError("misconfigured", "the runtime opens nothing there"));
  await using folders = await host.begin({ files: { create } });
  const { path } = await folders.make();
  assert.equal(path.slice(0, path.lastIndexOf("/")), host.scratch.file("state/private"));
  assert.match(
    host.warnings[0]!,
    /\(the runtime opens nothing there; .*, so it lies in ".*\/state\/private"/,
  );
  assert.deepEqual([await host.unfinished(), host.scratch.names("run")], [[path], []]);
});

Deno.test("a user's own runtime directory is taken, another user's is not", async () => {
  await using host = await Host.make();
  await Deno.mkdir(host.scratch.file("user"), { mode: 0o700 });
  const env = (name: string) => name === "XDG_RUNTIME_DIR" ? host.scratch.file("user") : undefined;
  const placeFor = async (uid: number | undefined) => {
    await using folders = await host.begin({
      memory: ["user", "state/private"],
      world: { env },
      files: {
        stat: async (path) => {
          const info = await denoFiles.stat(path);
          return path === host.scratch.file("user") && uid !== undefined ? { ...info, uid } : info;
        },
      },
    });
    const { path } = await folders.make();
    return path.slice(0, path.lastIndexOf("/"));
  };
  assert.equal(await placeFor(undefined), host.scratch.file("user"));
  assert.equal(await placeFor(4711), host.scratch.file("state/private"));
});

Deno.test("Windows and macOS have no such memory, whatever an environment says", async () => {
  for (const os of ["windows", "darwin", "other"] as const) {
    await using host = await Host.make();
    await using folders = await host.begin({ world: { platform: { os, pid: 1, hostname: () => "h" } } });
    const { path } = await folders.make();
    assert.ok(path.startsWith(host.scratch.file("state/private/")), os);
    assert.match(host.warnings[0]!, /\(this system offers none\)/);
  }
});

Deno.test("where no place can be written to, that is an error and nothing is left to sweep", async () => {
  await using host = await Host.make();
  const makeFolder = (path: string, mode: number) =>
    NAME.test(path.slice(path.lastIndexOf("/") + 1))
      ? Promise.reject(new AppError("denied", "permission denied"))
      : denoFiles.makeFolder(path, mode);
  await using folders = await host.begin({ files: { makeFolder } });
  await failure(folders.make(), "denied", /permission denied/);
  assert.deepEqual([await host.unfinished(), host.warnings], [[], []]);
});

Deno.test("what killed runs left is wiped wherever they may have left it, and nothing beside it", async () => {
  await using host = await Host.make();
  const left = [
    await host.left(host.scratch.file(`run/${LEFT}`)),
    await host.left(host.scratch.file(`state/private/${LEFT}`)),
    await host.left(`/dev/shm/vaultferry-${crypto.randomUUID().replaceAll("-", "")}`),
  ];
  const neighbour = host.scratch.file("run/vaultferry-ffeeddccbbaa99887766554433221100");
  await Deno.mkdir(neighbour);
  const folders = await host.begin();
  await folders.sweep();
  for (const path of left) assert.throws(() => Deno.lstatSync(path), Deno.errors.NotFound);
  assert.ok(Deno.statSync(neighbour).isDirectory);
  assert.deepEqual(await host.unfinished(), []);
  assert.deepEqual(
    host.warnings,
    left.map((path) => `a run was killed and left secrets in clear in "${path}"; they have been wiped`),
  );
});

Deno.test("what is gone already, or was never made, is done with", async () => {
  await using host = await Host.make();
  // The second in a place that has gone too, as systemd takes it away with the service.
  for (const path of [host.scratch.file(`run/${LEFT}`), host.scratch.file(`gone/${LEFT}`)]) {
    await host.left(path);
    await Deno.remove(path, { recursive: true });
  }
  await (await host.begin()).sweep();
  assert.deepEqual([await host.unfinished(), host.warnings], [[], []]);
});

Deno.test("what the journal names and is no folder of ours is not touched, told, and kept in mind", async () => {
  const refusals: [name: string, arm: (host: Host) => Promise<string>, told: RegExp][] = [
    [
      "another place",
      (host) => host.left(host.scratch.file(`elsewhere/${LEFT}`)),
      /in no place where this run/,
    ],
    ["deeper", (host) => host.left(host.scratch.file(`run/x/${LEFT}`)), /in no place where this run/],
    ["another name", (host) => host.left(host.scratch.file("run/precious")), /in no place where this run/],
    [
      "dots",
      (host) => host.left(host.scratch.file(`run/../state/../run/x/${LEFT}`)),
      /in no place where this run/,
    ],
    ["a link", async (host) => {
      const path = await host.left(host.scratch.file(`run/${LEFT}`));
      await Deno.rename(path, host.scratch.file("target"));
      await Deno.symlink(host.scratch.file("target"), path);
      return path;
    }, /not a folder of the user/],
    ["a file", async (host) => {
      const path = await host.left(host.scratch.file(`run/${LEFT}`));
      await Deno.remove(path, { recursive: true });
      await Deno.writeTextFile(path, "precious");
      return path;
    }, /not a folder of the user/],
  ];
  for (const [name, arm, told] of refusals) {
    await using host = await Host.make();
    const path = await arm(host);
    await (await host.begin()).sweep();
    assert.deepEqual(await host.unfinished(), [path], name);
    assert.equal(host.warnings.length, 1, name);
    assert.match(host.warnings[0]!, told, name);
    const kept = Deno.statSync(path).isFile ? path : `${path}/secret`;
    assert.ok(Deno.readTextFileSync(kept).length > 0, name);
  }
});

Deno.test("a folder of that name which another user has made is not touched", async () => {
  await using host = await Host.make();
  const path = await host.left(host.scratch.file(`run/${LEFT}`));
  const uid = Deno.uid()! + 1;
  await (await host.begin({ world: { uid: () => uid } })).sweep();
  assert.match(host.warnings[0]!, /not a folder of the user that this program runs as/);
  assert.deepEqual(await host.unfinished(), [path]);
  // Nor is one taken for ours that turns out to be somebody else's when it has been made.
  const folders = await host.begin({ world: { uid: () => uid }, memory: ["run"] });
  await failure(folders.make(), "denied", /not a folder of the user/);
});

Deno.test("what cannot be wiped now is told and stays in the journal; the next run gets it", async () => {
  await using host = await Host.make();
  const path = await host.left(host.scratch.file(`run/${LEFT}`));
  const names = () => Promise.reject(new AppError("unknown", "cannot list: input/output error"));
  await (await host.begin({ files: { names } })).sweep();
  assert.deepEqual(await host.unfinished(), [path]);
  assert.match(
    host.warnings.pop()!,
    /was not wiped, the next run tries again: cannot list: input\/output error/,
  );
  await (await host.begin()).sweep();
  assert.deepEqual([await host.unfinished(), host.scratch.names("run")], [[], []]);
});

Deno.test("disposing never throws, so that a run's own error is the one to tell", async () => {
  await using host = await Host.make();
  let broken = false;
  const names = (path: string) =>
    broken
      ? Promise.reject(new AppError("unknown", "cannot list: input/output error"))
      : denoFiles.names(path);
  const folders = await host.begin({ files: { names } });
  const { path } = await folders.make();
  broken = true;
  await folders[Symbol.asyncDispose]();
  assert.deepEqual(await host.unfinished(), [path]);
  assert.match(host.warnings[0]!, /secrets in clear were not wiped, the next run tries again: cannot list/);
});

Deno.test("a sweep leaves the folders of its own run alone", async () => {
  await using host = await Host.make();
  await using folders = await host.begin();
  const { path } = await folders.make();
  await folders.sweep();
  assert.ok(Deno.statSync(path).isDirectory);
});
