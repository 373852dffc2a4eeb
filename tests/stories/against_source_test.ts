/** `verify --against-source`: an archive held against what 1Password holds now. */
import assert from "node:assert/strict";
import { startFakeOp } from "../service/op/mod.ts";
import { type Line, type Ran, SMALL, type Story, story } from "./harness.ts";

const AGAINST = ["verify", "--against-source"] as const;
const TOMORROW = () => new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+Z$/, "Z");

const against = ({ summary }: Ran): Line => summary.jobs[0].against;
/** The rows that are not as on the day of the backup, as [id, missing, since, named, removed]. */
const rows = (ran: Ran) =>
  (against(ran).vaults as Line[])
    .filter(({ missing, since, named, removed, vault }) =>
      missing + since + named + removed > 0 || vault !== "both"
    )
    .map(({ id, missing, since, named, removed }) => [id, missing, since, named, removed])
    .sort();

/** By numbers on the backup host, and item by item with the key. */
const ways = (story: Story) => [[], ["--identity", story.key]];

story("what has not changed is the same, for a list of each vault and no item", {}, async (story) => {
  await story.runs(0, "backup");
  for (const [at, flags] of ways(story).entries()) {
    story.service.requests.reset();
    const ran = await story.runs(0, ...AGAINST, ...flags, "--json");
    assert.deepEqual([rows(ran), against(ran).by, against(ran).unread], [[], ["vaults", "items"][at], []]);
    assert.equal(against(ran).archive, story.archives()[0]);
    assert.equal(story.service.requests.count("items/batch"), 0);
    assert.equal(story.service.requests.count("file/read"), 0);
    assert.deepEqual(
      ran.lines.filter(({ event }) => event === "note").map(({ message }) => message),
      ["listing 2 vaults: about 14 calls to 1Password"],
    );
    const { out } = await story.runs(0, ...AGAINST, ...flags);
    assert.match(out, /^nothing is missing in the archive$/m);
    const { id } = story.service.account.vault("Finance");
    assert.match(out, new RegExp(`^${id} +3 +3 +0 +0 +0 +0  same$`, "m"));
    assert.doesNotMatch(out + JSON.stringify(ran.lines), /Finance|Servers|Gateway/);
  }
});

story("items made or changed since are passed over, removed ones are told", {}, async (story) => {
  await story.runs(0, "backup");
  const finance = story.service.account.vault("Finance"), servers = story.service.account.vault("Servers");
  const gone = finance.item("Tax office");
  gone.delete();
  servers.add({ title: "Switch", updatedAt: TOMORROW() });
  for (const flags of ways(story)) {
    const ran = await story.runs(0, ...AGAINST, ...flags, "--json");
    assert.deepEqual(rows(ran), [[finance.id, 0, 0, 0, 1], [servers.id, 0, 1, 0, 0]].sort());
  }
  const { out } = await story.runs(0, ...AGAINST, "--identity", story.key);
  assert.ok(out.includes(`removed or moved since: ${finance.id}/${gone.id}\n`), out);
});

story("an item that is older than the archive and not in it is a difference", {}, async (story) => {
  await story.runs(0, "backup");
  const servers = story.service.account.vault("Servers");
  servers.add({ title: "Newer", updatedAt: TOMORROW() });
  const older = servers.add({ title: "Older" });
  for (const flags of ways(story)) {
    assert.deepEqual(rows(await story.runs(3, ...AGAINST, ...flags, "--json")), [[servers.id, 1, 1, 0, 0]]);
  }
  story.service.requests.reset();
  const ran = await story.runs(3, ...AGAINST, "--identity", story.key, "--json");
  assert.deepEqual(against(ran).vaults.find(({ id }: Line) => id === servers.id).missingItems, [older.id]);
  assert.match(ran.lines.filter(({ event }) => event === "note")[1]!.message, /^looking at 2 items at most/);
  // What is only at another vault is looked at neither.
  assert.equal(story.service.requests.count("items/batch"), 1);
  const { out } = await story.runs(3, ...AGAINST, "--identity", story.key);
  assert.ok(out.includes(`missing in the archive: ${servers.id}/${older.id}\n`), out);
  assert.match(out, /^missing in the archive and older than it: 1 item$/m);
  // The day after it is in the archive, and all is well.
  story.clockOffset += 86_400_000;
  await story.runs(0, "backup");
  await story.runs(0, ...AGAINST, "--identity", story.key);
  // Named, the older archive is compared.
  await story.runs(3, ...AGAINST, "--archive", story.archives()[0]!);
});

