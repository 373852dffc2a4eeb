/** The whole seeded account: every category and kind of field, all sizes of files, names that wreck careless programs. */
import { Buffer } from "node:buffer";
import {
  CATEGORIES,
  type SeededAccount,
  type SeededField,
  type SeededFile,
  seededId,
  seededItem,
  seededLogin,
  type SeededVault,
  UNKNOWN_CATEGORY,
  UNKNOWN_KIND,
} from "./account.ts";

const KIB = 1024;

const everyday: SeededVault = {
  id: seededId("everyday"),
  title: "Everyday ☕",
  description: "What one uses every day, «with» ünïcode",
  kind: "created",
  items: [
    seededItem("mail", {
      title: "Mail of everybody",
      category: "Login",
      tags: ["mail", "work/important ☕"],
      urls: [
        { url: "https://mail.example.invalid/?a=1&b=ü", label: "website" },
        { url: "https://admin.mail.example.invalid:8443/", label: "admin" },
      ],
      notes: "First line\nSecond line\twith a tab\r\nThird line",
      fields: seededLogin("sample.person@example.invalid", " made-up \\ ' \" ` $HOME %PATH% password "),
      sections: [{
        id: "Section_security",
        title: "Security",
        fields: [
          text("question", "Which?"),
          text("same title", "the first of two"),
          { ...text("same title", "the second of two"), id: "sametitle2" },
          text("", "a value without a title"),
        ],
      }],
      favourite: true,
      passwordHistory: [
        { value: "made-up-older-password", time: "2020-03-01T08:00:00Z" },
        { value: "made-up-oldest-password", time: "2019-03-01T08:00:00Z" },
      ],
    }),
    seededItem("twin2", { title: "Twins" }),
    seededItem("twin3", { title: "Twins", notes: "the other twin" }),
    seededItem("untitled", { title: "" }),
    seededItem("nfc", { title: "Caf\u00e9 of the sample" }),
    seededItem("nfd", { title: "Cafe\u0301 of the sample" }),
    seededItem("hostile", { title: "../../etc/passwd \u001b[31mred \u202eexe.txt\nnext line" }),
    seededItem("scripts", { title: "日本語 كلمة المرور 👩‍👩‍👧‍👦", tags: ["仕事", "🏷️"] }),
    seededItem("long", { title: "A note of 100 kB", notes: "All work and no play. ".repeat(5000) }),
    seededItem("oldbank", {
      title: "Old bank of the sample",
      category: "Login",
      state: "archived",
      tags: ["former"],
      fields: seededLogin("former", "made-up-archived-password"),
    }),
    seededItem("oldnote", { title: "Old note of the sample", state: "archived", notes: "made-up-old-note" }),
    seededItem("oldpaper", {
      title: "Old contract of the sample",
      category: "Document",
      state: "archived",
      files: [document("void contract.txt", 300)],
    }),
  ],
};

const everyKind: SeededVault = {
  id: seededId("kinds"),
  // A vault's title is no more unique than an item's.
  title: "Everyday ☕",
  description: "",
  kind: "everyone",
  items: [
    ...CATEGORIES.map((category) =>
      seededItem(`cat${category.toLowerCase()}`, {
        category,
        notes: `made-up notes of a ${category}`,
        fields: category === "Login"
          ? seededLogin("sample", "made-up-login-password")
          : category === "Password"
          ? seededLogin("", "made-up-item-password").slice(1)
          : [],
        ...(category === "Document" ? { files: [document("the only document.txt", 20)] } : {}),
      })
    ),
    seededItem("allkinds", {
      category: "Server",
      sections: [
        { id: "Section_known", title: "Known kinds", fields: knownKinds() },
        { id: "Section_unset", title: "Left blank", fields: [text("blank", "")] },
      ],
    }),
    seededItem("future", {
      category: UNKNOWN_CATEGORY,
      notes: "made-up notes from the future",
      extra: "made-up property of a later version",
    }),
    seededItem("odd", {
      category: "Login",
      fields: seededLogin("sample", "made-up-odd-password"),
      sections: [{
        id: "Section_odd",
        title: "Odd",
        fields: [
          text("known", "beside the unknown one"),
          { id: "odd", title: "unknown", kind: UNKNOWN_KIND, value: "made-up-hologram" },
        ],
      }],
    }),
  ],
};

