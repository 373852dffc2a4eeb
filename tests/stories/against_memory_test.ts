/** `verify --against-source` with sources in memory: archives with gaps, several doors, other accounts. */
import assert from "node:assert/strict";
import { z } from "zod";
import type { Shortfall } from "../../src/model/shortfall.ts";
import { MemorySource } from "../../src/source/memory.ts";
import type { SourcePlugin } from "../../src/source/plugin.ts";
import { type Line, type Ran, type Story, story } from "./harness.ts";
import { bodyOf, memoryAccount, memoryItem, sourceError } from "./memory_source.ts";

const AGAINST = ["verify", "--against-source", "--json"] as const;
const against = ({ summary }: Ran): Line => summary.jobs[0].against;
const ways = (story: Story) => [[], ["--identity", story.key]];

const unreadable = (itemId: string): Shortfall => ({
  shortfall: "gap",
  reason: "unreadable-item",
  vaultId: "v1",
  itemId,
  detail: "it could not be read",
});

const gaps = memoryAccount();
story("what an archive names as lacking is no second alarm", { memory: gaps }, async (story) => {
  gaps.vaults[0]!.items = [memoryItem("v1", "a"), unreadable("b")];
  const broken = { id: "v3", items: () => failing() };
  gaps.vaults.push(broken);
  await story.runs(3, "backup");
  // Everything can be read again; none of it has been changed since.
  gaps.vaults = memoryAccount().vaults;
  gaps.vaults.push({ id: "v3", items: [memoryItem("v3", "z")] });
  for (const flags of ways(story)) {
    const { vaults } = against(await story.runs(0, ...AGAINST, ...flags));
    const told = (vaults as Line[]).map(({ id, missing, named }) => [id, missing, named]);
    assert.deepEqual(told, [["v1", 0, 1], ["v2", 0, 0], ["v3", 0, 1]]);
  }
  Deno.removeSync(`${story.state}/acme/runs.json`);
  assert.deepEqual(against(await story.runs(0, ...AGAINST)).vaults[0].named, 2);
  // What is missing beyond its gaps is a difference.
  gaps.vaults[1]!.items = [memoryItem("v2", "a"), memoryItem("v2", "c"), memoryItem("v2", "d")];
  const { vaults } = against(await story.runs(3, ...AGAINST, "--identity", story.key));
  assert.deepEqual(vaults.map(({ missing }: Line) => missing), [0, 1, 0]);
});

// deno-lint-ignore require-yield -- it fails before it yields
async function* failing(): AsyncGenerator<never> {
  await Promise.resolve();
  throw sourceError("unknown", "this vault is broken");
}

const now = memoryAccount();
story("of what cannot be read now nobody says that it is the same", { memory: now }, async (story) => {
  await story.runs(0, "backup");
  now.vaults[0]!.items = [memoryItem("v1", "a"), unreadable("x"), memoryItem("v1", "b")];
  const own = now.vaults[0]!.items;
  for (const flags of ways(story)) {
    const ran = await story.runs(3, ...AGAINST, ...flags);
    assert.deepEqual(against(ran).unread, [{ reason: "unreadable-item", vaultId: "v1", itemId: "x" }]);
    assert.equal(against(ran).vaults[0].missing, 0);
  }
  now.vaults[0]!.items = () => failing();
  for (const flags of ways(story)) {
    assert.equal(against(await story.runs(1, ...AGAINST, ...flags)).error.message, "this vault is broken");
  }
  now.vaults[0]!.items = own;
  // A vault that is shown no more is told; another account's vaults are no differences but a mistake.
  now.vaults[0]!.items = [memoryItem("v1", "a"), memoryItem("v1", "b")];
  const second = now.vaults.pop()!;
  for (const flags of ways(story)) {
    const { vaults } = against(await story.runs(0, ...AGAINST, ...flags));
    assert.deepEqual(vaults.map(({ id, vault, removed }: Line) => [id, vault, removed]), [
      ["v1", "both", 0],
      ["v2", "gone", 2],
    ]);
  }
  now.vaults = [{ ...second, id: "w1", items: [memoryItem("w1", "a")] }];
  for (const flags of ways(story)) {
    assert.match((await story.runs(15, ...AGAINST, ...flags)).err, /seems to be another account's/);
  }
});

/** A door in memory, whose lists fail while `failing` has its name. */
function door(type: string, vaultIds: string[], failing: Set<string>): SourcePlugin {
  const vaults = vaultIds.map((id) => ({
    vault: { id, title: id, description: "", kind: "created" as const, raw: {} },
    items: [memoryItem(id, "a"), memoryItem(id, `only${type}`)],
  }));
  return {
    type,
    summary: "a door in memory",
    config: z.strictObject({}),
    open: () =>
      Promise.resolve(
        new MemorySource(type, { vaults, body: (_, { id }) => bodyOf(id) }, {
          before: (call) => {
            if (call === "list" && failing.has(type)) throw sourceError("transient", "connection reset");
          },
        }),
      ),
  };
}

story("several doors are compared together, and one that fails is told", {
  memory: { vaults: [] },
}, async (story) => {
  const failing = new Set<string>();
  (story.registry.sources as SourcePlugin[]).push(
    door("one", ["v1"], failing),
    door("two", ["v1", "v2"], failing),
  );
  Object.assign(story.job, { source: { type: "one" }, also: [{ type: "two" }] });
  await story.runs(0, "backup");
  for (const flags of ways(story)) {
    const { vaults } = against(await story.runs(0, ...AGAINST, ...flags));
    assert.deepEqual(vaults.map(({ archived, now }: Line) => [archived, now]), [[3, 3], [2, 2]]);
  }
  failing.add("two");
  for (const flags of ways(story)) {
    const { unread } = against(await story.runs(3, ...AGAINST, ...flags));
    assert.deepEqual(unread.map(({ reason, vaultId }: Line) => [reason, vaultId]), [
      ["door-failed", "v1"],
      ["unreadable-vault", "v2"],
    ]);
  }
  failing.clear();
  // One that cannot even be opened.
  const two = (story.registry.sources as SourcePlugin[]).find(({ type }) => type === "two")!;
  two.open = () => Promise.reject(sourceError("denied", "the token is wrong"));
  for (const flags of ways(story)) {
    const { unread } = against(await story.runs(3, ...AGAINST, ...flags));
    assert.deepEqual(unread.map(({ reason }: Line) => reason), ["door-failed"]);
  }
});