story("a vault that the archive lacks is a difference, unless all of it is new", {}, async (story) => {
  await story.runs(0, "backup");
  const fresh = { title: "Fresh", createdAt: TOMORROW(), items: [{ title: "A", updatedAt: TOMORROW() }] };
  const { id: newer } = await story.service.account.addVault(fresh);
  for (const flags of ways(story)) {
    const ran = await story.runs(0, ...AGAINST, ...flags, "--json");
    assert.deepEqual(rows(ran), [[newer, 0, 1, 0, 0]]);
  }
  const { id } = await story.service.account.addVault({ title: "Board", items: [{ title: "Minutes" }] });
  for (const flags of ways(story)) {
    const ran = await story.runs(3, ...AGAINST, ...flags, "--json");
    assert.equal(against(ran).vaults.find((one: Line) => one.id === id).vault, "missing");
    assert.match((await story.runs(3, ...AGAINST, ...flags)).out, /1 +0 +0 +0 +THE VAULT IS MISSING$/m);
  }
  // Left out on both sides, it is nobody's difference; nor is one that was left out when the archive was made.
  story.job.vaults = { exclude: ["Board", "Servers"] };
  const left = against(await story.runs(0, ...AGAINST, "--json")).vaults as Line[];
  assert.deepEqual(
    left.map((one) => one.id).sort(),
    [story.service.account.vault("Finance").id, newer].sort(),
  );
  story.clockOffset += 2 * 86_400_000;
  await story.run("backup");
  delete story.job.vaults;
  for (const flags of ways(story)) {
    const newest = story.archives().at(-1)!;
    const ran = await story.runs(0, ...AGAINST, ...flags, "--archive", newest, "--json");
    assert.deepEqual(rows(ran).map(([, missing, , named]) => [missing, named]), [[0, 1], [0, 1]]);
  }
});

story("an empty vault that is older than the archive is one that it lacks", {}, async (story) => {
  await story.runs(0, "backup");
  await story.service.account.addVault({ title: "Empty", createdAt: TOMORROW() });
  await story.runs(0, ...AGAINST);
  await story.service.account.addVault({ title: "Old and empty", createdAt: "2024-01-01T00:00:00Z" });
  assert.match((await story.runs(3, ...AGAINST)).out, /^it lacks 1 vault$/m);
});

story("without what this host remembers the totals are compared", {}, async (story) => {
  await story.runs(0, "backup");
  Deno.removeSync(`${story.state}/acme/runs.json`);
  const same = against(await story.runs(0, ...AGAINST, "--json"));
  assert.deepEqual([same.by, same.vaults.length, same.vaults[0].archived, same.vaults[0].now], [
    "total",
    1,
    4,
    4,
  ]);
  assert.match((await story.runs(0, ...AGAINST)).out, /^all vaults +4 +4 /m);
  const servers = story.service.account.vault("Servers");
  servers.add({ title: "Newer", updatedAt: TOMORROW() });
  await story.runs(0, ...AGAINST);
  servers.add({ title: "Older" });
  assert.equal(against(await story.runs(3, ...AGAINST, "--json")).vaults[0].missing, 1);
  Deno.writeTextFileSync(`${story.state}/acme/runs.json`, "{", { mode: 0o600 });
  assert.match((await story.runs(3, ...AGAINST)).err, /what this host remembers is left aside: .*is damaged/);
});

