/** Bodies of files: whole, of another length than declared, broken off, gone. */
import assert from "node:assert/strict";
import { AppError, type ErrorCode, isAppError } from "../../src/base/errors.ts";
import type { Item, ItemFile } from "../../src/model/item.ts";
import type { Source } from "../../src/source/contract.ts";
import { type AccountDescription, generatedContent } from "../service/mod.ts";
import { never, type Scene, scene, walk } from "./onepassword_connect_door.ts";

const KIB = 1024;
const SIZES = [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 3 * KIB * KIB];

const FILES: AccountDescription = {
  name: "Files",
  vaults: [{
    title: "V",
    items: [
      {
        title: "attachments",
        sections: [{ title: "S" }],
        files: SIZES.map((size, at) => ({ name: `${size}.bin`, size, ...at % 2 ? { section: "S" } : {} })),
      },
      { title: "document", category: "Document", document: { name: "plan.pdf", size: 5000 } },
    ],
  }],
};

/** Sets the scene with the items at hand. */
function filesScene(
  play: (scene: Scene & { item: Item; document: Item }) => Promise<void>,
  options: { timeout?: number } = {},
): Promise<void> {
  return scene(FILES, async (it) => {
    const [item, document] = (await walk(it.source, it.vault)).items;
    it.connect.requests.reset();
    item!.files.sort((a, b) => a.size - b.size); // those in a section come first
    await play({ ...it, item: item!, document: document! });
  }, options);
}

async function read(source: Source, item: Item, file: ItemFile): Promise<Uint8Array> {
  return await new Response(await source.open(item, file, never)).bytes();
}

/** What opening or reading the file ends with; it must fail, with how much came before. */
async function failure(
  source: Source,
  item: Item,
  file: ItemFile,
): Promise<{ error: AppError; came: number }> {
  let came = 0;
  try {
    for await (const bytes of await source.open(item, file, never)) came += bytes.length;
  } catch (error) {
    assert.ok(isAppError(error), String(error));
    return { error, came };
  }
  return assert.fail(`it was read, ${came} bytes`);
}

Deno.test("files of all sizes come as they are", async () => {
  await filesScene(async ({ source, connect, service, item, document }) => {
    assert.deepEqual(item.files.map(({ size }) => size), SIZES);
    for (const file of item.files) {
      const expected = service.account.vaults[0]!.item(item.id).file(file.id).content();
      assert.ok(equal(await read(source, item, file), expected), file.name);
    }
    assert.equal(connect.requests.count(), SIZES.length, "one request a file");
    const [file] = document.files;
    assert.equal(file!.role, "document");
    assert.equal((await read(source, document, file!)).length, 5000);
  });
});

Deno.test("a body of another length than declared comes as it is: the caller compares", async () => {
  await filesScene(async ({ source, service, item }) => {
    const file = item.files[3]!;
    for (const size of [0, 1, file.size - 1, file.size + 1]) {
      service.account.vaults[0]!.item(item.id).serveFile(file.id, size);
      assert.equal((await read(source, item, file)).length, size);
    }
  });
});

Deno.test("a body that breaks off is asked for again, and what came before is not given twice", async () => {
  await filesScene(async ({ source, connect, service, item }) => {
    const file = item.files.at(-1)!;
    const expected = service.account.vaults[0]!.item(item.id).file(file.id).content();
    for (const announced of [true, false]) {
      for (const share of [0, 0.1, 0.5, 0.999_999]) {
        connect.requests.reset();
        const cut = connect.faults.cut("content", { times: 1, share, announced });
        assert.ok(equal(await read(source, item, file), expected), `${share} ${announced}`);
        assert.deepEqual([cut.strikes, connect.requests.count("content")], [1, 2]);
      }
      // Further each time, and once no further than before.
      connect.requests.reset();
      for (const [after, share] of [0.2, 0.6, 0.4].entries()) {
        connect.faults.cut("content", { times: 1, share, announced, after });
      }
      assert.ok(equal(await read(source, item, file), expected));
      assert.equal(connect.requests.count("content"), 4);
      connect.faults.clear();
    }
  });
});

