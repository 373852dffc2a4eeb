/** What is peculiar to a local folder: links, partials, permissions, names that are not ours. */
import assert from "node:assert/strict";
import { local } from "../../plugins/destinations/local/mod.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import type { Files } from "../../src/base/world.ts";
import { bodyOf, keysOf, never, sample } from "../../src/destination/conformance/bench.ts";
import { body, broken, BYTES, fails, Folder, KEY, openAt } from "./local_folder.ts";

Deno.test("config: an absolute path and nothing else", () => {
  for (const path of ["/", "/srv/backups", "D:\\Backups", "d:/Backups", "\\\\server\\share"]) {
    assert.ok(local.config.safeParse({ path }).success, path);
  }
  for (const path of ["", "backups", "./backups", "~/backups", "C:backups", "\\backups", "/srv/\0", 7]) {
    assert.ok(!local.config.safeParse({ path }).success, String(path));
  }
  assert.match(local.config.safeParse({ path: "backups" }).error!.message, /must be an absolute path/);
  assert.ok(!local.config.safeParse({ path: "/srv", pth: 1 }).success);
});

Deno.test("the folder must exist and is never made", async () => {
  await using folder = await Folder.make();
  const path = folder.file("mount's point");
  const error = await fails(openAt(path), "misconfigured", /does not exist/);
  assert.match(error.hint!, /mkdir -p '.*mount'\\''s point'/);
  await fails(openAt("C:\\Backups"), "misconfigured", /no absolute path on this system/);
  Deno.writeTextFileSync(folder.file("file"), "");
  await fails(openAt(folder.file("file")), "misconfigured", /is a file, not a folder/);
  Deno.symlinkSync("nowhere", folder.file("dangling"));
  await fails(openAt(folder.file("dangling")), "misconfigured", /does not exist/);

  Deno.mkdirSync(path);
  const destination = await openAt(path);
  Deno.removeSync(path);
  const gone = /does not exist/;
  await fails(destination.put(KEY, body(), never), "misconfigured", gone);
  await fails(destination.get(KEY, undefined, never), "misconfigured", gone);
  await fails(destination.stat(KEY, never), "misconfigured", gone);
  await fails(keysOf(destination, ""), "misconfigured", gone);
  await fails(keysOf(destination, "acme/"), "misconfigured", gone);
  await fails(destination.remove(KEY, never), "misconfigured", gone);
  await fails(destination.discard(KEY, never), "misconfigured", gone);
  assert.deepEqual(folder.names("."), ["dangling", "file"]);
});

Deno.test("the folder itself may be a link", async () => {
  await using folder = await Folder.make();
  Deno.mkdirSync(folder.file("real"));
  Deno.symlinkSync("real", folder.file("link"));
  const destination = await openAt(folder.file("link"));
  await destination.put(KEY, body(), never);
  folder.holds(`real/${KEY}`);
});

Deno.test(
  "files are 0600 and folders 0700 whatever the umask",
  { ignore: Deno.build.os === "windows" },
  async () => {
    for (const umask of [0, 0o022, 0o277]) {
      await using folder = await Folder.make();
      const destination = await folder.open();
      const before = Deno.umask(umask & 0o077);
      try {
        await destination.put("acme/deep/file", body(), never);
        Deno.umask(umask);
        await destination.put(KEY, body(), never);
      } finally {
        Deno.umask(before);
      }
      const mode = (name: string) => Deno.statSync(folder.file(name)).mode! & 0o777;
      assert.deepEqual(["acme", "acme/deep"].map(mode), [0o700, 0o700]);
      assert.deepEqual([KEY, "acme/deep/file"].map(mode), [0o600, 0o600]);
      assert.deepEqual(folder.warnings, []);
    }
  },
);

Deno.test("a link at the final name is never written through, read, listed or removed", async () => {
  await using folder = await Folder.make();
  const destination = await folder.open();
  Deno.mkdirSync(folder.file("acme"));
  for (const target of ["victim", "absent"]) {
    // As long as the link itself is: what tells the two apart is neither size nor content.
    const same = sample(folder.file(target).length);
    Deno.writeFileSync(folder.file("victim"), same);
    Deno.symlinkSync(folder.file(target), folder.file(KEY));
    await fails(destination.put(KEY, bodyOf(same), never), "already-exists", /no regular file/);
    await fails(destination.get(KEY, undefined, never), "corrupt", /no regular file/);
    await fails(destination.stat(KEY, never), "corrupt", /no regular file/);
    await fails(destination.remove(KEY, never), "corrupt", /no regular file/);
    assert.deepEqual(await keysOf(destination, ""), ["victim"]);
    assert.deepEqual(folder.names(), ["archive.age"]);
    assert.deepEqual(folder.names("."), ["acme", "victim"]);
    Deno.removeSync(folder.file(KEY));
  }
});

Deno.test("a link at the partial's name is never written through", async () => {
  await using folder = await Folder.make();
  Deno.mkdirSync(folder.file("acme"));
  // The name is random: only a World that knows it can put a link there.
  let planted = "";
  const destination = await folder.open({
    create(path, mode) {
      if (planted === "") Deno.symlinkSync(folder.file("victim"), planted = path);
      return denoFiles.create(path, mode);
    },
  });
  await fails(destination.put(KEY, body(), never), "transient", /something else has the name/);
  assert.match(planted, /\/acme\/\.archive\.age\.[0-9a-f]{16}\.partial$/);
  assert.deepEqual(folder.names("."), ["acme"]);
  Deno.symlinkSync(folder.file("victim"), folder.file("acme/.archive.age.0123456789abcdef.partial"));
  await destination.put(KEY, body(), never);
  assert.deepEqual(folder.names(), ["archive.age"]);
  assert.deepEqual(folder.names("."), ["acme"]);
});

Deno.test("a link in the place of a sub-folder is refused", async () => {
  await using folder = await Folder.make();
  const destination = await folder.open();
  Deno.mkdirSync(folder.file("elsewhere"));
  Deno.writeFileSync(folder.file("elsewhere/archive.age"), BYTES);
  Deno.symlinkSync("elsewhere", folder.file("acme"));
  const link = /"acme"|acme" is a link, not a folder/;
  await fails(destination.put(KEY, body(), never), "misconfigured", link);
  await fails(destination.get(KEY, undefined, never), "misconfigured", link);
  await fails(destination.stat(KEY, never), "misconfigured", link);
  await fails(keysOf(destination, "acme/"), "misconfigured", link);
  await fails(destination.remove(KEY, never), "misconfigured", link);
  await fails(destination.discard(KEY, never), "misconfigured", link);
  assert.deepEqual(folder.names("elsewhere"), ["archive.age"]);
});

Deno.test("leftover partials are swept by the next put and by discard, those of other keys are not", async () => {
  await using folder = await Folder.make();
  const destination = await folder.open();
  const ours = ".archive.age.0123456789abcdef.partial",
    others = ".archive.age.sha256.0123456789abcdef.partial";
  const foreign = [".archive.age.partial", ".archive.age.x.partial", "archive.age.0123456789abcdef.partial"];
  Deno.mkdirSync(folder.file("acme"));
  for (const name of [ours, others, ...foreign]) Deno.writeTextFileSync(folder.file(`acme/${name}`), "half");
  const rest = [others, ...foreign].sort();
  await destination.discard(KEY, never);
  assert.deepEqual(folder.names(), rest);
  Deno.writeTextFileSync(folder.file(`acme/${ours}`), "half");
  await destination.put(KEY, body(), never);
  assert.deepEqual(folder.names(), [...rest, "archive.age"].sort());
  Deno.writeTextFileSync(folder.file(`acme/${ours}`), "half");
  await destination.put(KEY, body(), never);
  await destination.discard(KEY, never);
  assert.deepEqual(folder.names(), [...rest, "archive.age"].sort());
  await destination.discard(`${KEY}.sha256`, never);
  assert.deepEqual(folder.names(), [...foreign, "archive.age"].sort());
  await fails(destination.put(`acme/${ours}`, body(), never), "misconfigured", /cannot be the name/);
});

Deno.test("list leaves out what cannot be ours, without looking into it", async () => {
  await using folder = await Folder.make();
  const looked: string[] = [];
  const destination = await folder.open({
    names(path) {
      looked.push(path.slice(folder.path.length));
      return denoFiles.names(path);
    },
  });
  Deno.mkdirSync(folder.file("acme/lost+found"), { recursive: true });
  for (const name of ["lost+found/x", "My file.txt", ".x.partial", "é", "archive.age"]) {
    Deno.writeTextFileSync(folder.file(`acme/${name}`), "");
  }
  assert.deepEqual(await keysOf(destination, ""), [KEY]);
  assert.deepEqual(looked, ["", "/acme"]);
});

Deno.test("a list that cannot be whole throws", async () => {
  await using folder = await Folder.make();
  await (await folder.open()).put(KEY, body(), never);
  const unreadable = await folder.open({ names: broken("denied", 'cannot list "x": permission denied') });
  await fails(keysOf(unreadable, "acme/"), "denied", /permission denied/);
  await fails(keysOf(unreadable, ""), "denied", /permission denied/);
  const unseen = await folder.open({
    stat: (path) => path.endsWith(KEY) ? broken("denied", "no")() : denoFiles.stat(path),
  });
  await fails(keysOf(unseen, ""), "denied");
  const emptied = await folder.open({
    async names(path) {
      const names = await denoFiles.names(path);
      if (path.endsWith("acme")) Deno.renameSync(folder.file(KEY), folder.file("moved"));
      return names;
    },
  });
  await fails(keysOf(emptied, "acme/"), "transient", /vanished/);
  const unmounted = await folder.open({ names: broken("not-found", "gone") });
  await fails(keysOf(unmounted, ""), "transient", /vanished/);
});

Deno.test("where there are no links, a rename publishes and still replaces nothing", async () => {
  await using folder = await Folder.make();
  const unsupported = broken("unsupported", "no hard links");
  const destination = await folder.open({ link: unsupported });
  await destination.put(KEY, body(), never);
  folder.holds(KEY);
  await destination.put(KEY, body(), never);
  await fails(destination.put(KEY, bodyOf(sample(10)), never), "already-exists");
  for (const [bytes, code] of [[sample(10), "already-exists"], [BYTES, undefined]] as const) {
    const late = await folder.open({
      link() {
        Deno.writeFileSync(folder.file("acme/late"), bytes);
        return unsupported();
      },
    });
    const put = late.put("acme/late", body(), never);
    if (code) await fails(put, code);
    else await put;
    folder.holds("acme/late", bytes);
    Deno.removeSync(folder.file("acme/late"));
  }
  assert.deepEqual(folder.names(), ["archive.age"]);
});

Deno.test("a key that appears while its body is written is compared, never replaced", async () => {
  for (const bytes of [BYTES, sample(500_000, 2), sample(3)]) {
    await using folder = await Folder.make();
    const destination = await folder.open({
      link(from, to) {
        Deno.writeFileSync(to, bytes);
        return denoFiles.link(from, to);
      },
    });
    const put = destination.put(KEY, body(), never);
    if (bytes === BYTES) await put;
    else await fails(put, "already-exists", /other content/);
    folder.holds(KEY, bytes);
    assert.deepEqual(folder.names(), ["archive.age"]);
  }
});

Deno.test("a file system without permissions is warned of once and fails nothing", async () => {
  const loose: Partial<Files> = {
    chmod: () => Promise.resolve(),
    async stat(path) {
      const info = await denoFiles.stat(path);
      return { ...info, mode: 0o755 };
    },
  };
  for (
    const files of [{ chmod: broken("denied", 'cannot set permissions of "x": permission denied') }, loose]
  ) {
    await using folder = await Folder.make();
    const destination = await folder.open(files);
    await destination.put(KEY, body(), never);
    await destination.put(`${KEY}.sha256`, bodyOf(sample(10)), never);
    assert.equal(folder.warnings.length, 1);
    assert.match(folder.warnings[0]!, /^destination "nas": other users of this machine may be able to read/);
    assert.deepEqual(folder.names(), ["archive.age", "archive.age.sha256"]);
    // Born private: no moment in which others could open it.
    if (Deno.build.os !== "windows") assert.equal(Deno.statSync(folder.file(KEY)).mode! & 0o077, 0);
  }
});
