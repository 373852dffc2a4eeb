import type { Item, ItemFile, ItemUrl } from "../../../src/model/item.ts";
import { categoryOf } from "./categories.ts";
import { fieldsOf, sectionsOf } from "./fields.ts";
import { type FileReference, filesOf } from "./item_files.ts";
import { idOf, isObject, type JsonObject, objectOf, objectsOf, textOf, timeOf } from "./json.ts";

/** What is an item in a vault's list; the oldest exports wrap each in `{item, file}`. */
export function itemJson(raw: JsonObject): JsonObject {
  return isObject(raw.item) && raw.uuid === undefined ? { file: raw.file, ...raw.item } : raw;
}

/** Older exports say `trashed`, newer ones `state`. */
export function isArchived({ state, trashed }: JsonObject): boolean {
  return state === "archived" || trashed === true || trashed === "Y";
}

/** The item in our words. `sizeOf` tells how long a file really is. */
export function toItem(
  vaultId: string,
  id: string,
  raw: JsonObject,
  sizeOf: (file: FileReference) => number,
): Item {
  const json = itemJson(raw);
  const details = objectOf(json.details);
  const overview = objectOf(json.overview);
  const sections = sectionsOf(details);
  const history = objectsOf(details.passwordHistory)
    .map(({ value, time }) => ({ value: textOf(value), time: timeOf(time) ?? "" }));
  const createdAt = timeOf(json.createdAt);
  const updatedAt = timeOf(json.updatedAt);
  return {
    id,
    vaultId,
    title: textOf(overview.title),
    category: categoryOf(textOf(json.categoryUuid)),
    state: isArchived(json) ? "archived" : "active",
    contents: "full",
    ...(typeof json.favIndex === "number" ? { favourite: json.favIndex !== 0 } : {}),
    tags: Array.isArray(overview.tags) ? overview.tags.map(textOf).filter((tag) => tag !== "") : [],
    urls: urlsOf(overview),
    notes: textOf(details.notesPlain),
    sections: sections.map(({ id, title }) => ({ id, title })),
    fields: fieldsOf(details, sections),
    files: filesOf(json).map((file) => toFile(file, sizeOf(file))),
    ...(history.length > 0 ? { passwordHistory: history } : {}),
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(updatedAt === undefined ? {} : { updatedAt }),
    raw,
  };
}

/** The id of an item in the export, where it has one. */
export function itemId(raw: unknown): string | undefined {
  return isObject(raw) ? idOf(itemJson(raw).uuid) : undefined;
}

/** All addresses; the one of the overview is the primary one, and usually among the others. */
function urlsOf(overview: JsonObject): ItemUrl[] {
  const primary = textOf(overview.url);
  const urls = objectsOf(overview.urls).filter(({ url }) => textOf(url) !== "").map((site): ItemUrl => ({
    url: textOf(site.url),
    ...(textOf(site.label) === "" ? {} : { label: textOf(site.label) }),
    ...(textOf(site.mode) === "" ? {} : { autofill: textOf(site.mode) }),
  }));
  const first = urls.find(({ url }) => url === primary);
  if (first) first.primary = true;
  else if (primary !== "") urls.unshift({ url: primary, primary: true });
  return urls;
}

function toFile({ declared: _, path: __, ...file }: FileReference, size: number): ItemFile {
  return { ...file, size };
}
