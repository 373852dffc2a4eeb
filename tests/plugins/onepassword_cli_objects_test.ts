import assert from "node:assert/strict";
import { splitObjects } from "../../plugins/sources/onepassword_cli/op/objects.ts";
import { concat, utf8 } from "../../src/base/bytes.ts";
import { failure } from "../base/failure.ts";
import { heldBytes } from "../base/held_memory.ts";
import { bigAccount } from "../service/mod.ts";
import { CliDoor, vaultOf, walk } from "./onepassword_cli_door.ts";

const OBJECTS = [
  {},
  { text: 'a "quote", a \\ backslash and \\" both' },
  { braces: "} { ]} [{ \\u007d", "}": "{" },
  { nested: { deeper: { list: [{ a: [{}] }, {}] } } },
  { unicode: "日本語 👩‍👩‍👧‍👦 \u2028 é\u0301", nul: "\u0000", controls: "\n\t\r\b" },
  { last: "\\" },
];

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function split(bytes: Uint8Array, size = bytes.length): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const one of splitObjects(chunked(bytes, size))) {
    found.push(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(one)));
  }
  return found;
}

for (
  const [what, text] of [
    ["one after the other", OBJECTS.map((one) => JSON.stringify(one)).join("")],
    ["with lines between", OBJECTS.map((one) => JSON.stringify(one, undefined, 2) + "\r\n\t ").join("")],
    ["as a list", JSON.stringify(OBJECTS, undefined, 1)],
  ] as const
) {
  Deno.test(`objects ${what} are told apart, wherever they are cut`, async () => {
    const bytes = utf8(text);
    for (let size = 1; size <= bytes.length; size = size < 20 ? size + 1 : size * 2) {
      assert.deepEqual(await split(bytes, size), OBJECTS, `pieces of ${size}`);
    }
    assert.deepEqual(await split(bytes), OBJECTS);
  });
}

Deno.test("nothing is no object, and an empty list neither", async () => {
  for (const text of ["", " \n", "[]", "[\n]"]) assert.deepEqual(await split(utf8(text)), []);
});

for (
  const [what, text, sentence] of [
    ["a text", 'Signed in! {"a":1}', /something else than JSON/],
    ["a number", "12", /something else than JSON/],
    ["a list of texts", '["a"]', /something else than JSON/],
    ["a closing brace too many", '{"a":1}}', /something else than JSON/],
    ["a page of a network", "<html>{}</html>", /something else than JSON/],
    ["an object that is cut off", '{"a":{"b":1}', /broke off/],
    ["an object that is cut off in a text", '{"a":"}', /broke off/],
    ["an object that is cut off after a backslash", '{"a":"\\', /broke off/],
  ] as const
) {
  Deno.test(`${what} is an error, and what came before it is not lost`, async () => {
    for (const size of [1, 1000]) {
      const found: Uint8Array[] = [];
      const error = await failure(
        async () => {
          for await (const one of splitObjects(chunked(concat([utf8('{"first":1}\n'), utf8(text)]), size))) {
            found.push(one);
          }
        },
        "corrupt",
        sentence,
      );
      assert.equal(error.origin, "source");
      assert.equal(new TextDecoder().decode(found[0]), '{"first":1}');
      assert.doesNotMatch(error.message, /Signed in|html/);
    }
  });
}

Deno.test("an object without end does not fill the memory", async () => {
  let pieces = 0;
  const endless = async function* () {
    yield utf8('{"a":"');
    for (const filler = new Uint8Array(1024 * 1024).fill(0x61);; pieces++) yield filler;
  };
  await failure(() => Array.fromAsync(splitObjects(endless())), "corrupt", /more than 67108864 bytes/);
  assert.equal(pieces, 63);
});

Deno.test("of 256 MiB of objects only one is held, and none is read before it is asked for", async () => {
  let read = 0;
  const item = utf8(JSON.stringify({ id: "x", notes: "note ".repeat(1600) }) + "\n");
  const piece = concat(Array.from({ length: 8 }, () => item)); // 64 KiB, as pipes give
  const stream = async function* () {
    for (; read < 4096; read++) yield piece;
  };
  let seen = 0;
  let highest = 0;
  const [held, before] = [heldBytes(), Deno.memoryUsage().rss];
  let kept = Infinity;
  for await (const one of splitObjects(stream())) {
    assert.equal(one.length, item.length - 1);
    if (++seen % 2048 === 0) highest = Math.max(highest, Deno.memoryUsage().rss - before);
    // Once, late: it collects, and what lies about is to be seen as well.
    if (seen === 7 * 4096) kept = heldBytes() - held;
    assert.ok(read <= Math.ceil(seen / 8), "read ahead");
  }
  assert.equal(seen, 8 * 4096);
  assert.ok(highest < 64 * 1024 * 1024, `${highest} bytes more`);
  assert.ok(kept < 8 * 1024 * 1024, `${kept} bytes are held`);
});

Deno.test("2,400 items of a vault come out of two processes, all of them and in order", async () => {
  await using door = await CliDoor.open(bigAccount({ items: 2400, files: 10, fileSize: 10, vaults: 1 }));
  await using source = await door.source();
  const vault = await vaultOf(source, "Vault 1");
  door.fake.calls.reset();
  const { items, shortfalls } = await walk(source, vault);
  assert.deepEqual(shortfalls, []);
  assert.deepEqual(items.map(({ id }) => id), door.fake.account.vault("Vault 1").items.map(({ id }) => id));
  assert.deepEqual(door.fake.calls.commands, ["item list", "item get", "item get"]);
  const [first, second] = door.fake.calls.log.slice(1).map(({ stdin }) => JSON.parse(stdin!));
  assert.deepEqual([first.length, second.length], [2000, 400]);
  assert.deepEqual(first[0], { id: items[0]!.id, vault: { id: vault.id } });
});
