/** The runtime that comes from npm: nothing but the known one is used, whatever npm gives and whatever lies in the cache. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { denortFromNpm, VERSION } from "../../scripts/denort/mod.ts";
import { ROOT } from "./binary.ts";
import { type Ended, run } from "./place.ts";

const PLATFORM = "linux-x64";

/** An npm whose package holds this program, and a cache of its own. */
class Npm implements AsyncDisposable {
  readonly kept: string;

  private constructor(readonly folder: string) {
    this.kept = join(folder, "cache", "vaultferry-build", `denort-${VERSION}-${PLATFORM}`);
  }

  static async make(): Promise<Npm> {
    const npm = new Npm(await Deno.makeTempDir({ prefix: "vaultferry-denort-" }));
    await Deno.mkdir(join(npm.folder, "package", "bin"), { recursive: true });
    await Deno.mkdir(join(npm.folder, "bin"));
    const pack =
      `#!/bin/sh\nexec tar --use-compress-program='gzip -1' -cf packed.tgz -C '${npm.folder}' package\n`;
    await Deno.writeTextFile(join(npm.folder, "bin", "npm"), pack, { mode: 0o755 });
    return npm;
  }

  /** What the package holds: a runtime with a payload behind it, as the compiler makes them. */
  async holds(runtime: Uint8Array): Promise<void> {
    const path = join(this.folder, "package", "bin", "steady");
    await Deno.writeFile(path, runtime);
    await Deno.writeTextFile(path, "a payload", { append: true });
  }

  fetch(): Promise<Ended> {
    const args = ["run", "-A", "--no-prompt", "--quiet", join(ROOT, "scripts/denort/mod.ts"), PLATFORM];
    const env = {
      PATH: `${join(this.folder, "bin")}:${Deno.env.get("PATH")}`,
      HOME: Deno.env.get("HOME") ?? this.folder,
      XDG_CACHE_HOME: join(this.folder, "cache"),
      DENO_DIR: join(this.folder, "deno"),
    };
    return run(Deno.execPath(), args, { env, cwd: this.folder });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("a runtime from npm is used when it is the known one, and looked at again each time", async (test) => {
  const known = await Deno.readFile(await denortFromNpm(PLATFORM));
  const other = known.slice();
  other[other.length >> 1]! ^= 1;
  await using npm = await Npm.make();

  await test.step("one byte of the package is another: refused, and nothing of it stays", async () => {
    await npm.holds(other);
    const { code, out, err } = await npm.fetch();
    assert.notEqual(code, 0);
    assert.match(err, /@stdy\/cli-linux-x64@\S+ has changed: SHA-256 [0-9a-f]{64} instead of [0-9a-f]{64}/);
    assert.equal(out, "");
    assert.deepEqual([...Deno.readDirSync(join(npm.kept, ".."))], []);
  });

  await test.step("the known one is cut out of the package, and kept", async () => {
    await npm.holds(known);
    const { code, out, err } = await npm.fetch();
    assert.deepEqual([code, out], [0, `${npm.kept}\n`], err);
    assert.equal(Buffer.compare(await Deno.readFile(npm.kept), known), 0);
  });

  await test.step("what was kept is damaged: not used, but fetched again", async () => {
    await Deno.writeFile(npm.kept, other);
    await npm.holds(other);
    assert.match((await npm.fetch()).err, /has changed/);
    await npm.holds(known);
    assert.equal((await npm.fetch()).out, `${npm.kept}\n`);
  });
});
