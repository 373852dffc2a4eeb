import assert from "node:assert/strict";
import { isArchived, toItem } from "../../plugins/sources/onepassword_cli/items/item.ts";
import { limitsOf } from "../../plugins/sources/onepassword_cli/limits.ts";
import { onepasswordCli } from "../../plugins/sources/onepassword_cli/mod.ts";
import { onepasswordSdk } from "../../plugins/sources/onepassword_sdk/mod.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Item, ItemField } from "../../src/model/item.ts";
import { sampleAccount, startService } from "../service/mod.ts";
import { startFakeOp } from "../service/op/mod.ts";
import { filled } from "../stories/content.ts";
import { CliDoor, signal, vaultOf, walk, words } from "./onepassword_cli_door.ts";

Deno.test("every item of the sample account is the same through op as through the SDK, but for what is known", async () => {
  await using service = await startService(filled(sampleAccount()));
  await using door = await CliDoor.open({ name: "unused", vaults: [] });
  const folder = await Deno.makeTempDir({ dir: door.scratch.path });
  await using op = await startFakeOp({ account: service.account, folder });
  const context = { ...door.context(), secret: () => Promise.resolve(new Secret(service.token())) };
  await using sdk = await onepasswordSdk.open({ token: "env:MADE_UP", timeout: 60 }, context, signal);
  await using cli = await onepasswordCli.open({ program: op.path }, context, signal);
  const theirs = await sdk.vaults(signal);
  const ours = await cli.vaults(signal);
  const compared = new Set<string>();
  for (const vault of theirs) {
    const { raw: _, ...same } = ours.find(({ id }) => id === vault.id)!;
    const { raw: __, ...expected } = vault;
    assert.deepEqual(same, expected);
    const items = new Map((await walk(cli, vault)).items.map((item) => [item.id, item]));
    for (const item of (await walk(sdk, vault)).items) {
      const found = items.get(item.id);
      assert.ok(found, item.title);
      assert.deepEqual(
        [found.title, found.tags, found.category, found.createdAt, found.updatedAt, found.state],
        [item.title, item.tags, categoryOf(item), item.createdAt, item.updatedAt, item.state],
      );
      if (item.contents !== "full") continue;
      assert.deepEqual(tidy(found), tidy(item), item.title);
      compared.add(item.id);
    }
  }
  assert.equal(compared.size, 18 + 25 + 4 + 17);
});

/** The SDK cannot name this one; `op` gives the number of its template. */
function categoryOf({ category }: Item): string {
  return category === "Unsupported" ? "999" : category;
}

/** An item without what the two doors are known to tell in their own ways. */
function tidy(item: Item) {
  const { raw: _, category: __, favourite: ___, passwordHistory: ____, ...rest } = item;
  return {
    ...rest,
    // Only op says which is the primary one, only the SDK where it is filled in.
    urls: item.urls.map(({ url, label }) => ({ url, label })),
    // What belongs to no section is in one without a name for the SDK.
    sections: item.sections.filter(({ id }) => id !== ""),
    fields: item.fields.filter(({ kind }) => kind !== "Unsupported").map(tidyField),
    files: item.files.map(({ fieldId: _, ...file }) => file).sort((a, b) => a.id < b.id ? -1 : 1),
  };
}

function tidyField({ sectionId, ...field }: ItemField) {
  const section = sectionId ? { sectionId } : {};
  // The code of the moment; the parts of an address, which op gives as one line in words of its own; what the core
  // makes of a private key outside an SSH key.
  const { details: _, ...plain } = field;
  if (field.kind === "Totp") return { ...plain, ...section };
  if (field.kind === "Address") return { id: field.id, kind: field.kind, title: field.title, ...section };
  if (field.kind === "SshKey" && field.id !== "private_key") return { ...plain, ...section };
  if (field.kind === "Gender") return { ...field, ...section, kind: "Text" };
  return { ...field, ...section };
}

