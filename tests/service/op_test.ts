import assert from "node:assert/strict";
import { denoWorld } from "../../src/base/deno_world.ts";
import { Scratch } from "../base/scratch.ts";
import { filled } from "../stories/content.ts";
import { LiveAccount } from "./account/live_account.ts";
import type { AccountDescription } from "./description.ts";
import { type RunningFakeOp, SAYS, startFakeOp } from "./op/mod.ts";

const ACCOUNT: AccountDescription = {
  name: "Acme",
  vaults: [
    {
      title: "Private",
      kind: "personal",
      items: [{ title: "Diary", category: "SecureNote", notes: "made-up-note" }],
    },
    {
      title: "Ops",
      description: "for machines",
      items: [
        { title: "Mail", username: "sample", files: [{ name: "note.txt", content: "attached" }] },
        { title: "Paper", category: "Document", document: { name: "p.txt", content: "the paper\n" } },
        { title: "Old", state: "archived", password: "made-up-old" },
      ],
    },
  ],
};

interface Ran {
  code: number;
  out: string;
  err: string;
}

interface Given {
  op: RunningFakeOp;
  scratch: Scratch;
  run(argv: string[], options?: { env?: Record<string, string>; stdin?: string }): Promise<Ran>;
  /** Runs, demands success and parses what was printed. */
  // deno-lint-ignore no-explicit-any -- what op prints is what is looked at
  json(...argv: string[]): Promise<any>;
}

function test(name: string, tell: (given: Given) => Promise<void>): void {
  Deno.test(`fake op: ${name}`, async () => {
    await using scratch = await Scratch.make();
    const account = await LiveAccount.create(filled(ACCOUNT));
    await using op = await startFakeOp({ account, folder: scratch.path });
    const run: Given["run"] = async (argv, { env = {}, stdin } = {}) => {
      const { code, stdout, stderr } = await denoWorld().run([op.path, ...argv], {
        signal: new AbortController().signal,
        timeout: 20_000,
        env,
        ...(stdin === undefined ? {} : { stdin: new TextEncoder().encode(stdin) }),
      });
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      return { code, out: text(stdout), err: text(stderr) };
    };
    await tell({
      op,
      scratch,
      run,
      async json(...argv) {
        const { code, out, err } = await run([...argv, "--format", "json"]);
        assert.deepEqual([code, err], [0, ""]);
        return JSON.parse(out);
      },
    });
  });
}

test("lists and describes vaults", async ({ json }) => {
  const [own, ops, ...others] = await json("vault", "list");
  assert.deepEqual(others, []);
  assert.deepEqual([own.name, ops.items, ops.type, ops.description], ["Private", 2, undefined, undefined]);
  assert.equal((await json("vault", "get", own.id)).type, "PERSONAL");
  const described = await json("vault", "get", "Ops");
  assert.deepEqual([described.type, described.description], ["USER_CREATED", "for machines"]);
});

test("shows the archive only when asked", async ({ json, run }) => {
  // deno-lint-ignore no-explicit-any -- what op prints
  const titles = (items: any[]) => items.map(({ title, state }) => [title, state]);
  assert.deepEqual(titles(await json("item", "list", "--vault", "Ops")), [["Mail", undefined], [
    "Paper",
    undefined,
  ]]);
  const all = await json("item", "list", "--vault", "Ops", "--include-archive");
  assert.deepEqual(titles(all)[2], ["Old", "ARCHIVED"]);
  assert.match((await run(["item", "get", all[2].id, "--vault", "Ops"])).err, /deleted or archived/);
  assert.equal(
    (await json("item", "get", all[2].id, "--vault", "Ops", "--include-archive")).state,
    "ARCHIVED",
  );
});

for (const missing of ["stop", "continue"] as const) {
  test(`gets many items by one process, and ${missing}s at one that is not there`, async ({ op, run }) => {
    op.fake.missing = missing;
    const [mail, paper] = op.fake.account.vault("Ops").items;
    const ids = [mail!.id, "aaaaaaaaaaaaaaaaaaaaaaaaaa", paper!.id];
    const inputs = [
      JSON.stringify(ids.map((id) => ({ id }))),
      ids.join("\n"),
      ids.map((id) => `{"id":"${id}"}`).join("\n"),
    ];
    for (const stdin of inputs) {
      const { code, out, err } = await run(["item", "get", "-", "--vault", "Ops", "--format", "json"], {
        stdin,
      });
      assert.equal(code, 1);
      assert.match(
        err,
        /^\[ERROR\] \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d "a{26}" isn't an item in the "Ops" vault\. Specify .*\n$/,
      );
      const found = JSON.parse(`[${out.trim().replace(/\n\}\n\{\n/g, "\n},{\n")}]`);
      assert.deepEqual(
        found.map(({ title }: { title: string }) => title),
        missing === "stop" ? ["Mail"] : ["Mail", "Paper"],
      );
    }
  });
}

