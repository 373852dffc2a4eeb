import assert from "node:assert/strict";
import { AppError } from "../../src/base/errors.ts";
import { findConfig, loadConfig, selectJobs } from "../../src/config/load.ts";
import { spoolFolder, stateFolder } from "../../src/config/locate.ts";
import { errorOf, inFolder, load, registry, SMALL, worldWith } from "./fixture.ts";

const windows = { platform: { os: "windows", pid: 1, hostname: () => "h" } } as const;

/** A world in which only the given paths exist. */
function worldHolding(existing: string[], env: Record<string, string>, windowsToo = false) {
  const { files } = worldWith();
  return worldWith(env, {
    ...(windowsToo ? windows : {}),
    files: {
      ...files,
      stat: (path) =>
        existing.includes(path)
          ? Promise.resolve({ kind: "file", size: 1, mode: undefined, links: undefined, uid: undefined })
          : files.stat("/does/not/exist"),
    },
  });
}

Deno.test("the config asked for comes first, then the environment's, the person's, the system's", async () => {
  const all = ["/a", "/b", "/x/vaultferry/vaultferry.yaml", "/h/.config/vaultferry/vaultferry.yaml"];
  all.push("/etc/vaultferry/vaultferry.yaml");
  const env = { VAULTFERRY_CONFIG: "/b", XDG_CONFIG_HOME: "/x", HOME: "/h" };
  assert.equal(await findConfig(worldHolding(all, env), "/a"), "/a");
  assert.equal(await findConfig(worldHolding(all, env)), "/b");
  assert.equal(await findConfig(worldHolding(all, { ...env, VAULTFERRY_CONFIG: "" })), all[2]);
  assert.equal(await findConfig(worldHolding(all, { HOME: "/h" })), all[3]);
  assert.equal(await findConfig(worldHolding(all, { HOME: "/h", XDG_CONFIG_HOME: "relative" })), all[3]);
  assert.equal(await findConfig(worldHolding(all, {})), all[4]);
  assert.equal(await findConfig(worldHolding([all[4]!], { HOME: "/h" })), all[4]);
  const program = "D:\\Data\\vaultferry\\vaultferry.yaml";
  assert.equal(await findConfig(worldHolding([program], { ProgramData: "D:\\Data" }, true)), program);
});

Deno.test("an absent config that was asked for is an error, and never another one", async () => {
  const world = worldHolding(["/etc/vaultferry/vaultferry.yaml"], {});
  const error = await errorOf(findConfig(world, "/a"));
  assert.equal(error.code, "misconfigured");
  assert.equal(error.message, 'the config "/a" does not exist');
  const fromEnv = worldHolding(["/etc/vaultferry/vaultferry.yaml"], { VAULTFERRY_CONFIG: "/b" });
  assert.equal(
    (await errorOf(findConfig(fromEnv))).message,
    'the config "/b" (from VAULTFERRY_CONFIG) does not exist',
  );
});

Deno.test("without any config, every place looked at is named", async () => {
  const error = await errorOf(findConfig(worldHolding([], { HOME: "/h" })));
  assert.equal(error.code, "misconfigured");
  assert.equal(
    error.message,
    'no config: looked for "/h/.config/vaultferry/vaultferry.yaml" and "/etc/vaultferry/vaultferry.yaml"',
  );
  assert.ok(error.hint?.includes("--config"));
});

Deno.test("a config that may not be looked at is not passed over", async () => {
  const world = worldHolding(["/etc/vaultferry/vaultferry.yaml"], { HOME: "/h" });
  const stat = (path: string) =>
    path.startsWith("/h/")
      ? Promise.reject(new AppError("denied", "permission denied"))
      : world.files.stat(path);
  const error = await errorOf(findConfig({ ...world, files: { ...world.files, stat } }));
  assert.deepEqual([error.code, error.message], ["misconfigured", "permission denied"]);
});

