import assert from "node:assert/strict";
import { sampleAccount } from "../service/mod.ts";
import { HOSTILE_NAMES } from "../service/sample/hostile.ts";
import { type Story, story } from "./harness.ts";
import { filesBelow } from "./secrets.ts";

story("restore gives the vaults and items that were asked for, by id or title, and nothing else", {
  account: sampleAccount(),
}, async (story) => {
  await story.runs(0, "backup");
  const { account } = story.service;
  const everyday = account.vault("Everyday");
  const twoOfOneName = account.vaults.filter(({ title }) => title === "Documents");
  const [documents, hostile] = twoOfOneName;
  assert.ok(documents && hostile);

  await chooses(story, ["--vault", everyday.id], [everyday.id], everyday.items.map(({ id }) => id));
  await chooses(
    story,
    ["--vault", "Documents"],
    [documents.id, hostile.id],
    [...documents.items, ...hostile.items].map(({ id }) => id),
  );
  const mail = everyday.item("Mail").id;
  await chooses(story, ["--item", mail], [everyday.id], [mail]);
  await chooses(
    story,
    ["--item", "Intranet"],
    [everyday.id],
    everyday.items.filter(({ title }) => title === "Intranet").map(({ id }) => id),
  );
  const plans = documents.item("Server room").id;
  await chooses(story, ["--item", "Server room", "--item", mail], [documents.id, everyday.id], [plans, mail]);
  assert.equal([...filesBelow(story.at(`restored/${turn}/vaults/${documents.id}/files`))].length, 4);
  await chooses(story, ["--vault", hostile.id, "--item", ".."], [hostile.id], [hostile.item("..").id]);
  // What looks alike is not the same: composed and decomposed é are two titles.
  for (const title of ["Caf\u00e9", "Cafe\u0301", "日本語のパスワード", "كلمة المرور", "👩‍👩‍👧‍👦 Family 🏳️‍🌈 🇺🇳"]) {
    await chooses(story, ["--item", title], [everyday.id], [everyday.item(title).id]);
  }
  for (const title of HOSTILE_NAMES) {
    // Whoever gives a title that looks like an option writes --item=TITLE.
    await chooses(story, [`--item=${title}`], [hostile.id], [hostile.item(title).id]);
  }
});

story("restore of something that is not in the archive says so and leaves nothing", {}, async (story) => {
  await story.runs(0, "backup");
  const to = story.at("restored/none");
  const given = ["restore", "--to", to, "--identity", story.key];
  const item = await story.runs(10, ...given, "--item", "Big Bank", "--item", "Bug Bank");
  assert.match(item.err, /error: the archive holds no "Bug Bank"\n/);
  assert.match(item.err, /hint: give the id or the exact title/);
  // An item of another vault than the one asked for is not there either.
  await story.runs(10, ...given, "--vault", "Servers", "--item", "Big Bank");
  await story.runs(10, ...given, "--archive", "acme_20200101T000000Z_00000000.tar.zst.age");
  await story.runs(2, ...given, "--from", "nowhere");
  assert.deepEqual([...Deno.readDirSync(story.at("restored"))], []);
});

story("an item restored alone is the same as in a whole restore", {}, async (story) => {
  await story.runs(0, "backup");
  const { id } = story.service.account.vault("Finance").item("Contract");
  const whole = story.at("restored/whole");
  const alone = story.at("restored/alone");
  await story.runs(0, "restore", "--to", whole, "--identity", story.key);
  await story.runs(0, "restore", "--to", alone, "--identity", story.key, "--item", id);
  for (const path of filesBelow(alone)) {
    assert.deepEqual(Deno.readFileSync(path), Deno.readFileSync(path.replace(alone, whole)));
  }
});

let turn = 0;

async function chooses(story: Story, choice: string[], vaults: string[], items: string[]): Promise<void> {
  const to = story.at(`restored/${++turn}`);
  await story.runs(0, "restore", "--to", to, "--identity", story.key, ...choice);
  const paths = [...filesBelow(to)].map((path) => path.slice(to.length + 1));
  const given = (pattern: RegExp) => paths.flatMap((path) => pattern.exec(path)?.[1] ?? []).toSorted();
  assert.deepEqual(given(/^vaults\/(\w+)\/vault\.json$/), vaults.toSorted(), choice.join(" "));
  assert.deepEqual(given(/^vaults\/\w+\/items\/(\w+)\.json$/), items.toSorted(), choice.join(" "));
  const others = paths.filter((path) =>
    !/^vaults\/\w+\/(vault\.json|items\/\w+\.json|files\/\w+\/\w+)$/.test(path)
  );
  assert.deepEqual(others, []);
  const owners = new Set(given(/^vaults\/\w+\/files\/(\w+)\/\w+$/));
  for (const owner of owners) assert.ok(items.includes(owner));
  const withFiles = items.filter((id) =>
    story.service.account.vaults.some((vault) => hasFiles(vault.find(id)))
  );
  assert.deepEqual([...owners].toSorted(), withFiles.toSorted());
}

function hasFiles(item: { state: string; details(): object } | undefined): boolean {
  return item?.state === "active" && JSON.stringify(item.details()).includes('"documentId"');
}
