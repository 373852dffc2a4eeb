import assert from "node:assert/strict";
import { onepux } from "../../plugins/sources/onepux/mod.ts";
import { denoFiles } from "../../src/base/deno_files.ts";
import { Bench, contentOf, never } from "../onepux/bench.ts";
import {
  accountOf,
  accountWith,
  ATTRIBUTES,
  fieldOf,
  itemOf,
  type Json,
  loginOf,
  MADE_AT,
  vaultOf,
} from "../onepux/export_writer.ts";
import { CONTRACT, EVERY_KIND, sampleExport, SCAN } from "../onepux/sample.ts";

Deno.test("the config is a path and nothing else", () => {
  assert.equal(onepux.type, "onepux");
  assert.ok(onepux.config.safeParse({ path: "x.1pux" }).success);
  for (const wrong of [{}, { path: "" }, { path: 1 }, { path: "x", token: "y" }]) {
    assert.ok(!onepux.config.safeParse(wrong).success);
  }
});

Deno.test("an export of the documented shape reads as account, vaults and items, whole", async () => {
  await using bench = await Bench.of(sampleExport());
  const { source, vaults, items, lacking } = await bench.read();
  assert.deepEqual(lacking, []);
  assert.deepEqual(bench.warnings, []);
  assert.deepEqual(await source.account(never), {
    id: "SAMPLEACCOUNT2SAMPLEACCOUN",
    name: "Sample",
    url: "https://sample.1password.example/",
    signedInAs: "sample.person@example.invalid",
  });
  assert.deepEqual(await source.estimate(vaults, never), { reads: 0 });
  const { data } = sampleExport();
  assert.deepEqual(
    vaults.map((
      { title, description, kind, activeItemCount },
    ) => [title, description, kind, activeItemCount]),
    [["Private", "Only mine", "personal", 1], ["Shared", "", "everyone", 1], ["Papers", "", "created", 3]],
  );
  assert.deepEqual((vaults[0]!.raw as Json).account.attrs, data.accounts[0].attrs);
  assert.deepEqual(
    items.map(({ title, category, state, contents }) => [title, category, state, contents]),
    [
      ["Mail", "Login", "active", "full"],
      ["Old forum", "Login", "archived", "full"],
      ["Older forum", "Login", "archived", "full"],
      ["Door", "Password", "active", "full"],
      ["Contract", "Document", "active", "full"],
      ["Every kind of field", "Server", "active", "full"],
      ["From the future", "999", "active", "full"],
    ],
  );
});

Deno.test("a login has all that it has in the export", async () => {
  await using bench = await Bench.of(sampleExport());
  const { items, vaults } = await bench.read();
  const { raw, id, ...mail } = items[0]!;
  assert.match(id, /^[a-z0-9]{26}$/);
  assert.deepEqual(mail, {
    vaultId: vaults[0]!.id,
    title: "Mail",
    category: "Login",
    state: "active",
    contents: "full",
    favourite: true,
    tags: ["mail", "work/important ☕"],
    urls: [
      { url: "https://mail.example.invalid/", label: "website", primary: true },
      { url: "https://status.example.invalid/" },
    ],
    notes: "First line\nSecond line",
    sections: [],
    fields: [
      { id: "username", title: "username", kind: "Text", value: "sample.person" },
      { id: "password", title: "password", kind: "Concealed", value: "made-up-mail-password" },
    ],
    files: [],
    passwordHistory: [{ value: "made-up-older-password", time: "2017-07-14T02:40:00Z" }],
    createdAt: "2020-09-13T12:26:40Z",
    updatedAt: "2023-11-14T22:13:20Z",
  });
  assert.equal((raw as Json).overview.title, "Mail");
  // Archived items have their contents here.
  assert.equal(items[1]!.fields[1]!.value, "made-up-forum-password");
  assert.equal(items[1]!.favourite, false);
  assert.deepEqual(items[3]!.fields, [
    { id: "password", title: "password", kind: "Concealed", value: "made-up-door-password" },
  ]);
});

Deno.test("every kind of field reads as itself, and what is unknown is kept as it is", async () => {
  await using bench = await Bench.of(sampleExport());
  const item = (await bench.read()).items.find(({ title }) => title === "Every kind of field")!;
  assert.deepEqual(item.sections, [{ id: "Section_every", title: "Every kind" }, {
    id: "section2",
    title: "",
  }]);
  EVERY_KIND.forEach(([, kind, value, details], at) => {
    assert.deepEqual(
      item.fields[at],
      {
        id: `f${at}`,
        title: `field ${at}`,
        kind,
        value,
        ...(details === undefined ? {} : { details }),
        sectionId: "Section_every",
      },
    );
  });
  assert.deepEqual(item.fields.slice(EVERY_KIND.length).map(({ kind, value }) => [kind, value]), [
    ["File", "scan ☕ ../../x.bin"],
    ["File", "empty.txt"],
  ]);
});

