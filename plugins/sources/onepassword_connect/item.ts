import { z } from "zod";
import type { Item, ItemField, ItemFile } from "../../../src/model/item.ts";
import type { Vault } from "../../../src/model/vault.ts";
import { connectError } from "./errors.ts";
import { categoryOf, kindOf, valueOf, vaultKindOf } from "./words.ts";

/**
 * Connect's JSON, as far as it is relied on. Its description requires next to nothing, so what is absent is empty;
 * unknown properties stay in `raw`. Types and categories are plain text here: new ones must pass through, not fail.
 */

const text = z.string().nullish().transform((value) => value ?? "");
const listOf = <T extends z.ZodType>(one: T) => z.array(one).nullish().transform((list) => list ?? []);
const section = z.looseObject({ id: text }).nullish();

const vaultJson = z.looseObject({
  id: z.string().min(1),
  name: text,
  description: text,
  type: text,
  /** Active items. */
  items: z.number().int().nonnegative().nullish(),
  createdAt: text,
  updatedAt: text,
});

/** What Connect lists of an item. */
export const overviewJson = z.looseObject({
  id: z.string().min(1),
  title: text,
  category: text,
  urls: listOf(z.looseObject({ href: text, label: text, primary: z.boolean().nullish() })),
  favorite: z.boolean().nullish(),
  tags: listOf(z.string()),
  version: z.number().nullish(),
  state: text,
  createdAt: text,
  updatedAt: text,
});

export type Overview = z.infer<typeof overviewJson>;

const fieldJson = z.looseObject({ id: text, type: text, purpose: text, label: text, value: text, section });

const fileJson = z.looseObject({
  id: z.string().min(1),
  name: text,
  size: z.number().int().nonnegative().nullish().transform((size) => size ?? 0),
  section,
});

const itemJson = overviewJson.extend({
  vault: z.looseObject({ id: text }).nullish(),
  sections: listOf(z.looseObject({ id: text, label: text })),
  fields: listOf(fieldJson),
  files: listOf(fileJson),
});

/** Throws a ZodError when `json` is no vault of Connect. */
export function toVault(json: unknown): Vault {
  const vault = vaultJson.parse(json);
  return {
    id: vault.id,
    title: vault.name,
    description: vault.description,
    kind: vaultKindOf(vault.type),
    ...(vault.items == null ? {} : { activeItemCount: vault.items }),
    ...times(vault),
    raw: json,
  };
}

/** Whether the list shows an item as one that people see: neither archived nor deleted. */
export function isActive({ state }: Overview): boolean {
  return state !== "ARCHIVED" && state !== "DELETED";
}

/** An item that was listed but cannot be read. */
export function fromOverview(vaultId: string, overview: Overview, raw: unknown): Item {
  return {
    ...common(vaultId, overview),
    contents: "overview",
    notes: "",
    sections: [],
    fields: [],
    files: [],
    raw,
  };
}

/** Throws a ZodError when `json` is no item of Connect, and `unknown` when it is not this one. */
export function toItem(vaultId: string, itemId: string, json: unknown): Item {
  const item = itemJson.parse(json);
  if (item.id !== itemId || (item.vault?.id ?? "") !== "" && item.vault?.id !== vaultId) {
    throw connectError("unknown", "the Connect server answered with another item than was asked for");
  }
  const notes = item.fields.find(({ purpose }) => purpose === "NOTES");
  return {
    ...common(vaultId, item),
    contents: "full",
    notes: notes?.value ?? "",
    sections: item.sections.map(({ id, label }) => ({ id, title: label })),
    fields: item.fields.filter((field) => field !== notes).map(toField),
    files: filesOf(item.category, item.files),
    raw: json,
  };
}

/** The files of an item from a list of their own. */
export function toFiles(category: string, json: unknown): ItemFile[] {
  return filesOf(category, listOf(fileJson).parse(json));
}

function common(vaultId: string, item: Overview) {
  return {
    id: item.id,
    vaultId,
    title: item.title,
    category: categoryOf(item.category),
    state: isActive(item) ? "active" as const : "archived" as const,
    favourite: item.favorite ?? false,
    tags: item.tags,
    urls: item.urls.map(({ href, label, primary }) => ({
      url: href,
      ...(label === "" ? {} : { label }),
      ...(primary == null ? {} : { primary }),
    })),
    ...(item.version == null ? {} : { version: item.version }),
    ...times(item),
  };
}

/** User name and password have these ids, as the SDK has them, whatever the form that they were saved from. */
const DESIGNATED: ReadonlyMap<string, string> = new Map([["USERNAME", "username"], ["PASSWORD", "password"]]);

function toField(field: z.infer<typeof fieldJson>): ItemField {
  const designated = DESIGNATED.get(field.purpose);
  const kind = kindOf(field.type);
  return {
    id: designated ?? field.id,
    title: field.label === "" ? designated ?? "" : field.label,
    kind,
    value: valueOf(kind, field.value),
    ...inSection(field.section),
  };
}

/** Attachments lie in sections; the file that a document is lies in none, and comes last as with the SDK. */
function filesOf(category: string, files: z.infer<typeof fileJson>[]): ItemFile[] {
  const document = categoryOf(category) === "Document" ? files.find((file) => !file.section?.id) : undefined;
  return [...files.filter((file) => file !== document), ...(document ? [document] : [])].map((file) => ({
    id: file.id,
    name: file.name,
    size: file.size,
    role: file === document ? "document" : "attachment",
    ...inSection(file.section),
  }));
}

function inSection(section: { id: string } | null | undefined) {
  return section?.id ? { sectionId: section.id } : {};
}

function times({ createdAt, updatedAt }: { createdAt: string; updatedAt: string }) {
  const [created, updated] = [timeOf(createdAt), timeOf(updatedAt)];
  return {
    ...(created === undefined ? {} : { createdAt: created }),
    ...(updated === undefined ? {} : { updatedAt: updated }),
  };
}

/** In UTC; the year 1 is how Connect's language writes that there is no time. */
function timeOf(time: string): string | undefined {
  if (time === "" || time.startsWith("0001-01-01T00:00:00")) return undefined;
  if (time.endsWith("Z") || Number.isNaN(Date.parse(time))) return time;
  return new Date(time).toISOString();
}
