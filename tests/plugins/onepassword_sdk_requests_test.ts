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
