import assert from "node:assert/strict";
import { bigAccount, type LiveVault } from "../service/mod.ts";
import { type Line, type Story, story } from "./harness.ts";

const ACCOUNT = {
  name: "Lacking",
  vaults: [
    {
      title: "A",
      items: ["one", "two", "three", "four"].map((title) => ({ title, password: `made-up-${title}` })),
    },
    { title: "B", items: [{ title: "five" }, { title: "six" }] },
  ],
};

story("a list that stays short is a gap that counts what is lacking", { account: ACCOUNT }, async (story) => {
  const vault = story.service.account.vault("A");
  story.service.faults.shortList({ leaveOut: 2, id: vault.id });
  const { counts, shortfalls } = await backs(story, 3);
  assert.deepEqual(shortfalls, [{
    shortfall: "gap",
    reason: "short-list",
    vaultId: vault.id,
    expected: 4,
    seen: 2,
  }]);
  assert.equal(counts.items, 4);
  await opens(story, "incomplete", 4);
});

story(
  "a list that is short once is asked for again and is whole then",
  { account: ACCOUNT },
  async (story) => {
    story.service.faults.shortList({ leaveOut: 2, id: story.service.account.vault("A").id, times: 1 });
    const { counts, shortfalls } = await backs(story, 0);
    assert.deepEqual(shortfalls, []);
    assert.equal(counts.items, 6);
    assert.equal(story.service.requests.count("items/overviews"), 3);
  },
);

story(
  "a list that leaves out other items each time is whole when both are joined",
  { account: ACCOUNT },
  async (story) => {
    const { id, items } = story.service.account.vault("A");
    story.service.faults.shortList({ leaveOut: [items[0]!.id], id, times: 1 });
    story.service.faults.shortList({ leaveOut: [items[1]!.id], id, times: 1, after: 1 });
    assert.equal((await backs(story, 0)).counts.items, 6);
  },
);

story("an item deleted between list and get has moved", { account: ACCOUNT }, async (story) => {
  const vault = story.service.account.vault("A");
  const { id } = vault.item("two");
  atFirstBatchOf(story, vault, () => vault.item("two").delete());
  const { counts, shortfalls } = await backs(story, 0);
  assert.deepEqual(shortfalls, [{
    shortfall: "moved",
    reason: "deleted-meanwhile",
    vaultId: vault.id,
    itemId: id,
  }]);
  assert.equal(counts.items, 5);
  await opens(story, "complete", 5);
});

story(
  "an item archived between list and get has moved, and does not poison its batch",
  { account: ACCOUNT },
  async (story) => {
    const vault = story.service.account.vault("A");
    const { id } = vault.item("two");
    atFirstBatchOf(story, vault, () => vault.item("two").archive());
    const { counts, shortfalls } = await backs(story, 0);
    assert.deepEqual(shortfalls, [{
      shortfall: "moved",
      reason: "archived-meanwhile",
      vaultId: vault.id,
      itemId: id,
    }]);
    assert.deepEqual([counts.items, counts.archived], [5, 1]);
    await opens(story, "complete", 5);
  },
);

story("an item that a batch leaves out once is fetched by itself", { account: ACCOUNT }, async (story) => {
  story.service.faults.omit([story.service.account.vault("A").item("three").id], { times: 1 });
  const { counts, shortfalls } = await backs(story, 0);
  assert.deepEqual(shortfalls, []);
  assert.equal(counts.items, 6);
});

story("an item that is always left out is a gap", { account: ACCOUNT }, async (story) => {
  const vault = story.service.account.vault("A");
  const { id } = vault.item("three");
  story.service.faults.omit([id]);
  const { counts, shortfalls } = await backs(story, 3);
  assert.deepEqual(shortfalls, [{
    shortfall: "gap",
    reason: "unreadable-item",
    vaultId: vault.id,
    itemId: id,
  }]);
  assert.equal(counts.items, 5);
  await opens(story, "incomplete", 5);
});

