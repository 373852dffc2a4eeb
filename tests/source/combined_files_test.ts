import assert from "node:assert/strict";
import { collect } from "../../src/base/bytes.ts";
import { AppError, type ErrorCode } from "../../src/base/errors.ts";
import type { Item, ItemFile } from "../../src/model/item.ts";
import { failure } from "../base/failure.ts";
import { combine, doorTo, full, gap, listed, signal, type TestDoor, walk } from "./doors.ts";

const file = (id: string, size = 100): ItemFile => ({ id, name: `${id}.txt`, size, role: "attachment" });
const ITEM = full("a", { files: [file("f1"), file("f2")] });
const OTHER = full("b", { files: [file("f3")] });

/** A door whose files fail with this, all of them or those named. */
function refusing(name: string, code: ErrorCode, ...only: string[]): TestDoor {
  return doorTo({ v1: [ITEM, OTHER] }, {
    name,
    body: (_, { id }) => {
      if (only.length > 0 && !only.includes(id)) return bytesOf(`${id} by ${name}`);
      throw new AppError(code, `${name} says no to ${id}`, { origin: "source" });
    },
  });
}

const giving = (name: string, items: Item[] = [ITEM, OTHER], snapshot = false) =>
  doorTo({ v1: items }, { name, snapshot, body: (_, { id }) => bytesOf(`${id} by ${name}`) });

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Walks through the vault, then opens files of its items one after the other; an error is its code. */
async function opened(doors: TestDoor[], ...ids: string[]): Promise<string[]> {
  const { source } = await combine(...doors);
  const { items } = await walk(source);
  const results: string[] = [];
  for (const id of ids) {
    const item = items.find(({ files }) => files.some((one) => one.id === id))!;
    const body = source.open(item, item.files.find((one) => one.id === id)!, signal);
    results.push(
      await body.then(async (stream) => {
        const text = new TextDecoder().decode(await collect(stream, 1000, "a body"));
        assert.equal(text, `${id} by ${source.doorOfItem(item, id)}`);
        return text;
      }, (error: AppError) => error.code),
    );
  }
  return results;
}

Deno.test("a file comes through the door that gave its item, and no other is asked", async () => {
  const op = giving("op", [ITEM, full("c", { files: [file("f4")] })]);
  assert.deepEqual(await opened([giving("sdk"), op], "f1", "f4"), ["f1 by sdk", "f4 by op"]);
  assert.deepEqual(op.asked, ["vaults", "list v1", "items c", "file c"]);
});

for (
  const code of ["unsupported", "not-found", "transient", "denied", "corrupt", "unknown", "quota"] as const
) {
  Deno.test(`a file that its door refuses with "${code}" comes through another`, async () => {
    assert.deepEqual(await opened([refusing("sdk", code), giving("op")], "f1", "f2"), [
      "f1 by op",
      "f2 by op",
    ]);
  });
}

Deno.test("the item of several files is asked for once", async () => {
  const op = giving("op");
  await opened([refusing("sdk", "unsupported"), op], "f1", "f2", "f3");
  assert.deepEqual(op.asked.slice(2), [
    "list v1",
    "items a",
    "file a",
    "file a",
    "list v1",
    "items b",
    "file b",
  ]);
});

Deno.test("another file is no substitute: neither one of another id nor one of another size", async () => {
  for (const files of [[file("f9")], [file("f1", 99)], []]) {
    const op = giving("op", [full("a", { files }), OTHER]);
    assert.deepEqual(await opened([refusing("sdk", "unsupported"), op], "f1"), ["unsupported"]);
    assert.ok(!op.asked.includes("file a"));
  }
});

Deno.test("a limit of one door is a limit when the others do not have the file, or refuse it likewise", async () => {
  for (
    const other of [
      doorTo({ v1: [] }, { name: "op" }),
      doorTo({ v1: listed("a") }, { name: "op" }),
      doorTo({ v2: [] }, { name: "op" }),
      refusing("op", "unsupported"),
    ]
  ) {
    assert.deepEqual(await opened([refusing("sdk", "unsupported"), other], "f1"), ["unsupported"]);
  }
});

