import assert from "node:assert/strict";
import { memoryAccount, memoryItem } from "./memory_source.ts";
import { story } from "./harness.ts";

story("a damaged old entry keeps neither today's archive nor the others at home", {
  memory: memoryAccount(),
  destinations: ["nas", "usb"],
}, async (story) => {
  await story.runs(0, "backup");
  Deno.renameSync(story.at("usb"), story.at("away"));
  for (const minute of [1, 2]) {
    story.clockOffset = minute * 60_000;
    await story.runs(4, "backup");
  }
  const entry = `${story.state}/acme/chain/00000002.json`;
  const kept = Deno.readTextFileSync(entry);
  Deno.writeTextFileSync(entry, kept.replace("vaultferry/1", "vaultferry/X"));
  story.clockOffset = 180_000;
  const { err } = await story.runs(4, "backup");
  assert.match(err, /warning: acme_\S+\.age could not be delivered late: /);
  assert.equal(story.archives("nas").length, 4);
  Deno.writeTextFileSync(entry, kept);
  Deno.renameSync(story.at("away"), story.at("usb"));
  story.clockOffset = 240_000;
  const last = await story.runs(0, "backup");
  assert.equal(story.archives("usb").length, 5);
  assert.match(last.err, /usb: sent and read back, every byte compared \(acme_.*, from an earlier run\)/);
});

story("an archive that cannot be delivered late is not called a success", {
  memory: memoryAccount(),
  destinations: ["nas", "usb"],
}, async (story) => {
  Deno.renameSync(story.at("usb"), story.at("away"));
  await story.runs(4, "backup");
  const [name] = story.archives("nas");
  Deno.renameSync(story.at("away"), story.at("usb"));
  Deno.mkdirSync(story.at("usb/acme"), { mode: 0o700 });
  Deno.writeTextFileSync(story.at(`usb/acme/${name}`), "somebody else's", { mode: 0o600 });
  story.clockOffset = 60_000;
  const { summary } = await story.runs(4, "backup", "--json");
  assert.equal(summary.jobs[0].late, 1);
  Deno.removeSync(story.at(`usb/acme/${name}`));
  story.clockOffset = 120_000;
  await story.runs(0, "backup");
});

story(
  "a vault that is listed twice, or under two spellings of one id, is a gap and not an archive that cannot be opened",
  {
    memory: {
      vaults: [
        { id: "v1", items: [memoryItem("v1", "a")] },
        { id: "V1", items: [memoryItem("V1", "b")] },
        { id: "v2", items: [memoryItem("v2", "c")] },
      ],
    },
  },
  async (story) => {
    const { summary } = await story.runs(3, "backup", "--json");
    assert.equal(summary.jobs[0].outcome, "incomplete");
    assert.match((await story.runs(0, "verify", "--identity", story.key)).out, /opened: 2 items/);
  },
);
