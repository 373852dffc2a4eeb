/** Items that change, or at which the server stumbles, while they are read. */
import assert from "node:assert/strict";
import { AT_ONCE } from "../../plugins/sources/onepassword_connect/walk.ts";
import { isAppError } from "../../src/base/errors.ts";
import { holding, scene, told, walk } from "./onepassword_connect_door.ts";

Deno.test("1,000 items come in the order of the list, a few at a time", async () => {
  await scene(holding(1000), async ({ source, connect, service, vault }) => {
    connect.faults.delay("item", 2);
    // Some take longer than those behind them.
    for (const at of [3, 500]) {
      connect.faults.delay("item", 30, { id: service.account.vaults[0]!.items[at]!.id });
    }
    const { items, shortfalls } = await walk(source, vault);
    assert.deepEqual(items.map(({ title }) => title), Array.from({ length: 1000 }, (_, at) => `item ${at}`));
    assert.deepEqual(shortfalls, []);
    assert.equal(connect.requests.mostAtOnce, AT_ONCE);
    assert.equal(connect.requests.count("item"), 1000);
    assert.equal(connect.requests.count("items"), 1);
  });
});

Deno.test("only wanted items are asked for, and they are chosen after the list is there", async () => {
  await scene(holding(20), async ({ source, connect, service, vault }) => {
    const wish = service.account.vaults[0]!.items.filter((_, at) => at % 7 === 0).map(({ id }) => id);
    const asked: string[] = [];
    const { items } = await walk(source, vault, (id) => {
      assert.equal(connect.requests.count("items"), 1);
      asked.push(id);
      return wish.includes(id);
    });
    assert.deepEqual(items.map(({ id }) => id), wish);
    assert.equal(asked.length, 20);
    assert.equal(connect.requests.count("item"), 3);
  });
});

Deno.test("a reader who stops leaves nothing open and asks for nothing more", async () => {
  await scene(holding(100), async ({ source, connect, vault }) => {
    connect.faults.delay("item", 5);
    for await (const _ of source.items(vault, new AbortController().signal)) break;
    await connect.requests.idle();
    assert.ok(connect.requests.count("item") <= AT_ONCE);
  });
});

Deno.test("an item deleted between list and get has moved, after one more list", async () => {
  await scene(holding(10), async ({ source, connect, service, vault }) => {
    const live = service.account.vaults[0]!;
    const gone = live.items[4]!;
    const undo = connect.onRequest("item", () => {
      undo();
      gone.delete();
    });
    const { items, shortfalls } = await walk(source, vault);
    assert.equal(items.length, 9);
    assert.deepEqual(told(shortfalls), ["moved deleted-meanwhile"]);
    assert.equal(shortfalls[0]!.itemId, gone.id);
    assert.equal(connect.requests.count("items"), 2);
    assert.equal(connect.requests.count("item"), 10);
  });
});

Deno.test("an item archived between list and get is read all the same where the server gives it", async () => {
  await scene(holding(3), async ({ source, connect, service, vault }) => {
    const item = service.account.vaults[0]!.items[1]!;
    const undo = connect.onRequest("item", () => {
      undo();
      item.archive();
    });
    const { items, shortfalls } = await walk(source, vault);
    assert.deepEqual(items.map(({ state, contents }) => `${state} ${contents}`), [
      "active full",
      "archived full",
      "active full",
    ]);
    assert.deepEqual(shortfalls, []);
  });
});

Deno.test("an item archived meanwhile that is then refused has moved, and keeps what the list says", async () => {
  await scene(holding(3), async ({ source, connect, service, vault }) => {
    const item = service.account.vaults[0]!.items[1]!;
    const undo = connect.onRequest("item", () => {
      undo();
      item.archive();
    });
    const { items, shortfalls } = await walk(source, vault);
    assert.deepEqual(items.map(({ title, state, contents }) => `${title} ${state} ${contents}`), [
      "item 0 active full",
      "item 2 active full",
      "item 1 archived overview",
    ]);
    assert.deepEqual(told(shortfalls), ["moved archived-meanwhile"]);
  }, { archive: "listed" });
});

Deno.test("archived items that are listed and refused are limits, each asked for once", async () => {
  await scene(holding(2, 30), async ({ source, connect, vault }) => {
    const { items, shortfalls } = await walk(source, vault);
    const archived = items.filter(({ state }) => state === "archived");
    assert.equal(archived.length, 30);
    assert.ok(archived.every(({ contents, title }) => contents === "overview" && title.startsWith("old ")));
    assert.deepEqual(new Set(told(shortfalls)), new Set(["limit archived-contents"]));
    assert.equal(shortfalls.length, 30);
    assert.equal(connect.requests.count("item"), 32);
  }, { archive: "listed" });
});

