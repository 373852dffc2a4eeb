import assert from "node:assert/strict";
import { failure } from "../base/failure.ts";
import type { AccountDescription, LiveItem } from "../service/mod.ts";
import { SAYS } from "../service/op/mod.ts";
import type { Vault } from "../../src/model/vault.ts";
import { CliDoor, type DoorOptions, signal, vaultOf, walk, words } from "./onepassword_cli_door.ts";
import type { Source } from "../../src/source/contract.ts";

/** Ten logins and an archived one, in a vault beside another. */
const ACCOUNT: AccountDescription = {
  name: "Walk",
  vaults: [
    {
      title: "Main",
      items: [
        ...Array.from(
          { length: 10 },
          (_, at) => ({ title: `item ${at}`, password: `made-up-password-${at}` }),
        ),
        { title: "old", state: "archived", password: "made-up-old-password" },
      ],
    },
    { title: "Other", items: [{ title: "else" }] },
  ],
};

interface Given {
  door: CliDoor;
  source: Source;
  vault: Vault;
  items: LiveItem[];
}

function test(name: string, tell: (given: Given) => Promise<void>, options: DoorOptions = {}): void {
  Deno.test(name, async () => {
    await using door = await CliDoor.open(ACCOUNT, options);
    await using source = await door.source();
    const vault = await vaultOf(source, "Main");
    door.fake.calls.reset();
    await tell({ door, source, vault, items: door.fake.account.vault("Main").items });
  });
}

for (const missing of ["stop", "continue"] as const) {
  test(`an item deleted between list and get is "moved", and all others come (op ${missing}s at it)`, async (given) => {
    const { door, source, vault, items } = given;
    const [gone, other] = [items[3]!, items[4]!];
    door.fake.missing = missing;
    const undo = door.fake.before("item get", () => {
      undo();
      gone.delete();
      other.delete();
    });
    const found = await walk(source, vault);
    assert.deepEqual(words(found.shortfalls), [
      `moved deleted-meanwhile ${gone.id}`,
      `moved deleted-meanwhile ${other.id}`,
    ]);
    assert.equal(found.items.length, 9);
    const calls = missing === "stop" ? 3 : 1;
    assert.equal(door.fake.calls.count("item get"), calls);
    assert.equal(door.fake.calls.count("item list"), 2);
  });

  test(`an item that cannot be read is a gap by id, and all others come (op ${missing}s at it)`, async (given) => {
    const { door, source, vault, items } = given;
    door.fake.missing = missing;
    door.fake.unreadable.set(items[0]!.id, "(400) Bad Request: made-up trouble");
    door.fake.unreadable.set(items[9]!.id, `"${items[9]!.id}" isn't an item in the "Main" vault.`);
    const found = await walk(source, vault);
    assert.deepEqual(words(found.shortfalls), [
      `gap unreadable-item ${items[0]!.id}`,
      `gap unreadable-item ${items[9]!.id}`,
    ]);
    assert.equal(found.shortfalls[0]!.detail, "op failed: (400) Bad Request: made-up trouble");
    assert.equal(found.items.length, 9);
  });
}

test("an item archived between list and get comes with all it holds", async ({ door, source, vault, items }) => {
  const undo = door.fake.before("item get", () => (undo(), items[2]!.archive()));
  const found = await walk(source, vault);
  assert.deepEqual(words(found.shortfalls), []);
  const item = found.items.find(({ id }) => id === items[2]!.id)!;
  assert.deepEqual([item.state, item.contents], ["archived", "full"]);
});

test("an item archived meanwhile that cannot be read any more is kept as listed, and moved", async (given) => {
  const { door, source, vault, items } = given;
  const [item] = items;
  const undo = door.fake.before("item get", () => {
    undo();
    item!.archive();
    door.fake.unreadable.set(item!.id, SAYS.deletedOrArchived(item!.id, vault.id));
  });
  const found = await walk(source, vault);
  assert.deepEqual(words(found.shortfalls), [`moved archived-meanwhile ${item!.id}`]);
  const kept = found.items.find(({ id }) => id === item!.id)!;
  assert.deepEqual([kept.state, kept.contents, kept.title], ["archived", "overview", "item 0"]);
});

test("items that op passes over in silence are asked for again, then singly, then gaps", async (given) => {
  const { door, source, vault, items } = given;
  door.fake.omitted.add(items[5]!.id);
  const found = await walk(source, vault);
  assert.deepEqual(words(found.shortfalls), [`gap unreadable-item ${items[5]!.id}`]);
  assert.equal(found.items.length, 10);
  const gets = door.fake.calls.log.filter(({ command }) => command === "item get");
  assert.deepEqual(gets.map(({ stdin }) => stdin && JSON.parse(stdin).length), [11, 1, null]);
});

