import assert from "node:assert/strict";
import type { ItemCreateParams, ItemField } from "@1password/sdk";
import type { FieldDescription, ItemDescription, LocalService } from "./mod.ts";
import { CATEGORIES, startService } from "./mod.ts";
import { signIn } from "./sdk.ts";
import { everyCategory } from "./sample/every_category.ts";
import type { JsonObject } from "./wire/json.ts";

/** A described field, and what the SDK is to make of it. */
interface Expected {
  field: FieldDescription;
  type: string;
  value: string;
}

const SSH_KEY = sampleField("ssh key");
const ADDRESS = { street: "1 Sample Street", city: "Nowhere", state: "ZZ", zip: "00000", country: "us" };

const EXPECTED: Expected[] = [
  ...([
    ["Text", "two\nlines"],
    ["Concealed", "fake"],
    ["CreditCardType", "visa"],
    ["CreditCardNumber", "4111111111111111"],
    ["Phone", "+1 555 0100"],
    ["Url", "https://example.invalid"],
    ["Email", "sample@example.invalid"],
    ["Menu", "choice"],
    ["Totp", "otpauth://totp/x?secret=AAAAAAAAAAAAAAAA"],
    ["SshKey", SSH_KEY],
  ] as const).map(([kind, value]): Expected => ({ field: { title: kind, kind, value }, type: kind, value })),
  { field: { title: "Date", kind: "Date", value: "2024-02-29" }, type: "Date", value: "2024-02-29" },
  { field: { title: "Old date", kind: "Date", value: "1901-12-13" }, type: "Date", value: "1901-12-13" },
  { field: { title: "No date", kind: "Date", value: "" }, type: "Date", value: "" },
  { field: { title: "MonthYear", kind: "MonthYear", value: "02/2030" }, type: "MonthYear", value: "02/2030" },
  { field: { title: "No month", kind: "MonthYear", value: "" }, type: "MonthYear", value: "" },
  {
    field: { title: "Address", kind: "Address", value: ADDRESS },
    type: "Address",
    value: "1 Sample Street, Nowhere ZZ 00000, us",
  },
  {
    field: { title: "Reference", kind: "Reference", value: "a".repeat(26) },
    type: "Reference",
    value: "a".repeat(26),
  },
  { field: { title: "Gender", kind: "Gender", value: "female" }, type: "Text", value: "female" },
  { field: { title: "Unsupported", kind: "Unsupported", value: "lost" }, type: "Unsupported", value: "" },
];

Deno.test("every category reads back as itself", async () => {
  const items = CATEGORIES.map((category): ItemDescription => ({ title: category, category, notes: "n" }));
  await using service = await startService({ name: "Acme", vaults: [{ title: "All", items }] });
  const client = await signIn(service);
  const vault = service.account.vault("All");
  const overviews = await client.items.list(vault.id);
  assert.equal(overviews.length, 24);
  for (const { id, title, category } of overviews) {
    assert.equal(category, title);
    const item = await client.items.get(vault.id, id);
    assert.equal(item.category, title);
    assert.equal(item.notes, "n");
  }
});

Deno.test("every kind of field reads back right", async (test) => {
  const items = EXPECTED.map(({ field }): ItemDescription => ({
    title: field.title,
    sections: [{ title: "Section", id: "section", fields: [field] }],
  }));
  await using service = await startService({ name: "Acme", vaults: [{ title: "V", items }] });
  const client = await signIn(service);
  const vault = service.account.vault("V");
  for (const { field, type, value } of EXPECTED) {
    await test.step(field.title, async () => {
      const [read] = (await client.items.get(vault.id, vault.item(field.title).id)).fields;
      assert.ok(read);
      assert.deepEqual([read.title, read.fieldType, read.value], [field.title, type, value]);
      // The core loses the section of a field that it does not understand.
      assert.equal(read.sectionId, type === "Unsupported" ? null : "section");
    });
  }
});

Deno.test("fields bring their details: a code, a public key, the parts of an address", async () => {
  const fields = EXPECTED.map(({ field }) => field);
  const item: ItemDescription = { title: "Item", sections: [{ title: "Section", fields }] };
  await using service = await startService({ name: "Acme", vaults: [{ title: "V", items: [item] }] });
  const read = new Map((await readItem(service, "Item")).fields.map((field) => [field.title, field.details]));
  assert.deepEqual(read.get("Address"), { type: "Address", content: ADDRESS });
  const code = read.get("Totp");
  assert.ok(code?.type === "Otp");
  assert.match(code.content.code ?? "", /^\d{6}$/);
  const key = read.get("SshKey");
  assert.ok(key?.type === "SshKey");
  assert.match(key.content?.publicKey ?? "", /^ssh-ed25519 /);
  assert.equal(key.content?.keyType, "Ed25519");
});

