import type { ItemField } from "../../../../src/model/item.ts";
import { type JsonObject, objectOf, textOf } from "../op/json.ts";

/** What `op` calls the types of fields, in the words of 1Password's SDK; a type that is not here keeps its own. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ["STRING", "Text"],
  ["CONCEALED", "Concealed"],
  ["URL", "Url"],
  ["EMAIL", "Email"],
  ["DATE", "Date"],
  ["MONTH_YEAR", "MonthYear"],
  ["PHONE", "Phone"],
  ["OTP", "Totp"],
  ["ADDRESS", "Address"],
  ["MENU", "Menu"],
  ["CREDIT_CARD_TYPE", "CreditCardType"],
  ["CREDIT_CARD_NUMBER", "CreditCardNumber"],
  ["GENDER", "Gender"], // the SDK gives it as Text
  ["REFERENCE", "Reference"],
  ["SSHKEY", "SshKey"],
  ["FILE", "File"],
  ["UNKNOWN", "Unsupported"],
]);

/** Fields that `op` makes of an SSH key beside the key itself, and what the SDK calls them within it. */
const KEY_PARTS = { public_key: "publicKey", fingerprint: "fingerprint", key_type: "keyType" } as const;

/** What the SDK calls the one type of key for which `op` has another word. */
const KEY_TYPES: ReadonlyMap<string, string> = new Map([["ed25519", "Ed25519"]]);

/** The fields of an item but for its notes, in order. */
export function fieldsOf(fields: readonly JsonObject[]): ItemField[] {
  const key = keyParts(fields);
  return fields.flatMap((field, at): ItemField[] => {
    if (isNotes(field) || key?.parts.includes(field)) return [];
    const section = textOf(objectOf(field.section).id);
    return [{
      id: textOf(field.id) || `field${at + 1}`,
      title: textOf(field.label),
      ...valueOf(field),
      ...(section === "" ? {} : { sectionId: section }),
      ...(field === key?.field ? { details: key.details } : {}),
    }];
  });
}

/** The text of the field that holds an item's notes. */
export function notesOf(fields: readonly JsonObject[]): string {
  return textOf(fields.find(isNotes)?.value);
}

function isNotes({ id, purpose }: JsonObject): boolean {
  return purpose === "NOTES" || id === "notesPlain";
}

function valueOf({ type, value }: JsonObject): Pick<ItemField, "kind" | "value" | "details"> {
  const word = textOf(type);
  const kind = KINDS.get(word) ?? word;
  // Anything with parts is kept as it is; today there is none.
  if (typeof value === "object" && value !== null) return { kind, value: "", details: value };
  const text = textOf(value);
  if (kind === "Date") return { kind, value: dateOf(text) };
  if (kind === "MonthYear") return { kind, value: monthYearOf(text) };
  return { kind, value: text };
}

/** `YYYY-MM-DD` of seconds since 1970; 1Password writes noon, so that it is the same day nearly everywhere. */
function dateOf(text: string): string {
  if (!/^-?\d{1,12}$/.test(text)) return text;
  const date = new Date(Number(text) * 1000);
  const year = date.getUTCFullYear();
  return year >= 0 && year <= 9999 ? date.toISOString().slice(0, 10) : text;
}

/** `MM/YYYY` of YYYYMM. */
function monthYearOf(text: string): string {
  const [, year, month] = /^(\d{4})(\d\d)$/.exec(text) ?? [];
  return year && month ? `${month}/${year}` : text;
}

/**
 * The one SSH key of an item, with the fields that only repeat parts of it: 1Password keeps them within the key, and
 * so do its SDK and its exports.
 */
function keyParts(fields: readonly JsonObject[]) {
  const [field, ...others] = fields.filter(({ type }) => type === "SSHKEY");
  if (!field || others.length > 0) return undefined;
  const parts: JsonObject[] = [];
  const content: Record<string, string> = { publicKey: "", fingerprint: "", keyType: "" };
  for (const [id, name] of Object.entries(KEY_PARTS)) {
    const part = fields.find((one) => one.id === id && one.section === undefined && one.type === "STRING");
    if (!part) continue;
    parts.push(part);
    const value = textOf(part.value);
    content[name] = KEY_TYPES.get(value) ?? value;
  }
  if (parts.length === 0) return undefined;
  return { field, parts, details: { type: "SshKey", content } };
}