for (
  const [what, blow] of [["dies in the middle", {}], ["dies before it says anything", { share: 0 }]] as const
) {
  test(`when op ${what} of its answer, what is lacking is asked for again`, async ({ door, source, vault }) => {
    door.fake.faults.crash("item get", { times: 1, ...blow });
    const found = await walk(source, vault);
    assert.deepEqual(words(found.shortfalls), []);
    assert.equal(new Set(found.items.map(({ id }) => id)).size, 11);
  });
}

for (
  const [what, blow] of [
    ["breaks off without a word", { share: 0.5 }],
    ["says something that is no JSON", { instead: "Welcome to the network!\n" }],
    ["answers with items that nobody asked for", {
      instead: '{"id":"aaaaaaaaaaaaaaaaaaaaaaaaaa","title":"stranger"}{"title":"nobody"}[]',
    }],
    ["answers with what is no text", { instead: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) }],
    ["answers with nothing", { instead: "" }],
    ["is content and complains (as before 2.32.1)", { share: 0, complaint: "(500) made-up trouble" }],
  ] as const
) {
  test(`when op ${what}, nothing is lost`, async ({ door, source, vault }) => {
    door.fake.faults.add("item get", blow, { times: 1 });
    const found = await walk(source, vault);
    assert.deepEqual(words(found.shortfalls), []);
    assert.deepEqual(found.items.length, 11);
    assert.ok(!found.items.some(({ title }) => title === "stranger"));
  });
}

test("one item twice is one item", async ({ door, source, vault }) => {
  door.fake.faults.add("item get", { edit: (text) => text + text }, { times: 1 });
  const found = await walk(source, vault);
  assert.deepEqual([found.items.length, words(found.shortfalls)], [11, []]);
});

test("when nothing can be read, few calls are made and every item is a gap", async ({ door, source, vault }) => {
  door.fake.faults.fail("item get", "made-up trouble");
  const found = await walk(source, vault);
  assert.deepEqual(found.items, []);
  assert.equal(found.shortfalls.filter(({ reason }) => reason === "unreadable-item").length, 11);
  assert.ok(door.fake.calls.count("item get") <= 15, String(door.fake.calls.count("item get")));
  assert.match(found.shortfalls.at(-1)!.detail, /^not asked for singly after 5 others in a row/);
});

test("only what is wanted is asked for, the list stays whole", async ({ door, source, vault, items }) => {
  const wanted = new Set([items[1]!.id, items[10]!.id]);
  const asked: string[] = [];
  const found = await walk(source, vault, (id) => (asked.push(id), wanted.has(id)));
  assert.deepEqual(found.items.map(({ id }) => id), [...wanted]);
  assert.equal(asked.length, 11);
  assert.deepEqual(
    JSON.parse(door.fake.calls.log.at(-1)!.stdin!).map(({ id }: { id: string }) => id),
    [...wanted],
  );
  door.fake.calls.reset();
  assert.deepEqual((await walk(source, vault, () => false)).items, []);
  assert.deepEqual(door.fake.calls.commands, ["item list"]);
});

test("a list shorter than 1Password's own count is asked for again, and then a gap", async (given) => {
  const { door, source, vault, items } = given;
  for (const { id } of items.slice(0, 3)) door.fake.unlisted.add(id);
  const found = await walk(source, vault);
  assert.deepEqual(words(found.shortfalls), ["gap short-list"]);
  assert.deepEqual([found.shortfalls[0]!.expected, found.shortfalls[0]!.seen], [10, 7]);
  assert.equal(found.items.length, 8);
  assert.deepEqual(door.fake.calls.commands, ["item list", "vault list", "item list", "item get"]);
});

test("a list that was short once is whole in the end", async ({ door, source, vault, items }) => {
  door.fake.unlisted.add(items[0]!.id);
  const undo = door.fake.before("vault list", () => (undo(), door.fake.unlisted.clear()));
  const found = await walk(source, vault);
  assert.deepEqual([words(found.shortfalls), found.items.length], [[], 11]);
});

test("items that went after the vaults were counted are not lacking", async ({ door, source, vault, items }) => {
  items[0]!.delete();
  items[1]!.archive();
  const found = await walk(source, vault);
  assert.deepEqual([words(found.shortfalls), found.items.length], [[], 10]);
  assert.equal(door.fake.calls.count("item list"), 1);
});

