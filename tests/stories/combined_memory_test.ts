import assert from "node:assert/strict";
import { z } from "zod";
import type { Vault } from "../../src/model/vault.ts";
import { MemorySource } from "../../src/source/memory.ts";
import type { SourcePlugin } from "../../src/source/plugin.ts";
import { type Line, type Story, story } from "./harness.ts";
import { bodyOf, memoryItem, sourceError } from "./memory_source.ts";

const eventsOf = (lines: Line[], event: string) => lines.filter((line) => line.event === event);

/** A plugin of doors in memory, each named after its type. */
function memoryDoor(type: string, fails: boolean, ...vaultIds: string[]): SourcePlugin {
  const vault = (id: string): Vault => ({ id, title: id, description: "", kind: "created", raw: { id } });
  const vaults = vaultIds.map((id) => ({ vault: vault(id), items: [memoryItem(id, "a", [{ id: "f" }])] }));
  return {
    type,
    summary: "a door in memory",
    config: z.strictObject({}),
    open: () =>
      Promise.resolve(
        new MemorySource(type, { vaults, body: (_, { id }) => bodyOf(id) }, {
          before: (call) => {
            if (fails && call === "list") throw sourceError("transient", "cannot reach 1Password: reset");
          },
        }),
      ),
  };
}

const VAULTS = ["v1", "v2", "v3", "v4"];

function doors(name: string, plugins: SourcePlugin[], tell: (story: Story) => Promise<void>): void {
  story(name, { memory: { vaults: [] } }, async (story) => {
    (story.registry.sources as SourcePlugin[]).push(...plugins);
    const [source, ...also] = plugins.map(({ type }) => ({ type }));
    Object.assign(story.job, { source, also });
    await tell(story);
  });
}

doors("a main source that lists its vaults and gives nothing is made up for by another", [
  memoryDoor("one", true, ...VAULTS),
  memoryDoor("two", false, ...VAULTS),
], async (story) => {
  const { lines } = await story.runs(0, "backup", "--json");
  const warnings = eventsOf(lines, "warning").map(({ message }) => message);
  assert.equal(warnings.filter((text) => /the main source could not read vault v\d/.test(text)).length, 4);
  assert.deepEqual(eventsOf(lines, "doors")[0]!.doors, [
    { name: "one", vaults: 4, items: 0, files: 0 },
    { name: "two", vaults: 0, items: 4, files: 4 },
  ]);
});

doors("what nobody gives is a gap by its id, also beyond the vaults after which one source gives up", [
  memoryDoor("one", true, ...VAULTS),
  memoryDoor("two", false, "v1", "v4"),
], async (story) => {
  const { lines } = await story.runs(3, "backup", "--json");
  assert.deepEqual(eventsOf(lines, "shortfall").map(({ reason, vaultId }) => [reason, vaultId]), [
    ["unreadable-vault", "v2"],
    ["unreadable-vault", "v3"],
  ]);
  assert.equal(eventsOf(lines, "sealed")[0]!.counts.items, 2);
});

doors("when no source gives an item nothing is published and it is worth another try", [
  memoryDoor("one", true, "v1"),
  memoryDoor("two", true, "v1"),
], async (story) => {
  await story.runs(75, "backup");
  assert.deepEqual(story.stored(), []);
});

const closed: string[] = [];

/** A door that belongs to an account and notes that it was closed. */
function ownedBy(id: string, type: string): SourcePlugin {
  const door = memoryDoor(type, false, "v1");
  return {
    ...door,
    async open(...given) {
      const source = await door.open(...given);
      source.account = () => Promise.resolve({ id });
      source[Symbol.asyncDispose] = () => Promise.resolve(void closed.push(type));
      return source;
    },
  };
}

doors("sources that are refused together are closed again, each of them", [
  ownedBy("A", "one"),
  ownedBy("A", "two"),
  ownedBy("B", "three"),
], async (story) => {
  const { err } = await story.runs(2, "backup");
  assert.match(err, /"one" and "three" belong to different accounts/);
  assert.deepEqual(closed.splice(0), ["one", "two", "three"]);
  story.job.also.pop();
  await story.runs(0, "backup");
  assert.deepEqual(closed.splice(0), ["one", "two"]);
});
