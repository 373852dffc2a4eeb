import type { ItemFile } from "../../../src/model/item.ts";
import { sectionsOf } from "./fields.ts";
import { idOf, isObject, type JsonObject, madeId, objectOf, textOf } from "./json.ts";
import type { Zip } from "./zip.ts";
import type { ZipEntry } from "./zip_entry.ts";

/** A file as an item of the export names it. */
export interface FileReference extends Omit<ItemFile, "size"> {
  /** Bytes, where the item tells. */
  declared?: number;
  /** The entry in the zip, in exports that spell it out. */
  path?: string;
}

/** The files that an item names: its document first, then what is attached in its sections. */
export function filesOf(item: JsonObject): FileReference[] {
  const details = objectOf(item.details);
  const files: FileReference[] = [];
  const document = documentOf(item, objectOf(details.documentAttributes));
  if (document) files.push(document);
  for (const section of sectionsOf(details)) {
    for (const { id, json } of section.fields) {
      const { file } = objectOf(json.value);
      if (!isObject(file)) continue;
      files.push({ ...named(file), role: "attachment", sectionId: section.id, fieldId: id });
    }
  }
  return files;
}

/** Newer exports describe the document in the details, older ones beside them; some do both. */
function documentOf(item: JsonObject, attributes: JsonObject): FileReference | undefined {
  const { attrs, path } = objectOf(item.file);
  const beside = objectOf(attrs);
  if (Object.keys(attributes).length === 0 && textOf(path) === "") return undefined;
  const about = Object.keys(attributes).length > 0
    ? attributes
    : { documentId: beside.uuid, fileName: beside.name, ...beside };
  const place = textOf(path) === "" ? {} : { path: textOf(path) };
  return { ...named({ ...place, ...about }), role: "document", ...place };
}

function named(file: JsonObject): Pick<FileReference, "id" | "name" | "declared"> {
  const name = textOf(file.fileName);
  const declared = file.decryptedSize;
  return {
    id: idOf(file.documentId) ?? madeId("file", name, textOf(file.path)),
    name,
    ...(Number.isSafeInteger(declared) && Number(declared) >= 0 ? { declared: Number(declared) } : {}),
  };
}

/** Finds the files of items among the entries of the zip. */
export class FileIndex {
  readonly #byDocument = new Map<string, ZipEntry[]>();

  constructor(readonly zip: Zip) {
    for (const entry of zip.entries) {
      const id = /^files\/(.+?)__/s.exec(entry.name)?.[1];
      if (id !== undefined) this.#byDocument.set(id, [...this.#byDocument.get(id) ?? [], entry]);
    }
  }

  /**
   * The entries that may be this file: by its exact name; else by the name that the item spells out; else by its
   * id alone, because the name of a file may be written differently in the zip. More than one is one too many.
   */
  find({ id, name, path }: Pick<FileReference, "id" | "name" | "path">): readonly ZipEntry[] {
    const exact = this.zip.named(`files/${id}__${name}`);
    if (exact.length > 0) return exact;
    const spelt = path?.startsWith("files/") ? this.zip.named(path) : [];
    return spelt.length > 0 ? spelt : this.#byDocument.get(id) ?? [];
  }
}
