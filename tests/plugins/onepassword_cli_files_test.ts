import assert from "node:assert/strict";
import type { Item } from "../../src/model/item.ts";
import type { Source } from "../../src/source/contract.ts";
import { failure } from "../base/failure.ts";
import { heldBytes } from "../base/held_memory.ts";
import { type AccountDescription, generatedContent, type StoredFile } from "../service/mod.ts";
import { SAYS } from "../service/op/mod.ts";
import { CliDoor, type DoorOptions, signal, vaultOf, walk } from "./onepassword_cli_door.ts";

const MIB = 1024 * 1024;

const ACCOUNT: AccountDescription = {
  name: "Files",
  vaults: [{
    title: "Files",
    items: [
      {
        title: "attached",
        password: "made-up",
        files: [
          { name: "small.bin", size: 1000, seed: "small" },
          { name: "empty", content: "" },
          { name: "line.txt", content: "ends in a line feed\n" },
          { name: "held.bin", size: MIB, seed: "held" },
          { name: "long.bin", size: 5 * MIB + 3, seed: "long" },
        ],
      },
      { title: "document", category: "Document", document: { name: "d.bin", size: 2 * MIB, seed: "d" } },
      {
        title: "old",
        state: "archived",
        files: [{ name: "old.txt", content: "attached to an archived item" }],
      },
    ],
  }],
};

interface Given {
  door: CliDoor;
  source: Source;
  item(title: string): Item;
  stored(title: string, name: string): StoredFile;
  /** Opens a file of an item and reads it to its end. */
  read(title: string, name: string): Promise<Uint8Array>;
}

function test(name: string, tell: (given: Given) => Promise<void>, options: DoorOptions = {}): void {
  Deno.test(name, async () => {
    await using door = await CliDoor.open(ACCOUNT, options);
    await using source = await door.source();
    const { items } = await walk(source, await vaultOf(source, "Files"));
    door.fake.calls.reset();
    const item = (title: string) => items.find((one) => one.title === title)!;
    await tell({
      door,
      source,
      item,
      stored: (title, name) => door.fake.account.vault("Files").item(title).file(name),
      async read(title, name) {
        const file = item(title).files.find((one) => one.name === name)!;
        return await new Response(await source.open(item(title), file, signal)).bytes();
      },
    });
  });
}

function same(found: Uint8Array, expected: Uint8Array): void {
  assert.equal(found.length, expected.length);
  assert.ok(found.every((byte, at) => byte === expected[at]), "other bytes");
}

const ALL = [
  ["attached", "small.bin"],
  ["attached", "empty"],
  ["attached", "line.txt"],
  ["attached", "held.bin"],
  ["attached", "long.bin"],
  ["document", "d.bin"],
] as const;

test("bodies of all sizes come through standard output, by ids alone", async ({ door, item, stored, read }) => {
  for (const [title, name] of ALL) same(await read(title, name), stored(title, name).content());
  assert.equal(door.madeFolders, 0);
  const commands = door.fake.calls.commands;
  assert.deepEqual(commands, [...ALL.slice(0, 5).map(() => "read"), "document get"]);
  const { vaultId, id, files } = item("attached");
  assert.deepEqual(door.fake.calls.log[0]!.argv, [
    "read",
    "--no-newline",
    `op://${vaultId}/${id}/${files.find(({ name }) => name === "small.bin")!.id}`,
  ]);
});

test("a line feed that op adds all the same is cut off, and one of the file's own is not", async (given) => {
  given.door.fake.alwaysAddsNewLine = true;
  for (const [title, name] of ALL) same(await given.read(title, name), given.stored(title, name).content());
  assert.equal(given.door.madeFolders, 0);
});