const files: SeededVault = {
  id: seededId("files"),
  title: "Files",
  description: "",
  kind: "personal",
  items: [
    seededItem("plans", {
      category: "Login",
      sections: [{ id: "Section_plans", title: "Plans", fields: [text("floor", "-1")] }],
      files: [
        attachment("empty.txt", 0, "Plans"),
        attachment("one byte ☕.bin", 1, "Plans"),
        attachment("block less one.bin", 64 * KIB - 1),
        attachment("../../block.bin", 64 * KIB),
        attachment("block and one.bin", 64 * KIB + 1),
      ],
    }),
    seededItem("paper", { category: "Document", files: [document("契約書 №1 — «ünïcode» 📄.pdf", 12_345)] }),
    seededItem("large", { category: "Document", files: [document("large.bin", 5 * KIB * KIB)] }),
    seededItem("both", {
      category: "Document",
      files: [document("main.txt", 100), attachment("beside.txt", 101)],
    }),
  ],
};

const many: SeededVault = {
  id: seededId("many"),
  title: "Many",
  description: "more than two batches of fifty",
  kind: "created",
  items: Array.from({ length: 103 }, (_, at) =>
    seededItem(`many${letters(at)}`, {
      title: `number ${at} of many`,
      state: at % 50 === 7 ? "archived" : "active",
    })),
};

const empty: SeededVault = {
  id: seededId("empty"),
  title: "Nothing in it",
  description: "",
  kind: "created",
  items: [],
};

/** Five vaults, about 150 items, a dozen files. */
export const wholeAccount: SeededAccount = {
  name: "Whole",
  vaults: [everyday, everyKind, files, many, empty],
};

function text(title: string, value: string): SeededField {
  return { id: title.replace(/\W/g, "") || "untitled", title, kind: "Text", value };
}

function attachment(name: string, size: number, section?: string): SeededFile {
  return { name, role: "attachment", size, ...(section === undefined ? {} : { section }) };
}

function document(name: string, size: number): SeededFile {
  return { name, role: "document", size };
}

/** One field of each kind that the SDK names, and the one kind that only 1Password's apps name. */
function knownKinds(): SeededField[] {
  const parts = { street: "1 Sample Street", city: "Nowhere", state: "ZZ", zip: "00000", country: "us" };
  const fields: [kind: string, value: string][] = [
    ["Text", "two\nlines"],
    ["Concealed", "made-up-concealed"],
    ["CreditCardType", "visa"],
    ["CreditCardNumber", "4111111111111111"],
    ["Phone", "+44 20 7946 0000"],
    ["Url", "https://example.invalid/?q=1&r=ü"],
    ["Totp", "otpauth://totp/x?secret=AAAAAAAAAAAAAAAA"],
    ["Email", "sample@example.invalid"],
    ["Reference", seededId("allkinds")],
    ["SshKey", sshKey()],
    ["Menu", "choice"],
    ["MonthYear", "02/2030"],
    ["Date", "2024-02-29"],
    ["Date", "1950-01-06"],
    ["Gender", "female"],
  ];
  return [
    ...fields.map(([kind, value], at) => ({ id: `kind${at}`, title: `${kind} ${at}`, kind, value })),
    {
      id: "address",
      title: "Address",
      kind: "Address",
      value: "1 Sample Street, Nowhere ZZ 00000, us",
      parts,
    },
  ];
}

/** An Ed25519 key in PKCS #8, made of a word here so that no key lies in the repository to alarm scanners. */
function sshKey(): string {
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  const key = Buffer.concat([prefix, Buffer.from("made-up ".repeat(4))]);
  const label = "PRIVATE KEY";
  return `-----BEGIN ${label}-----\n${key.toString("base64")}\n-----END ${label}-----\n`;
}

/** A number in letters: ids have no 0, 1, 8 and 9. */
function letters(number: number): string {
  return [...String(number)].map((digit) => "bcdefghijk"[Number(digit)]).join("");
}