test("what a short list leaves out has not been deleted", async ({ door, source, vault, items }) => {
  const [item] = items;
  door.fake.omitted.add(item!.id);
  let lists = 0;
  door.fake.before("item list", () => void (lists++ > 0 && door.fake.unlisted.add(item!.id)));
  const found = await walk(source, vault);
  assert.deepEqual(words(found.shortfalls), [`gap unreadable-item ${item!.id}`]);
});

for (const moment of ["item list", "item get"]) {
  test(`a vault removed before "${moment}" is moved, and no error`, async ({ door, source, vault }) => {
    const undo = door.fake.before(moment, () => (undo(), door.fake.account.removeVault(vault.id)));
    const found = await walk(source, vault);
    assert.deepEqual([words(found.shortfalls), found.items], [["moved vault-removed-meanwhile"], []]);
  });
}

test("a vault that is there and cannot be listed is an error, never empty", async ({ door, source, vault }) => {
  const faults: [string, Parameters<typeof failure>[1], RegExp][] = [
    [SAYS.noVault(vault.id), "not-found", /does not have it/],
    ["made-up trouble", "unknown", /op failed: made-up trouble/],
    ["(403) Forbidden", "denied", /does not allow/],
  ];
  for (const [text, code, sentence] of faults) {
    const undo = door.fake.faults.fail("item list", text);
    const error = await failure(() => walk(source, vault), code, sentence);
    assert.equal(error.origin, "source");
    undo();
  }
  for (const instead of ["", "{}", "[1]", '[{"title":"no id"}]', "nonsense", '[{"id":""}]']) {
    const undo = door.fake.faults.add("item list", { instead });
    await failure(() => walk(source, vault), "unknown");
    undo();
  }
  const undo = door.fake.faults.add("item list", { instead: "[]", complaint: "made-up trouble", share: 1 });
  undo();
  door.fake.faults.add("item list", { edit: () => "[]", complaint: "(500) made-up trouble" });
  await failure(() => walk(source, vault), "transient");
});

test("a network that comes back is not noticed; one that stays away is transient", async (given) => {
  const { door, source, vault } = given;
  door.fake.faults.fail("item list", SAYS.noNetwork, { times: 2 });
  door.fake.faults.fail("item get", SAYS.gatewayTimeout, { times: 2 });
  assert.equal((await walk(source, vault)).items.length, 11);
  assert.deepEqual(door.naps, [1000, 2000, 1000, 2000]);
  for (const command of ["item list", "item get"]) {
    door.fake.calls.reset();
    const undo = door.fake.faults.fail(command, SAYS.noNetwork);
    await failure(() => walk(source, vault), "transient", /^op cannot reach 1Password$/);
    assert.equal(door.fake.calls.count(command), 3);
    undo();
  }
});

test("a used-up quota ends the walk after what came, and the next walk asks for the rest", async (given) => {
  const { door, source, vault, items } = given;
  door.fake.unreadable.set(items[6]!.id, SAYS.quota("1 hour, 2 minutes"));
  const seen: string[] = [];
  const error = await failure(async () => {
    for await (const found of source.items(vault, signal)) seen.push((found as { id: string }).id);
  }, "quota");
  assert.equal(error.retryAfter, 3720);
  assert.deepEqual(seen, items.slice(0, 6).map(({ id }) => id));
  door.fake.unreadable.clear();
  const rest = await walk(source, vault, (id) => !seen.includes(id));
  assert.equal(rest.items.length + seen.length, 11);
});

test("op that hangs is given up, with a hint, and not tried again", async ({ door, source, vault }) => {
  for (const command of ["item list", "item get"]) {
    door.fake.calls.reset();
    const undo = door.fake.faults.hang(command);
    const error = await failure(
      () => walk(source, vault),
      "transient",
      /^op was given up: it gave no sign of life/,
    );
    assert.match(error.hint!, /waits for a person/);
    assert.equal(door.fake.calls.count(command), 1);
    undo();
  }
  assert.deepEqual(door.naps, []);
}, { timeout: 2 });

test("op that is slow but goes on is waited for", async ({ door, source, vault }) => {
  door.fake.faults.add("item get", { pause: 150 });
  assert.equal((await walk(source, vault)).items.length, 11);
}, { timeout: 1 });

test("leaving a walk early leaves no op at work", async ({ door, source, vault }) => {
  door.fake.faults.add("item get", { pause: 100 });
  for await (const _ of source.items(vault, signal)) break;
  const { pid } = door.fake.calls.log.at(-1)!;
  assert.throws(() =>
    Deno.readTextFileSync(`/proc/${pid}/cmdline`).length === 0 || assert.fail("it is there")
  );
});
