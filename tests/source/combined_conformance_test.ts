/** Several doors are a source like any other: the suite, over a door in memory beside one that has nothing of it. */
import { CombinedSource } from "../../src/source/combined/source.ts";
import { Door } from "../../src/source/combined/door.ts";
import { type ConformanceDoor, reasonsAgainst, sourceCases } from "../../src/source/conformance.ts";
import type { SeededAccount } from "../../src/source/conformance/account.ts";
import { MemorySource } from "../../src/source/memory.ts";
import { memoryDoor } from "./harness_memory.ts";

/** Another door to the account, which shows its vaults and no item, or not even the vaults. */
function beside(account: SeededAccount, vaults: boolean): Door {
  const shown = account.vaults.map(({ id, title, description, kind }) => ({
    vault: { id, title, description, kind, raw: {} },
    items: [],
  }));
  const source = new MemorySource("beside", { vaults: vaults ? shown : [], body: () => new Uint8Array() });
  return new Door("beside", source, false, undefined);
}

/** What another door that shows the vaults makes of it, and rightly. */
const OTHERWISE: ConformanceDoor["lacks"] = {
  "file quota": "a used-up quota of one door ends nothing while there is another",
  "list vault-gone": "the other door goes on showing the vault",
  "items vault-gone": "the other door goes on showing the vault",
};

for (const vaults of [false, true]) {
  const door: ConformanceDoor = {
    ...memoryDoor,
    lacks: { ...memoryDoor.lacks, ...vaults ? OTHERWISE : {} },
    async start(account) {
      const harness = await memoryDoor.start(account);
      const open = async (signal: AbortSignal) => {
        const source = await harness.open(signal);
        const main = new Door("memory", source, true, await source.account(signal));
        return new CombinedSource(main, [beside(account, vaults)], () => {});
      };
      return new Proxy(harness, {
        get(target, key) {
          if (key === "open") return open;
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
    },
  };
  for (const { name, needs, run } of sourceCases) {
    const against = reasonsAgainst(door, needs);
    Deno.test({
      name: `beside a door with${vaults ? " empty" : "out"} vaults: ${name}${
        against.length > 0 ? ` (left out: ${against.join("; ")})` : ""
      }`,
      ignore: against.length > 0,
      fn: () => run(door),
    });
  }
}