Deno.test("a limit of one door becomes a gap when another should have given the file and failed", async () => {
  for (const code of ["transient", "denied", "quota", "corrupt", "unknown"] as const) {
    const { source } = await combine(refusing("sdk", "unsupported"), refusing("op", code));
    const { items: [item] } = await walk(source);
    const error = await failure(source.open(item!, item!.files[0]!, signal), "unknown");
    assert.equal(error.message, 'sdk says no to f1; "op": op says no to f1');
  }
  const unread = doorTo({ v1: [gap("a")] }, { name: "op" });
  assert.deepEqual(await opened([refusing("sdk", "unsupported"), unread], "f1"), ["unknown"]);
});

Deno.test("when no door gives a file, the error is that of the first", async () => {
  for (const code of ["not-found", "transient", "denied", "unknown"] as const) {
    assert.deepEqual(await opened([refusing("sdk", code), refusing("op", "unknown")], "f1"), [code]);
  }
});

Deno.test("a door whose quota is used up is not asked for files again, and ends nothing while another is left", async () => {
  const sdk = refusing("sdk", "quota");
  const op = refusing("op", "unknown", "f1");
  assert.deepEqual(await opened([sdk, op], "f1", "f2", "f3"), ["unknown", "f2 by op", "f3 by op"]);
  assert.equal(sdk.asked.filter((call) => call.startsWith("file")).length, 1);
  const [one, two] = [refusing("sdk", "quota"), refusing("op", "quota")];
  assert.deepEqual(await opened([one, two], "f1", "f2"), ["quota", "quota"]);
  assert.equal(two.asked.filter((call) => call.startsWith("file")).length, 1);
  const [three, four] = [refusing("sdk", "quota"), refusing("op", "quota")];
  assert.deepEqual(await opened([three, four], "f1", "f3"), ["quota", "quota"]);
  assert.ok(!four.asked.includes("items b"), "not even for the item of another file");
});

Deno.test("another door that gave an item and refuses its files is asked for one of them only", async () => {
  const op = refusing("op", "denied");
  const results = await opened([doorTo({ v1: [] }, { name: "sdk" }), op], "f1", "f2", "f3");
  assert.deepEqual(results, ["denied", "denied", "denied"]);
  assert.equal(op.asked.filter((call) => call.startsWith("file")).length, 1);
});

Deno.test("another door that cannot be reached is given up for files, the giving one never", async () => {
  const [sdk, op] = [refusing("sdk", "transient"), refusing("op", "transient")];
  const asked = (door: TestDoor) => door.asked.filter((call) => call.startsWith("file")).length;
  await opened([sdk, op], "f1", "f2", "f3");
  assert.deepEqual([asked(sdk), asked(op)], [3, 2]);
});

Deno.test("a file of an item that an export gave comes from there, else through a live door", async () => {
  const history = { passwordHistory: [{ value: "made-up-older", time: "" }] };
  const past = giving("onepux", [{ ...ITEM, ...history }], true);
  assert.deepEqual(await opened([giving("sdk"), past], "f1", "f3"), ["f1 by onepux", "f3 by sdk"]);
  const broken = doorTo({ v1: [{ ...ITEM, ...history }] }, {
    name: "onepux",
    snapshot: true,
    body: (_, { id }) => {
      if (id === "f1") throw new AppError("corrupt", "it is damaged", { origin: "source" });
      return bytesOf(`${id} by onepux`);
    },
  });
  assert.deepEqual(await opened([giving("sdk"), broken], "f1", "f2"), ["f1 by sdk", "f2 by onepux"]);
});

Deno.test("a stop while a file is opened asks no other door", async () => {
  const stop = new AbortController();
  const sdk = doorTo({ v1: [ITEM] }, {
    name: "sdk",
    before: (call) => call === "file" ? stop.abort() : undefined,
  });
  const op = giving("op");
  const { source } = await combine(sdk, op);
  const { items: [item] } = await walk(source);
  await failure(source.open(item!, item!.files[0]!, stop.signal), "cancelled");
  assert.deepEqual(op.asked, ["vaults", "list v1", "items b"]);
  // Whatever the door makes of it.
  sdk.source.open = () => Promise.reject(new AppError("unknown", "the connection was closed"));
  const alone = (await combine(sdk, doorTo({}, { name: "op" }))).source;
  await failure(alone.open(item!, item!.files[0]!, stop.signal), "cancelled");
});
