import { z } from "zod";
import type { Item, ItemField, ItemFile } from "../../../src/model/item.ts";
import type { Vault, VaultKind } from "../../../src/model/vault.ts";

/**
 * The SDK's JSON, as far as it is relied on. Absent optional values arrive as null; unknown properties are kept in
 * `raw` and nowhere else. Kinds and categories are plain text here: new ones must pass through, not fail.
 */

const text = z.string().nullish().transform((value) => value ?? "");
const file = z.object({ id: z.string(), name: z.string(), size: z.number().int().nonnegative() });
const website = z.object({ url: z.string(), label: text, autofillBehavior: text });

const vaultJson = z.object({
  id: z.string(),
  title: text,
  description: text,
  vaultType: text,
  activeItemCount: z.number().int().nonnegative().nullish(),
  createdAt: text,
  updatedAt: text,
});

/** What the SDK lists of an item, archived ones included. */
export const overviewJson = z.object({
  id: z.string(),
  title: text,
  category: text,
  websites: z.array(website).nullish().transform((list) => list ?? []),
  tags: z.array(z.string()).nullish().transform((list) => list ?? []),
  state: text,
  createdAt: text,
  updatedAt: text,
});

export type Overview = z.infer<typeof overviewJson>;

const itemJson = overviewJson.extend({
  notes: text,
  version: z.number().nullish(),
  sections: z.array(z.object({ id: z.string(), title: text })).nullish().transform((list) => list ?? []),
  fields: z.array(z.object({
    id: z.string(),
    title: text,
    sectionId: z.string().nullish(),
    fieldType: text,
    value: text,
    details: z.unknown().optional(),
  })).nullish().transform((list) => list ?? []),
  files: z.array(
    z.object({ attributes: file, sectionId: z.string().nullish(), fieldId: z.string().nullish() }),
  )
    .nullish().transform((list) => list ?? []),
  document: file.nullish(),
});

/** Throws a ZodError when `json` is no vault of the SDK. */
export function toVault(json: unknown): Vault {
  const vault = vaultJson.parse(json);
  return {
    id: vault.id,
    title: vault.title,
    description: vault.description,
    kind: KINDS[vault.vaultType] ?? "unknown",
    ...(vault.activeItemCount == null ? {} : { activeItemCount: vault.activeItemCount }),
    ...times(vault),
    raw: json,
  };
}

const KINDS: Record<string, VaultKind> = {
  personal: "personal",
  everyone: "everyone",
  userCreated: "created",
  transfer: "transfer",
};

/** An item that was listed but cannot be read. */
export function fromOverview(vaultId: string, overview: Overview, raw: unknown): Item {
  return {
    ...common(vaultId, overview),
    state: overview.state === "archived" ? "archived" : "active",
    contents: "overview",
    notes: "",
    sections: [],
    fields: [],
    files: [],
    raw,
  };
}

/** Throws a ZodError when `json` is no item of the SDK. */
export function toItem(vaultId: string, json: unknown): Item {
  const item = itemJson.parse(json);
  return {
    ...common(vaultId, item),
    state: "active",
    contents: "full",
    notes: item.notes,
    sections: item.sections.map(({ id, title }) => ({ id, title })),
    fields: item.fields.map((field): ItemField => ({
      id: field.id,
      title: field.title,
      kind: field.fieldType,
      value: field.value,
      ...(field.sectionId == null ? {} : { sectionId: field.sectionId }),
      ...(field.details == null ? {} : { details: field.details }),
    })),
    files: [
      ...item.files.map((one): ItemFile => ({
        ...fileOf(one.attributes),
        role: "attachment",
        ...(one.sectionId == null ? {} : { sectionId: one.sectionId }),
        ...(one.fieldId == null ? {} : { fieldId: one.fieldId }),
      })),
      ...(item.document ? [{ ...fileOf(item.document), role: "document" as const }] : []),
    ],
    ...(item.version == null ? {} : { version: item.version }),
    raw: json,
  };
}

function common(vaultId: string, overview: Overview) {
  return {
    id: overview.id,
    vaultId,
    title: overview.title,
    category: overview.category,
    tags: overview.tags,
    urls: overview.websites.map((site) => ({
      url: site.url,
      ...(site.label === "" ? {} : { label: site.label }),
      ...(site.autofillBehavior === "" ? {} : { autofill: site.autofillBehavior }),
    })),
    ...times(overview),
  };
}

function fileOf({ id, name, size }: z.infer<typeof file>) {
  return { id, name, size };
}

function times({ createdAt, updatedAt }: { createdAt: string; updatedAt: string }) {
  return { ...(createdAt === "" ? {} : { createdAt }), ...(updatedAt === "" ? {} : { updatedAt }) };
}
