/** Whole command lines with the Connect source, from the config to the restored folder. */
import assert from "node:assert/strict";
import { layout } from "../../src/archive/layout.ts";
import { type AccountDescription, sampleAccount } from "../service/mod.ts";
import { type ConnectOptions, ConnectServer, published } from "../service/connect/mod.ts";
import { type Line, SMALL, type Story, story } from "../stories/harness.ts";
import { filesBelow } from "../stories/secrets.ts";

/** A story whose 1Password is reached through a Connect server. */
function connectStory(
  name: string,
  account: AccountDescription,
  tell: (story: Story, connect: ConnectServer) => Promise<void>,
  options: (story: Story) => ConnectOptions = () => ({}),
): void {
  story(name, { account }, async (story) => {
    await using connect = ConnectServer.start(story.service.account, options(story));
    await story.writeToken(connect.accepted!);
    story.job.source = { type: "onepassword-connect", url: connect.url, token: `file:${story.token}` };
    await tell(story, connect);
    await connect.requests.idle();
    assert.equal(connect.checked > 0, published !== undefined);
  });
}

connectStory(
  "everything that Connect gives is in the restored folder, and what it does not give is named",
  sampleAccount(),
  async (story, connect) => {
    await story.runs(0, "config", "check");
    const dry = await story.runs(0, "backup", "--dry-run", "--json");
    assert.equal(dry.summary.jobs[0].estimate.reads, 0);
    const { lines } = await story.runs(0, "backup", "--json");
    const sealed = lines.find(({ event }) => event === "sealed")!;
    assert.equal(sealed.outcome, "complete");
    // Three archived items and one of their files more than the SDK gives.
    assert.deepEqual(sealed.counts, {
      ...sealed.counts,
      vaults: 4,
      items: 64,
      archived: 3,
      files: 23,
      limits: 3,
      moved: 0,
      gaps: 0,
    });
    assert.deepEqual(lines.filter(({ event }) => event === "door-limit").map(({ reason }) => reason), [
      "personal-vaults",
      "cached-copy",
      "unlisted-archive",
      "passkeys",
      "password-history",
      "form-details",
      "field-kinds",
    ]);
    await story.runs(0, "verify", "--identity", story.key);
    const to = story.at("restored/all");
    await story.runs(0, "restore", "--to", to, "--identity", story.key);
    await checkRestored(connect, to);
    assert.equal(story.service.requests.total(), 0, "1Password itself was asked");
  },
);

/** The restored folder against what the server says, asked by plain requests and not by the plugin. */
async function checkRestored(connect: ConnectServer, to: string): Promise<void> {
  const headers = { authorization: `Bearer ${connect.accepted}` };
  const get = async (path: string) => await fetch(`${connect.url}/v1${path}`, { headers });
  const json = (path: string): Line => JSON.parse(Deno.readTextFileSync(`${to}/${path}`));
  const expected = new Set(["format.json", "README.txt", "account.json", "index.tsv", "manifest.json"]);
  assert.equal(json("account.json").id, connect.account.credentials.accountId);
  for (const vault of await (await get("/vaults")).json()) {
    expected.add(layout.vault(vault.id));
    assert.deepEqual(json(layout.vault(vault.id)).raw, vault);
    for (const { id } of await (await get(`/vaults/${vault.id}/items`)).json()) {
      expected.add(layout.item(vault.id, id));
      const item = await (await get(`/vaults/${vault.id}/items/${id}`)).json();
      const restored = json(layout.item(vault.id, id));
      assert.deepEqual(restored.raw, item);
      assert.equal(restored.title, item.title);
      assert.equal(restored.fields.length + 1, item.fields.length, "all fields, and the notes");
      for (const { id: fileId, content_path } of item.files ?? []) {
        expected.add(layout.file(vault.id, id, fileId));
        const content = await (await get(content_path.replace("/v1", ""))).bytes();
        assert.deepEqual(Deno.readFileSync(`${to}/${layout.file(vault.id, id, fileId)}`), content);
      }
    }
  }
  assert.deepEqual([...filesBelow(to)].map((path) => path.slice(to.length + 1)).sort(), [...expected].sort());
}

connectStory(
  "while 1Password is down, Connect gives everything that it had",
  SMALL,
  async (story, connect) => {
    const throughSdk = { type: "onepassword-sdk", token: story.job.source.token };
    const throughConnect = story.job.source;
    const serviceToken = story.service.token();
    // 1Password is there: what is new reaches the server with the next list.
    story.service.account.vault("Servers").add({
      title: "Added before",
      password: "made-up-before-password",
    });
    await story.runs(0, "backup", "--dry-run");

    await story.service.close();
    story.service.account.vault("Servers").add({ title: "Added after", password: "made-up-after-password" });
    await story.writeToken(serviceToken);
    story.job.source = throughSdk;
    const { err } = await story.runs(75, "backup");
    assert.match(err, /cannot reach 1Password/);

    await story.writeToken(connect.accepted!);
    story.job.source = throughConnect;
    const { summary } = await story.runs(0, "backup", "--json");
    assert.equal(summary.jobs[0].outcome, "complete");
    const to = story.at("restored/all");
    await story.runs(0, "restore", "--to", to, "--identity", story.key);
    const index = Deno.readTextFileSync(`${to}/index.tsv`);
    for (const title of ["Big Bank", "Tax office", "Contract", "Gateway", "Added before"]) {
      assert.match(index, new RegExp(`\t${title}\t`));
    }
    assert.doesNotMatch(index, /Added after/);
    assert.match(index, /\tcontract\.pdf\t/);
  },
  ({ service }) => ({
    upstream: () =>
      fetch(service.url).then((response) => response.body?.cancel().then(() => true) ?? true, () => false),
  }),
);

