import type { Item, ItemFile, ItemUrl } from "../../../../src/model/item.ts";
import { fieldsOf, notesOf } from "./fields.ts";
import { countOf, type JsonObject, objectOf, objectsIn, textOf, timeOf } from "../op/json.ts";

/** What `op` calls the categories, in the words of 1Password's SDK. */
const CATEGORIES: ReadonlyMap<string, string> = new Map([
  ["LOGIN", "Login"],
  ["CREDIT_CARD", "CreditCard"],
  ["SECURE_NOTE", "SecureNote"],
  ["IDENTITY", "Identity"],
  ["PASSWORD", "Password"],
  ["DOCUMENT", "Document"],
  ["SOFTWARE_LICENSE", "SoftwareLicense"],
  ["BANK_ACCOUNT", "BankAccount"],
  ["DATABASE", "Database"],
  ["DRIVER_LICENSE", "DriverLicense"],
  ["OUTDOOR_LICENSE", "OutdoorLicense"],
  ["MEMBERSHIP", "Membership"],
  ["PASSPORT", "Passport"],
  ["REWARD_PROGRAM", "Rewards"],
  ["SOCIAL_SECURITY_NUMBER", "SocialSecurityNumber"],
  ["WIRELESS_ROUTER", "Router"],
  ["SERVER", "Server"],
  ["EMAIL_ACCOUNT", "Email"],
  ["API_CREDENTIAL", "ApiCredentials"],
  ["MEDICAL_RECORD", "MedicalRecord"],
  ["SSH_KEY", "SshKey"],
  ["CRYPTO_WALLET", "CryptoWallet"],
  ["PERSON", "Person"],
  // `op` has no word for these and calls them CUSTOM, with the number of the category.
  ["CUSTOM 115", "CryptoWallet"],
  ["CUSTOM 910", "Person"],
]);

/** An item as `op` gave it. */
export function toItem(vaultId: string, json: JsonObject): Item {
  const fields = objectsIn(json.fields);
  const category = categoryOf(json);
  const version = countOf(json.version);
  const history = fields.flatMap(({ password_details }) => earlierPasswords(objectOf(password_details)));
  return {
    ...common(vaultId, json, category),
    contents: "full",
    favourite: json.favorite === true,
    notes: notesOf(fields),
    sections: objectsIn(json.sections).map(({ id, label }) => ({ id: textOf(id), title: textOf(label) })),
    fields: fieldsOf(fields),
    files: filesOf(json, category),
    ...(history.length > 0 ? { passwordHistory: history } : {}),
    ...(version === undefined ? {} : { version }),
    raw: json,
  };
}

/** An item that was listed and could not be read before it was put into the archive. */
export function fromOverview(vaultId: string, json: JsonObject): Item {
  return {
    ...common(vaultId, json, categoryOf(json)),
    contents: "overview",
    notes: "",
    sections: [],
    fields: [],
    files: [],
    raw: json,
  };
}

/** Whether an item, listed or read, is in the archive. */
export function isArchived({ state }: JsonObject): boolean {
  return textOf(state).toUpperCase() === "ARCHIVED";
}

function common(vaultId: string, json: JsonObject, category: string) {
  const createdAt = timeOf(json.created_at);
  const updatedAt = timeOf(json.updated_at);
  return {
    id: textOf(json.id),
    vaultId,
    title: textOf(json.title),
    category,
    state: isArchived(json) ? "archived" as const : "active" as const,
    tags: Array.isArray(json.tags) ? json.tags.map(textOf).filter((tag) => tag !== "") : [],
    urls: objectsIn(json.urls).map(urlOf),
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(updatedAt === undefined ? {} : { updatedAt }),
  };
}

function categoryOf({ category, category_id }: JsonObject): string {
  const word = textOf(category);
  const number = word === "CUSTOM" ? textOf(category_id) : "";
  return CATEGORIES.get(number === "" ? word : `CUSTOM ${number}`) ?? (number || word);
}

function urlOf({ href, label, primary }: JsonObject): ItemUrl {
  const text = textOf(label);
  return {
    url: textOf(href),
    ...(text === "" ? {} : { label: text }),
    ...(primary === true ? { primary } : {}),
  };
}

/** `op` does not tell when they were replaced. */
function earlierPasswords({ history }: JsonObject): { value: string; time: string }[] {
  return Array.isArray(history) ? history.map((value) => ({ value: textOf(value), time: "" })) : [];
}

/** The file that a Document is lies in no section; everything else is attached. */
function filesOf(json: JsonObject, category: string): ItemFile[] {
  const files = objectsIn(json.files);
  const document = category === "Document"
    ? files.find(({ section }) => textOf(objectOf(section).id) === "")
    : undefined;
  return files.map((file) => {
    const section = textOf(objectOf(file.section).id);
    return {
      id: textOf(file.id),
      name: textOf(file.name),
      size: countOf(file.size) ?? 0,
      role: file === document ? "document" : "attachment",
      ...(section === "" ? {} : { sectionId: section }),
    };
  });
}
