import assert from "node:assert/strict";
import { onepasswordCli } from "../../plugins/sources/onepassword_cli/mod.ts";
import { Secret } from "../../src/base/secret.ts";
import { failure } from "../base/failure.ts";
import type { AccountDescription } from "../service/mod.ts";
import { SAYS } from "../service/op/mod.ts";
import { CliDoor, type DoorOptions, signal, vaultOf, walk } from "./onepassword_cli_door.ts";

const ACCOUNT: AccountDescription = {
  name: "Sign-in",
  vaults: [
    { title: "Private", kind: "personal", items: [{ title: "mine" }] },
    { title: "Shared", kind: "everyone", items: [{ title: "ours" }] },
    { title: "Made", kind: "shared", description: "by somebody", items: [{ title: "theirs" }] },
    { title: "Empty", kind: "transfer" },
  ],
};

function test(name: string, options: DoorOptions, tell: (door: CliDoor) => Promise<void>): void {
  Deno.test(name, async () => {
    await using door = await CliDoor.open(ACCOUNT, options);
    await tell(door);
  });
}

test("a person's vaults come with their kinds and descriptions, by two processes", {}, async (door) => {
  await using source = await door.source();
  const vaults = await source.vaults(signal);
  assert.deepEqual(
    vaults.map((
      { title, kind, description, activeItemCount },
    ) => [title, kind, description, activeItemCount]),
    [
      ["Private", "personal", "", 1],
      ["Shared", "everyone", "", 1],
      ["Made", "created", "by somebody", 1],
      ["Empty", "transfer", "", undefined], // a number that is nought is left out by op
    ],
  );
  assert.deepEqual(door.fake.calls.commands, ["--version", "vault list", "vault get"]);
  assert.deepEqual(await walk(source, vaults[3]!), { items: [], shortfalls: [] });
});

test(
  "a service account does not see personal vaults, and its limits say so",
  { token: true },
  async (door) => {
    await using source = await door.source();
    assert.deepEqual((await source.vaults(signal)).map(({ title }) => title), ["Made", "Empty"]);
    assert.match(
      source.limits[0]!.detail,
      /^a service account never sees Personal, Private or Employee vaults/,
    );
    const reasons = source.limits.map(({ reason }) => reason);
    assert.deepEqual(reasons, [
      "personal-vaults",
      "passkeys",
      "item-versions",
      "password-history-times",
      "form-details",
      "address-parts",
    ]);
    assert.deepEqual((await walk(source, await vaultOf(source, "Made"))).items.map(({ title }) => title), [
      "theirs",
    ]);
    for (const { command, argv } of door.fake.calls.log) {
      assert.equal(argv.includes("--vault"), /^item|^document/.test(command), argv.join(" "));
    }
  },
);

test("the details of vaults that one process does not tell are asked for one by one", {}, async (door) => {
  await using source = await door.source();
  for (
    const blow of [{ share: 0.4 }, { share: 0.4, complaint: "panic: made-up", code: 2 }, { instead: "odd" }]
  ) {
    const undo = door.fake.faults.add("vault get", blow, { times: 1 });
    assert.deepEqual((await source.vaults(signal)).map(({ kind }) => kind), [
      "personal",
      "everyone",
      "created",
      "transfer",
    ]);
    undo();
  }
  door.fake.faults.fail("vault get", SAYS.noNetwork, { times: 2 });
  assert.equal((await source.vaults(signal)).length, 4);
  door.fake.faults.fail("vault get", "made-up trouble");
  await failure(source.vaults(signal), "unknown");
});

test("a vault that goes while vaults are described is listed all the same", {}, async (door) => {
  await using source = await door.source();
  const undo = door.fake.before("vault get", () => (undo(), door.fake.account.removeVault("Shared")));
  const vaults = await source.vaults(signal);
  assert.deepEqual(vaults.map(({ title, kind }) => [title, kind])[1], ["Shared", "unknown"]);
});

test("lists of vaults that make no sense are errors", {}, async (door) => {
  await using source = await door.source();
  for (const instead of ["", "{}", "[{}]", "nonsense", '["Private"]']) {
    const undo = door.fake.faults.add("vault list", { instead });
    await failure(source.vaults(signal), "unknown");
    undo();
  }
  door.fake.faults.add("vault list", { instead: "null\n" });
  assert.deepEqual(await source.vaults(signal), []);
});

test("who is signed in is told by the account, and by op's list of sign-ins", {}, async (door) => {
  await using source = await door.source();
  const expected = {
    id: door.fake.account.credentials.accountId,
    name: "Sign-in",
    url: "sample.1password.com",
    signedInAs: "sample.person@example.invalid",
  };
  assert.deepEqual(await source.account(signal), expected);
  assert.equal(door.fake.calls.count("whoami"), 0, "it fails under the 1Password app");
  door.fake.faults.fail("account get", "made-up trouble");
  assert.equal((await source.account(signal))!.signedInAs, expected.signedInAs);
  door.fake.faults.fail("account list", "made-up trouble");
  assert.equal(await source.account(signal), undefined);
});

