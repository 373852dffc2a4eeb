import assert from "node:assert/strict";
import { denoWorld } from "../../src/base/deno_world.ts";
import { AppError } from "../../src/base/errors.ts";
import type { World } from "../../src/base/world.ts";
import { checkSecrets } from "../../src/host/secret_check.ts";
import { checkSecret, resolveSecret } from "../../src/host/secrets.ts";
import type { SecretReference } from "../../src/model/secret_reference.ts";

const never = new AbortController().signal;
const refuseWarnings = (message: string): void => assert.fail(message);

function worldWith(env: Record<string, string> = {}, changes: Partial<World> = {}): World {
  return { ...denoWorld(), env: (name) => env[name] || undefined, ...changes };
}

async function reveal(
  reference: SecretReference,
  world = worldWith(),
  warn = refuseWarnings,
): Promise<string> {
  return (await resolveSecret(world, reference, warn, never)).reveal();
}

async function refusal(reference: SecretReference, world = worldWith()): Promise<AppError> {
  try {
    await resolveSecret(world, reference, () => {}, never);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

async function unfit(reference: SecretReference, world = worldWith()): Promise<AppError> {
  const error = await checkSecret(world, reference).then(() => undefined, (error) => error);
  assert.ok(error instanceof AppError, "nothing was refused");
  return error;
}

async function inFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await action(await Deno.realPath(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function write(path: string, content: string | Uint8Array<ArrayBuffer>, mode = 0o600): Promise<string> {
  await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  await Deno.chmod(path, mode);
  return path;
}

Deno.test("file: line ends after the secret are no part of it, blanks are", () =>
  inFolder(async (folder) => {
    const cases = [["hunter2", "hunter2"], ["hunter2\n", "hunter2"], ["hunter2\r\n\r\n", "hunter2"]];
    cases.push([" a b \n", " a b "], ["a\nb\n", "a\nb"], ["\ufeffa\n", "a"]);
    for (const [content, secret] of cases) {
      const file = await write(`${folder}/secret`, content!);
      assert.equal(await reveal(`file:${file}`), secret);
    }
    const file = await write(`${folder}/other name`, "x", 0o400);
    assert.equal(await reveal(`file:${file}`), "x");
  }));

Deno.test("file: refused when group or others have any bit, also behind a link", () =>
  inFolder(async (folder) => {
    const file = await write(`${folder}/secret`, "hunter2");
    await Deno.symlink(file, `${folder}/link`);
    assert.equal(await reveal(`file:${folder}/link`), "hunter2");
    for (const mode of [0o640, 0o604, 0o620, 0o601, 0o610, 0o777]) {
      await Deno.chmod(file, mode);
      for (const path of [file, `${folder}/link`]) {
        const error = await refusal(`file:${path}`);
        assert.equal(error.code, "misconfigured");
        assert.equal(error.message, `other users may use the secret in "${path}"`);
        assert.equal(error.hint, `chmod 600 ${file}`);
      }
    }
  }));

Deno.test("file: what is not one good file is refused", () =>
  inFolder(async (folder) => {
    await write(`${folder}/empty`, "\n\n");
    await write(`${folder}/long`, "x".repeat(64 * 1024 + 1));
    await write(`${folder}/binary`, new Uint8Array([0xff, 0xfe, 0xfd]));
    await write(`${folder}/utf16`, "h\0u\0");
    await Deno.symlink(`${folder}/nowhere`, `${folder}/dangling`);
    await new Deno.Command("mkfifo", { args: ["-m", "600", `${folder}/fifo`] }).output();
    const cases = {
      empty: `"${folder}/empty" is empty`,
      long: `"${folder}/long" is longer than 65536 bytes`,
      binary: `"${folder}/binary" is not UTF-8 text`,
      utf16: `"${folder}/utf16" is not UTF-8 text`,
      absent: `cannot resolve "${folder}/absent": it does not exist`,
      dangling: `cannot resolve "${folder}/dangling": it does not exist`,
      fifo: `"${folder}/fifo" is not a regular file`,
      ".": `"${folder}/." is not a regular file`,
    };
    for (const [name, message] of Object.entries(cases)) {
      const error = await refusal(`file:${folder}/${name}`);
      assert.equal(error.message, message);
      assert.equal(error.code, "misconfigured");
    }
  }));

Deno.test("file: without an absolute path it may be the secret itself, and is not repeated", async () => {
  const error = await refusal("file:hunter2");
  assert.equal(error.code, "misconfigured");
  assert.equal(error.message, "the path of a secret's file must be absolute: file:/…");
});

Deno.test("file: a path that a shell would fill in is told to be one, whichever way it is looked at", async () => {
  for (const path of ["~/token", "~", "$HOME/token", "${HOME}/token"]) {
    for (const look of [refusal(`file:${path}`), unfit(`file:${path}`)]) {
      const { message, hint } = await look;
      assert.equal(message, "the path of a secret's file must be absolute: file:/…");
      assert.match(hint!, /^neither ~ nor \$VARIABLES are filled in/);
    }
  }
  assert.match((await refusal("file:secrets/token")).hint!, /^a timer starts vaultferry in another folder/);
});

Deno.test("looking whether a secret is to be had reads none, runs nothing and finds what a run would", () =>
  inFolder(async (folder) => {
    const { files } = denoWorld();
    const refuse = () => assert.fail("read or run");
    const look = (env: Record<string, string> = {}) =>
      worldWith(env, { run: refuse, files: { ...files, read: refuse, stream: refuse } });
    const file = await write(`${folder}/secret`, "hunter2");
    assert.equal(await checkSecret(look(), `file:${file}`), undefined);
    for (
      const [path, mode, told] of [["none", 0o600, "does not exist"], [
        "secret",
        0o640,
        "other users",
      ]] as const
    ) {
      await Deno.chmod(file, mode);
      const [run, check] = [
        await refusal(`file:${folder}/${path}`),
        await unfit(`file:${folder}/${path}`, look()),
      ];
      assert.ok(check.message.includes(told));
      assert.deepEqual([check.code, check.message, check.hint], [run.code, run.message, run.hint]);
    }
    assert.match((await unfit(`file:${folder}`, look())).message, /is not a regular file/);
    const credentials = look({ CREDENTIALS_DIRECTORY: folder });
    assert.equal(await checkSecret(credentials, "credential:secret"), undefined);
    assert.match((await unfit("credential:none", credentials)).message, /does not exist/);
    assert.match((await unfit("credential:../secret", credentials)).message, /has no path in it/);
    assert.equal(
      await checkSecret(look(), "credential:secret"),
      'the credential "secret", which systemd gives to the service alone',
    );
    assert.match((await unfit("credential:a/b", look())).message, /has no path in it/);
    assert.equal(await checkSecret(look({ TOKEN: "hunter2" }), "env:TOKEN"), undefined);
    assert.match((await checkSecret(look(), "env:TOKEN"))!, /"TOKEN", which is not set here/);
    assert.match((await unfit("env:=", look())).message, /must be followed by the name/);
    assert.equal(
      await checkSecret(look(), { command: ["pass", "show", "x"] }),
      'what the command "pass" writes',
    );
  }));

Deno.test("every reference below a part of the config is looked at, and told with its place", () =>
  inFolder(async (folder) => {
    const file = await write(`${folder}/secret`, "hunter2");
    const part = {
      source: { type: "x", token: `file:${folder}/none`, path: "/srv/file:name" },
      also: [{ type: "y", token: "credential:two" }],
      destinations: [{
        name: "nas",
        sas: `file:${file}`,
        deep: { key: { command: ["pass"] } },
        off: null,
        n: 1,
      }],
    };
    const { problems, unknown } = await checkSecrets(worldWith(), part, "jobs.acme");
    assert.deepEqual(problems.map(({ code, message }) => [code, message]), [
      ["misconfigured", `jobs.acme.source.token: cannot resolve "${folder}/none": it does not exist`],
    ]);
    assert.deepEqual(unknown, [
      'jobs.acme.also[0].token: the credential "two", which systemd gives to the service alone',
      'jobs.acme.destinations[0].deep.key: what the command "pass" writes',
    ]);
  }));

Deno.test("file: Windows has no such bits", () =>
  inFolder(async (folder) => {
    const file = await write(`${folder}/secret`, "hunter2", 0o644);
    const { files } = denoWorld();
    const world = worldWith({}, {
      platform: { os: "windows", pid: 1, hostname: () => "h" },
      files: { ...files, stat: async (path) => ({ ...await files.stat(path), mode: undefined }) },
    });
    assert.equal(await reveal(`file:${file}`, world), "hunter2");
  }));

Deno.test("credential: read from systemd's folder, whatever its bits", () =>
  inFolder(async (folder) => {
    await write(`${folder}/acme.token`, "hunter2\n", 0o440);
    const world = worldWith({ CREDENTIALS_DIRECTORY: folder });
    assert.equal(await reveal("credential:acme.token", world), "hunter2");
    const absent = await refusal("credential:other", world);
    assert.equal(absent.code, "misconfigured");
    assert.match(absent.message, /other": it does not exist$/);
    for (const name of ["../x", "a/b", "/etc/passwd", "..", ".", "a\\b", "C:x", "a\0b"]) {
      assert.match(
        (await refusal(`credential:${name}`, world)).message,
        /^a credential's name has no path in it/,
      );
    }
  }));

Deno.test("credential: outside of a unit there is none, and the hint says how to get one", async () => {
  const error = await refusal("credential:acme.token");
  assert.equal(error.code, "misconfigured");
  assert.equal(error.message, 'the credential "acme.token" is not to be had: no CREDENTIALS_DIRECTORY');
  assert.match(error.hint!, /LoadCredential=/);
});

Deno.test("env: works with a warning that names the variable alone", async () => {
  const warnings: string[] = [];
  const world = worldWith({ TOKEN: "hunter2" });
  assert.equal(await reveal("env:TOKEN", world, (message) => void warnings.push(message)), "hunter2");
  assert.deepEqual(warnings, [
    'the secret in "TOKEN" can leak: other programs may see environments; prefer credential: or file:',
  ]);
  const error = await refusal("env:TOKEN");
  assert.deepEqual([error.code, error.message], [
    "misconfigured",
    'the environment variable "TOKEN" is not set',
  ]);
  assert.match((await refusal("env:hunter 2")).message, /^env: must be followed by the name/);
});

/** A command that runs `script` in this runtime. */
const command = (script: string) => ({ command: [Deno.execPath(), "eval", script] });

Deno.test("command: its output is the secret", async () => {
  assert.equal(await reveal(command(`console.log("hunter2")`)), "hunter2");
});

Deno.test("command: a failure shows one line of its complaint, and neither its output nor a secret", async () => {
  const script =
    `console.log("hunter2"); console.error("\\nno hunter2 for ops_eyJzaWduSW5BZGRyZXNz\\nsecond");Deno.exit(3)`;
  const error = await refusal(command(script));
  assert.equal(error.code, "misconfigured");
  assert.equal(
    error.message,
    `the command "${Deno.execPath()}" failed (exit code 3): no [redacted] for ops_[redacted]`,
  );
  assert.ok(!JSON.stringify([error.message, error.hint, String(error.cause)]).includes("hunter2"));
});

Deno.test("command: no output, no program, no right to run it", () =>
  inFolder(async (folder) => {
    assert.match((await refusal(command(""))).message, /^what the command ".*" wrote is empty$/);
    const absent = await refusal({ command: ["/does/not/exist", "hunter2"] });
    assert.deepEqual([absent.code, absent.message], [
      "misconfigured",
      'the program "/does/not/exist" does not exist',
    ]);
    const plain = await write(`${folder}/plain`, "x");
    assert.equal((await refusal({ command: [plain] })).code, "misconfigured");
    assert.match(
      (await refusal(command(`console.log("x".repeat(70000))`))).message,
      /too long for a secret$/,
    );
  }));

Deno.test("command: gets 30 seconds and the caller's signal", async () => {
  const seen: unknown[] = [];
  const world = worldWith({}, {
    run: (argv, options) => {
      seen.push(argv, options.timeout, options.signal === never, options.env);
      return Promise.reject(new AppError("transient", "did not end"));
    },
  });
  assert.equal((await refusal({ command: ["a", "b"] }, world)).code, "transient");
  assert.deepEqual(seen, [["a", "b"], 30_000, true, undefined]);
});

Deno.test("a cancelled run looks nothing up", async () => {
  const aborted = AbortSignal.abort();
  const looking = resolveSecret(worldWith({ A: "x" }), "env:A", refuseWarnings, aborted);
  await assert.rejects(looking, (error: AppError) => error.code === "cancelled");
});

Deno.test("no refusal repeats a secret written in place of a name or path", async () => {
  const secrets = ["ops_eyJzaWduSW5BZGRyZXNzIjoibXkuMXBhc3N3b3", "AGE-SECRET-KEY-1QQPQYQSZQGPQYQSZQ"];
  for (const secret of secrets) {
    const world = worldWith({ CREDENTIALS_DIRECTORY: "/run/none" });
    for (
      const reference of [
        secret,
        `file:${secret}`,
        `file:/${secret}`,
        `env:${secret}`,
        `credential:${secret}`,
        `credential:/${secret}`,
      ]
    ) {
      const error = await refusal(reference, world);
      assert.ok(!`${error.message} ${error.hint}`.includes(secret), error.message);
    }
    const error = await refusal({ command: [`/${secret}`] }, world);
    assert.ok(!error.message.includes(secret), error.message);
  }
});