test("gives bodies on standard output and in files", async ({ op, run, scratch }) => {
  const vault = op.fake.account.vault("Ops");
  const [mail, paper] = vault.items;
  const reference = `op://${vault.id}/${mail!.id}/${mail!.file("note.txt").id}`;
  assert.equal((await run(["read", reference])).out, "attached\n");
  assert.equal((await run(["read", "--no-newline", reference])).out, "attached");
  assert.equal((await run(["document", "get", paper!.id, "--vault", vault.id])).out, "the paper\n");
  const path = scratch.file("out");
  assert.equal((await run(["read", reference, "--out-file", path])).code, 0);
  assert.equal(await scratch.read("out"), "attached");
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  assert.match((await run(["read", reference, "--out-file", path])).err, /cannot prompt for confirmation/);
  assert.equal((await run(["read", reference, "--out-file", path, "--force"])).code, 0);
  assert.match(
    (await run(["read", `op://${vault.id}/${mail!.id}/none`])).err,
    /does not have a field 'none'/,
  );
});

test("complains as op does, with exit code 1", async ({ op, run }) => {
  const complains = async (argv: string[], sentence: RegExp, env = {}) => {
    const { code, out, err } = await run(argv, { env });
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, sentence);
  };
  await complains(["vault", "get", "None"], /\] .*"None" isn't a vault in this account|"None" isn't a vault/);
  await complains(["item", "list"], /a vault query must be provided/);
  await complains(["item", "fly"], /unknown command "item fly" for "op"/);
  await complains(["vault", "list", "--odd"], /unknown flag: --odd/);
  await complains(["vault", "list"], /DecodeSACredentials/, { OP_SERVICE_ACCOUNT_TOKEN: "nonsense" });
  await complains(["vault", "list"], /not compatible/, { OP_SERVICE_ACCOUNT_TOKEN: "ops_other" });
  await complains(["vault", "list"], /Connect/, { OP_CONNECT_HOST: "x" });
  op.fake.account.revokeToken();
  await complains(["vault", "list"], /\(403\) Forbidden/, { OP_SERVICE_ACCOUNT_TOKEN: op.token });
  op.fake.signedIn = "no";
  await complains(["vault", "list"], /account is not signed in/);
});

test("tells whoami for sessions and service accounts, not for the app", async ({ op, run, json }) => {
  assert.match((await run(["whoami"])).err, /account is not signed in/);
  op.fake.signedIn = "session";
  assert.equal((await json("whoami")).email, "sample.person@example.invalid");
  const { out } = await run(["whoami"], { env: { OP_SERVICE_ACCOUNT_TOKEN: op.token } });
  assert.equal(JSON.parse(out).user_type, "SERVICE_ACCOUNT");
  assert.equal((await json("account", "get")).name, "Acme");
  assert.equal((await json("account", "list")).length, 1);
  assert.deepEqual((await json("user", "list")).map(({ state }: { state: string }) => state), [
    "ACTIVE",
    "ACTIVE",
  ]);
});

test("makes service accounts that see what they were given, and counts their calls", async ({ op, run }) => {
  const refused = await run(["service-account", "create", "x", "--vault", "Private:read_items", "--raw"]);
  assert.match(refused.err, /can't grant access/);
  const made = await run([
    "service-account",
    "create",
    "backup",
    "--vault",
    "Ops:read_items",
    "--expires-in",
    "24h",
    "--raw",
  ]);
  const token = made.out.trim();
  assert.match(token, /^ops_/);
  assert.equal(op.fake.serviceAccounts.get(token)!.expiresIn, "24h");
  const env = { OP_SERVICE_ACCOUNT_TOKEN: token };
  const { out } = await run(["vault", "list", "--format", "json"], { env });
  assert.deepEqual(JSON.parse(out).map(({ name }: { name: string }) => name), ["Ops"]);
  const limits = JSON.parse((await run(["service-account", "ratelimit", "--format", "json"], { env })).out);
  assert.deepEqual(
    limits.map(({ type, action, used }: Record<string, unknown>) => [type, action, used]),
    [["token", "read", 1], ["token", "write", 0], ["account", "read_write", 1]],
  );
  op.fake.allowed.hour = 1;
  assert.match((await run(["vault", "list"], { env })).err, /\(429\) Too Many Requests/);
});

test("remembers how it was called, but no secret", async ({ op, run }) => {
  await run(["vault", "list"], {
    env: { OP_SERVICE_ACCOUNT_TOKEN: op.token, OP_SESSION_x: "made-up-session" },
  });
  const [call] = op.fake.calls.log;
  assert.deepEqual(
    [call!.command, call!.argv, call!.code],
    ["vault list", ["vault", "list"], 0],
  );
  assert.ok(call!.variables.includes("OP_SERVICE_ACCOUNT_TOKEN") && call!.variables.includes("OP_SESSION_x"));
  assert.doesNotMatch(JSON.stringify(op.fake.calls.log), /ops_|made-up-session/);
});

test("commits faults on demand", async ({ op, run, json }) => {
  const { faults } = op.fake;
  faults.fail("vault list", SAYS.gatewayTimeout, { after: 1, times: 1 });
  assert.equal((await json("vault", "list")).length, 2);
  assert.match((await run(["vault", "list"])).err, /\(504\)/);
  assert.equal((await json("vault", "list")).length, 2);
  faults.crash("item list");
  const crashed = await run(["item", "list", "--vault", "Ops", "--format", "json"]);
  assert.deepEqual([crashed.code, crashed.out.startsWith("[")], [2, true]);
  assert.throws(() => JSON.parse(crashed.out));
  assert.match(crashed.err, /^panic: /);
  faults.clear();
  faults.add("*", { instead: "garbage" }, { about: "Ops" });
  assert.equal((await run(["item", "list", "--vault", "Ops"])).out, "garbage");
  assert.equal((await json("vault", "list")).length, 2);
});
