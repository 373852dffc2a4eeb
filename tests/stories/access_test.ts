/** What an administrator sees and the backup does not, and how it comes to see it; `op` is the fake one. */
import assert from "node:assert/strict";
import type { AccountDescription } from "../service/mod.ts";
import { type FakeOp, SAYS, startFakeOp } from "../service/op/mod.ts";
import { type Line, names, type Ran, type Story, story } from "./harness.ts";

const ACCOUNT: AccountDescription = {
  name: "Acme",
  vaults: [
    { title: "Finance", items: [{ title: "Big Bank", password: "made-up-bank-password" }] },
    { title: "Servers", items: [{ title: "Gateway", password: "made-up-gateway-password" }] },
    { title: "Sandbox", items: [{ title: "Toy", password: "made-up-toy-password" }] },
    { title: "Private", kind: "personal", items: [{ title: "Diary", password: "made-up-diary-password" }] },
    { title: "Shared", kind: "everyone", items: [{ title: "Wifi", password: "made-up-wifi-password" }] },
  ],
};

const DAY = 86_400_000;

interface Office {
  fake: FakeOp;
  /** What the token file holds. */
  token(): string;
  /** A vault that was made after the service account. */
  newVault(title: string): Promise<string>;
  /** Runs a command as the administrator. */
  ask(code: number, command: string, ...flags: string[]): Promise<Ran>;
}