Deno.test("a body that always breaks off is an error after what came, never a success", async () => {
  await filesScene(async ({ source, connect, item }) => {
    const file = item.files.at(-1)!;
    connect.faults.cut("content", { share: 0.5 });
    const { error, came } = await failure(source, item, file);
    assert.deepEqual([error.code, error.origin], ["transient", "source"]);
    assert.ok(came <= file.size / 2);
    assert.equal(connect.requests.count("content"), 4);
  });
});

Deno.test("a body that always ends too early, with no length announced, is as short as it is", async () => {
  await filesScene(async ({ source, connect, item }) => {
    const file = item.files[3]!;
    connect.faults.cut("content", { share: 0.5, announced: false });
    assert.equal((await read(source, item, file)).length, file.size / 2);
    assert.equal(connect.requests.count("content"), 4);
  });
});

Deno.test("a file that changed when it is asked for again is an error, and not half of each", async () => {
  await filesScene(async ({ source, connect, service, item }) => {
    const file = item.files.at(-1)!;
    connect.faults.cut("content", { times: 1, share: 0.5 });
    const body = await source.open(item, file, never);
    // Zeros from the first byte on, and as many as before.
    const live = service.account.vaults[0]!.item(item.id);
    live.serveFile(file.id, 0);
    live.file(file.id).content = () => new Uint8Array(file.size);
    await assert.rejects(
      new Response(body).bytes(),
      (error) => isAppError(error, "unknown") && /changed while it was read/.test(error.message),
    );
  });
});

Deno.test("a file that is shorter when it is asked for again is an error, and not what came before", async () => {
  await filesScene(async ({ source, connect, service, item }) => {
    const file = item.files.at(-1)!;
    connect.faults.cut("content", { times: 1, share: 0.5 });
    const body = await source.open(item, file, never);
    service.account.vaults[0]!.item(item.id).serveFile(file.id, 1000);
    let came = 0;
    await assert.rejects(async () => {
      for await (const bytes of body) came += bytes.length;
    }, (error) => isAppError(error, "transient") && /breaks off after 1000 bytes/.test(error.message));
    assert.ok(came > 1000);
  });
});

Deno.test("a web page is no file, whatever its length is announced to be", async () => {
  await filesScene(async ({ source, connect, document }) => {
    const [file] = document.files;
    connect.faults.html("content");
    const { error } = await failure(source, document, file!);
    assert.equal(error.code, "transient");
    assert.match(error.message, /a web page answered in its place/);
    assert.equal(connect.requests.count("content"), 3);
  });
});

Deno.test("a file that a server calls by its own type is taken when it is as long as the file", async () => {
  await filesScene(async ({ source, connect, service, document }) => {
    const [file] = document.files;
    connect.faults.contentType("content", "application/pdf");
    assert.equal((await read(source, document, file!)).length, 5000);
    service.account.vaults[0]!.item(document.id).serveFile(file!.id, 4999);
    assert.equal((await failure(source, document, file!)).error.code, "transient");
  });
});

Deno.test("a file whose item is gone has moved; one that is gone from its item is a gap", async () => {
  await filesScene(async ({ source, connect, service, item, document }) => {
    connect.faults.status("content", 404, { id: item.files[0]!.id });
    const { error } = await failure(source, item, item.files[0]!);
    assert.equal(error.code, "unknown");
    assert.match(error.message, /lists its item and does not have the file/);
    service.account.vaults[0]!.item(document.id).delete();
    assert.equal((await failure(source, document, document.files[0]!)).error.code, "not-found");
    // A list that is too short does not tell what was deleted.
    connect.faults.shortList([item.id]);
    assert.equal((await failure(source, item, item.files[0]!)).error.code, "unknown");
    service.account.removeVault(item.vaultId);
    assert.equal((await failure(source, item, item.files[0]!)).error.code, "not-found");
  });
});

