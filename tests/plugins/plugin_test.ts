import assert from "node:assert/strict";
import { plugin } from "../../plugins/destinations/plugin/mod.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import { sha256Hex } from "../../src/base/hash.ts";
import { never } from "../../src/destination/conformance/clock.ts";
import { CONTRACT, helpers } from "../../src/destination/helpers.ts";
import { PluginFolder, pluginText, refusalOf } from "./plugin_folder.ts";

const VOICE = /^destination "mine": [a-z"].*[^.\n]$/;

Deno.test("contract 1 gives exactly these helpers: more may come, none may go", () => {
  assert.equal(CONTRACT, 1);
  assert.deepEqual(Object.keys(helpers).sort(), [
    ...["AppError", "Sha256", "blocksOf", "collect", "concat", "digestOf", "foldersOfPrefix", "fromUtf8"],
    ...["guarded", "hex", "isAppError", "isKey", "isPartialOf", "orCancelled", "partialName", "partsOfKey"],
    ...["pour", "putOnce", "quoted", "refuseUnsupported", "resumableGet", "retry", "sha256Hex", "streamOf"],
    ...["streamed", "utf8", "watched", "withinSize"],
  ]);
});

Deno.test("a plugin gets its name, options, secrets, helpers and the outside", async () => {
  const before = `
    const { name, options, secrets, helpers, os, clock, warn } = context;
    warn("Options " + JSON.stringify(options) + " secret " + secrets.password + " " + secrets.password.reveal() + ".");
    warn([name, os, clock.now() instanceof Date, Object.isFrozen(context), signal.aborted, typeof helpers.putOnce]);
    warn(["files", "run", "start", "fetch", "http", "random"].map((one) => typeof context[one]).join());
  `.replace("warn([name", "warn(String([name").replace(
    "typeof helpers.putOnce])",
    "typeof helpers.putOnce]))",
  );
  await using folder = await PluginFolder.with(pluginText({}, before));
  await using _ = await folder.open({ options: { a: [1] }, secrets: { password: "env:X" } });
  assert.deepEqual(folder.warnings, [
    'destination "mine": options {"a":[1]} secret [redacted] [redacted]',
    `destination "mine": mine,${denoWorld().platform.os},true,true,false,function`,
    'destination "mine": object,function,function,function,function,function',
  ]);
});

Deno.test("a plugin is run only when its digest is that of the config, and says which it has", async () => {
  await using folder = await PluginFolder.with("globalThis.ranUnchecked = true;\n" + pluginText());
  const found = sha256Hex(await Deno.readFile(folder.path));
  const error = await folder.open({ sha256: "0".repeat(64) }).catch((error) => error);
  assert.equal(error.code, "misconfigured");
  assert.equal(
    error.message,
    `destination "mine": the plugin "${folder.path}" has the SHA-256 ${found}, not the one in the config, and was not run`,
  );
  assert.match(error.hint, /if you trust it as it is now, write this SHA-256 into the config$/);
  assert.equal("ranUnchecked" in globalThis, false);
  await using _ = await folder.open({ sha256: found.toUpperCase() }); // as Windows writes it
  assert.equal("ranUnchecked" in globalThis, true);
  delete (globalThis as { ranUnchecked?: true }).ranUnchecked;
});

Deno.test("what is run are the bytes that were checked, not what the file holds meanwhile", async () => {
  await using folder = await PluginFolder.with(pluginText({}, 'context.warn("checked")'));
  await using _ = await folder.open({}, {
    world: {
      files: {
        ...denoFiles,
        async read(path, limit) {
          const bytes = await denoFiles.read(path, limit);
          await Deno.writeTextFile(path, pluginText({}, 'context.warn("exchanged")'));
          return bytes;
        },
      },
    },
  });
  assert.deepEqual(folder.warnings, ['destination "mine": checked']);
});

Deno.test("a plugin's file must be a file of its own that others cannot write", async () => {
  await using folder = await PluginFolder.with(pluginText());
  const refused = async (settings: Record<string, unknown> = {}) => {
    const error = await folder.open(settings).then(() => assert.fail("opened"), (error) => error);
    assert.equal(error.code, "misconfigured");
    assert.match(error.message, VOICE);
    return `${error.message} | ${error.hint ?? ""}`;
  };
  await Deno.symlink(folder.path, `${folder.folder}/link.mjs`);
  assert.match(await refused({ path: `${folder.folder}/link.mjs` }), /link\.mjs" is a link \| .*mine\.mjs"$/);
  assert.match(await refused({ path: folder.folder }), /is not a regular file/);
  assert.match(await refused({ path: `${folder.folder}/none.mjs` }), /none\.mjs": it does not exist/);
  assert.match(await refused({ path: "C:\\mine.mjs" }), /is no absolute path on this system/);
  for (const mode of [0o664, 0o646]) {
    await Deno.chmod(folder.path, mode);
    assert.match(await refused(), /other users can write the plugin ".*" \| chmod go-w \/.*mine\.mjs$/);
  }
});

const UNFIT: [what: string, text: string, sentence: RegExp][] = [
  ["nothing", "", /has no default export: it must end with export default \{ contract: 1, open \}$/],
  ["no default export", "export const open = 1;", /has no default export/],
  ["no contract", "export default { open() {} };", /does not say which contract it keeps: contract: 1$/],
  [
    "a later contract",
    "export default { contract: 2, open() {} };",
    /keeps contract 2, and .* contract 1 only$/,
  ],
  ["a contract in words", 'export default { contract: "1", open() {} };', /keeps contract something else/],
  ["no open", "export default { contract: 1 };", /exports no function "open"$/],
  [
    "a relative import",
    'import "./other.mjs";',
    /imports "\.\/other\.mjs", which its SHA-256 does not cover$/,
  ],
  ["an import of a file", 'import x from "file:///etc/x.mjs";', /imports "file:\/\/\/etc\/x\.mjs"/],
  ["an import of a package", 'export * from "npm:left-pad";', /imports "npm:left-pad"/],
  [
    "an import that is reckoned",
    "const x = await import(globalThis.x);",
    /imports something that only shows when/,
  ],
  ["half a module", "export default {", /is no JavaScript module: it cannot be understood \(line 1\)$/],
  [
    "TypeScript",
    "\nexport const a: number = 1;",
    /cannot be loaded: missing initializer in const .* \(line 2\)$/,
  ],
  [
    "a module that throws",
    'throw new Error("no such thing as a day off.");',
    /cannot be loaded: no such thing as a/,
  ],
  [
    "a module that throws nothing",
    "throw undefined;",
    /cannot be loaded: it threw a value of type undefined/,
  ],
  [
    "an open that throws",
    "export default { contract: 1, open() { throw 5; } };",
    /cannot open the plugin: it threw/,
  ],
  [
    "an open that hangs",
    "export default { contract: 1, open: () => new Promise(() => {}) };",
    /nothing moved for 120 seconds$/,
  ],
  [
    "an open that opens nothing",
    "export default { contract: 1, open() {} };",
    /not open a destination: "open" gave nothing$/,
  ],
  [
    "a destination without a put",
    pluginText({ put: undefined }),
    /it did not open a destination: it has no function "put"$/,
  ],
  [
    "a destination without can",
    pluginText({ can: undefined }),
    /it has no "can", which says what it is able to do$/,
  ],
  [
    "a can that lacks something",
    pluginText({ can: "{ read: true }" }),
    /"can\.list" is neither true nor false$/,
  ],
  [
    "checksums that nobody knows",
    pluginText({
      can:
        `{ read: true, list: true, remove: true, createOnly: false, immutableUntil: false, checksums: ["md4"] }`,
    }),
    /"can\.checksums" is no list of "sha256", "md5", "crc32c"$/,
  ],
];

for (const [what, text, sentence] of UNFIT) {
  Deno.test(`a plugin is refused with a sentence: ${what}`, async () => {
    const error = await refusalOf(text);
    assert.match(error.message, sentence);
    assert.match(error.message, VOICE);
    assert.equal(error.origin, "destination");
    assert.ok(["misconfigured", "unknown", "transient"].includes(error.code), error.code);
    assert.doesNotMatch(error.message, /data:|base64/);
  });
}

Deno.test("a module that hangs while it is loaded is given up", async () => {
  const ends = Promise.withResolvers<void>();
  Object.assign(globalThis, { hangingModule: ends.promise });
  const error = await refusalOf("await globalThis.hangingModule;\n" + pluginText());
  assert.match(
    error.message,
    /^destination "mine": the plugin ".*" did not finish loading within 30 seconds$/,
  );
  assert.equal(error.code, "misconfigured");
  ends.resolve();
});

Deno.test("a plugin can import what is built in", async () => {
  const text = 'import { basename } from "node:path";\n' + pluginText({}, 'context.warn(basename("/a/b"))');
  await using folder = await PluginFolder.with(text);
  await using _ = await folder.open();
  assert.deepEqual(folder.warnings, ['destination "mine": b']);
});

Deno.test("a secret of the config is in no sentence of a plugin", async () => {
  const text = pluginText(
    {},
    "throw new context.helpers.AppError('denied', 'Wrong: ' + context.secrets.p.reveal());",
  );
  const error = await refusalOf(text, { secrets: { p: "env:X" } });
  assert.equal(error.message, 'destination "mine": wrong: [redacted]');
  assert.equal(error.code, "denied");
});

Deno.test("a program that does not exist is no absent key", async () => {
  const stat = '() => context.run(["/no/such/program"], { signal, timeout: 1000 })';
  const start = '() => context.start(["/no/such/program"], { signal })';
  for (const call of [stat, start]) {
    await using folder = await PluginFolder.with(pluginText({ stat: call }));
    await using opened = await folder.open();
    const error = await opened.stat("a", never).catch((error) => error);
    assert.equal(error.code, "misconfigured");
    assert.match(error.message, /^destination "mine": the program "\/no\/such\/program" does not exist$/);
    assert.equal(error.hint, "install it, or give its whole path");
  }
});

Deno.test("a cancelled opening ends, whatever the plugin does", async () => {
  await using folder = await PluginFolder.with(
    "export default { contract: 1, open: () => new Promise(() => {}) };",
  );
  const begun = performance.now();
  const error = await folder.open({}, { signal: AbortSignal.timeout(50) }).catch((error) => error);
  assert.equal(error.code, "cancelled");
  assert.ok(performance.now() - begun < 30_000);
});

Deno.test("config check looks at the file without running it", async () => {
  await using folder = await PluginFolder.with("globalThis.ranInCheck = true;");
  const world = denoWorld(), sha256 = sha256Hex(await Deno.readFile(folder.path));
  await plugin.check!("mine", { path: folder.path, sha256 }, { world }, never);
  assert.equal("ranInCheck" in globalThis, false);
  await assert.rejects(
    plugin.check!("mine", { path: folder.path, sha256: "0".repeat(64) }, { world }, never),
    /destination "mine": the plugin ".*" has the SHA-256 /,
  );
});