Deno.test("a config that others may write is used with a warning", async () => {
  await inFolder(async (folder) => {
    const file = `${folder}/vaultferry.yaml`;
    await Deno.writeTextFile(file, SMALL);
    const warningsWith = async (mode: number, path = file) => {
      await Deno.chmod(file, mode);
      return (await loadConfig(worldWith(), path, registry)).warnings;
    };
    assert.deepEqual(await warningsWith(0o644), []);
    const warning = [`other users may write "${file}", and so decide who can open the backups: chmod go-w`];
    assert.deepEqual(await warningsWith(0o664), warning);
    assert.deepEqual(await warningsWith(0o646), warning);
    await Deno.symlink(file, `${folder}/link`);
    assert.equal((await warningsWith(0o646, `${folder}/link`)).length, 1);
    assert.deepEqual(await warningsWith(0o644, `${folder}/link`), []);
  });
});

Deno.test("an unreadable config is the config's fault", async () => {
  const error = await errorOf(loadConfig(worldWith(), "/does/not/exist.yaml", registry));
  assert.equal(error.code, "misconfigured");
  assert.equal(error.message, 'cannot read "/does/not/exist.yaml": it does not exist');
});

Deno.test("one job needs no name; of several one is named, or all", async () => {
  const one = (await load(SMALL)).config;
  const two = { ...one, jobs: { acme: one.jobs.acme!, beta: { ...one.jobs.acme!, name: "beta" } } };
  const chosen = (...args: Parameters<typeof selectJobs>) => selectJobs(...args).map((job) => job.name);
  assert.deepEqual(chosen(one, undefined, false), ["acme"]);
  assert.deepEqual(chosen(one, undefined, true), ["acme"]);
  assert.deepEqual(chosen(two, "beta", false), ["beta"]);
  assert.deepEqual(chosen(two, undefined, true), ["acme", "beta"]);
  const refused = (name: string | undefined, all: boolean) =>
    errorOf(Promise.try(() => selectJobs(two, name, all)));
  assert.equal((await refused(undefined, false)).message, 'the config has several jobs: "acme", "beta"');
  assert.equal((await refused("acem", false)).message, 'no job "acem" in the config');
  assert.equal((await refused("acem", false)).hint, 'did you mean "acme"?');
  assert.equal((await refused("zzzzzz", false)).hint, 'its jobs are "acme", "beta"');
  assert.equal((await refused("constructor", false)).message, 'no job "constructor" in the config');
  assert.equal((await refused("acme", true)).message, "give a job or --all, not both");
  assert.equal((await refused("acme", true)).code, "misconfigured");
});

Deno.test("the state folder", () => {
  const env = { STATE_DIRECTORY: "/s/one:/s/two", XDG_STATE_HOME: "/x", HOME: "/h" };
  assert.equal(stateFolder(worldWith(env), { state: "/c" }), "/c");
  assert.equal(stateFolder(worldWith(env), {}), "/s/one");
  assert.equal(stateFolder(worldWith({ ...env, STATE_DIRECTORY: "" }), {}), "/x/vaultferry");
  assert.equal(stateFolder(worldWith({ XDG_STATE_HOME: "x", HOME: "/h" }), {}), "/var/lib/vaultferry");
  assert.equal(stateFolder(worldWith({}, windows), {}), "C:\\ProgramData\\vaultferry");
  assert.equal(stateFolder(worldWith({ ProgramData: "D:\\P" }, windows), {}), "D:\\P\\vaultferry");
  assert.equal(stateFolder(worldWith({ STATE_DIRECTORY: "D:\\S" }, windows), {}), "D:\\S");
});

Deno.test("the spool folder", () => {
  assert.equal(spoolFolder(worldWith({ CACHE_DIRECTORY: "/c/one:/c/two" }), "/s"), "/c/one");
  assert.equal(spoolFolder(worldWith({}), "/s"), "/s");
});