/** A backup by a service account whose vaults are Finance, Servers and Sandbox, and an administrator's `op`. */
function office(name: string, tell: (story: Story, office: Office) => Promise<void>): void {
  story(name, { account: ACCOUNT }, async (story) => {
    const folder = await Deno.makeTempDir({ prefix: "vaultferry-fake-op-" });
    const { account } = story.service;
    await using op = await startFakeOp({ account, folder, tokens: [story.service.token()] });
    const { fake } = op;
    fake.allowed = { hour: 10_000, day: 50_000 };
    const first = ["Finance", "Servers", "Sandbox"].map((title) => account.vault(title).id);
    await story.writeToken(fake.createServiceAccount({
      name: "made by hand",
      vaults: first.map((id) => ({ id, permissions: ["read_items"] })),
    }));
    story.job.source = { type: "onepassword-cli", program: op.path, token: `file:${story.token}` };
    story.job.vaults = { exclude: ["Sandbox"] };
    try {
      await tell(story, {
        fake,
        token: () => Deno.readTextFileSync(story.token).trim(),
        newVault: async (title) => (await account.addVault({ title })).id,
        ask: (code, command, ...flags) => story.runs(code, command, "--program", op.path, ...flags),
      });
      assert.ok(
        fake.calls.log.every(({ argv }) => argv.every((word) => !word.includes("ops_"))),
        "a token in argv",
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

const reached = ({ summary }: Ran): Record<string, string[]> => {
  const vaults = summary.jobs[0].vaults as Line[];
  return Object.fromEntries(
    Object.entries(Object.groupBy(vaults, ({ reach }) => reach)).map((
      [reach, all],
    ) => [reach, all!.map(({ id }) => id)]),
  );
};

office(
  "a vault that was made later is missing, and nothing else is",
  async (story, { ask, newVault, fake }) => {
    const id = (title: string) => story.service.account.vault(title).id;
    const before = await ask(0, "coverage");
    assert.match(before.out, /2 vaults covered, 0 missing, 1 excluded on purpose/);
    const late = await newVault("Board");
    const { out, err } = await ask(3, "coverage");
    assert.match(out, /^\S+ +Board +\S+ +MISSING +the backup does not see it$/m);
    assert.match(out, /Sandbox +1 +excluded/);
    assert.match(out, /Private +1 +out of reach +a personal vault/);
    assert.match(out, /Shared +1 +out of reach +the vault shared by everybody/);
    assert.match(out, /Other Person <other.person@example.invalid> +\? +out of reach +the personal vault/);
    assert.doesNotMatch(out, /Sample Person/, "the administrator's own personal vault stands in the list");
    assert.doesNotMatch(err, /warning|error/);
    const ran = await ask(3, "coverage", "--json");
    assert.deepEqual(reached(ran), {
      missing: [late],
      covered: [id("Finance"), id("Servers")],
      excluded: [id("Sandbox")],
      beyond: [id("Private"), id("Shared")],
    });
    assert.doesNotMatch(ran.out, /Board|Finance/, "no title in what programs read");
    assert.equal(fake.calls.count("item list"), 0);
    assert.equal(names(`${story.state}/acme`).length, 0, "it writes nothing");
  },
);

office("an expected vault that nobody sees is missing too", async (story, { ask }) => {
  story.job.vaults = { exclude: ["Sandbox"], expect: ["Finance", "Legal"] };
  const { err } = await ask(3, "coverage");
  assert.match(err, /the vault "Legal" is named in the config, and nobody sees it/);
});

office(
  "an administrator who is not signed in, or lists that break, are errors and no coverage",
  async (_, given) => {
    const { ask, fake } = given;
    fake.signedIn = "no";
    const { err } = await ask(13, "coverage");
    assert.match(err, /op is not signed in to 1Password/);
    fake.signedIn = "app";
    for (const command of ["vault list", "user list"]) {
      const undo = fake.faults.add(command, { instead: "{}" });
      const broken = await ask(1, "coverage");
      assert.match(broken.err, /a list of (vaults|people) of an unknown shape/);
      assert.equal(broken.out, "");
      undo();
    }
  },
);

office("an administrator of another account is told apart", async (_, { ask, fake }) => {
  fake.faults.add("account get", { instead: JSON.stringify({ id: "ANOTHERACCOUNT", name: "Other" }) });
  const { err } = await ask(2, "coverage");
  assert.match(err, /signed in to different accounts/);
});

office("sync-access gives the backup what it missed, and says what is left to do", async (story, given) => {
  const { ask, newVault, fake, token } = given;
  const late = await newVault("Board"), old = token();
  const plan = await ask(0, "sync-access", "--dry-run");
  const day = new Date().toISOString().slice(0, 10);
  assert.match(
    plan.out,
    new RegExp(`service-account create 'vaultferry acme ${day} [0-9:]{8}' --raw --expires-in 2160h`),
  );
  assert.ok(plan.out.includes(`--vault ${late}:read_items`));
  assert.equal(fake.calls.count("service-account create"), 0);
  assert.equal(token(), old);

  const { out } = await ask(0, "sync-access");
  assert.match(out, /delete the service account of the old token/);
  assert.match(out, /token\.previous"$/m);
  const made = fake.serviceAccounts.get(token())!;
  assert.match(made.name, new RegExp(`^vaultferry acme ${day} [0-9:]{8}$`));
  assert.equal(made.expiresIn, "2160h");
  const granted = ["Finance", "Servers", "Board"].map((title) => story.service.account.vault(title).id);
  assert.deepEqual(made.vaults.map(({ id }) => id).sort(), granted.sort());
  assert.ok(made.vaults.every(({ permissions }) => permissions.join() === "read_items"));
  assert.equal(Deno.readTextFileSync(`${story.token}.previous`).trim(), old);
  for (const path of [story.token, `${story.token}.previous`]) {
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
  }
  story.private.push({ what: "the new token", text: token() });

  await ask(0, "coverage");
  const backup = await story.runs(0, "backup", "--json");
  assert.equal(backup.lines.find(({ event }) => event === "sealed")!.counts.vaults, 3);
  const again = await ask(0, "sync-access");
  assert.match(again.out, /nothing to do/);
  assert.equal(fake.serviceAccounts.size, 2);
  story.clockOffset += 1000;
  const renewed = await ask(0, "sync-access", "--renew", "--expires-in", "never");
  assert.ok(renewed.out.includes(`delete the service account "${made.name}"`), renewed.out);
  assert.notEqual(fake.serviceAccounts.get(token())!.name, made.name, "told apart, whoever deletes one");
  assert.equal(fake.serviceAccounts.get(token())!.expiresIn, undefined);
  await story.runs(0, "backup");
});

const steps: [name: string, code: number, message: RegExp, fail: (fake: FakeOp, story: Story) => void][] = [
  [
    "op cannot make a service account",
    13,
    /does not let this person make a service account/,
    (fake) =>
      void fake.faults.fail(
        "service-account create",
        "you do not have permission to create service accounts",
      ),
  ],
  [
    "op is asked to sign in when it makes one",
    13,
    /not signed in/,
    (fake) => void fake.faults.fail("service-account create", SAYS.noSignIn),
  ],
  [
    "op shows no token",
    1,
    /did not show its token/,
    (fake) => void fake.faults.add("service-account create", { instead: "done\n" }),
  ],
  ["the new account does not see every vault", 13, /does not see every vault: "\w+"/, (fake) => {
    const create = fake.createServiceAccount.bind(fake);
    fake.createServiceAccount = (made) => create({ ...made, vaults: made.vaults.slice(1) });
  }],
  ["the new token is refused", 13, /the old token stays in use/, (fake) => {
    fake.createServiceAccount = () => "ops_bm9ib2R5";
  }],
  ["the old token cannot be kept", 1, /no space left/, (_, story) => {
    failWhere(story, /\.previous/);
  }],
  ["the new token cannot be written", 1, /the old token stays in use/, (_, story) => {
    failWhere(story, /\/token\.[0-9a-f]{8}\.tmp$/);
  }],
];

/** Files whose name fits cannot be made. */
function failWhere(story: Story, where: RegExp): void {
  const { create } = story.world({ out: "", err: "" }).files;
  story.files = {
    create: (path, mode) =>
      where.test(path) ? Promise.reject(new Error("no space left")) : create(path, mode),
  };
}

for (const [name, code, message, fail] of steps) {
  office(`the old token still works when ${name}`, async (story, { ask, newVault, fake, token }) => {
    await newVault("Board");
    const old = token();
    fail(fake, story);
    const { err } = await ask(code, "sync-access");
    assert.match(err, message);
    if (fake.serviceAccounts.size > 1) assert.match(err, /delete the service account "vaultferry acme/);
    assert.equal(token(), old);
    story.files = {};
    fake.faults.clear();
    await story.runs(0, "backup");
  });
}

office("a record that cannot be written costs the warning, not the new token", async (story, given) => {
  const { ask, newVault, fake, token } = given;
  await newVault("Board");
  failWhere(story, /token\.json/);
  const { err } = await ask(0, "sync-access");
  assert.match(err, /when the new token ends could not be noted/);
  assert.ok(fake.serviceAccounts.get(token())!.vaults.length === 3);
  story.private.push({ what: "the new token", text: token() });
});

office(
  "what keeps the token from being replaced is known before a service account is made",
  async (story, given) => {
    const { ask, newVault, fake } = given;
    await newVault("Board");
    const source = story.job.source;
    story.job.source = { ...source, token: "env:TOKEN" };
    story.env.TOKEN = given.token();
    assert.match((await ask(2, "sync-access")).err, /does not say in which file the token is/);
    assert.match(
      (await ask(2, "sync-access", "--token-file", story.at("host/none"))).err,
      /cannot be replaced/,
    );
    story.job.source = { type: "onepassword-cli", program: source.program };
    assert.match((await ask(2, "sync-access")).err, /does not sign in by a token/);
    story.job.source = source;
    const { stat } = story.world({ out: "", err: "" }).files;
    story.files = {
      stat: async (path) => ({ ...await stat(path), ...(path === story.token ? { uid: 4711 } : {}) }),
    };
    assert.match((await ask(2, "sync-access")).err, /belongs to another user/);
    assert.equal(fake.calls.count("service-account create"), 0);
    assert.match(
      (await ask(2, "sync-access", "--expires-in", "soon")).err,
      /a number of days such as 90d, or never/,
    );
  },
);

office(
  "from two weeks before its end every backup warns, unless another token is in use",
  async (story, given) => {
    const { ask, token } = given;
    await ask(0, "sync-access", "--renew", "--expires-in", "30d");
    story.private.push({ what: "the new token", text: token() });
    const warned = async () =>
      /the token of the service account .* (ends|ended) .*/.exec((await story.runs(0, "backup")).err)?.[0];
    assert.equal(await warned(), undefined);
    story.clockOffset = 17 * DAY;
    assert.match(await warned() ?? "", /ends in 12 days, on /);
    story.clockOffset = 29.5 * DAY;
    assert.match(await warned() ?? "", /ends within a day/);
    story.clockOffset = 31 * DAY;
    assert.match(await warned() ?? "", /ended on /);
    await Deno.copyFile(`${story.token}.previous`, story.token);
    assert.equal(await warned(), undefined, "of another token it says nothing");
  },
);