for (const [name, size] of [["small.bin", 1000], ["long.bin", 5 * MIB + 3]] as const) {
  for (
    const [what, change] of [
      ["shorter", (body: Uint8Array) => body.subarray(0, body.length - 1)],
      ["one byte longer, and that is no line feed", (body: Uint8Array) => new Uint8Array([...body, 0x20])],
      ["two line feeds longer", (body: Uint8Array) => new Uint8Array([...body, 0x0a, 0x0a])],
      ["longer by far", (body: Uint8Array) => new Uint8Array([...body, ...body])],
    ] as const
  ) {
    test(`${name} ${what} is asked for once more through a file, and what is there is given`, async (given) => {
      const { door, stored, read } = given;
      const file = stored("attached", name);
      const body = change(file.content());
      door.fake.serve(file, body);
      same(await read("attached", name), body);
      assert.equal(door.madeFolders, 1);
      assert.deepEqual(door.fake.calls.commands, ["read", "read"]);
      const [, , ...out] = door.fake.calls.log[1]!.argv;
      assert.deepEqual([out[0], out[2]], ["--out-file", "--force"]);
      assert.ok(!door.fake.calls.log[1]!.argv.includes("--no-newline"));
      assert.notEqual(body.length, size);
    });
  }

  for (
    const [what, blow] of [
      ["is cut off in silence", { share: 0.7 }],
      ["is cut off by a panic", { share: 0.7, complaint: "panic: made-up", code: 2 }],
      ["is damaged at its end", { edit: (text: string) => text + "junk" }],
    ] as const
  ) {
    // Text does not carry bytes: what an edit makes of them is damage enough.
    if ("edit" in blow && name === "long.bin") continue;
    test(`${name} that ${what} on standard output comes whole through a file`, async ({ door, stored, read }) => {
      door.fake.faults.add("read", blow, { times: 1 });
      same(await read("attached", name), stored("attached", name).content());
      assert.equal(door.madeFolders, 1);
    });
  }
}

test("a long body that differs from what was handed on already is an error, not a mixture", async (given) => {
  const { door, stored, read } = given;
  const file = stored("attached", "long.bin");
  door.fake.faults.add("read", { share: 0.7 }, { times: 1 });
  let reads = 0;
  door.fake.before("read", () => {
    if (++reads === 2) door.fake.serve(file, generatedContent("another", file.declaredSize));
  });
  await assert.rejects(read("attached", "long.bin"), /op gave two different bodies for it/);
});

test("a file that op writes with a line feed too many is cut as well", async ({ door, stored, read }) => {
  for (const name of ["small.bin", "long.bin"]) {
    const file = stored("attached", name);
    door.fake.faults.add("read", { share: 0.7 }, { times: 1 });
    door.fake.serve(file, new Uint8Array([...file.content(), 0x0a]));
    same(await read("attached", name), file.content());
  }
});

test("what came first is kept when the second attempt fails", async ({ door, stored, read }) => {
  const file = stored("attached", "small.bin");
  door.fake.serve(file, file.content().subarray(0, 10));
  door.fake.faults.fail("read", "made-up trouble", { after: 1 });
  same(await read("attached", "small.bin"), file.content().subarray(0, 10));
});

test("errors of op are errors of the file, in its words", async ({ door, source, item }) => {
  const attached = item("attached");
  const [file] = attached.files;
  const open = () => source.open(attached, file!, signal);
  const faults: [string, Parameters<typeof failure>[1], number][] = [
    ["made-up trouble", "unknown", 2],
    [SAYS.quota(), "quota", 1],
    [SAYS.noNetwork, "transient", 3],
    [SAYS.noField("a/b", "c"), "unknown", 1],
    ["(403) Forbidden", "unknown", 1],
  ];
  for (const [text, code, reads] of faults) {
    door.fake.calls.reset();
    const undo = door.fake.faults.fail("read", text);
    const error = await failure(open(), code);
    assert.equal(error.origin, "source");
    assert.equal(door.fake.calls.count("read"), reads, text);
    undo();
  }
});

test("a quota that ends in the middle of a long body is an error of its stream", async ({ door, read }) => {
  door.fake.faults.add("read", { share: 0.7, complaint: SAYS.quota(), code: 1 });
  const error = await failure(read("attached", "long.bin"), "quota");
  assert.equal(error.retryAfter, 3540);
  assert.equal(door.fake.calls.count("read"), 1);
});

