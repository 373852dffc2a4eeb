import { type JsonObject, objectOf, textOf } from "./json.ts";

/** What a field holds, in the words that 1Password's SDK has for it. */
export interface FieldValue {
  kind: string;
  value: string;
  details?: unknown;
}

/** What is in a field's `value`: an object with the kind as its one key. */
export function fieldValue(json: unknown): FieldValue {
  if (typeof json === "string") return { kind: "Text", value: json };
  const entries = Object.entries(objectOf(json));
  const [kind, content] = entries[0] ?? ["", undefined];
  const read = entries.length === 1 && Object.hasOwn(READERS, kind) ? READERS[kind] : undefined;
  const known = read?.(content);
  if (known && (known.value !== "" || isEmpty(content))) return known;
  // An unknown kind, or content that is not what its kind promises: nothing of it is interpreted, all of it kept.
  return { kind, value: textOf(content), ...(json == null ? {} : { details: json }) };
}

/** Whether a field was left blank. */
function isEmpty(content: unknown): boolean {
  return content == null || content === "" ||
    (typeof content === "object" && Object.values(content).every(isEmpty));
}

const plain = (kind: string) => (content: unknown): FieldValue => ({
  kind,
  value: typeof content === "string" ? content : "",
});

const READERS: Record<string, (content: unknown) => FieldValue> = {
  string: plain("Text"),
  concealed: plain("Concealed"),
  totp: plain("Totp"),
  phone: plain("Phone"),
  url: plain("Url"),
  menu: plain("Menu"),
  gender: plain("Gender"), // the SDK gives it as Text
  creditCardType: plain("CreditCardType"),
  creditCardNumber: plain("CreditCardNumber"),
  reference: plain("Reference"),
  date: (content) => ({ kind: "Date", value: dateOf(content) }),
  monthYear: (content) => ({ kind: "MonthYear", value: monthYearOf(content) }),
  email: emailOf,
  address: addressOf,
  sshKey: sshKeyOf,
  file: (content) => ({
    kind: "File",
    value: textOf(objectOf(content).fileName),
    details: { type: "File", content },
  }),
};

/** `YYYY-MM-DD` of seconds since 1970; 1Password writes noon, so that it is the same day nearly everywhere. */
function dateOf(content: unknown): string {
  if (typeof content !== "number") return "";
  const date = new Date(content * 1000);
  const year = date.getUTCFullYear();
  return year >= 0 && year <= 9999 ? date.toISOString().slice(0, 10) : "";
}

/** `MM/YYYY` of the number YYYYMM. */
function monthYearOf(content: unknown): string {
  const [, year, month] = /^(\d{4})(\d\d)$/.exec(textOf(content)) ?? [];
  return year && month ? `${month}/${year}` : "";
}

/** Older exports have the bare address. */
function emailOf(content: unknown): FieldValue {
  if (typeof content === "string") return { kind: "Email", value: content };
  const { email_address, provider } = objectOf(content);
  return {
    kind: "Email",
    value: textOf(email_address),
    ...(provider == null || provider === "" ? {} : { details: { type: "Email", content } }),
  };
}

/** One line as the SDK words it; the parts are in the details. */
function addressOf(content: unknown): FieldValue {
  const { street, city, state, zip, country } = objectOf(content) as JsonObject;
  const words = (parts: unknown[], by: string) => parts.map(textOf).filter((part) => part !== "").join(by);
  return {
    kind: "Address",
    value: words([street, words([city, state, zip], " "), country], ", "),
    details: { type: "Address", content },
  };
}

function sshKeyOf(content: unknown): FieldValue {
  const { privateKey, metadata } = objectOf(content);
  const { publicKey, fingerprint, keyType } = objectOf(metadata);
  return {
    kind: "SshKey",
    value: textOf(privateKey) || textOf(objectOf(metadata).privateKey),
    details: {
      type: "SshKey",
      content: {
        publicKey: textOf(publicKey),
        fingerprint: textOf(fingerprint),
        keyType: textOf(keyType),
      },
    },
  };
}