story(
  "an item that makes its batch fail is a gap, and everything beside it is saved",
  { account: ACCOUNT },
  async (story) => {
    const vault = story.service.account.vault("A");
    const { id } = vault.item("three");
    story.service.faults.status("items/batch", 403, { id });
    const { counts, shortfalls } = await backs(story, 3);
    assert.deepEqual(shortfalls, [{
      shortfall: "gap",
      reason: "unreadable-item",
      vaultId: vault.id,
      itemId: id,
    }]);
    assert.equal(counts.items, 5);
  },
);

story(
  "one vault that answers 500 is a gap, and the others are saved",
  { account: ACCOUNT },
  async (story) => {
    const { id } = story.service.account.vault("A");
    const fault = story.service.faults.status("items/overviews", 500, { id });
    const { counts, shortfalls } = await backs(story, 3);
    assert.deepEqual(shortfalls, [{ shortfall: "gap", reason: "unreadable-vault", vaultId: id }]);
    assert.deepEqual([counts.vaults, counts.items], [2, 2]);
    assert.equal(fault.strikes, 3, "it was tried three times");
    await opens(story, "incomplete", 2);
  },
);

for (const status of [403, 404]) {
  story(
    `one vault that answers ${status} though it is listed is a gap`,
    { account: ACCOUNT },
    async (story) => {
      const { id } = story.service.account.vault("A");
      story.service.faults.status("items/overviews", status, { id });
      const { counts, shortfalls } = await backs(story, 3);
      assert.deepEqual(shortfalls, [{ shortfall: "gap", reason: "unreadable-vault", vaultId: id }]);
      assert.equal(counts.items, 2);
    },
  );
}

story("a vault removed before its items are listed has moved", { account: ACCOUNT }, async (story) => {
  const { id } = story.service.account.vault("A");
  const once = story.service.onRequest("items/overviews", ({ vaultId }) => {
    once();
    if (story.service.account.find(id)) story.service.account.removeVault(id);
    assert.ok(vaultId);
  });
  const { counts, shortfalls } = await backs(story, 0);
  // Whichever vault was asked for first: A is gone either way.
  assert.deepEqual(shortfalls, [{ shortfall: "moved", reason: "vault-removed-meanwhile", vaultId: id }]);
  assert.equal(counts.items, 2);
});

story(
  "a vault removed between list and get has moved, with the items that were listed",
  { account: ACCOUNT },
  async (story) => {
    const vault = story.service.account.vault("A");
    atFirstBatchOf(story, vault, () => story.service.account.removeVault(vault.id));
    const { counts, shortfalls } = await backs(story, 0);
    assert.deepEqual(shortfalls, [
      { shortfall: "moved", reason: "vault-removed-meanwhile", vaultId: vault.id, expected: 4, seen: 0 },
    ]);
    assert.equal(counts.items, 2);
  },
);

story("a vault removed after some of its items were read has moved, with those that were not", {
  account: bigAccount({ vaults: 1, items: 420, files: 0 }),
}, async (story) => {
  const [vault] = story.service.account.vaults;
  let batches = 0;
  story.service.onRequest("items/batch", () => {
    if (++batches === 6) story.service.account.removeVault(vault!.id);
  });
  const { counts, shortfalls } = await backs(story, 0);
  const [{ expected, ...moved } = { expected: 0 }, ...others] = shortfalls;
  assert.deepEqual(others, []);
  assert.deepEqual(moved, {
    shortfall: "moved",
    reason: "vault-removed-meanwhile",
    vaultId: vault!.id,
    seen: 0,
  });
  // Batches overlap, so the vault may be gone for one that was asked for before.
  assert.ok(counts.items >= 50 && counts.items <= 250, `${counts.items} items`);
  assert.equal(counts.items + expected, 420);
  await opens(story, "complete", counts.items);
});

story(
  "access to every vault taken away while the first is read publishes nothing",
  { account: ACCOUNT },
  async (story) => {
    const once = story.service.onRequest("items/overviews", () => {
      once();
      for (const { id } of story.service.account.vaults) story.service.account.removeVault(id);
    });
    const { err } = await story.runs(1, "backup");
    assert.match(err, /error: 1Password shows no item in any vault: nothing was published/);
    nothingPublished(story);
  },
);

