import assert from "node:assert/strict";
import { bigAccount, sampleAccount } from "../service/mod.ts";
import { type Story, story } from "../stories/harness.ts";

story("a backup of the sample account signs in once and asks for no more than it needs", {
  account: sampleAccount(),
}, async (story) => {
  await story.runs(0, "backup");
  const { requests } = story.service;
  for (const step of ["auth/start", "auth/exchange", "auth/confirm", "auth/complete"] as const) {
    assert.equal(requests.count(step), 1, step);
  }
  assert.equal(requests.count("vaults/list"), 1);
  assert.equal(requests.count("items/overviews"), 4);
  assert.equal(requests.count("items/batch"), 4);
  assert.equal(requests.count("file/read"), 22);
  assert.ok(requests.total() <= allowed(story), `${requests.total()} of ${allowed(story)}`);
});

story("items are asked for by fifties", {
  account: bigAccount({ vaults: 2, items: 201, files: 3, fileSize: 1000 }),
}, async (story) => {
  await story.runs(0, "backup");
  assert.ok(
    story.service.requests.total() <= allowed(story),
    `${story.service.requests.total()} of ${allowed(story)}`,
  );
});

story(
  "the estimate of a dry run is what the backup costs at least",
  { account: sampleAccount() },
  async (story) => {
    const dry = await story.runs(0, "backup", "--dry-run", "--json");
    const { reads } = dry.summary.jobs[0].estimate;
    story.service.requests.reset();
    await story.runs(0, "backup");
    const { requests } = story.service;
    const withoutFiles = requests.total() - requests.count("file/read") - requests.count("item/get");
    assert.ok(
      withoutFiles <= reads && reads <= 2 * withoutFiles,
      `estimated ${reads}, asked ${withoutFiles}`,
    );
  },
);

function allowed(story: Story): number {
  const { vaults } = story.service.account;
  const items = vaults.flatMap((vault) => vault.items);
  return vaults.length * 4 + Math.ceil(items.length / 50) + story.service.requests.count("file/read") * 2 + 8;
}

story("an item that poisons its batch costs one list and one batch more, not one call an item", {
  account: bigAccount({ vaults: 1, items: 60, files: 0 }),
}, async (story) => {
  const [vault] = story.service.account.vaults;
  const undo = story.service.onRequest("items/batch", () => {
    undo();
    vault!.items[3]!.archive();
  });
  const { summary } = await story.runs(0, "backup", "--json");
  assert.equal(summary.jobs[0].outcome, "complete");
  assert.equal(story.service.requests.count("items/batch"), 3);
  assert.equal(story.service.requests.count("items/overviews"), 2);
});

story("items that cannot be read at all are gaps, and do not cost a call each", {
  account: bigAccount({ vaults: 2, items: 120, files: 0 }),
}, async (story) => {
  const [first] = story.service.account.vaults;
  const [one] = first!.items;
  story.service.faults.status("items/batch", 400, { id: one!.id, times: 2 }); // its batch, twice
  story.service.faults.status("items/batch", 400, { after: 0, times: 7 });
  await story.runs(3, "backup");
  const { requests } = story.service;
  assert.ok(requests.count("items/batch") < 20, `${requests.count("items/batch")} calls for 120 items`);
});
