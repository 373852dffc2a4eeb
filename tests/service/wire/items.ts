import type { ItemDescription, SectionDescription, UrlDescription } from "../description.ts";
import { type FieldContext, wireField } from "./fields.ts";
import type { StoredFile } from "./files.ts";
import { countingNames, derivedId } from "./ids.ts";
import type { Json, JsonObject } from "./json.ts";

/** Where 1Password's apps put attachments that belong to no section. */
const SECTION_OF_LOOSE_FILES = "add more";

const AUTOFILL_ON_THE_WIRE = { anywhere: "default", "exact-domain": "host", never: "never" } as const;

/** The two encrypted parts of an item, in plain JSON: the overview comes with every list, the details with the item. */
export interface ItemContent {
  overview: JsonObject;
  details: JsonObject;
}

/** An attachment of a described item with its description's section; a Document's own file has none. */
export interface ItemFile {
  file: StoredFile;
  section: string | undefined;
}

/** The overview of a described item. */
export function wireOverview(item: ItemDescription): JsonObject {
  return {
    title: item.title,
    // The second line in 1Password's lists.
    ainfo: item.username ?? "",
    url: item.urls?.[0]?.url,
    URLs: item.urls?.map(wireUrl),
    tags: item.tags ? [...item.tags] : undefined,
  };
}

/**
 * The details of a described item.
 * @throws {TypeError} where a description asks for what its category cannot hold
 */
export function wireDetails(
  id: string,
  item: ItemDescription,
  files: readonly ItemFile[],
  itemId: (title: string) => string,
): JsonObject {
  const category = item.category ?? "Login";
  const document = item.document ? files[0]?.file.attributes() : undefined;
  const attachments = item.document ? files.slice(1) : files;
  if (item.document && category !== "Document") throw misfit(item, "a document", "Document");
  if (item.username !== undefined && category !== "Login") throw misfit(item, "a username", "Login");
  if (item.password !== undefined && category !== "Login" && category !== "Password") {
    throw misfit(item, "a password", "Login or Password");
  }
  return {
    fields: category === "Login" ? loginFields(item) : undefined,
    password: category === "Password" ? item.password : undefined,
    notesPlain: item.notes,
    sections: wireSections(id, item, attachments, itemId),
    passwordHistory: item.passwordHistory?.map(({ value, time }) => ({
      value,
      time: Date.parse(time) / 1000,
    })),
    documentAttributes: document,
  };
}

/** The fields of a login form. The core reads only those with a designation, and names them itself. */
function loginFields(item: ItemDescription): JsonObject[] {
  const fields: JsonObject[] = [];
  const add = (designation: string, type: string, value: string) =>
    fields.push({ designation, id: designation, name: designation, type, value });
  if (item.username !== undefined) add("username", "T", item.username);
  if (item.password !== undefined) add("password", "P", item.password);
  return fields;
}

function wireUrl(url: UrlDescription): JsonObject {
  return { u: url.url, l: url.label ?? "website", m: AUTOFILL_ON_THE_WIRE[url.autofill ?? "anywhere"] };
}

function wireSections(
  id: string,
  item: ItemDescription,
  attachments: readonly ItemFile[],
  itemId: (title: string) => string,
): Json[] | undefined {
  const described: SectionDescription[] = [...item.sections ?? []];
  if (item.fields) described.unshift({ id: "", title: "", fields: item.fields });
  if (attachments.some(({ section }) => section === undefined)) {
    described.push({ id: SECTION_OF_LOOSE_FILES, title: "" });
  }

  const nthSection = countingNames();
  const unplaced = new Set(attachments);
  const sections = described.map((section): JsonObject => {
    const name = section.id ??
      `Section_${derivedId(id, "section", section.title, nthSection(section.title))}`;
    const nthField = countingNames();
    const context: FieldContext = {
      newFieldId: (title) => derivedId(id, name, "field", title, nthField(title)),
      itemId,
    };
    const fields = (section.fields ?? []).map((field) => wireField(field, context));
    for (const attachment of unplaced) {
      const here = attachment.section === undefined
        ? name === SECTION_OF_LOOSE_FILES
        : attachment.section === section.title;
      if (!here) continue;
      unplaced.delete(attachment);
      fields.push({
        t: attachment.file.name,
        n: attachment.file.id,
        k: "file",
        v: attachment.file.attributes(),
      });
    }
    return { name, title: section.title, fields };
  });
  for (const { section } of unplaced) {
    throw new TypeError(
      `item ${JSON.stringify(item.title)} has no section ${JSON.stringify(section)} for its file`,
    );
  }
  return sections.length ? sections : undefined;
}

function misfit(item: ItemDescription, what: string, categories: string): TypeError {
  return new TypeError(
    `item ${JSON.stringify(item.title)} has ${what}, which only ${categories} items can hold`,
  );
}
