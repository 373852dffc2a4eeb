import assert from "node:assert/strict";
import type { Client, FileAttributes } from "@1password/sdk";
import type { FileDescription, LocalService } from "./mod.ts";
import { generatedContent, startService } from "./mod.ts";
import { signIn, signInCore } from "./sdk.ts";

const MIB = 1024 * 1024;

function documentService(...documents: FileDescription[]): Promise<LocalService> {
  const items = documents.map((document) => ({
    title: document.name,
    category: "Document" as const,
    document,
  }));
  return startService({ name: "Acme", vaults: [{ title: "V", items }] });
}

/** Reads a described document through the wrapper, as an application does. */
async function readDocument(service: LocalService, client: Client, title: string): Promise<Uint8Array> {
  const vault = service.account.vault("V");
  const { id, document } = await client.items.get(vault.id, vault.item(title).id);
  assert.ok(document);
  return new Uint8Array(await client.items.files.read(vault.id, id, document));
}

Deno.test("described files of any content read back as described", async (test) => {
  const documents: FileDescription[] = [
    { name: "empty", content: "" },
    { name: "one byte", content: new Uint8Array([255]) },
    { name: "text", content: "äöü 🙂\n" },
    { name: "odd size", size: 65_537, seed: "odd" },
    { name: "1 MiB", size: MIB, seed: "mebibyte" },
  ];
  await using service = await documentService(...documents);
  const client = await signIn(service);
  const vault = service.account.vault("V");
  for (const document of documents) {
    await test.step(document.name, async () => {
      const expected = vault.item(document.name).file(document.name).content();
      const read = await readDocument(service, client, document.name);
      assert.equal(read.length, expected.length);
      assert.ok(read.every((byte, at) => byte === expected[at]));
    });
  }
  assert.deepEqual(vault.item("1 MiB").file("1 MiB").content(), generatedContent("mebibyte", MIB));
});

Deno.test("an empty file reads as a plain empty array", async () => {
  await using service = await documentService({ name: "empty", content: "" });
  const client = await signIn(service);
  const vault = service.account.vault("V");
  const { id, document } = await client.items.get(vault.id, vault.item("empty").id);
  assert.deepEqual(await client.items.files.read(vault.id, id, document as FileAttributes), []);
});

Deno.test("attachments lie in their sections, with ids that stay", async () => {
  const description = {
    name: "Acme",
    vaults: [{
      title: "V",
      items: [{
        title: "Item",
        sections: [{ title: "Plans", id: "plans" }],
        files: [
          { name: "a.txt", section: "Plans", content: "in a section" },
          { name: "b.txt", content: "loose" },
          { name: "b.txt", content: "loose too" },
        ],
      }],
    }],
  };
  const read = async () => {
    await using service = await startService(description);
    const client = await signIn(service);
    const vault = service.account.vault("V");
    const item = await client.items.get(vault.id, vault.item("Item").id);
    const contents = [];
    for (const { attributes } of item.files) {
      contents.push(new TextDecoder().decode(await client.items.files.read(vault.id, item.id, attributes)));
    }
    assert.deepEqual(contents, ["in a section", "loose", "loose too"]);
    return item.files.map((
      { attributes, sectionId },
    ) => [attributes.name, attributes.size, attributes.id, sectionId]);
  };
  const first = await read();
  assert.deepEqual(first.map(([name, size, , section]) => [name, size, section]), [
    ["a.txt", 12, "plans"],
    ["b.txt", 5, "add more"],
    ["b.txt", 9, "add more"],
  ]);
  assert.equal(new Set(first.map(([, , id]) => id)).size, 3);
  assert.deepEqual(await read(), first);
});

Deno.test("a file may be shorter or longer than its item says: the core does not notice", async () => {
  await using service = await documentService(
    { name: "described", content: "12345", declaredSize: 10 },
    { name: "edited", content: "12345" },
  );
  const client = await signIn(service);
  assert.deepEqual((await readDocument(service, client, "described")).length, 5);

  const item = service.account.vault("V").item("edited");
  for (const [size, text] of [[2, "12"], [8, "12345\0\0\0"], [5, "12345"]] as const) {
    item.serveFile("edited", size);
    assert.equal(new TextDecoder().decode(await readDocument(service, client, "edited")), text);
    assert.equal(item.file("edited").declaredSize, 5);
  }
});

Deno.test("the core reads files that are declared up to 50,000,000 bytes, and does not ask for larger ones", async () => {
  await using service = await documentService(
    { name: "largest", content: "x", declaredSize: 50_000_000 },
    { name: "too large", content: "x", declaredSize: 50_000_001 },
    { name: "60 MB", size: 60_000_000 },
  );
  const client = await signIn(service);
  assert.equal((await readDocument(service, client, "largest")).length, 1);
  service.requests.reset();
  await assert.rejects(readDocument(service, client, "too large"), /larger than 50MB/);
  await assert.rejects(readDocument(service, client, "60 MB"), /larger than 50MB/);
  assert.equal(service.requests.count("file/read"), 0);
});

Deno.test("a ciphertext that is damaged on its way is noticed", async () => {
  await using service = await documentService({ name: "a", content: "12345" });
  const client = await signIn(service);
  service.faults.status("file/read", 200, { body: "these bytes are not the file" });
  await assert.rejects(readDocument(service, client, "a"), /DecryptionHashMismatch/);
});

Deno.test("the core without the wrapper reads 16 MiB in a few seconds", async () => {
  await using service = await documentService({ name: "large", size: 16 * MIB, seed: "large" });
  const core = await signInCore(service);
  const vault = service.account.vault("V");
  const item = vault.item("large");
  const { id, name, declaredSize } = item.file("large");
  const read = await core.readFile(vault.id, item.id, { id, name, size: declaredSize });
  core.release();
  const expected = generatedContent("large", 16 * MIB);
  assert.equal(read.length, expected.length);
  assert.ok(read.every((byte, at) => byte === expected[at]));
});