Deno.test("a login shows user name and password, and neither history nor favourite", async () => {
  const item: ItemDescription = {
    title: "Item",
    username: "u",
    password: "p",
    favourite: true,
    passwordHistory: [{ value: "old-secret", time: "2020-01-01T00:00:00Z" }],
    fields: [{ title: "loose", kind: "Text", value: "v" }],
    urls: [
      { url: "https://a.invalid" },
      { url: "https://b.invalid", label: "b", autofill: "exact-domain" },
      { url: "https://c.invalid", label: "c", autofill: "never" },
    ],
  };
  await using service = await startService({ name: "Acme", vaults: [{ title: "V", items: [item] }] });
  const read = await readItem(service, "Item");
  assert.deepEqual(
    read.fields.map(({ id, fieldType, value, sectionId }) => [id, fieldType, value, sectionId]).slice(0, 2),
    [
      ["username", "Text", "u", null],
      ["password", "Concealed", "p", null],
    ],
  );
  assert.deepEqual([read.fields[2]?.title, read.fields[2]?.sectionId], ["loose", ""]);
  assert.deepEqual(read.websites.map(({ label, autofillBehavior }) => [label, autofillBehavior]), [
    ["website", "AnywhereOnWebsite"],
    ["b", "ExactDomain"],
    ["c", "Never"],
  ]);
  assert.doesNotMatch(JSON.stringify(read), /old-secret|fav/i);
});

Deno.test("what the core writes and what a description gives are the same on the wire", async () => {
  await using service = await startService({ name: "Acme", vaults: [{ title: "V" }] });
  const client = await signIn(service);
  const vault = service.account.vault("V");
  const writable = EXPECTED.filter(({ field, type }) =>
    type === field.kind && type !== "Unsupported" && type !== "SshKey"
  );
  const fields = writable.map(({ field, type, value }): ItemField => ({
    id: field.title,
    title: field.title,
    sectionId: "s",
    fieldType: type as ItemField["fieldType"],
    value: type === "Address" ? "" : value,
    ...type === "Address" && { details: { type: "Address", content: ADDRESS } },
  }));
  const written = await client.items.create({
    title: "Item",
    category: "Login" as ItemCreateParams["category"],
    vaultId: vault.id,
    sections: [{ id: "s", title: "Section" }],
    fields,
  });
  const described = vault.add({
    title: "Item",
    sections: [{
      id: "s",
      title: "Section",
      fields: writable.map(({ field }) => ({ ...field, id: field.title })),
    }],
  });
  const plain = (item: { details(): JsonObject }) => JSON.parse(JSON.stringify(item.details().sections));
  assert.deepEqual(plain(described), plain(vault.item(written.id)));
});

Deno.test("the core's template of every category is the service's", async () => {
  await using service = await startService({ name: "Acme", vaults: [{ title: "V" }] });
  const client = await signIn(service);
  const vault = service.account.vault("V");
  for (const category of CATEGORIES) {
    // An unknown category cannot be written at all, and a document not without its file.
    if (category === "Unsupported" || category === "Document") continue;
    const wanted = category as ItemCreateParams["category"];
    const written = await client.items.create({ title: category, category: wanted, vaultId: vault.id });
    assert.equal(vault.item(written.id).category, category);
  }
});

Deno.test("a description that its category cannot hold is an error", async () => {
  const items: ItemDescription[] = [
    { title: "a", category: "SecureNote", username: "u" },
    { title: "b", category: "Server", password: "p" },
    { title: "c", document: { name: "f", content: "" } },
    { title: "d", files: [{ name: "f", content: "", section: "nowhere" }] },
    { title: "e", fields: [{ title: "e", kind: "Reference", to: "nobody" }] },
    { title: "f", fields: [{ title: "f", kind: "Date", value: "tomorrow" }] },
    { title: "g", fields: [{ title: "g", kind: "MonthYear", value: "2030-02" }] },
  ];
  await using service = await startService({ name: "Acme", vaults: [{ title: "V", items }] });
  const vault = service.account.vault("V");
  for (const { title } of items) {
    assert.throws(() => vault.item(title).details(), title === "e" ? Error : TypeError);
  }
});

async function readItem(service: LocalService, title: string) {
  const client = await signIn(service);
  const vault = service.account.vault("V");
  return await client.items.get(vault.id, vault.item(title).id);
}

/** The value of a field in the sample's item that has one of each. */
function sampleField(title: string): string {
  const item = everyCategory.items?.find((item) => item.title === "Every kind of field");
  const field = item?.sections?.[0]?.fields?.find((field) => field.title === title);
  assert.ok(field && "value" in field && typeof field.value === "string");
  return field.value;
}
