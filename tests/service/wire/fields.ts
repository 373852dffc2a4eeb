import type { FieldDescription, TextKind } from "../description.ts";
import type { Json, JsonObject } from "./json.ts";

/** What the item knows and a field needs: ids for fields that were not given one, and where references lead. */
export interface FieldContext {
  /** An id for a field whose description has none. */
  newFieldId(title: string): string;
  /** The id of the first item with this title in the same vault; throws when there is none. */
  itemId(title: string): string;
}

/** The `k` of a section field for each text kind, as the core writes it. */
const KIND_ON_THE_WIRE: Record<TextKind, string> = {
  Text: "string",
  Concealed: "concealed",
  CreditCardType: "cctype",
  // The core tells these two apart from Text and Concealed by the field's id alone.
  CreditCardNumber: "string",
  Totp: "concealed",
  Phone: "phone",
  // In capitals: the core does not know "url".
  Url: "URL",
  Email: "email",
  Menu: "menu",
  SshKey: "sshKey",
};

/** A section field as it stands in an item's details: title, name (id), kind, value. */
export function wireField(field: FieldDescription, context: FieldContext): JsonObject {
  const id = wireFieldId(field, context);
  const made = (k: string, v: Json | undefined, a?: JsonObject): JsonObject => ({
    t: field.title,
    n: id,
    k,
    v,
    a,
  });
  switch (field.kind) {
    case "Date":
      return made("date", dateValue(field.value));
    case "MonthYear":
      return made("monthYear", monthYearValue(field.value));
    case "Address": {
      const { street = "", city = "", state = "", country = "", zip = "" } = field.value;
      return made("address", { street, city, state, country, zip });
    }
    case "Reference":
      return made("reference", "to" in field ? context.itemId(field.to) : field.value);
    case "Gender":
      return made("gender", field.value);
    case "Unsupported":
      return made(field.wireKind ?? "hologram", field.value);
    case "SshKey":
      return made("sshKey", field.value, { guarded: "yes" });
    default:
      return made(KIND_ON_THE_WIRE[field.kind], field.value);
  }
}

/** The field's id with the mark that the core puts into the ids of one-time passwords and card numbers. */
function wireFieldId(field: FieldDescription, context: FieldContext): string {
  if (field.id === undefined && field.kind === "SshKey") return "private_key";
  const id = field.id ?? context.newFieldId(field.title);
  if (field.kind === "Totp" && !id.startsWith("TOTP_")) return `TOTP_${id}`;
  if (field.kind === "CreditCardNumber" && !id.startsWith("ccnum")) return `ccnum_${id}`;
  return id;
}

/** Seconds since 1970 of that day at 12:01 UTC, which is what the core writes: the same day in nearly every time zone. */
function dateValue(date: string): number | undefined {
  if (date === "") return undefined;
  const time = Date.parse(`${date}T12:01:00Z`);
  if (Number.isNaN(time)) throw new TypeError(`a Date field needs YYYY-MM-DD, not ${JSON.stringify(date)}`);
  return time / 1000;
}

/** `MM/YYYY` as the number YYYYMM. */
function monthYearValue(monthYear: string): number | undefined {
  if (monthYear === "") return undefined;
  const [, month, year] = /^(\d\d)\/(\d{4})$/.exec(monthYear) ?? [];
  if (!month || !year) {
    throw new TypeError(`a MonthYear field needs MM/YYYY, not ${JSON.stringify(monthYear)}`);
  }
  return Number(year + month);
}