story(
  "an account without vaults publishes nothing",
  { account: { name: "None", vaults: [] } },
  async (story) => {
    const { err } = await story.runs(1, "backup");
    assert.match(
      err,
      /error: 1Password shows no vault to back up: nothing was published\nvaultferry: hint: check which vaults/,
    );
    nothingPublished(story);
  },
);

story("vaults without items publish nothing", {
  account: { name: "Empty", vaults: [{ title: "A" }, { title: "B" }] },
}, async (story) => {
  const { err } = await story.runs(1, "backup");
  assert.match(err, /error: 1Password shows no item in any vault: nothing was published/);
  nothingPublished(story);
});

story("a vault that is to be included and is not there is a gap; one to be excluded is a warning", {
  account: ACCOUNT,
}, async (story) => {
  story.job.vaults = { include: ["A", "Finance"], exclude: ["Sandbox"] };
  const { ran, shortfalls } = await backs(story, 3);
  assert.deepEqual(shortfalls, [{ shortfall: "gap", reason: "vault-not-visible", vaultId: "Finance" }]);
  assert.match(
    ran.lines.find((line) => line.event === "warning")!.message,
    /"Sandbox" is to be excluded, but there is none/,
  );
});

story("a vault that is expected and is not there is a gap", { account: ACCOUNT }, async (story) => {
  story.job.vaults = { expect: ["A", "Payroll"] };
  const { shortfalls } = await backs(story, 3);
  assert.deepEqual(shortfalls, [{ shortfall: "gap", reason: "vault-not-visible", vaultId: "Payroll" }]);
});

story("more items than fit into one batch all come through", {
  account: {
    name: "Many",
    vaults: [{ title: "A", items: Array.from({ length: 101 }, (_, at) => ({ title: `item number ${at}` })) }],
  },
}, async (story) => {
  const vault = story.service.account.vault("A");
  // One in the second of three batches is archived, one in the last deleted.
  let batch = 0;
  story.service.onRequest("items/batch", ({ body }) => {
    const ids = (body as { itemUuids: string[] }).itemUuids;
    batch++;
    if (batch === 2) vault.item(ids[7]!).archive();
    if (batch === 3) vault.item(ids[0]!).delete();
  });
  const { counts, shortfalls } = await backs(story, 0);
  assert.deepEqual(shortfalls.map(({ reason }) => reason).sort(), [
    "archived-meanwhile",
    "deleted-meanwhile",
  ]);
  assert.deepEqual([counts.items, counts.archived], [99, 1]);
});

async function backs(
  story: Story,
  code: number,
): Promise<{ ran: { lines: Line[] }; counts: Line; shortfalls: Line[] }> {
  const ran = await story.runs(code, "backup", "--json");
  const { counts, outcome } = ran.lines.find((line) => line.event === "sealed")!;
  assert.equal(outcome, code === 0 ? "complete" : "incomplete");
  const shortfalls = ran.lines.filter((line) => line.event === "shortfall");
  for (const { detail } of shortfalls) assert.ok(detail.length > 10);
  return {
    ran,
    counts: counts as Line,
    shortfalls: shortfalls.map(({ v: _, event: __, job: ___, detail: ____, ...rest }) => rest),
  };
}

async function opens(story: Story, outcome: string, items: number): Promise<void> {
  const { out } = await story.runs(0, "verify", "--identity", story.key);
  assert.match(
    out,
    new RegExp(`good${outcome === "complete" ? "" : `, ${outcome}`}, opened: ${items} items`),
  );
}

function atFirstBatchOf(story: Story, vault: LiveVault, happens: () => void): void {
  const once = story.service.onRequest("items/batch", ({ vaultId }) => {
    if (vaultId !== vault.id) return;
    once();
    happens();
  });
}

function nothingPublished(story: Story): void {
  assert.deepEqual(story.stored(), []);
  assert.deepEqual(story.spooled(), []);
}