Deno.test("each archived item's limit follows it at once", async () => {
  await scene(holding(1, 2), async ({ source, vault }) => {
    const order: string[] = [];
    for await (const found of source.items(vault, new AbortController().signal)) {
      order.push("shortfall" in found ? `limit of ${found.itemId}` : found.id);
    }
    assert.equal(order.length, 5);
    assert.deepEqual([order[2], order[4]], [`limit of ${order[1]}`, `limit of ${order[3]}`]);
  }, { archive: "listed" });
});

Deno.test("what a server does not list of its archive is not there, and nothing counts it", async () => {
  await scene(holding(2, 3), async ({ source, vault }) => {
    const { items, shortfalls } = await walk(source, vault);
    assert.deepEqual([items.length, shortfalls.length], [2, 0]);
  }, { archive: "hidden" });
});

Deno.test("an item that the list shows as deleted is kept while it can be read, and has moved when not", async () => {
  const deleted = (list: unknown) =>
    (list as Record<string, unknown>[]).map((item) =>
      item.title === "item 0" ? { ...item, state: "DELETED" } : item
    );
  await scene(holding(2), async ({ source, connect, service, vault }) => {
    const { id } = service.account.vaults[0]!.items[0]!;
    connect.faults.edit("vault", (json) => ({ ...json as object, items: 1 }));
    const counted = { ...vault, activeItemCount: 1 };
    connect.faults.edit("items", (list) => deleted(list) as never);
    connect.faults.edit("item", (json) => ({ ...json as object, state: "DELETED" }), { id });
    const first = await walk(source, counted);
    assert.deepEqual(first.items.map(({ state }) => state), ["archived", "active"]);
    assert.deepEqual(first.shortfalls, []);
    connect.faults.status("item", 404, { id });
    const second = await walk(source, counted);
    assert.deepEqual(second.items.map(({ title }) => title), ["item 1"]);
    assert.deepEqual(told(second.shortfalls), ["moved deleted-meanwhile"]);
  });
});

Deno.test("a list that is too short never says that an item was deleted", async () => {
  await scene(holding(5), async ({ source, connect, service, vault }) => {
    const { id } = service.account.vaults[0]!.items[2]!;
    connect.faults.status("item", 404, { id });
    connect.faults.shortList([id], { after: 1 });
    const { items, shortfalls } = await walk(source, vault);
    assert.equal(items.length, 4);
    assert.deepEqual(told(shortfalls), ["gap unreadable-item"]);
    assert.match(shortfalls[0]!.detail, /too short to tell whether it was deleted/);
  });
});

Deno.test("an item that is listed and never there is a gap by its id, and costs no other item", async () => {
  await scene(holding(5), async ({ source, connect, service, vault }) => {
    const { id } = service.account.vaults[0]!.items[2]!;
    connect.faults.status("item", 404, { id });
    const { items, shortfalls } = await walk(source, vault);
    assert.equal(items.length, 4);
    assert.deepEqual(shortfalls.map(({ reason, itemId }) => [reason, itemId]), [["unreadable-item", id]]);
    assert.match(shortfalls[0]!.detail, /lists it and does not have it/);
  });
});

Deno.test("an item refused for a moment is read when it is asked for again", async () => {
  // Seen with real servers: 403 for vaults that the token has.
  await scene(holding(5), async ({ source, connect, service, vault }) => {
    const { id } = service.account.vaults[0]!.items[2]!;
    const refused = connect.faults.status("item", 403, { id, times: 1 });
    const { items, shortfalls } = await walk(source, vault);
    assert.deepEqual(items.map(({ title }) => title), ["item 0", "item 1", "item 3", "item 4", "item 2"]);
    assert.deepEqual([shortfalls, refused.strikes], [[], 1]);
  });
});

Deno.test("items at which the server fails are gaps of their own; too many in a row end the walk", async () => {
  await scene(holding(40), async ({ source, connect, service, vault }) => {
    const { items } = service.account.vaults[0]!;
    const failing = [3, 4, 20].map((at) => connect.faults.status("item", 500, { id: items[at]!.id }));
    const some = await walk(source, vault);
    assert.equal(some.items.length, 37);
    assert.deepEqual(told(some.shortfalls), Array(3).fill("gap unreadable-item"));
    for (const fault of failing) {
      assert.equal(fault.strikes, 6, "three tries, and three when asked again");
      fault.remove();
    }
    connect.requests.reset();
    connect.faults.status("item", 500);
    const found: unknown[] = [];
    await assert.rejects(async () => {
      for await (const one of source.items(vault, new AbortController().signal)) found.push(one);
    }, (error) => isAppError(error, "transient"));
    assert.deepEqual(found, []);
    assert.ok(connect.requests.count("item") < 40, `${connect.requests.count("item")} requests`);
  });
});

Deno.test("an item that a list has twice is given twice: the caller says so", async () => {
  await scene(holding(3), async ({ source, connect, vault }) => {
    connect.faults.edit("items", (list) => [...list as [], (list as [never])[0]]);
    const { items } = await walk(source, vault);
    assert.deepEqual(items.map(({ title }) => title), ["item 0", "item 1", "item 2", "item 0"]);
  });
});