Deno.test("what an item is in the export is in its raw part, unchanged, whatever it is", async () => {
  const { data, files } = sampleExport();
  await using bench = await Bench.of({ data, files: files! });
  const { items } = await bench.read();
  const raws = data.accounts[0].vaults.flatMap((vault: Json) => vault.items);
  assert.deepEqual(items.map(({ raw }) => raw), JSON.parse(JSON.stringify(raws)));
});

Deno.test("fields of a saved web form keep their names, their kinds and what is no text in them", async () => {
  const form = (name: string, fieldType: string, value: Json, others: Json = {}) => ({
    id: "",
    name,
    fieldType,
    value,
    ...others,
  });
  await using bench = await Bench.of({
    data: accountWith(itemOf("Form", {
      details: {
        loginFields: [
          form("terms", "C", "✓"),
          form("pin", "P", "1234", { id: "pin-id" }),
          form("mail", "E", { email_address: "x@example.invalid", provider: "fastmail" }),
          form("", "TEL", "5"),
          form("strange", "constructor", "6"),
          form("user", "E", "me", { designation: "username" }),
          form("word", "P", "made-up", { designation: "password" }),
        ],
      },
    })),
  });
  assert.deepEqual((await bench.readItem()).fields, [
    { id: "username", title: "user", kind: "Email", value: "me" },
    { id: "password", title: "word", kind: "Concealed", value: "made-up" },
    { id: "terms", title: "terms", kind: "C", value: "✓" },
    { id: "pin-id", title: "pin", kind: "Concealed", value: "1234" },
    {
      id: "mail",
      title: "mail",
      kind: "Email",
      value: "x@example.invalid",
      details: { email_address: "x@example.invalid", provider: "fastmail" },
    },
    { id: "form4", title: "form4", kind: "Phone", value: "5" },
    { id: "strange", title: "strange", kind: "constructor", value: "6" },
  ]);
});

Deno.test("documents and attached files are read back to the byte", async () => {
  await using bench = await Bench.of(sampleExport());
  const { source, items } = await bench.read();
  const contract = items.find(({ title }) => title === "Contract")!;
  const [document, ...others] = contract.files;
  assert.deepEqual(others, []);
  const { id, ...about } = document!;
  assert.deepEqual(about, { name: "contract.pdf", size: CONTRACT.length, role: "document" });
  assert.equal(id, (contract.raw as Json).details.documentAttributes.documentId);
  assert.deepEqual(await contentOf(source, contract, document!), CONTRACT);

  const every = items.find(({ title }) => title === "Every kind of field")!;
  const [scan, empty] = every.files;
  assert.deepEqual({ ...scan, id: "" }, {
    id: "",
    name: "scan ☕ ../../x.bin",
    size: SCAN.length,
    role: "attachment",
    sectionId: "section2",
    fieldId: "scan",
  });
  assert.deepEqual(await contentOf(source, every, scan!), SCAN);
  assert.deepEqual([empty!.size, await contentOf(source, every, empty!)], [0, new Uint8Array(0)]);
});

Deno.test("older exports: timestamp, trashed, items and documents in a wrapping", async () => {
  const { uuid, ...rest } = itemOf("Wrapped", { categoryUuid: "006", trashed: "Y", state: undefined });
  await using bench = await Bench.of({
    attributes: { version: 3, description: ATTRIBUTES.description, timestamp: MADE_AT - 30 * 24 * 3600 },
    data: accountWith(
      {
        item: { uuid, ...rest },
        file: { attrs: { uuid: "doc1", name: "a.txt", type: "text/plain" }, path: "files/a.txt" },
      },
      {
        ...itemOf("Beside", { trashed: false, state: undefined }),
        file: { attrs: { uuid: "doc2", name: "b.txt" }, path: "files/b.txt" },
      },
    ),
    files: { "a.txt": "content a", "b.txt": "content b" },
  });
  const { source, items, vaults } = await bench.read();
  assert.deepEqual(items.map(({ id, title, state }) => [id, title, state]), [
    [uuid, "Wrapped", "archived"],
    [items[1]!.id, "Beside", "active"],
  ]);
  assert.equal(vaults[0]!.activeItemCount, 1);
  assert.deepEqual(bench.warnings, ["this export was made 31 days ago: what changed since is not in it"]);
  for (const [at, letter] of ["a", "b"].entries()) {
    const { files: [file] } = items[at]!;
    assert.deepEqual([file!.id, file!.name, file!.role], [`doc${at + 1}`, `${letter}.txt`, "document"]);
    assert.equal(new TextDecoder().decode(await contentOf(source, items[at]!, file!)), `content ${letter}`);
  }
});

