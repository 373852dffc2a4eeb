import type { LiveItem } from "../account/live_item.ts";
import type { LiveVault } from "../account/live_vault.ts";
import type { Category } from "../wire/categories.ts";
import { TEMPLATE_OF_CATEGORY } from "../wire/categories.ts";
import { asArray, asObject, asString, type JsonObject } from "../wire/json.ts";
import { fieldJson, keyParts, sectionOf } from "./field_json.ts";

/** What `op` calls the categories; it has no word for the last three. */
const WORDS: Record<Category, string> = {
  Login: "LOGIN",
  CreditCard: "CREDIT_CARD",
  SecureNote: "SECURE_NOTE",
  Identity: "IDENTITY",
  Password: "PASSWORD",
  Document: "DOCUMENT",
  SoftwareLicense: "SOFTWARE_LICENSE",
  BankAccount: "BANK_ACCOUNT",
  Database: "DATABASE",
  DriverLicense: "DRIVER_LICENSE",
  OutdoorLicense: "OUTDOOR_LICENSE",
  Membership: "MEMBERSHIP",
  Passport: "PASSPORT",
  Rewards: "REWARD_PROGRAM",
  SocialSecurityNumber: "SOCIAL_SECURITY_NUMBER",
  Router: "WIRELESS_ROUTER",
  Server: "SERVER",
  Email: "EMAIL_ACCOUNT",
  ApiCredentials: "API_CREDENTIAL",
  MedicalRecord: "MEDICAL_RECORD",
  SshKey: "SSH_KEY",
  CryptoWallet: "CUSTOM",
  Person: "CUSTOM",
  Unsupported: "CUSTOM",
};

/** An item as `op item list` prints it. */
export function listedItem(vault: LiveVault, item: LiveItem): JsonObject {
  const record = item.overviewRecord();
  const overview = item.overview();
  const word = WORDS[item.category];
  const tags = asArray(overview.tags);
  const urls = asArray(overview.URLs).map((url, at) => {
    const { u, l } = asObject(url) ?? {};
    return { ...(l ? { label: l } : {}), ...(at === 0 ? { primary: true } : {}), href: asString(u) };
  });
  return {
    id: item.id,
    title: asString(overview.title),
    ...(record.faveIndex ? { favorite: true } : {}),
    ...(tags.length > 0 ? { tags } : {}),
    version: item.version,
    ...(item.state === "archived" ? { state: "ARCHIVED" } : {}),
    vault: { id: vault.id, name: vault.title },
    category: word,
    ...(word === "CUSTOM" ? { category_id: TEMPLATE_OF_CATEGORY[item.category] } : {}),
    last_edited_by: record.changerUuid,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    ...(overview.ainfo ? { additional_information: overview.ainfo } : {}),
    ...(urls.length > 0 ? { urls } : {}),
  };
}

/** An item as `op item get` prints it. */
export function wholeItem(vault: LiveVault, item: LiveItem): JsonObject {
  const details = item.details();
  const path = `op://${vault.title}/${asString(item.overview().title)}`;
  const sections = asArray(details.sections).map((section) => asObject(section) ?? {});
  const named = sections.filter((section) => asString(section.name) !== "")
    .map((section) => sectionOf(section).section!);
  const fields = [
    ...formFields(item, details, path),
    ...notes(details, path),
    ...sectionFields(item, sections, path),
  ];
  const files = filesOf(vault, item, details, sections);
  return {
    ...listedItem(vault, item),
    ...(named.length > 0 ? { sections: named } : {}),
    fields,
    ...(files.length > 0 ? { files } : {}),
  };
}

/** User name and password, and the earlier passwords that belong to it. */
function formFields(item: LiveItem, details: JsonObject, path: string): JsonObject[] {
  const earlier = asArray(details.passwordHistory).map((one) => asString(asObject(one)?.value));
  const given = item.category === "Password" && details.password !== undefined
    ? [{ designation: "password", value: details.password }]
    : asArray(details.fields).map((field) => asObject(field) ?? {});
  return given.map(({ designation, value }) => {
    const name = asString(designation);
    const secret = name === "password";
    return {
      id: name,
      type: secret ? "CONCEALED" : "STRING",
      purpose: name.toUpperCase(),
      label: name,
      ...(value ? { value } : {}),
      reference: `${path}/${name}`,
      ...(secret
        ? { password_details: { strength: "WEAK", ...(earlier.length > 0 ? { history: earlier } : {}) } }
        : {}),
    };
  });
}

function notes({ notesPlain }: JsonObject, path: string): JsonObject[] {
  return [{
    id: "notesPlain",
    type: "STRING",
    purpose: "NOTES",
    label: "notesPlain",
    ...(notesPlain ? { value: notesPlain } : {}),
    reference: `${path}/notesPlain`,
  }];
}

function sectionFields(item: LiveItem, sections: readonly JsonObject[], path: string): JsonObject[] {
  return sections.flatMap((section) =>
    asArray(section.fields).flatMap((one): JsonObject[] => {
      const field = asObject(one) ?? {};
      const json = fieldJson(field, section, path);
      if (!json) return [];
      const parts = item.category === "SshKey" && json.type === "SSHKEY"
        ? keyParts(asString(field.v), path)
        : [];
      return [...parts.slice(0, 2), json, ...parts.slice(2)];
    })
  );
}

function filesOf(
  vault: LiveVault,
  item: LiveItem,
  details: JsonObject,
  sections: readonly JsonObject[],
): JsonObject[] {
  const json = (attributes: JsonObject, section: JsonObject): JsonObject => ({
    id: attributes.documentId,
    name: attributes.fileName,
    size: attributes.unencryptedSize,
    content_path: `/v1/vaults/${vault.id}/items/${item.id}/files/${attributes.documentId}/content`,
    ...sectionOf(section),
  });
  const document = asObject(details.documentAttributes);
  return [
    ...(document ? [json(document, {})] : []),
    ...sections.flatMap((section) =>
      asArray(section.fields).map((field) => asObject(field) ?? {}).filter(({ k }) => k === "file")
        .map((field) => json(asObject(field.v) ?? {}, section))
    ),
  ];
}