story("a source that fails is an error of its own, never one without a difference", {}, async (story) => {
  await story.runs(0, "backup");
  const { faults, account } = story.service;
  for (const flags of ways(story)) {
    faults.status("items/overviews", 503);
    const down = await story.runs(75, ...AGAINST, ...flags, "--json");
    assert.equal(against(down).error.code, "transient");
    assert.equal(down.summary.jobs[0].copies[0].result, "good");
    faults.clear();
    faults.quotaUsedUp({ after: 0, route: "vaults/list" });
    await story.runs(14, ...AGAINST, ...flags);
    faults.clear();
  }
  const finance = account.vault("Finance");
  faults.shortList({ leaveOut: [finance.item("Big Bank").id] });
  const short = await story.runs(3, ...AGAINST, "--identity", story.key, "--json");
  assert.deepEqual(against(short).unread, [{ reason: "short-list", vaultId: finance.id }]);
  const { out } = await story.runs(3, ...AGAINST);
  assert.match(out, /^1 part of 1Password could not be read and so not compared$/m);
  faults.clear();
  account.revokeToken(401);
  for (const flags of ways(story)) {
    const { out } = await story.runs(13, ...AGAINST, ...flags);
    assert.doesNotMatch(out, /nothing is missing/);
  }
});

story("1Password is not asked when there is nothing to compare it with", {}, async (story) => {
  await story.runs(10, ...AGAINST);
  await story.runs(0, "backup");
  await story.makeKey("stranger");
  story.service.requests.reset();
  await story.runs(12, ...AGAINST, "--identity", story.at("safe/stranger"));
  for (const flags of [["--archive", "all"], ["--sample", "10%"]]) {
    assert.match((await story.runs(2, ...AGAINST, ...flags)).err, /compares one archive with 1Password/);
  }
  const path = story.at(`nas/acme/${story.archives()[0]}`);
  Deno.writeFileSync(path, Deno.readFileSync(path).fill(0, -9));
  const { out } = await story.runs(15, ...AGAINST);
  assert.match(out, /^not compared with 1Password: there is no good copy to compare$/m);
  assert.equal(story.service.requests.total(), 0);
});

story("through op it lists and fetches no item, and heeds what op says is left", {}, async (story) => {
  const folder = await Deno.makeTempDir({ prefix: "vaultferry-fake-op-" });
  try {
    const { account } = story.service;
    await using op = await startFakeOp({ account, folder, tokens: [story.service.token()] });
    const { fake } = op;
    story.job.source = { type: "onepassword-cli", program: op.path, token: `file:${story.token}` };
    await story.runs(0, "backup");
    for (const flags of ways(story)) {
      fake.calls.log.length = 0;
      await story.runs(0, ...AGAINST, ...flags);
      assert.deepEqual(fake.calls.log.filter(({ command }) => command === "item get"), []);
    }
    account.vault("Servers").add({ title: "Older" });
    for (const flags of ways(story)) {
      await story.runs(3, ...AGAINST, ...flags);
      assert.ok(fake.calls.log.some(({ command }) => command === "item get"));
    }
    fake.allowed = { hour: fake.reads + 4, day: 1000 };
    const { err } = await story.runs(14, ...AGAINST);
    assert.match(err, /quota does not last for listing 2 vaults: about 10 calls/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

story("archived items count, and archiving one changes nothing", {
  account: {
    ...SMALL,
    vaults: [{ title: "Old", items: [{ title: "Here" }, { title: "There", state: "archived" }] }],
  },
}, async (story) => {
  await story.runs(0, "backup");
  for (const flags of ways(story)) {
    const ran = await story.runs(0, ...AGAINST, ...flags, "--json");
    assert.deepEqual([against(ran).vaults[0].archived, against(ran).vaults[0].now], [2, 2]);
  }
  story.service.account.vault("Old").item("Here").archive();
  for (const flags of ways(story)) {
    assert.deepEqual(rows(await story.runs(0, ...AGAINST, ...flags, "--json")), []);
  }
});
