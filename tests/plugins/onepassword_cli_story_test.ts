import assert from "node:assert/strict";
import { type AccountDescription, sampleAccount } from "../service/mod.ts";
import { type Manners, type RunningFakeOp, SAYS, startFakeOp } from "../service/op/mod.ts";
import { filesBelow } from "../stories/secrets.ts";
import { type Line, SMALL, type Story, story } from "../stories/harness.ts";

interface OpStoryOptions {
  account?: AccountDescription;
  /** With a service account token. */
  token?: boolean;
  manners?: Manners;
}

/** A story whose 1Password is reached through a fake `op`, which a person is signed in to. */
function opStory(
  name: string,
  { account = SMALL, token = false, manners = {} }: OpStoryOptions,
  tell: (story: Story, op: RunningFakeOp) => Promise<void>,
): void {
  story(name, { account }, async (story) => {
    const folder = await Deno.makeTempDir({ prefix: "vaultferry-fake-op-" });
    await using op = await startFakeOp({
      account: story.service.account,
      folder,
      tokens: [story.service.token()],
      manners,
    });
    story.job.source = {
      type: "onepassword-cli",
      program: op.path,
      ...(token ? { token: `file:${story.token}` } : {}),
    };
    try {
      await tell(story, op);
      assert.equal(story.service.requests.total(), 0, "1Password was reached otherwise");
      for (const { argv, pid } of op.fake.calls.log) {
        assert.ok(
          !argv.some((word) => story.private.some(({ text }) => word.includes(text))),
          "a secret in argv",
        );
        assert.throws(() => Deno.statSync(`/proc/${pid}/exe`), "an op is still at work");
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

function json(path: string): Line {
  return JSON.parse(Deno.readTextFileSync(path));
}

opStory("everything a person sees is backed up, verified and restored, archived items and files with it", {
  account: sampleAccount(),
}, async (story, op) => {
  await story.runs(0, "config", "check");
  const backup = await story.runs(0, "backup", "--json");
  const sealed = backup.lines.find(({ event }) => event === "sealed")!;
  assert.equal(sealed.outcome, "complete");
  assert.deepEqual(sealed.counts, {
    ...sealed.counts,
    vaults: 4,
    items: 64,
    archived: 3,
    files: 23,
    limits: 1,
    moved: 0,
    gaps: 0,
  });
  // One process for the items of each vault, one for all vaults' details.
  assert.equal(op.fake.calls.count("item get"), 4);
  assert.equal(op.fake.calls.count("vault get"), 1);
  await story.runs(0, "verify", "--identity", story.key);
  const to = story.at("restored/all");
  await story.runs(0, "restore", "--to", to, "--identity", story.key);
  checkRestored(story, to);
  const account = json(`${to}/account.json`);
  assert.deepEqual([account.name, account.signedInAs], ["Sample account", "sample.person@example.invalid"]);
});

/** The restored folder against the account itself, not against what the plugin makes of it. */
function checkRestored(story: Story, to: string): void {
  const paths = new Set(["format.json", "README.txt", "account.json", "index.tsv", "manifest.json"]);
  for (const vault of story.service.account.vaults) {
    const { title, description } = json(`${to}/vaults/${vault.id}/vault.json`);
    assert.deepEqual([title, description], [vault.title, vault.description]);
    paths.add(`vaults/${vault.id}/vault.json`);
    for (const item of vault.items) {
      const path = `vaults/${vault.id}/items/${item.id}.json`;
      paths.add(path);
      const found = json(`${to}/${path}`);
      const details = item.details() as Line;
      assert.deepEqual([found.title, found.state, found.contents], [item.title, item.state, "full"]);
      assert.equal(found.notes, details.notesPlain ?? "");
      // Every value that the account holds is there, but for one of a kind that nobody knows.
      const values = [
        ...(details.fields ?? []).map((field: Line) => field.value),
        details.password ?? "",
        ...(details.sections ?? []).flatMap((section: Line) => section.fields)
          .filter(({ k, v }: Line) => typeof v === "string" && k !== "hologram").map(({ v }: Line) => v),
      ].filter((value) => value !== "");
      const kept = found.fields.map(({ value }: Line) => value);
      for (const value of values) assert.ok(kept.includes(value), `${item.title}: ${value}`);
      assert.deepEqual(
        (found.passwordHistory ?? []).map(({ value }: Line) => value),
        (details.passwordHistory ?? []).map(({ value }: Line) => value),
      );
      for (const { id } of found.files) {
        const body = `vaults/${vault.id}/files/${item.id}/${id}`;
        paths.add(body);
        assert.deepEqual(Deno.readFileSync(`${to}/${body}`), new Uint8Array(item.file(id).content()), body);
      }
    }
  }
  assert.deepEqual([...filesBelow(to)].map((path) => path.slice(to.length + 1)).sort(), [...paths].sort());
}

opStory("a service account backs up what it sees, and the token reaches op by its environment alone", {
  account: sampleAccount(),
  token: true,
}, async (story, op) => {
  op.fake.allowed = { hour: 10_000, day: 50_000 };
  const { lines } = await story.runs(0, "backup", "--json");
  const sealed = lines.find(({ event }) => event === "sealed")!;
  assert.deepEqual([sealed.counts.vaults, sealed.counts.items, sealed.counts.archived], [3, 46, 0]);
  for (const { command, variables } of op.fake.calls.log) {
    assert.ok(variables.includes("OP_SERVICE_ACCOUNT_TOKEN"), command);
  }
  assert.deepEqual(
    lines.filter(({ event }) => event === "door-limit").map(({ reason }) => reason),
    [
      "personal-vaults",
      "passkeys",
      "item-versions",
      "password-history-times",
      "form-details",
      "address-parts",
    ],
  );
});

opStory("personal vaults are left out by their kind, and the archive says which", {
  account: sampleAccount(),
}, async (story) => {
  story.job.vaults = { exclude: ["kind:personal"] };
  assert.match((await story.runs(0, "backup", "--dry-run")).out, /Everyday +18 +no, excluded$/m);
  await story.runs(0, "backup");
  await story.runs(0, "restore", "--to", story.at("restored/all"), "--identity", story.key);
  const manifest = json(story.at("restored/all/manifest.json"));
  assert.deepEqual(manifest.excludedVaults, [story.service.account.vault("Everyday").id]);
  assert.equal(manifest.counts.vaults, 3);
});

opStory(
  "a body that standard output does not give whole comes through a folder that is wiped",
  {},
  async (story, op) => {
    op.fake.faults.add("document get", { share: 0.5 }, { times: 1 });
    const { lines } = await story.runs(0, "backup", "--json");
    assert.equal(lines.find(({ event }) => event === "sealed")!.outcome, "complete");
    const path = op.fake.calls.log.at(-1)!.argv.at(-2)!;
    assert.match(path, /\/body$/);
    assert.throws(() => Deno.statSync(path.replace(/\/body$/, "")), Deno.errors.NotFound);
  },
);

opStory("a file of another size than declared is a gap with what is there", {}, async (story, op) => {
  story.service.account.vault("Finance").item("Contract").serveFile("contract.pdf", 4990);
  const { lines } = await story.runs(3, "backup", "--json");
  const [gap, ...others] = lines.filter(({ event }) => event === "shortfall");
  assert.deepEqual([gap!.shortfall, gap!.reason, gap!.actual.size], ["gap", "file-shorter", 4990]);
  assert.deepEqual(others, []);
  assert.equal(op.fake.calls.count("document get"), 2);
});

opStory("what goes or fails meanwhile is said by id, and everything else is saved", {}, async (story, op) => {
  const finance = story.service.account.vault("Finance");
  const [gone, bad] = [finance.item("Big Bank"), finance.item("Tax office")];
  const undo = op.fake.before("item get", () => (undo(), gone.delete()));
  op.fake.unreadable.set(bad.id, "made-up trouble");
  const { lines } = await story.runs(3, "backup", "--json");
  assert.deepEqual(
    lines.filter(({ event }) => event === "shortfall").map((
      { shortfall, reason, itemId },
    ) => [shortfall, reason, itemId]),
    [["moved", "deleted-meanwhile", gone.id], ["gap", "unreadable-item", bad.id]],
  );
  const { counts } = lines.find(({ event }) => event === "sealed")!;
  assert.deepEqual([counts.items, counts.files], [2, 1]);
});

for (
  const [what, code, arrange, sentence] of [
    [
      "not signed in",
      13,
      (op) => op.fake.signedIn = "no",
      /op is not signed in to 1Password\n.*hint: unlock/,
    ],
    ["dismissed", 13, (op) => op.fake.faults.fail("*", SAYS.dismissed, { after: 1 }), /nobody allowed op/],
    [
      "without network",
      75,
      (op) => op.fake.faults.fail("*", SAYS.noNetwork, { after: 1 }),
      /cannot reach 1Password/,
    ],
    [
      "hanging",
      75,
      (op) => op.fake.faults.hang("*", { after: 1 }),
      /op was given up: .*\n.*hint: op waits for a person/,
    ],
    ["of version 1", 2, (op) => op.fake.version = "1.12.9", /version 1\.12\.9, and version 2 is needed/],
    [
      "saying nonsense",
      1,
      (op) => op.fake.faults.add("vault list", { instead: "<html>" }),
      /something else than JSON/,
    ],
  ] as [string, number, (op: RunningFakeOp) => unknown, RegExp][]
) {
  opStory(
    `an op ${what} ends the run with exit code ${code}, a sentence, and nothing published`,
    {},
    async (story, op) => {
      story.job.source.timeout = 1;
      arrange(op);
      const { err } = await story.runs(code, "backup");
      assert.match(err, sentence);
      assert.deepEqual([story.stored(), story.spooled()], [[], []]);
    },
  );
}

opStory("a bad token ends the run with exit code 13 after one try", { token: true }, async (story, op) => {
  story.service.account.revokeToken();
  await story.runs(13, "backup");
  assert.deepEqual(op.fake.calls.commands, ["--version", "whoami"]);
});

opStory("a quota that ends before all items publishes nothing, one that ends with the files a gap", {
  token: true,
}, async (story, op) => {
  op.fake.allowed = { hour: 8, day: 1000 };
  await story.runs(14, "backup");
  assert.deepEqual(story.stored(), []);
  op.fake.reads = 0;
  op.fake.allowed = { hour: 1000, day: 1000 };
  op.fake.faults.fail("document get", SAYS.quota());
  const { lines } = await story.runs(3, "backup", "--json");
  assert.deepEqual(lines.filter(({ event }) => event === "shortfall").map(({ reason }) => reason), ["quota"]);
});

opStory("a missing op is a matter of the config", {}, async (story) => {
  story.job.source.program = "/no/such/op";
  const { err } = await story.runs(2, "backup");
  assert.match(err, /error: the program "\/no\/such\/op" is not there\n.*hint: install the 1Password CLI/);
});

for (const token of [false, true]) {
  opStory(`SIGINT ends an op that does not want to end${token ? ", and its children" : ""}`, {
    token,
    manners: { stubborn: true, child: token },
  }, async (story, op) => {
    op.fake.faults.hang("item get");
    const running = story.run("backup");
    while (op.fake.calls.count("item get") === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    story.send("SIGINT");
    assert.equal((await running).code, 130);
    assert.deepEqual(story.stored(), []);
  });
}

opStory(
  "an account and a token together are refused when the config is checked",
  { token: true },
  async (story, op) => {
    story.job.source.account = "somebody";
    const { err } = await story.runs(2, "config", "check");
    assert.match(err, /source: has an account and a token/);
    story.job.source = { type: "onepassword-cli", timeout: 0, program: "", nonsense: 1 };
    const wrong = await story.runs(2, "config", "check");
    for (const word of ["timeout", "program", "nonsense"]) assert.match(wrong.err, new RegExp(word));
    assert.deepEqual(op.fake.calls.log, []);
  },
);