Deno.test("what the SDK lacks is there: favourites, earlier passwords, and archived items with all they hold", async () => {
  await using door = await CliDoor.open(sampleAccount());
  await using source = await door.source();
  const { items, shortfalls } = await walk(source, await vaultOf(source, "Everyday"));
  assert.deepEqual(shortfalls, []);
  const mail = items.find(({ title }) => title === "Mail")!;
  assert.equal(mail.favourite, true);
  assert.equal(mail.version, 7);
  assert.deepEqual(mail.urls[0], { url: "https://mail.example.invalid/", label: "website", primary: true });
  assert.deepEqual(mail.passwordHistory, [
    { value: "fake-older-password", time: "" },
    { value: "fake-oldest-password", time: "" },
  ]);
  assert.equal(mail.notes, "First line\nSecond line\twith a tab\r\nThird line");
  const archived = items.filter(({ state }) => state === "archived");
  assert.deepEqual(archived.map(({ title, contents }) => [title, contents]), [
    ["Old bank", "full"],
    ["Old forum", "full"],
    ["Old contract", "full"],
  ]);
  const [bank, forum, contract] = archived;
  assert.deepEqual(bank!.fields.map(({ value }) => value), ["former", "fake-old-bank"]);
  assert.equal(bank!.tags[0], "archive");
  assert.equal(forum!.notes, "Archived long ago.");
  const [file] = contract!.files;
  assert.equal(file!.role, "document");
  assert.equal(await new Response(await source.open(contract!, file!, signal)).text(), "void");
});

Deno.test("an address is the line that op gives, and a field without value is a limit by id", async () => {
  await using door = await CliDoor.open(sampleAccount());
  await using source = await door.source();
  const { items, shortfalls } = await walk(source, await vaultOf(source, "Every category"));
  const item = items.find(({ title }) => title === "Every kind of field")!;
  const address = item.fields.find(({ kind }) => kind === "Address")!;
  assert.equal(address.value, "1 Sample Street, Nowhere, ZZ 00000, United States");
  assert.deepEqual(words(shortfalls), [`limit unsupported-field ${item.id}`]);
  assert.match(shortfalls[0]!.detail, /^op gives no value for 1 field of this item/);
  const kinds = new Set(items.flatMap(({ fields }) => fields.map(({ kind }) => kind)));
  assert.deepEqual([...kinds].sort(), [
    "Address",
    "Concealed",
    "CreditCardNumber",
    "CreditCardType",
    "Date",
    "Email",
    "Gender",
    "Menu",
    "MonthYear",
    "Phone",
    "Reference",
    "SshKey",
    "Text",
    "Totp",
    "Unsupported",
    "Url",
  ]);
});

// deno-lint-ignore no-explicit-any -- what op may print
function made(json: any): Item {
  return toItem("v", { id: "i", title: "t", category: "LOGIN", ...json });
}

Deno.test("what op may print in another way than today is kept, and never fails the item", () => {
  const raw = {
    id: "i",
    title: "t",
    category: "HOVERCRAFT",
    state: "archived",
    favorite: true,
    version: 3,
    created_at: "2022-11-08T20:36:03.453086-08:00",
    updated_at: "nonsense",
    tags: ["a", "", 7],
    urls: [
      { href: "https://a.invalid", primary: true },
      { href: "https://b.invalid", label: "b" },
      null,
      "odd",
    ],
    sections: [{ id: "s", label: "S" }, { id: "bare" }],
    fields: [
      { id: "username", type: "STRING", purpose: "USERNAME", label: "username", value: "me" },
      { id: "f", type: "PASSKEY", label: "new", value: "x", section: { id: "s" }, extra: [1] },
      { type: "ADDRESS", label: "parts", value: { street: "1 Road" } },
      { id: "", type: "STRING", label: "no id", value: 12 },
      { id: "u", type: "UNKNOWN", label: "odd", value: "still a value" },
      { id: "d", type: "DATE", label: "d", value: "2024-02-29" },
      { id: "d2", type: "DATE", label: "d2", value: "-631108740" },
      { id: "m", type: "MONTH_YEAR", label: "m", value: "204202" },
      { id: "m2", type: "MONTH_YEAR", label: "m2", value: "02/2042" },
    ],
    newThing: { deep: true },
  };
  const item = toItem("v", structuredClone(raw));
  assert.deepEqual(item.raw, raw);
  assert.deepEqual(
    { ...item, raw: undefined },
    {
      id: "i",
      vaultId: "v",
      title: "t",
      category: "HOVERCRAFT",
      state: "archived",
      contents: "full",
      favourite: true,
      tags: ["a", "7"],
      urls: [{ url: "https://a.invalid", primary: true }, { url: "https://b.invalid", label: "b" }],
      notes: "",
      sections: [{ id: "s", title: "S" }, { id: "bare", title: "" }],
      fields: [
        { id: "username", title: "username", kind: "Text", value: "me" },
        { id: "f", title: "new", kind: "PASSKEY", value: "x", sectionId: "s" },
        { id: "field3", title: "parts", kind: "Address", value: "", details: { street: "1 Road" } },
        { id: "field4", title: "no id", kind: "Text", value: "12" },
        { id: "u", title: "odd", kind: "Unsupported", value: "still a value" },
        { id: "d", title: "d", kind: "Date", value: "2024-02-29" },
        { id: "d2", title: "d2", kind: "Date", value: "1950-01-01" },
        { id: "m", title: "m", kind: "MonthYear", value: "02/2042" },
        { id: "m2", title: "m2", kind: "MonthYear", value: "02/2042" },
      ],
      files: [],
      version: 3,
      createdAt: "2022-11-09T04:36:03.453Z",
      raw: undefined,
    },
  );
  assert.deepEqual(limitsOf(item), [], "an unknown field with a value lacks nothing");
  for (const odd of [null, 1, "x", [], {}]) {
    const bare = made({ fields: odd, sections: odd, urls: odd, files: odd, tags: odd });
    assert.deepEqual([bare.fields, bare.sections, bare.urls, bare.files], [[], [], [], []]);
  }
});

