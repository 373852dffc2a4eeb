import assert from "node:assert/strict";
import { type AccountDescription, bigAccount, type RouteName, sampleAccount } from "../service/mod.ts";
import { type Line, story, type StoryOptions } from "./harness.ts";
import { events, nothingPublished, waits, wordsOf } from "./quota.ts";

/** In the order in which a backup asks for them first. */
const ROUTES = [
  "auth/start",
  "auth/exchange",
  "auth/confirm",
  "auth/complete",
  "vaults/list",
  "account/keysets",
  "items/overviews",
  "items/batch",
  "item/get",
  "file/read",
] as const;

const MINUTE = 60_000;

// network_test.ts has the other routes.
for (const route of ["auth/exchange", "auth/confirm", "auth/complete", "account/keysets"] as const) {
  story(`a quota that ends at ${route} is no refusal, and publishes nothing`, {}, async (story) => {
    story.service.faults.quotaUsedUp({ after: 0, route });
    const { lines, err } = await story.runs(14, "backup", "--json");
    assert.deepEqual(events(lines, "error").map(({ code }) => code), ["quota"]);
    assert.match(
      err,
      /used up\nvaultferry: hint: wait for it to renew \(hourly for a token, daily for the account/,
    );
    assert.equal(story.service.requests.count(route), 1);
    assert.equal(story.service.requests.count("auth/start"), 1);
    assert.deepEqual([waits(lines), story.naps], [[], []]);
    nothingPublished(story);
  });
}

story(
  "with --wait a quota that ends once at every kind of request costs pauses and nothing else",
  {},
  async (story) => {
    const faults = ROUTES.map((route) => story.service.faults.status(route, 429, { times: 1 }));
    const { lines } = await story.runs(0, "backup", "--wait", "1h", "--json");
    assert.deepEqual(faults.map(({ strikes }) => strikes), ROUTES.map(() => 1));
    const minutes = [1, 2, 4, 8, /* vaults */ 1, 2, /* items */ 1, 2, /* a file */ 1, 2];
    assert.deepEqual(story.naps, minutes.map((count) => count * MINUTE));
    assert.deepEqual(waits(lines), minutes.map((count) => count * 60));
    const [{ counts, outcome }] = events(lines, "sealed") as [Line];
    assert.deepEqual([outcome, counts.items, counts.files, counts.gaps], ["complete", 4, 1, 0]);
    await story.runs(0, "verify", "--identity", story.key);
  },
);

story("people and programs learn until when it waits, and why", {}, async (story) => {
  story.service.faults.status("vaults/list", 429, { times: 1, headers: { "retry-after": "1800" } });
  const begun = Date.now();
  const { lines } = await story.runs(0, "backup", "--wait", "30m", "--json");
  const [waiting] = events(lines, "waiting") as [Line];
  assert.equal(waiting.seconds, 1800);
  assert.ok(Math.abs(Date.parse(waiting.until) - begun - 1_800_000) < 60_000);
  assert.equal(waiting.message, "1Password's quota is used up and renews then");
  story.service.faults.status("vaults/list", 429, { times: 1 });
  assert.match(
    (await story.runs(0, "backup", "--wait", "30m")).err,
    /vaultferry: waiting until 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC: 1Password's quota is used up, nobody says for how long/,
  );
});

story("a renewal later than --wait is not waited for, and the hint says when it is", {}, async (story) => {
  story.service.faults.status("vaults/list", 429, { headers: { "retry-after": "1801" } });
  const { err } = await story.runs(14, "backup", "--wait", "30m");
  assert.match(err, /hint: wait for it to renew \(1Password says: at 20\d\d-\d\d-\d\d \d\d:\d\d UTC\)/);
  assert.deepEqual(story.naps, []);
  nothingPublished(story);
});

story(
  "a quota that does not renew within --wait ends the run with 14 and nothing published",
  {},
  async (story) => {
    story.service.faults.quotaUsedUp({ after: 1, route: "items/batch" });
    const { err } = await story.runs(14, "backup", "--wait", "10m");
    assert.match(err, /error: 1Password's quota .* is used up, after 10m of waiting for it too\n/);
    assert.deepEqual(story.naps.map((ms) => ms / MINUTE), [1, 2, 4, 3]);
    nothingPublished(story);
  },
);

story("a walk that waits does not ask again for the items it has passed on, and loses none", {
  account: bigAccount({ vaults: 1, items: 600, files: 0 }),
}, async (story) => {
  const asked: string[] = [];
  story.service.onRequest("items/batch", ({ body }) => {
    asked.push(...(body as { itemUuids: string[] }).itemUuids);
  });
  const fault = story.service.faults.status("items/batch", 429, { times: 1, after: 8 });
  const { lines } = await story.runs(0, "backup", "--wait", "1h", "--json");
  assert.equal(fault.strikes, 1);
  assert.equal(events(lines, "sealed")[0]!.counts.items, 600);
  assert.deepEqual(waits(lines), [60]);
  const ids = story.service.account.vaults.flatMap((vault) => vault.items.map(({ id }) => id));
  assert.deepEqual([...new Set(asked)].toSorted(), ids.toSorted());
  // Three batches behind the refused one may have been asked for ahead of their turn.
  assert.ok(asked.length <= 600 + 3 * 50, `asked for ${asked.length} items`);
  await story.runs(0, "verify", "--identity", story.key);
});

story("a session that ends while the quota is used up waits with the rest", {}, async (story) => {
  const once = story.service.onRequest("items/batch", () => {
    once();
    story.service.account.endSessions();
    story.service.faults.status("auth/start", 429, { times: 1 });
  });
  const { lines } = await story.runs(0, "backup", "--wait", "5m", "--json");
  assert.deepEqual(waits(lines), [60]);
  assert.equal(events(lines, "sealed")[0]!.counts.items, 4);
});

story("a token that is refused after the wait is not tried again", {}, async (story) => {
  story.service.faults.status("auth/start", 429, { times: 1 });
  story.service.account.revokeToken();
  const { err } = await story.runs(13, "backup", "--wait", "1h");
  assert.match(err, /refused the sign-in/);
  assert.equal(story.service.requests.count("auth/start"), 2);
});

const FILES: StoryOptions = {
  account: {
    name: "Files",
    vaults: [{
      title: "V",
      items: ["a", "b", "c", "d"].map((title) => ({
        title,
        files: [{ name: `file-of-${title}`, content: title }],
      })),
    }],
  },
};

story(
  "without --wait the files that the quota does not allow are named, with when it goes on",
  FILES,
  async (story) => {
    story.job.quota = { plan: "teams" };
    story.service.faults.quotaUsedUp({ after: 2, route: "file/read" });
    const { lines } = await story.runs(3, "backup", "--json");
    assert.deepEqual(events(lines, "shortfall").map(({ reason }) => reason), ["quota", "quota"]);
    const [{ message, hint }] = events(lines, "warning") as [Line];
    assert.match(message, /files that were not read yet are missing from this backup/);
    assert.match(hint, /\(Teams has 1,000 reads an hour for a token and 5,000 calls a day for the account:/);
    assert.ok(story.service.requests.count("file/read") <= 4, "no file is asked for again");
  },
);

story("with --wait the files come after all, each read once", FILES, async (story) => {
  story.service.faults.status("file/read", 429, { times: 1, after: 1 });
  const { lines } = await story.runs(0, "backup", "--wait", "10m", "--json");
  assert.equal(events(lines, "sealed")[0]!.counts.files, 4);
  assert.deepEqual(waits(lines), [60]);
  assert.equal(story.service.requests.count("file/read"), 4 + 1);
});

story("a stop by hand ends the wait at once", {}, async (story) => {
  story.service.faults.quotaUsedUp({ after: 0, route: "items/batch" });
  // Told to stop when it has begun to wait.
  story.naps.push = (ms) => {
    story.naps[story.naps.length] = ms;
    setTimeout(() => story.send("SIGTERM"));
    return story.naps.length;
  };
  const { err } = await story.runs(143, "backup", "--wait", "1d");
  assert.match(err, /waiting until .*\n(?:.*\n)*vaultferry: error: stopped by SIGTERM/);
  assert.equal(story.naps.length, 1);
  assert.equal(story.service.requests.count("items/batch"), 1);
  nothingPublished(story);
});

const ONE = { name: "One", vaults: [{ title: "A", items: [{ title: "one" }] }] };

const SIZES: [string, number, AccountDescription][] = [
  ["the sample account", 22, sampleAccount()],
  ["three vaults of 500 items", 20, bigAccount({ vaults: 3, items: 500, files: 20, fileSize: 2000 })],
  ["one vault with one item", 0, ONE],
];

for (const [name, files, account] of SIZES) {
  story(
    `${name}: no more requests than promised, and about as many as estimated`,
    { account },
    async (story) => {
      const { vaults } = story.service.account;
      const items = vaults.flatMap((vault) => vault.items);
      const dry = await story.runs(0, "backup", "--dry-run", "--json");
      const { requests } = story.service;
      assert.ok(requests.total() <= 8, wordsOf(requests));
      const { reads } = events(dry.lines, "plan")[0]!.quota;
      requests.reset();
      const { lines } = await story.runs(0, "backup", "--json");
      assert.equal(events(lines, "sealed")[0]!.counts.files, files);
      assert.ok(
        requests.total() <= vaults.length * 4 + Math.ceil(items.length / 50) + files * 2 + 8,
        wordsOf(requests),
      );
      // Half of an estimate is what policy/quota.ts takes for certain.
      const withoutFiles = requests.total() - requests.count("file/read") - requests.count("item/get");
      assert.ok(withoutFiles <= reads && reads <= 2 * withoutFiles, `${reads}: ${wordsOf(requests)}`);
      assert.equal(requests.count("item/get") + requests.count("file/read"), 2 * files);
      itemsBeforeFiles(requests.log.map(({ route }) => route));
    },
  );
}

function itemsBeforeFiles(routes: RouteName[]): void {
  const lastItem = routes.findLastIndex((route) => route === "items/batch" || route === "items/overviews");
  const firstFile = routes.findIndex((route) => route === "item/get" || route === "file/read");
  assert.ok(firstFile === -1 || lastItem < firstFile);
}
