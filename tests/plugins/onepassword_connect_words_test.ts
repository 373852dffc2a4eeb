/** What Connect's answers may say beyond its description, and what is made of it: nothing fails, nothing is lost. */
import assert from "node:assert/strict";
import type { Item } from "../../src/model/item.ts";
import type { AccountDescription } from "../service/mod.ts";
import { scene, walk } from "./onepassword_connect_door.ts";

const ONE: AccountDescription = { name: "One", vaults: [{ title: "V", items: [{ title: "Item" }] }] };

// deno-lint-ignore no-explicit-any -- Connect's JSON, and worse
type Json = any;

/** The one item, after its answer was changed; and what is lacking of it. */
async function changed(change: (item: Json) => Json) {
  let told: { item: Item | undefined; reasons: string[]; details: string } | undefined;
  await scene(ONE, async ({ source, connect, vault }) => {
    connect.faults.edit("item", change);
    const { items, shortfalls } = await walk(source, vault);
    told = {
      item: items[0],
      reasons: shortfalls.map(({ shortfall, reason }) => `${shortfall} ${reason}`),
      details: shortfalls.map(({ detail }) => detail).join("; "),
    };
  });
  return told!;
}

/** A field of this type, as it comes out. */
async function field(type: string, value?: string) {
  const { item, reasons } = await changed((json) => ({
    ...json,
    fields: [{ id: "f", type, label: "l", value }],
  }));
  const [{ kind, value: text }] = item!.fields as [Item["fields"][number]];
  return [kind, text, ...reasons];
}

Deno.test("types that servers have and the description lacks are known by the SDK's words", async (test) => {
  const types = {
    OTP: "Totp",
    PHONE: "Phone",
    ADDRESS: "Address",
    Address: "Address", // as 1Password's own Go library has it
    CREDIT_CARD_NUMBER: "CreditCardNumber",
    CREDIT_CARD_TYPE: "CreditCardType",
    GENDER: "Gender",
    REFERENCE: "Reference",
    SSHKEY: "SshKey",
    FILE: "File",
  };
  for (const [type, kind] of Object.entries(types)) {
    await test.step(type, async () => assert.deepEqual(await field(type, "v"), [kind, "v"]));
  }
});

Deno.test("an unknown type is kept as it is; without a value it is a limit of the item", async () => {
  assert.deepEqual(await field("HOLOGRAM", "v"), ["HOLOGRAM", "v"]);
  assert.deepEqual(await field("HOLOGRAM"), ["HOLOGRAM", "", "limit unsupported-field"]);
  assert.deepEqual(await field("STRING"), ["Text", ""]);
  assert.deepEqual(await field("", "v"), ["", "v"]);
});

Deno.test("dates and months in each form in which servers write them", async () => {
  for (
    const [type, given, expected] of [
      ["DATE", "1709208060", "2024-02-29"],
      ["DATE", "-630849540", "1950-01-04"],
      ["DATE", "0", "1970-01-01"],
      ["DATE", "2024-02-29", "2024-02-29"],
      ["DATE", "999999999999", "999999999999"], // in the year 33658
      ["DATE", "soon", "soon"],
      ["MONTH_YEAR", "203002", "02/2030"],
      ["MONTH_YEAR", "2030/12", "12/2030"],
      ["MONTH_YEAR", "02/2030", "02/2030"],
      ["MONTH_YEAR", "203013", "203013"], // there is no such month
      ["STRING", "1709208060", "1709208060"],
    ] as const
  ) {
    const [, value] = await field(type, given);
    assert.equal(value, expected, `${type} ${given}`);
  }
});

Deno.test("unknown properties stay in raw, at every depth", async () => {
  const extra = { teleport: { beam: [1, null] } };
  const { item } = await changed((json) => ({
    ...json,
    ...extra,
    fields: [{ id: "f", type: "STRING", value: "v", ...extra }],
    urls: [{ href: "https://a.example", ...extra }],
  }));
  const raw = item!.raw as Json;
  assert.deepEqual(
    [raw.teleport, raw.fields[0].teleport, raw.urls[0].teleport],
    Array(3).fill(extra.teleport),
  );
  assert.deepEqual(item!.fields, [{ id: "f", title: "", kind: "Text", value: "v" }]);
  assert.deepEqual(item!.urls, [{ url: "https://a.example" }]);
});