test("a service account tells its account", { token: true }, async (door) => {
  await using source = await door.source();
  const id = door.fake.account.credentials.accountId;
  assert.deepEqual(await source.account(signal), { id, url: "sample.1password.com" });
  door.fake.faults.add("whoami", {
    instead: `{"URL":"https://a.invalid","AccountUUID":"${id}","UserType":"X"}`,
  });
  assert.deepEqual(await source.account(signal), { id, url: "https://a.invalid" });
});

test("a bad token is tried once, whatever asks next", { token: true }, async (door) => {
  door.fake.account.revokeToken();
  await using source = await door.source();
  for (
    const ask of [
      () => source.account(signal),
      () => source.vaults(signal),
      () => source.allowances!(signal),
      () => walk(source, { id: "x", title: "", description: "", kind: "created", raw: null }),
    ]
  ) {
    const error = await failure(ask, "denied", /^1Password refused the sign-in/);
    assert.equal(error.origin, "source");
  }
  assert.deepEqual(door.fake.calls.commands, ["--version", "whoami"]);
});

test("a token of another form never reaches op", { token: true }, async (door) => {
  for (const secret of ["", "made-up", "ops_", "ops_a b", `x ${door.op.token}`]) {
    const context = { ...door.context(), secret: () => Promise.resolve(new Secret(secret)) };
    await failure(
      onepasswordCli.open({ program: door.op.path, token: "env:MADE_UP" }, context, signal),
      "denied",
      /is not a service account token$/,
    );
  }
  assert.deepEqual(door.fake.calls.log, []);
});

for (
  const [text, sentence] of [
    [SAYS.noSignIn, /^op is not signed in/],
    [SAYS.dismissed, /^nobody allowed op/],
    [SAYS.noAccounts, /^op knows no 1Password account/],
    [SAYS.noDesktopApp, /^op cannot reach the 1Password app/],
  ] as const
) {
  test(`"${text.slice(0, 40)}" is denied, with a hint, and asked for once`, {}, async (door) => {
    door.fake.faults.fail("*", text, { after: 1 });
    await using source = await door.source();
    const error = await failure(source.vaults(signal), "denied", sentence);
    assert.ok(error.hint);
    await failure(source.vaults(signal), "denied", sentence);
    assert.equal(door.fake.calls.log.length, 2);
  });
}

test("what is not signed in is denied in the middle of a walk too", {}, async (door) => {
  await using source = await door.source();
  const vault = await vaultOf(source, "Made");
  const undo = door.fake.before("item get", () => (undo(), door.fake.signedIn = "no", undefined));
  await failure(() => walk(source, vault), "denied", /^op is not signed in/);
  assert.equal(door.fake.calls.count("item get"), 1);
});

test("an estimate is what a run costs, or a little more", { token: true }, async (door) => {
  for (let at = 0; at < 20; at++) door.fake.account.vault("Made").add({ title: `more ${at}` });
  await using source = await door.source();
  await source.account(signal);
  const vaults = await source.vaults(signal);
  const { reads } = await source.estimate(vaults, signal);
  for (const vault of vaults) await walk(source, vault);
  assert.ok(door.fake.reads <= reads && reads <= 2 * door.fake.reads, `${reads} for ${door.fake.reads}`);
});

test("a person's calls are not counted", {}, async (door) => {
  await using source = await door.source();
  assert.deepEqual(await source.estimate(await source.vaults(signal), signal), { reads: 0 });
  assert.equal(await source.allowances!(signal), undefined);
});

test("what is left of the quota is what op tells", { token: true }, async (door) => {
  await using source = await door.source();
  const [token] = (await source.allowances!(signal))!;
  assert.deepEqual(token, { scope: "token", action: "read", limit: 1000, used: 0 });
  await source.vaults(signal);
  assert.deepEqual(await source.allowances!(signal), [
    { scope: "token", action: "read", limit: 1000, used: 3, resetSeconds: 3000 },
    { scope: "token", action: "write", limit: 100, used: 0 },
    { scope: "account", action: "any", limit: 1000, used: 3, resetSeconds: 80_000 },
  ]);
  for (
    const instead of [
      "{}",
      "[]",
      '[{"type":"moon","action":"read","limit":1,"used":1}]',
      '[{"type":"token"}]',
    ]
  ) {
    const undo = door.fake.faults.add("service-account ratelimit", { instead });
    assert.equal(await source.allowances!(signal), undefined, instead);
    undo();
  }
  door.fake.faults.fail("service-account ratelimit", 'unknown command "ratelimit" for "op service-account"');
  assert.equal(await source.allowances!(signal), undefined);
});
