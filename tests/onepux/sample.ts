import {
  accountOf,
  documentOf,
  fieldOf,
  itemOf,
  type Json,
  loginOf,
  newId,
  vaultOf,
  type WrittenExport,
} from "./export_writer.ts";

export const SSH_KEY = {
  privateKey: "-----BEGIN PRIVATE KEY-----\nmade-up-private-key\n-----END PRIVATE KEY-----\n",
  metadata: {
    privateKey: "-----BEGIN PRIVATE KEY-----\nmade-up-private-key\n-----END PRIVATE KEY-----\n",
    publicKey: "ssh-ed25519 AAAAmadeup",
    fingerprint: "SHA256:madeup",
    keyType: "ed25519",
  },
};
export const ADDRESS = {
  street: "1 Sample Street",
  city: "Nowhere",
  country: "us",
  zip: "00000",
  state: "ZZ",
};

/** Each kind of field as an export has it; then its kind, value and details as we have them. */
export const EVERY_KIND: [value: Json, kind: string, text: string, details?: unknown][] = [
  [{ string: "two\nlines" }, "Text", "two\nlines"],
  [{ concealed: "made-up-concealed" }, "Concealed", "made-up-concealed"],
  [{ totp: "otpauth://totp/x?secret=AAAA" }, "Totp", "otpauth://totp/x?secret=AAAA"],
  [{ date: 1_709_208_060 }, "Date", "2024-02-29"],
  [{ date: -2_148_638_340 }, "Date", "1901-11-30"],
  [{ monthYear: 203_002 }, "MonthYear", "02/2030"],
  [{ email: { email_address: "a@example.invalid", provider: null } }, "Email", "a@example.invalid"],
  [{ email: { email_address: "b@example.invalid", provider: "fastmail" } }, "Email", "b@example.invalid", {
    type: "Email",
    content: { email_address: "b@example.invalid", provider: "fastmail" },
  }],
  [{ email: "c@example.invalid" }, "Email", "c@example.invalid"],
  [{ phone: "+1 555 0100" }, "Phone", "+1 555 0100"],
  [{ url: "https://example.invalid/" }, "Url", "https://example.invalid/"],
  [{ menu: "choice" }, "Menu", "choice"],
  [{ gender: "female" }, "Gender", "female"],
  [{ address: ADDRESS }, "Address", "1 Sample Street, Nowhere ZZ 00000, us", {
    type: "Address",
    content: ADDRESS,
  }],
  [{ creditCardType: "visa" }, "CreditCardType", "visa"],
  [{ creditCardNumber: "4111111111111111" }, "CreditCardNumber", "4111111111111111"],
  [{ reference: "a".repeat(26) }, "Reference", "a".repeat(26)],
  [{ sshKey: SSH_KEY }, "SshKey", SSH_KEY.privateKey, {
    type: "SshKey",
    content: { publicKey: "ssh-ed25519 AAAAmadeup", fingerprint: "SHA256:madeup", keyType: "ed25519" },
  }],
  // Left blank.
  [{ string: "" }, "Text", ""],
  [{ date: null }, "Date", ""],
  [{ monthYear: null }, "MonthYear", ""],
  [{ email: { email_address: "", provider: null } }, "Email", ""],
  // Unknown: nothing is interpreted, all of it is kept.
  [{ hologram: { depth: 3 } }, "hologram", "", { hologram: { depth: 3 } }],
  [{ stamp: "made-up" }, "stamp", "made-up", { stamp: "made-up" }],
  [{ date: "tomorrow" }, "date", "tomorrow", { date: "tomorrow" }],
  [{ monthYear: 42 }, "monthYear", "42", { monthYear: 42 }],
  [{ string: 42 }, "string", "42", { string: 42 }],
  [{ constructor: "x" }, "constructor", "x", { constructor: "x" }],
  [{ string: "a", concealed: "b" }, "string", "a", { string: "a", concealed: "b" }],
  [{}, "", "", {}],
  [null, "", ""],
];

export const CONTRACT = new TextEncoder().encode("the made-up contract\n".repeat(1000));
export const SCAN = new Uint8Array([0, 1, 2, 255, 254, 0]);
const [contractId, scanId, emptyId] = [newId(), newId(), newId()];

/** An account with one of everything, in two vaults and a personal one. */
export function sampleExport(): WrittenExport {
  const sections = [
    {
      title: "Every kind",
      name: "Section_every",
      fields: EVERY_KIND.map(([value], at) => fieldOf(`field ${at}`, `f${at}`, value)),
    },
    {
      title: "",
      fields: [
        fieldOf("scan", "scan", {
          file: { fileName: "scan ☕ ../../x.bin", documentId: scanId, decryptedSize: SCAN.length },
        }),
        fieldOf("empty", "empty", { file: { fileName: "empty.txt", documentId: emptyId } }),
      ],
    },
  ];
  const personal = {
    ...vaultOf(
      "Private",
      loginOf("Mail", "sample.person", "made-up-mail-password", {
        favIndex: 1,
        details: {
          notesPlain: "First line\nSecond line",
          passwordHistory: [{ value: "made-up-older-password", time: 1_500_000_000 }],
        },
        overview: {
          url: "https://mail.example.invalid/",
          urls: [
            { label: "website", url: "https://mail.example.invalid/" },
            { label: "", url: "https://status.example.invalid/" },
          ],
          tags: ["mail", "work/important ☕"],
        },
      }),
      loginOf("Old forum", "sample", "made-up-forum-password", { state: "archived" }),
      loginOf("Older forum", "sample", "made-up-trashed-password", { state: undefined, trashed: true }),
    ),
  };
  personal.attrs.type = "P";
  personal.attrs.desc = "Only mine";
  personal.attrs.avatar = "picture.png";
  const everyone = vaultOf(
    "Shared",
    itemOf("Door", { categoryUuid: "005", details: { password: "made-up-door-password" } }),
  );
  everyone.attrs.type = "E";
  const created = vaultOf(
    "Papers",
    documentOf("Contract", contractId, "contract.pdf", CONTRACT.length),
    itemOf("Every kind of field", { categoryUuid: "110", details: { sections } }),
    itemOf("From the future", { categoryUuid: "999", details: { teleport: { secret: "made-up-teleport" } } }),
  );
  return {
    data: { accounts: [accountOf(personal, everyone, created)] },
    files: {
      [`${contractId}__contract.pdf`]: CONTRACT,
      [`${scanId}__scan ☕ ../../x.bin`]: SCAN,
      [`${emptyId}__empty.txt`]: "",
      "picture.png": "a picture",
    },
  };
}