Deno.test("an export is called old after seven days, and one without a date is noticed", async () => {
  const day = 24 * 3600;
  for (
    const [attributes, days, warning] of [
      [ATTRIBUTES, 6.99, undefined],
      [ATTRIBUTES, 7.01, "this export was made 7 days ago: what changed since is not in it"],
      [ATTRIBUTES, -100, undefined],
      [{ ...ATTRIBUTES, createdAt: undefined }, 0, "the export does not tell when it was made"],
      [{ ...ATTRIBUTES, createdAt: "yesterday" }, 0, "the export does not tell when it was made"],
    ] as const
  ) {
    await using bench = await Bench.of({ attributes, data: accountWith(itemOf("x")) });
    bench.now = new Date((MADE_AT + days * day) * 1000);
    await bench.open();
    assert.deepEqual(bench.warnings, warning === undefined ? [] : [warning]);
  }
});

Deno.test("all accounts of an export are read, and named together", async () => {
  const other = accountOf(vaultOf("Two", itemOf("b")));
  other.attrs = { ...other.attrs, accountName: "Other", uuid: "OTHER", email: "other@example.invalid" };
  const one = vaultOf("One", itemOf("a"));
  await using bench = await Bench.of({ data: { accounts: [accountOf(one), other] } });
  const { source, vaults, items } = await bench.read();
  assert.deepEqual(vaults.map(({ title }) => title), ["One", "Two"]);
  assert.deepEqual(items.map(({ title }) => title), ["a", "b"]);
  assert.deepEqual(await source.account(never), {
    name: "Sample, Other",
    url: "https://sample.1password.example/",
    signedInAs: "sample.person@example.invalid, other@example.invalid",
  });
  assert.deepEqual(vaults.map(({ raw }) => (raw as Json).account.attrs.uuid), [
    "SAMPLEACCOUNT2SAMPLEACCOUN",
    "OTHER",
  ]);
});

Deno.test("an export that others may read is warned about, a link to an export is followed", async () => {
  await using bench = await Bench.of({ data: accountWith(loginOf("x", "u", "p")) });
  await Deno.symlink(bench.path, bench.scratch.file("link"));
  await bench.open(bench.scratch.file("link"));
  assert.deepEqual(bench.warnings, []);
  await Deno.chmod(bench.path, 0o640);
  await bench.open();
  assert.match(
    bench.warnings.join(),
    /^other users may read the export ".*sample\.1pux", .* in clear: chmod 600 it$/,
  );
});

Deno.test("nothing is read that nobody asks for, and a reader who leaves lets go of the file", async () => {
  const big = new Uint8Array(3_000_000).map(() => Math.random() * 256);
  const attached = fieldOf("f", "f", { file: { fileName: "big.bin", documentId: "big" } });
  await using bench = await Bench.of({
    data: accountWith(itemOf("x", { details: { sections: [{ title: "", fields: [attached] }] } })),
    entries: [{ name: "files/big__big.bin", content: big }],
  });
  const { source, items: [item] } = await bench.read();
  let open = 0;
  bench.files.stream = async (path, range) => {
    open++;
    const body = (await denoFiles.stream(path, range)).getReader();
    return new ReadableStream({
      pull: async (controller) => {
        const { done, value } = await body.read();
        if (!done) return controller.enqueue(value);
        open--;
        controller.close();
      },
      cancel: async () => {
        await body.cancel();
        open--;
      },
    }, { highWaterMark: 0 });
  };
  const counted = await bench.open();
  const reader = (await counted.open(item!, item!.files[0]!, never)).getReader();
  await reader.read();
  // Time enough to read all of it ahead, which must not happen.
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(open, 1);
  await reader.cancel();
  assert.equal(open, 0);
  await (await counted.open(item!, item!.files[0]!, never)).cancel();
  assert.equal(open, 0);
  assert.deepEqual(await contentOf(source, item!, item!.files[0]!), big);
});