Deno.test("user name, password and notes are known by their purpose, whatever the form called them", async () => {
  const { item } = await changed((json) => ({
    ...json,
    fields: [
      { id: "email-input", type: "STRING", purpose: "USERNAME", label: "E-mail", value: "u" },
      { id: "pw", type: "CONCEALED", purpose: "PASSWORD", value: "p" },
      { id: "notesPlain", type: "STRING", purpose: "NOTES", label: "notesPlain", value: "n" },
      { id: "second", type: "STRING", purpose: "NOTES", label: "more", value: "m" },
      { id: "plain", type: "STRING", purpose: "", label: "x", value: "y", section: { id: "s" } },
    ],
  }));
  assert.equal(item!.notes, "n");
  assert.deepEqual(item!.fields.map(({ id, title, value, sectionId }) => [id, title, value, sectionId]), [
    ["username", "E-mail", "u", undefined],
    ["password", "password", "p", undefined],
    ["second", "more", "m", undefined],
    ["plain", "x", "y", "s"],
  ]);
});

Deno.test("nothing but an id is needed: everything else may be left out, or null", async () => {
  const bare = (fill: null | undefined) => (json: Json) => ({
    id: json.id,
    ...Object.fromEntries(
      [
        "title",
        "category",
        "vault",
        "fields",
        "files",
        "sections",
        "tags",
        "urls",
        "state",
        "version",
        "createdAt",
      ]
        .map((name) => [name, fill]),
    ),
  });
  for (const fill of [null, undefined]) {
    const { item, reasons } = await changed(bare(fill));
    assert.deepEqual(reasons, []);
    const { raw: _, ...rest } = item!;
    assert.deepEqual({ ...rest, id: "", vaultId: "" }, {
      id: "",
      vaultId: "",
      title: "",
      category: "",
      state: "active",
      contents: "full",
      favourite: false,
      tags: [],
      urls: [],
      notes: "",
      sections: [],
      fields: [],
      files: [],
    });
  }
});

Deno.test("times are in UTC, and the year 1 is no time at all", async () => {
  const times = async (createdAt: string, updatedAt: string) => {
    const { item } = await changed((json) => ({ ...json, createdAt, updatedAt }));
    return [item!.createdAt, item!.updatedAt];
  };
  assert.deepEqual(await times("2021-04-10T17:20:05.98944527Z", "2021-04-10T19:20:05+02:00"), [
    "2021-04-10T17:20:05.98944527Z",
    "2021-04-10T17:20:05.000Z",
  ]);
  assert.deepEqual(await times("0001-01-01T00:00:00Z", ""), [undefined, undefined]);
});

Deno.test("categories beyond the description: known ones by name, CUSTOM as a limit, others as they are", async () => {
  const category = async (word: string) => {
    const { item, reasons } = await changed((json) => ({ ...json, category: word }));
    return [item!.category, ...reasons];
  };
  assert.deepEqual(await category("CRYPTO_WALLET"), ["CryptoWallet"]);
  assert.deepEqual(await category("CUSTOM"), ["CUSTOM", "limit unsupported-item"]);
  assert.deepEqual(await category("HOVERCRAFT"), ["HOVERCRAFT"]);
});

Deno.test("what is of another shape, or another item, is a gap and never half an item", async () => {
  const wrong: [string, (json: Json) => Json, RegExp][] = [
    ["a list", () => [], /an item of an unknown shape/],
    ["null", () => null, /an item of an unknown shape/],
    ["fields that are none", (json) => ({ ...json, fields: {} }), /an item of an unknown shape/],
    [
      "a value that is no text",
      (json) => ({ ...json, fields: [{ id: "f", value: { a: 1 } }] }),
      /unknown shape/,
    ],
    ["a file without an id", (json) => ({ ...json, files: [{ name: "n" }] }), /unknown shape/],
    ["a negative size", (json) => ({ ...json, files: [{ id: "f", size: -1 }] }), /unknown shape/],
    ["another item", (json) => ({ ...json, id: "b".repeat(26) }), /another item than was asked for/],
    ["an item of another vault", (json) => ({ ...json, vault: { id: "b".repeat(26) } }), /another item/],
  ];
  for (const [name, change, detail] of wrong) {
    const { item, reasons, details } = await changed(change);
    assert.deepEqual([item, reasons], [undefined, ["gap unreadable-item"]], name);
    assert.match(details, detail, name);
  }
});