Deno.test("a file whose item was archived meanwhile and is refused has moved; one long archived is a gap", async () => {
  await scene(FILES, async ({ source, service, vault }) => {
    const [, document] = (await walk(source, vault)).items;
    service.account.vaults[0]!.item(document!.id).archive();
    assert.equal((await failure(source, document!, document!.files[0]!)).error.code, "not-found");
    const archived = { ...document!, state: "archived" as const };
    assert.equal((await failure(source, archived, document!.files[0]!)).error.code, "unknown");
  }, { archive: "listed" });
});

Deno.test("closing the source ends the body of a file that is being read", async () => {
  await filesScene(async ({ source, connect, item }) => {
    const body = await source.open(item, item.files.at(-1)!, never);
    await source[Symbol.asyncDispose]();
    await assert.rejects(new Response(body).bytes(), (error) => isAppError(error, "cancelled"));
    await connect.requests.idle();
    connect.requests.reset();
    await assert.rejects(source.vaults(never), (error) => isAppError(error, "cancelled"));
    assert.equal(connect.requests.count(), 0);
  });
});

Deno.test("a file refused for its scope is a gap of its own", async () => {
  await filesScene(async ({ source, connect, item }) => {
    connect.faults.status("content", 403);
    const { error } = await failure(source, item, item.files[0]!);
    assert.equal(error.code, "unknown");
    assert.match(error.message, /does not let this token/);
  });
});

Deno.test("ids that would lead to another path lead nowhere", async () => {
  await filesScene(async ({ source, connect, item }) => {
    const file = item.files[0]!;
    for (const id of ["", ".", ".."]) {
      assert.equal((await failure(source, item, { ...file, id })).error.code, "unknown");
    }
    assert.equal(connect.requests.count(), 0);
    connect.faults.status("*", 500);
    connect.problems.length = 0;
    await failure(source, item, { ...file, id: "../../../vaults?a=b#c" });
    assert.match(connect.requests.log[0]!.path, /\/files\/\.\.%2F\.\.%2F\.\.%2Fvaults%3Fa%3Db%23c\/content$/);
    connect.problems.length = 0; // no such request is described
  });
});

Deno.test("a reader who stops in the middle leaves nothing open", async () => {
  await filesScene(async ({ source, connect, item }) => {
    for await (const bytes of await source.open(item, item.files.at(-1)!, never)) {
      assert.ok(bytes.length > 0);
      break;
    }
    await connect.requests.idle();
  });
});

Deno.test("a slow reader is not a slow server", async () => {
  await filesScene(async ({ source, item }) => {
    const reader = (await source.open(item, item.files.at(-1)!, never)).getReader();
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 300));
    let size = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
    }
    assert.ok(size > 0);
  }, { timeout: 0.1 });
});

Deno.test("a document whose item names no file is asked for its files", async (test) => {
  const without = (json: unknown) => ({ ...json as object, files: undefined }) as never;
  await test.step("and has them", () =>
    filesScene(async ({ source, connect, vault }) => {
      connect.faults.edit("item", without);
      const document = (await walk(source, vault)).items[1]!;
      assert.deepEqual(document.files.map(({ name, role }) => [name, role]), [["plan.pdf", "document"]]);
      assert.equal(connect.requests.count("files"), 1, "only for documents");
    }));
  const failures: [status: number, code: ErrorCode][] = [[404, "not-found"], [403, "denied"], [
    500,
    "transient",
  ]];
  for (const [status] of failures) {
    await test.step(`and HTTP ${status} is a gap`, () =>
      filesScene(async ({ source, connect, vault }) => {
        connect.faults.edit("item", without);
        connect.faults.status("files", status);
        const { items, shortfalls } = await walk(source, vault);
        assert.equal(items[1]!.title, "document");
        assert.deepEqual(shortfalls.map(({ shortfall, reason, itemId }) => [shortfall, reason, itemId]), [
          ["gap", "unreadable-file", items[1]!.id],
        ]);
      }));
  }
});

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

Deno.test("two files of one size differ, or the tests above prove nothing", () => {
  assert.ok(!equal(generatedContent("a", 100), generatedContent("b", 100)));
});
