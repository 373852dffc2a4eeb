import assert from "node:assert/strict";
import { join } from "node:path";
import { compareWithService } from "../../scripts/demo_compare.ts";
import { startService } from "../service/mod.ts";
import { signIn } from "../service/sdk.ts";
import { steadyAccount } from "./account.ts";
import { binary } from "./binary.ts";
import { type Ended, Place, run, type Start } from "./place.ts";

Deno.test({
  name: "the binary backs up, verifies and restores all that the SDK gives, in a bare environment",
  // The SDK, with which this compares, never lets go.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const vaultferry = await binary();
    await using service = await startService(steadyAccount());
    await using place = await Place.make(service.token());
    // `env -i`: no HOME, no PATH; and not the folder of the sources.
    const restored = await place.roundTrip((args) => run(vaultferry, args, { cwd: "/" }));
    const { same, differences } = await compareWithService(await signIn(service), restored);
    assert.deepEqual(differences, []);
    assert(same.items > 50 && same.files > 10, JSON.stringify(same));
  },
});

Deno.test("the binary works with an empty DENO_DIR and leaves it empty", async () => {
  await inAPlace(async (place, roundTrip) => {
    const empty = place.at("deno-dir");
    await Deno.mkdir(empty);
    await roundTrip({ cwd: place.folder, env: { DENO_DIR: empty } });
    assert.deepEqual([...Deno.readDirSync(empty)], []);
  });
});

Deno.test("the binary leaves nothing in the temporary folder", async () => {
  await inAPlace(async (place, roundTrip) => {
    const temporary = place.at("temporary");
    await Deno.mkdir(temporary);
    await roundTrip({ cwd: "/", env: { TMPDIR: temporary, HOME: place.folder } });
    assert.deepEqual([...Deno.readDirSync(temporary)], []);
    assert.deepEqual(
      [...Deno.readDirSync(place.folder)].map(({ name }) => name).filter((name) => name.startsWith(".")),
      [],
    );
  });
});

Deno.test("the runtime opens nothing below /dev: a restore there says so, says where else, and leaves nothing", async () => {
  await inAPlace(async (place, roundTrip) => {
    await roundTrip({ cwd: "/" });
    const to = `/dev/shm/vaultferry-${crypto.randomUUID()}`;
    const args = ["restore", "--to", to, "--identity", place.at("key"), "--config", place.config];
    const { code, err } = await run(await binary(), args, { cwd: "/" });
    assert.equal(code, 2, err);
    assert.match(err, /the runtime opens nothing below \/dev, .*\n.*hint: .*\$XDG_RUNTIME_DIR/);
    const left = [...Deno.readDirSync("/dev/shm")].filter(({ name }) => `/dev/shm/${name}`.startsWith(to));
    assert.deepEqual(left, []);
  });
});

Deno.test("a key comes out of another program, and touches no disk", async () => {
  await inAPlace(async (place, roundTrip) => {
    await roundTrip({ cwd: "/" });
    const { code, out, err } = await run("/bin/bash", [
      ...["-c", '"$1" verify --config "$2" --identity <(/bin/cat "$3")', "bash"],
      ...[await binary(), place.config, place.at("key")],
    ]);
    assert.equal(code, 0, err);
    assert.match(out, /good, opened: 2 items/);
  });
});

Deno.test("a disk that is full under the log stops no backup; one under a result is told", async () => {
  await inAPlace(async (place) => {
    const vaultferry = await binary();
    const shell = (redirected: string, command: string) =>
      run("/bin/sh", ["-c", `exec "$@" ${redirected}`, "sh", vaultferry, command, "--config", place.config]);
    const backup = await shell("2>/dev/full", "backup");
    assert.deepEqual([backup.code, backup.err], [0, ""]);
    assert.ok([...Deno.readDirSync(place.at("nas/acme"))].some(({ name }) => name.endsWith(".age")));
    const list = await shell(">/dev/full", "list");
    assert.equal(list.code, 1);
    assert.match(list.err, /error: not all could be written to standard output: No space left on device\n$/);
  });
});

Deno.test("the binary works as a user who is not root", async () => {
  await inAPlace(async (place, roundTrip) => {
    // Who runs the tests as somebody else is such a user already.
    const nobody = Deno.uid() === 0 ? { uid: 65534, gid: 65534 } : {};
    const copy = place.at("vaultferry");
    await Deno.copyFile(await binary(), copy); // the cache of root may be out of reach
    await Deno.chmod(copy, 0o755);
    if (nobody.uid !== undefined) await place.chown(nobody.uid, nobody.gid);
    const restored = await roundTrip({ ...nobody, cwd: "/" }, copy);
    const { uid } = await Deno.stat(join(restored, "manifest.json"));
    assert.equal(uid, nobody.uid ?? Deno.uid());
  });
});

Deno.test("the binary works on a read-only root file system", async () => {
  await inAPlace(async (place) => {
    const vaultferry = await binary();
    const inside = (args: string[]): Promise<Ended> =>
      run("bwrap", [
        ...["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind", place.folder, place.folder],
        ...["--die-with-parent", "--", vaultferry, ...args],
      ], { env: { PATH: "/usr/bin:/bin" } });
    const outside = await run("bwrap", ["--ro-bind", "/", "/", "--", "touch", "/tmp/writable"], {
      env: { PATH: "/usr/bin:/bin" },
    });
    assert.match(outside.err, /Read-only file system/);
    await place.roundTrip(inside);
  });
});

/** With one vault and two items, which is enough to see whether something works at all. */
async function inAPlace(
  action: (
    place: Place,
    roundTrip: (start: Start, program?: string) => Promise<string>,
  ) => Promise<void>,
): Promise<void> {
  await using service = await startService(SMALL);
  await using place = await Place.make(service.token());
  await action(place, async (start, program) => {
    const vaultferry = program ?? await binary();
    return await place.roundTrip((args) => run(vaultferry, args, start));
  });
}

const SMALL = {
  name: "Acme",
  vaults: [{
    title: "Finance",
    items: [
      { title: "Bank", username: "ada", password: "a secret" },
      { title: "Contract", category: "Document", document: { name: "contract.pdf", size: 70_000 } } as const,
    ],
  }],
};
