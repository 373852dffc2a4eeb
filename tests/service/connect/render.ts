import type { LiveItem } from "../account/live_item.ts";
import type { LiveVault } from "../account/live_vault.ts";
import { asArray, asObject, asString, type Json, type JsonObject } from "../wire/json.ts";
import { categoryWord, typeWord, VAULT_TYPES } from "./words.ts";

/** Connect's JSON of what the local 1Password service holds, made from what the service's own core would decrypt. */

export function renderVault(vault: LiveVault): JsonObject {
  const { type, createdAt, updatedAt, attributeVersion, contentVersion, activeItemCount } = vault.record();
  return {
    id: vault.id,
    name: vault.title,
    description: vault.description,
    attributeVersion,
    contentVersion,
    items: activeItemCount,
    type: VAULT_TYPES[asString(type)],
    createdAt,
    updatedAt,
  };
}

/** An item as lists have it. */
export function renderSummary(vaultId: string, item: LiveItem): JsonObject {
  const { templateUuid, faveIndex, createdAt, updatedAt, changerUuid } = item.overviewRecord();
  const { title, tags, URLs } = item.overview();
  const urls = asArray(URLs).map((url, at): JsonObject => ({
    label: asString(asObject(url)?.l) || undefined,
    primary: at === 0 ? true : undefined,
    href: asString(asObject(url)?.u),
  }));
  return {
    id: item.id,
    title,
    // Properties that are empty are left out, as Connect's language has it.
    favorite: Number(faveIndex) > 0 ? true : undefined,
    tags: asArray(tags).length > 0 ? tags : undefined,
    version: item.version,
    state: item.state === "active" ? undefined : item.state.toUpperCase(),
    vault: { id: vaultId },
    category: categoryWord(asString(templateUuid)),
    urls: urls.length > 0 ? urls : undefined,
    lastEditedBy: changerUuid,
    createdAt,
    updatedAt,
  };
}

/** An item with everything that Connect gives. */
export function renderItem(vaultId: string, item: LiveItem): JsonObject {
  const sections = sectionsOf(item);
  const files = renderFiles(vaultId, item);
  return {
    ...renderSummary(vaultId, item),
    sections: sections.map(({ name, title }) => ({ id: name, label: title || undefined })),
    fields: [
      ...designated(item),
      ...sectionsOf(item, true).flatMap(({ name, fields }) =>
        fields.flatMap((field) => renderField(name, field))
      ),
    ],
    files: files.length > 0 ? files : undefined,
  };
}

/** The files of an item, as the item names them. */
export function renderFiles(vaultId: string, item: LiveItem): JsonObject[] {
  const attached = sectionsOf(item, true).flatMap(({ name, fields }) =>
    fields.filter(({ k }) => k === "file").map(({ v }) => ({ attributes: asObject(v) ?? {}, section: name }))
  );
  const document = asObject(item.details().documentAttributes);
  return [...document ? [{ attributes: document, section: "" }] : [], ...attached].map(
    ({ attributes, section }) => {
      const id = asString(attributes.documentId);
      return {
        id,
        name: attributes.fileName,
        size: attributes.unencryptedSize,
        content_path: `/v1/vaults/${vaultId}/items/${item.id}/files/${id}/content`,
        section: section === "" ? undefined : { id: section },
      };
    },
  );
}

interface Section {
  name: string;
  title: string;
  fields: JsonObject[];
}

/** The sections; with `all` also the nameless one, which holds the fields that lie in none. */
function sectionsOf(item: LiveItem, all = false): Section[] {
  const sections = asArray(item.details().sections).map((section): Section => {
    const { name, title, fields } = asObject(section) ?? {};
    return {
      name: asString(name),
      title: asString(title),
      fields: asArray(fields).map((one) => asObject(one)!),
    };
  });
  return all ? sections : sections.filter(({ name }) => name !== "");
}

/** User name, password and notes: fields like the others, with a purpose. */
function designated(item: LiveItem): JsonObject[] {
  const { fields, password, notesPlain } = item.details();
  const forms = asArray(fields).map((field) => asObject(field)!).map(({ designation, id, name, value }) =>
    designation === "username"
      ? { id, type: "STRING", purpose: "USERNAME", label: name, value }
      : passwordField(id, name, value)
  );
  return [
    ...forms,
    ...password === undefined ? [] : [passwordField("password", "password", password)],
    {
      id: "notesPlain",
      type: "STRING",
      purpose: "NOTES",
      label: "notesPlain",
      value: asString(notesPlain) || undefined,
    },
  ];
}

function passwordField(id: Json | undefined, label: Json | undefined, value: Json | undefined): JsonObject {
  return { id, type: "CONCEALED", purpose: "PASSWORD", label, value, entropy: 4 * asString(value).length };
}

/** A section's field; files are listed apart. */
function renderField(section: string, { t, n, k, v }: JsonObject): JsonObject[] {
  if (k === "file") return [];
  const id = asString(n);
  return [{
    id,
    section: section === "" ? undefined : { id: section },
    type: typeWord(asString(k), id),
    label: asString(t) || undefined,
    value: valueText(asString(k), v),
  }];
}

/** Every value is a text: numbers in digits, an address in one line. */
function valueText(kind: string, value: Json | undefined): string | undefined {
  if (kind === "address") {
    const { street, city, state, zip, country } = asObject(value) ?? {};
    const words = (parts: (Json | undefined)[], by: string) =>
      parts.map(asString).filter((part) => part !== "").join(by);
    return words([street, words([city, state, zip], " "), country], ", ") || undefined;
  }
  return typeof value === "number" ? String(value) : asString(value) || undefined;
}