for (
  const [what, change] of [
    ["deleted", (item: { delete(): void }) => item.delete()],
    ["archived", (item: { archive(): void }) => item.archive()],
  ] as const
) {
  test(`the file of an item ${what} meanwhile is not found, confirmed by the list`, async ({ door, read }) => {
    change(door.fake.account.vault("Files").item("attached"));
    await failure(
      read("attached", "small.bin"),
      "not-found",
      /deleted or archived while the backup was made$/,
    );
    assert.equal(door.fake.calls.count("item list"), 1);
  });
}

test("files attached to archived items are a limit where op refuses them, and come where it does not", async (given) => {
  await failure(
    given.read("old", "old.txt"),
    "unsupported",
    /^op does not give files that are attached to archived/,
  );
  given.door.fake.readsArchivedFiles = true;
  assert.equal(new TextDecoder().decode(await given.read("old", "old.txt")), "attached to an archived item");
});

test("an id that could be taken for something else is never put into a command", async ({ source, item, door }) => {
  const attached = item("attached");
  const [file] = attached.files;
  for (const id of ["", "../x", "a/b", "--out-file", "a b", "a?attribute=otp"]) {
    await failure(
      source.open(attached, { ...file!, id }, signal),
      "unknown",
      /none that op could be asked for/,
    );
    await failure(source.open({ ...attached, id }, file!, signal), ["unknown", "not-found"]);
  }
  assert.equal(door.fake.calls.count("read"), 0);
});

test("op waits while nobody reads, and a stream that is let go ends it", async ({ door, source, item }) => {
  const attached = item("attached");
  const file = attached.files.find(({ name }) => name === "long.bin")!;
  for (const begun of [true, false]) {
    const stream = await source.open(attached, file, signal);
    const reader = stream.getReader();
    if (begun) assert.ok((await reader.read()).value);
    await reader.cancel();
    const { pid } = door.fake.calls.log.at(-1)!;
    assert.throws(() => Deno.statSync(`/proc/${pid}/exe`), "op is still at work");
  }
  const stream = await source.open(attached, file, signal);
  await new Promise((resolve) => setTimeout(resolve, 1500)); // longer than the timeout
  assert.equal((await new Response(stream).bytes()).length, file.size);
}, { timeout: 1 });

test("op that hangs in the middle of a body is given up", async ({ door, read }) => {
  door.fake.faults.add("read", { pause: 60_000 });
  await failure(read("attached", "small.bin"), "transient", /^op was given up/);
}, { timeout: 2 });

test("an abort ends the reading and leaves nothing behind", async ({ door, source, item }) => {
  const attached = item("attached");
  const file = attached.files.find(({ name }) => name === "long.bin")!;
  const controller = new AbortController();
  const reader = (await source.open(attached, file, controller.signal)).getReader();
  assert.ok((await reader.read()).value);
  controller.abort();
  // What op had said before it was ended may still come.
  await failure(async () => {
    while ((await reader.read()).value);
  }, "cancelled");
  door.fake.faults.add("read", { share: 0.5 }, { times: 1 });
  const second = new AbortController();
  door.fake.before("read", () => void (door.fake.calls.count("read") === 3 && second.abort()));
  const stream = await source.open(attached, file, second.signal);
  await failure(new Response(stream).bytes(), "cancelled");
});

test("memory does not grow with a body", async ({ door, source, item, stored }) => {
  const size = 300 * MIB;
  const file = { ...item("attached").files.find(({ name }) => name === "long.bin")!, size };
  door.fake.serve(stored("attached", "long.bin"), new Uint8Array(size));
  const stream = await source.open(item("attached"), file, signal);
  const [held, before] = [heldBytes(), Deno.memoryUsage().external];
  let highest = 0;
  let kept = Infinity;
  let seen = 0;
  for await (const part of stream) {
    seen += part.length;
    highest = Math.max(highest, Deno.memoryUsage().external - before);
    // Once, late: it collects, and what lies about is to be seen as well.
    if (kept === Infinity && seen > size - 16 * MIB) kept = heldBytes() - held;
  }
  assert.equal(seen, size);
  assert.ok(highest < 150 * MIB, `${highest} bytes more`);
  assert.ok(kept < 32 * MIB, `${kept} bytes are held`);
});
