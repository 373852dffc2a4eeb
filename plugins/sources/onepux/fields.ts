import type { ItemField, ItemSection } from "../../../src/model/item.ts";
import { fieldValue } from "./field_values.ts";
import { idOf, type JsonObject, objectOf, objectsOf, textOf } from "./json.ts";

/** A section of an item with its fields as the export has them. */
export interface Section extends ItemSection {
  fields: { id: string; json: JsonObject }[];
}

/** An item's sections, in order; exports leave the id of an unnamed section out. */
export function sectionsOf(details: JsonObject): Section[] {
  return objectsOf(details.sections).map((section, at) => ({
    id: idOf(section.name) ?? `section${at + 1}`,
    title: textOf(section.title),
    fields: objectsOf(section.fields).map((json, at) => ({ id: idOf(json.id) ?? `field${at + 1}`, json })),
  }));
}

/**
 * All fields of an item: user name and password first, under these ids as the SDK has them, then the other fields
 * of a saved web form, then the sections'.
 */
export function fieldsOf(details: JsonObject, sections: readonly Section[]): ItemField[] {
  const forms = objectsOf(details.loginFields);
  return [
    ...forms.filter(isDesignated).map((json) => formField(json, String(json.designation))),
    // An item of the category "Password" has its password here.
    ...(typeof details.password === "string" && details.password !== ""
      ? [{ id: "password", title: "password", kind: "Concealed", value: details.password }]
      : []),
    ...forms.filter((json) => !isDesignated(json))
      .map((json, at) => formField(json, idOf(json.id) ?? idOf(json.name) ?? `form${at + 1}`)),
    ...sections.flatMap((section) =>
      section.fields.map(({ id, json }): ItemField => ({
        id,
        title: textOf(json.title),
        ...fieldValue(json.value),
        sectionId: section.id,
      }))
    ),
  ];
}

function isDesignated({ designation }: JsonObject): boolean {
  return designation === "username" || designation === "password";
}

/** A field of a saved web form. */
function formField(json: JsonObject, id: string): ItemField {
  const type = textOf(json.fieldType);
  const kind = FORM_KINDS.get(type) ?? type;
  const title = textOf(json.name) || textOf(json.designation) || id;
  if (typeof json.value === "string" || json.value == null) {
    return { id, title, kind, value: textOf(json.value) };
  }
  // An alias of a linked mail account, for one, is an object, bare or like a section's value.
  const value = textOf(objectOf(json.value).email_address) || fieldValue(json.value).value;
  return { id, title, kind, value: value || textOf(json.value), details: json.value };
}

/** What the one-letter types of web forms are; others keep their letter. */
const FORM_KINDS: ReadonlyMap<string, string> = new Map([
  ["T", "Text"],
  ["A", "Text"],
  ["N", "Text"],
  ["E", "Email"],
  ["P", "Concealed"],
  ["U", "Url"],
  ["TEL", "Phone"],
]);