connectStory(
  "a refused token ends the run after one request, and nothing is published",
  SMALL,
  async (story, connect) => {
    connect.revokeToken();
    const { err } = await story.runs(13, "backup");
    assert.match(
      err,
      /error: the Connect server refused the token: it is wrong, expired or revoked\nvaultferry: hint: make a new /,
    );
    assert.equal(connect.requests.count(), 1);
    assert.deepEqual([story.stored(), story.spooled()], [[], []]);
  },
);

connectStory("a server that is down is worth another try later", SMALL, async (story, connect) => {
  connect.faults.status("vaults", 503);
  const { err } = await story.runs(75, "backup");
  assert.match(
    err,
    /error: the Connect server or a proxy before it answers with an error \(HTTP 503\)\nvaultferry: hint: /,
  );
  assert.deepEqual([connect.requests.count(), story.naps], [3, [1000, 2000]]);
  connect.faults.clear();
  await story.runs(0, "backup");
});

connectStory("one vault out of scope is a gap, and the others are saved", SMALL, async (story, connect) => {
  const { id } = story.service.account.vault("Finance");
  connect.faults.status("items", 403, { id, message: `vault ${id} is not in scope` });
  const { lines } = await story.runs(3, "backup", "--json");
  assert.deepEqual(
    lines.filter(({ event }) => event === "shortfall").map(({ reason, vaultId }) => [reason, vaultId]),
    [["unreadable-vault", id]],
  );
  assert.equal(lines.find(({ event }) => event === "sealed")!.counts.items, 1);
});

connectStory("files that are shorter, longer, cut off or gone are gaps with their true length", {
  name: "Files",
  vaults: [{
    title: "V",
    items: ["shorter", "longer", "cut", "gone", "whole"].map((title) => ({
      title,
      files: [{ name: `made-up-${title}.bin`, size: 4000, seed: title }],
    })),
  }],
}, async (story, connect) => {
  const [vault] = story.service.account.vaults;
  const item = (title: string) => vault!.item(title);
  const file = (title: string) => item(title).file(`made-up-${title}.bin`).id;
  item("shorter").serveFile(file("shorter"), 3999);
  item("longer").serveFile(file("longer"), 4001);
  connect.faults.cut("content", { id: file("cut") });
  connect.faults.status("content", 404, { id: file("gone") });
  const { lines } = await story.runs(3, "backup", "--json");
  const found = lines.filter(({ event }) => event === "shortfall");
  assert.deepEqual(found.map(({ fileId, reason, actual }) => [fileId, reason, actual?.size]), [
    [file("shorter"), "file-shorter", 3999],
    [file("longer"), "file-longer", 4001],
    [file("cut"), "unreadable-file", 2000],
    [file("gone"), "unreadable-file", undefined],
  ]);
  const to = story.at("restored/all");
  await story.runs(3, "restore", "--to", to, "--identity", story.key);
  const restored = [...filesBelow(to)].filter((path) => path.includes("/files/"))
    .map((path) => path.replace(/.*\//, "")).sort();
  const incomplete = ["shorter", "longer", "cut"].map((title) => `${file(title)}.incomplete`);
  assert.deepEqual(restored, [...incomplete, file("whole")].sort());
});

connectStory(
  "an item deleted while the backup runs has moved, and the backup is complete",
  SMALL,
  async (story, connect) => {
    const item = story.service.account.vault("Finance").item("Tax office");
    const undo = connect.onRequest("item", () => {
      undo();
      item.delete();
    });
    const { lines, summary } = await story.runs(0, "backup", "--json");
    assert.deepEqual(
      lines.filter(({ event }) => event === "shortfall").map(({ shortfall, itemId }) => [shortfall, itemId]),
      [["moved", item.id]],
    );
    assert.equal(summary.jobs[0].outcome, "complete");
  },
);

connectStory(
  "a signal ends the run within a second, and no request stays open",
  SMALL,
  async (story, connect) => {
    connect.faults.hang("item");
    const running = story.run("backup");
    while (connect.requests.count("item") < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    const start = performance.now();
    story.send("SIGTERM");
    assert.equal((await running).code, 143);
    await connect.requests.idle();
    assert.ok(performance.now() - start < 1000);
    assert.deepEqual([story.stored(), story.spooled()], [[], []]);
  },
);

connectStory(
  "a server that redirects is a matter for the config, and never gets the token",
  SMALL,
  async (story, connect) => {
    connect.faults.redirect("vaults", `${story.service.url}/v1/vaults`);
    const { err } = await story.runs(2, "backup");
    assert.match(
      err,
      /error: the address of the Connect server redirects to "http:\/\/127\.0\.0\.1:\d+" \(HTTP 302\)\n/,
    );
    assert.equal(story.service.requests.total(), 0);
  },
);
