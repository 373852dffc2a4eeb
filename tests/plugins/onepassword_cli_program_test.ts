import assert from "node:assert/strict";
import { isAppError } from "../../src/base/errors.ts";
import { failure } from "../base/failure.ts";
import type { AccountDescription } from "../service/mod.ts";
import { CliDoor, type DoorOptions, signal } from "./onepassword_cli_door.ts";

const ACCOUNT: AccountDescription = {
  name: "Program",
  vaults: [
    { title: "Private", kind: "personal", items: [{ title: "mine" }] },
    { title: "Made", items: [{ title: "theirs" }] },
  ],
};

function test(name: string, options: DoorOptions, tell: (door: CliDoor) => Promise<void>): void {
  Deno.test(name, async () => {
    await using door = await CliDoor.open(ACCOUNT, options);
    await tell(door);
  });
}

/** Runs with these variables in the environment. */
async function withVariables(variables: Record<string, string>, action: () => Promise<void>): Promise<void> {
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  try {
    await action();
  } finally {
    for (const name of Object.keys(variables)) Deno.env.delete(name);
  }
}

test("the environment says what the config says", { token: true }, async (door) => {
  await withVariables({
    OP_CONNECT_HOST: "http://made-up.invalid",
    OP_CONNECT_TOKEN: "made-up",
    OP_SERVICE_ACCOUNT_TOKEN: "ops_another",
    OP_ACCOUNT: "another",
    OP_FORMAT: "human-readable",
    OP_DEBUG: "true",
    OP_SESSION_sample: "made-up-session",
  }, async () => {
    await using source = await door.source();
    assert.equal((await source.vaults(signal)).length, 1);
  });
  for (const { variables } of door.fake.calls.log) {
    assert.deepEqual(variables, [
      "OP_BIOMETRIC_UNLOCK_ENABLED",
      "OP_CACHE",
      "OP_INCLUDE_ARCHIVE",
      "OP_LOAD_DESKTOP_APP_SETTINGS",
      "OP_SERVICE_ACCOUNT_TOKEN",
      "OP_SESSION_sample",
    ]);
  }
  assert.deepEqual(door.warnings, []);
});

test("without a token a person is asked, and a token that lies about is not used but mentioned", {
  account: "sample.1password.com",
}, async (door) => {
  await withVariables({ OP_SERVICE_ACCOUNT_TOKEN: door.op.token }, async () => {
    await using source = await door.source();
    assert.equal((await source.vaults(signal)).length, 2);
  });
  assert.deepEqual(door.fake.calls.log[1]!.variables, ["OP_ACCOUNT", "OP_CACHE", "OP_INCLUDE_ARCHIVE"]);
  assert.deepEqual(door.warnings, [
    "OP_SERVICE_ACCOUNT_TOKEN is set and not used, because the config names no token " +
    "(token: env:OP_SERVICE_ACCOUNT_TOKEN would)",
  ]);
});

for (
  const [version, options, sentence] of [
    ["1.12.9", {}, /^op has version 1\.12\.9, and version 2 is needed$/],
    ["2.17.0", { token: true }, /service accounts need 2\.18\.0$/],
    ["made-up tool, release 7", {}, /is not the 1Password CLI: it tells no version$/],
    ["", {}, /is not the 1Password CLI/],
  ] as const
) {
  test(`version "${version}" is refused before anything else is asked`, options, async (door) => {
    door.fake.version = version;
    const error = await failure(door.source(), "misconfigured", sentence);
    assert.equal(error.origin, "source");
    assert.ok(error.hint);
    assert.deepEqual(door.fake.calls.commands, ["--version"]);
  });
}

test("versions 2 are taken, betas too, and one of later is tried with a warning", {}, async (door) => {
  for (const version of ["2.0.0", "2.17.0", "2.31.0-beta.01", "v2.40.1"]) {
    door.fake.version = version;
    await (await door.source())[Symbol.asyncDispose]();
  }
  assert.deepEqual(door.warnings, []);
  door.fake.version = "3.0.0";
  await (await door.source())[Symbol.asyncDispose]();
  assert.match(door.warnings[0]!, /^op has version 3\.0\.0, and only version 2 is known/);
});

test("a missing program is misconfigured and says how to get it", {}, async (door) => {
  const error = await failure(
    door.source({ program: "/no/such/op" }),
    "misconfigured",
    /^the program "\/no\/such\/op" is not there$/,
  );
  assert.match(error.hint!, /install the 1Password CLI \(https:.*program:/);
  const path = await door.scratch.write("text", "no program", 0o600);
  await failure(door.source({ program: path }), "misconfigured", /may not be run$/);
});

test("an op that hangs at its version is given up", { timeout: 0.4 }, async (door) => {
  door.fake.faults.hang("--version");
  await failure(door.source(), "transient", /^op was given up/);
});

test("an abort ends op at once, and is no failure of 1Password", {}, async (door) => {
  await using source = await door.source();
  const controller = new AbortController();
  door.fake.faults.hang("vault list");
  const listing = source.vaults(controller.signal);
  while (door.fake.calls.count("vault list") === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  controller.abort();
  const error = await failure(listing, "cancelled");
  assert.equal(isAppError(error, "cancelled"), true);
});
