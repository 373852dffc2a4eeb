import assert from "node:assert/strict";
import { bigAccount, type LiveVault, type LocalService, type RouteName } from "../service/mod.ts";
import { type Line, story } from "../stories/harness.ts";

/** Vaults of many batches each. */
const MANY = bigAccount({ vaults: 2, items: 600, files: 0 });

story("batches of items are asked for at the same time, and never more than four", {
  account: MANY,
}, async (story) => {
  story.service.faults.delay("items/batch", 20);
  const most = watch(story.service, "items/batch");
  const { lines } = await story.runs(0, "backup", "--json");
  assert.equal(sealed(lines).counts.items, 600);
  assert.equal(most(), 4);
  assert.equal(story.service.requests.count("items/batch"), 12);
});

story("files are asked for at the same time, and never more than four", {
  account: bigAccount({ vaults: 2, items: 30, files: 30, fileSize: 1000 }),
}, async (story) => {
  story.service.faults.delay("file/read", 20);
  const most = watch(story.service, "file/read");
  const { lines } = await story.runs(0, "backup", "--json");
  assert.equal(sealed(lines).counts.files, 30);
  assert.equal(most(), 4);
});

story("large files are asked for one after the other", {
  account: bigAccount({ vaults: 1, items: 4, files: 4, fileSize: 3 * 1024 * 1024 }),
}, async (story) => {
  story.service.faults.delay("file/read", 20);
  const most = watch(story.service, "file/read");
  await story.runs(0, "backup");
  assert.equal(most(), 1);
});

story("a larger account is asked for no more than it needs, however much overlaps", {
  account: bigAccount({ vaults: 12, items: 1200, files: 40, fileSize: 2000 }),
}, async (story) => {
  await story.runs(0, "backup");
  const { requests, account } = story.service;
  const allowed = account.vaults.length * 4 + 1200 / 50 + 40 * 2 + 8;
  assert.ok(requests.total() <= allowed, `${requests.total()} of ${allowed}`);
  assert.equal(requests.count("auth/start"), 1);
});

story("each of the calls that overlap hears of its own failure only", { account: MANY }, async (story) => {
  const [vault] = story.service.account.vaults;
  const { faults } = story.service;
  faults.delay("items/batch", 20);
  const inBatch = (at: number) => vault!.items[at * 50 + 7]!.id;
  // All of them are in the first four batches, which are under way together.
  const forbidden = faults.status("items/batch", 403, { id: inBatch(0) });
  const down = faults.status("items/batch", 503, { id: inBatch(1), times: 1 });
  const broken = faults.cut("items/batch", { id: inBatch(2), times: 1 });
  const { lines } = await story.runs(3, "backup", "--json");
  // What one service account may not read it is asked for with its batch, with what is left of it, and alone.
  assert.deepEqual([forbidden.strikes, down.strikes, broken.strikes], [3, 1, 1]);
  assert.deepEqual(gapsOf(lines).map(({ reason, itemId, detail }) => [reason, itemId, detail]), [
    ["unreadable-item", inBatch(0), "1Password does not allow this token to read that"],
  ]);
  assert.equal(sealed(lines).counts.items, 599);
});

for (const status of [401, 403] as const) {
  story(`a token revoked (${status}) while batches overlap costs one further sign-in`, {
    account: MANY,
  }, async (story) => {
    story.service.faults.delay("items/batch", 20);
    let batches = 0;
    story.service.onRequest("items/batch", () => {
      if (++batches === 2) story.service.account.revokeToken(status);
    });
    const { lines } = await story.runs(3, "backup", "--json");
    const gaps = gapsOf(lines);
    assert.ok(gaps.length >= 2);
    for (const { detail } of gaps) {
      assert.match(detail, /1Password no longer accepts the service account token|not asked for singly/);
    }
    assert.equal(story.service.requests.count("auth/start"), 2);
    assert.ok(sealed(lines).counts.items >= 50, "what was read before is kept");
  });
}

story("a session that ends while batches overlap is begun again, once, without loss", {
  account: MANY,
}, async (story) => {
  story.service.faults.delay("items/batch", 20);
  let batches = 0;
  story.service.onRequest("items/batch", () => {
    if (++batches === 2) story.service.account.endSessions();
  });
  const { lines } = await story.runs(0, "backup", "--json");
  assert.equal(sealed(lines).counts.items, 600);
  assert.equal(story.service.requests.count("auth/start"), 2);
});

story("a quota that ends while batches overlap begins no further one", { account: MANY }, async (story) => {
  story.service.faults.quotaUsedUp({ after: 3, route: "items/batch" });
  await story.runs(14, "backup");
  assert.deepEqual(story.stored(), []);
  // Three were answered, and up to four were under way when the first was refused.
  assert.ok(story.service.requests.count("items/batch") <= 3 + 4);
});

story("items are in the archive in the order of their list, whichever batch came first", {
  account: MANY,
}, async (story) => {
  const [vault] = story.service.account.vaults as [LiveVault];
  story.service.faults.delay("items/batch", 150, { id: vault.items[0]!.id });
  await story.runs(0, "backup");
  await story.runs(0, "restore", "--to", story.at("restored/all"), "--identity", story.key);
  const { entries } = JSON.parse(Deno.readTextFileSync(story.at("restored/all/manifest.json")));
  const prefix = `vaults/${vault.id}/items/`;
  const ids = entries.map(({ path }: Line) => path).filter((path: string) => path.startsWith(prefix))
    .map((path: string) => path.slice(prefix.length, -".json".length));
  const batch = (id: string) => Math.floor(vault.items.findIndex((item) => item.id === id) / 50);
  const batches = ids.map(batch);
  assert.equal(ids.length, 300);
  assert.deepEqual(batches, batches.toSorted((a: number, b: number) => a - b));
});

story("an empty list is not taken for the body of a file that is read at the same time", {
  account: {
    name: "Two files",
    vaults: ["A", "B"].map((title) => ({
      title,
      items: [{ title: "i", files: [{ name: "f", content: `of ${title}` }] }],
    })),
  },
}, async (story) => {
  const [gone, slow] = ["A", "B"].map((title) => story.service.account.vault(title).item("i"));
  story.service.faults.delay("file/read", 500, { id: slow!.file("f").id });
  story.service.onRequest("item/get", ({ itemId }) => {
    if (itemId === gone!.id) gone!.delete();
  });
  const { lines } = await story.runs(0, "backup", "--json");
  const moved = lines.filter((line) => line.event === "shortfall");
  assert.deepEqual(moved.map(({ shortfall, itemId }) => [shortfall, itemId]), [["moved", gone!.id]]);
  assert.equal(sealed(lines).counts.files, 1);
});

/** How many requests for a route were under way at the same time. */
function watch(service: LocalService, route: RouteName): () => number {
  let most = 0;
  const underWay = () =>
    service.requests.log.filter((entry) => entry.route === route && entry.status === undefined).length;
  service.onRequest(route, () => void (most = Math.max(most, underWay())));
  return () => most;
}

function gapsOf(lines: Line[]): Line[] {
  return lines.filter((line) => line.event === "shortfall" && line.shortfall === "gap");
}

function sealed(lines: Line[]): Line {
  return lines.find((line) => line.event === "sealed")!;
}