Deno.test("categories have the SDK's names; what has none keeps op's", () => {
  const category = (json: Record<string, unknown>) => made(json).category;
  assert.equal(category({ category: "CUSTOM", category_id: "115" }), "CryptoWallet");
  assert.equal(category({ category: "CUSTOM", category_id: "910" }), "Person");
  assert.equal(category({ category: "CUSTOM", category_id: "777" }), "777");
  assert.equal(category({ category: "CUSTOM" }), "CUSTOM");
  assert.equal(category({ category: "LOGIN", category_id: "001" }), "Login");
  assert.equal(category({ category: "WIRELESS_ROUTER" }), "Router");
  assert.equal(category({ category: undefined }), "");
});

Deno.test("the parts that op makes of an SSH key are within the key, unless they are fields of their own", () => {
  const key = { id: "private_key", type: "SSHKEY", label: "private key", value: "made-up" };
  const part = (id: string, value: string, section?: unknown) => ({
    id,
    type: "STRING",
    label: id,
    value,
    ...(section ? { section } : {}),
  });
  const parts = [part("public_key", "p"), part("fingerprint", "f"), part("key_type", "rsa")];
  const { fields } = made({ category: "SSH_KEY", fields: [...parts, key] });
  assert.deepEqual(fields, [{
    id: "private_key",
    title: "private key",
    kind: "SshKey",
    value: "made-up",
    details: { type: "SshKey", content: { publicKey: "p", fingerprint: "f", keyType: "rsa" } },
  }]);
  const own = made({ fields: [part("fingerprint", "mine", { id: "s" }), key] }).fields;
  assert.deepEqual(own.map(({ id }) => id), ["fingerprint", "private_key"]);
  const two = made({ fields: [...parts, key, { ...key, id: "other" }] }).fields;
  assert.equal(two.length, 5);
  assert.equal(made({ fields: parts }).fields.length, 3);
});

Deno.test("of a Document's files the one in no section is the document", () => {
  const files = [
    { id: "a", name: "beside", size: 1, section: { id: "add more" } },
    { id: "d", name: "main", size: 2 },
    { id: "n", name: "empty" },
  ];
  const roles = (category: string) =>
    made({ category, files }).files.map(({ id, role, size }) => [id, role, size]);
  assert.deepEqual(roles("DOCUMENT"), [["a", "attachment", 1], ["d", "document", 2], ["n", "attachment", 0]]);
  assert.deepEqual(roles("LOGIN").map(([, role]) => role), ["attachment", "attachment", "attachment"]);
  assert.equal(isArchived({ state: "ARCHIVED" }), true);
  assert.equal(isArchived({}), false);
});
