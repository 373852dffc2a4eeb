/** Cases in which each item that a door gives is compared with the one that is there. */
import type { Item, ItemFile } from "../../model/item.ts";
import type { SeededField, SeededFile, SeededItem } from "./account.ts";
import { type Bench, check, found, given, never, same, type SourceCase, type Walked } from "./bench.ts";
import type { ConformanceDoor } from "./door.ts";
import { wholeAccount } from "./whole_account.ts";

export const itemCases: readonly SourceCase[] = [
  given(
    "every item comes with title, category, state and what the source said",
    wholeAccount,
    [],
    (bench) =>
      eachItem(bench, (item, seeded) => {
        same(item.title, seeded.title, "the title");
        same(item.category, bench.door.category(seeded.category), "the category");
        check(item.category !== "", "the category has no word");
        same(item.state, seeded.state, "the state");
        check(holds(item.raw, seeded.id), "it does not keep what the source said");
      }),
  ),

  given(
    "items keep their tags, websites and times",
    wholeAccount,
    [],
    (bench) =>
      eachItem(bench, (item, seeded) => {
        same([...item.tags].sort(), [...seeded.tags].sort(), "the tags");
        same(item.urls.map(({ url, label }) => ({ url, label })), seeded.urls, "the websites");
        same(
          [item.createdAt, item.updatedAt].map(seconds),
          [seeded.createdAt, seeded.updatedAt].map(seconds),
          "times",
        );
      }),
  ),

  given(
    "items keep their notes and sections",
    wholeAccount,
    [],
    (bench) =>
      eachItem(bench, (item, seeded) => {
        if (item.contents === "overview") return;
        same(item.notes, seeded.notes, "the notes");
        const titles = item.sections.map(({ title }) => title).filter((title) => title !== "");
        same(
          titles.filter((title) => seeded.sections.some((one) => one.title === title)),
          sectionTitles(seeded),
          "sections",
        );
        same(
          new Set(item.sections.map(({ id }) => id)).size,
          item.sections.length,
          "different ids of sections",
        );
      }),
  ),

  given(
    "items keep every field with its kind and value, in its section",
    wholeAccount,
    [],
    (bench) =>
      eachItem(bench, (item, seeded, walked) => {
        if (item.contents === "overview") return;
        const expected = fieldsOf(seeded).map(({ field, section }) => ({
          title: field.title,
          ...bench.door.field(field, section),
        })).sort(byText);
        const given = item.fields.filter(({ kind }) => kind !== "File").map((field) => ({
          title: field.title,
          kind: field.kind,
          value: field.value,
          section: titleOf(item, field.sectionId),
          details: field.details,
        })).sort(byText);
        const plain = (fields: { details?: unknown }[]) => fields.map(({ details: _, ...others }) => others);
        same(plain(given), plain(expected), "the fields");
        expected.forEach(({ title, details }, at) => {
          if (details !== undefined) same(given[at]?.details, details, `the details of field "${title}"`);
        });
        const lost = fieldsOf(seeded).some(({ field, section }) => loses(bench.door, field, section));
        const told = walked.shortfalls.some(({ shortfall, itemId }) =>
          shortfall === "limit" && itemId === seeded.id
        );
        check(!lost || told, "a value is lost, and no limit says so");
      }),
  ),

  given(
    "a property that nobody knows yet is kept under raw",
    wholeAccount,
    ["extra keys"],
    (bench) =>
      eachItem(bench, ({ raw }, { extra }) => {
        check(extra === undefined || holds(raw, extra), "the unknown property is lost");
      }),
  ),

  given(
    "favourites are told",
    wholeAccount,
    ["favourites"],
    (bench) =>
      eachItem(
        bench,
        (item, { favourite }) => same(item.favourite ?? false, favourite, "whether it is a favourite"),
      ),
  ),

  given(
    "earlier passwords are told",
    wholeAccount,
    ["password history"],
    (bench) =>
      eachItem(bench, (item, { passwordHistory }) => {
        const values = (item.passwordHistory ?? []).map(({ value }) => value);
        same(values, passwordHistory.map(({ value }) => value), "the earlier passwords");
      }),
  ),

  given(
    "earlier passwords tell when they were replaced",
    wholeAccount,
    ["password history times"],
    (bench) =>
      eachItem(bench, (item, { passwordHistory }) => {
        const times = (item.passwordHistory ?? []).map(({ time }) => seconds(time));
        same(times, passwordHistory.map(({ time }) => seconds(time)), "the times");
      }),
  ),

  given(
    "files have name, size, role and section, and ids of their own",
    wholeAccount,
    [],
    (bench) =>
      eachItem(bench, (item, seeded) => {
        if (item.contents === "overview") return;
        const given = item.files.map((file) => ({ ...told(file), section: titleOf(item, file.sectionId) }));
        const expected = seeded.files.map((file) => ({ ...told(file), section: file.section }));
        same(given.sort(byText), expected.sort(byText), "the files");
        const ids = new Set(item.files.map(({ id }) => id));
        check(ids.size === item.files.length && !ids.has(""), "the files have no ids of their own");
      }),
  ),
];

/** Walks through everything and compares each seeded item with the one that came. */
async function eachItem(
  bench: Bench,
  compare: (item: Item, seeded: SeededItem, walked: Walked) => void,
): Promise<void> {
  const source = await bench.open();
  for (const vault of await source.vaults(never)) {
    const walked = await bench.walkWhole(source, vault);
    const ids = bench.shown(vault.id).map(({ id }) => id);
    same([...walked.items.keys()].sort(), ids.sort(), `the items of "${vault.id}"`);
    for (const seeded of bench.shown(vault.id)) {
      try {
        compare(found(walked.items.get(seeded.id), "it"), seeded, walked);
      } catch (error) {
        if (error instanceof Error) error.message = `item "${seeded.id}": ${error.message}`;
        throw error;
      }
    }
  }
}

/** Whether a door does not give the value of a field. */
export function loses(door: ConformanceDoor, field: SeededField, section: string | undefined): boolean {
  return field.value !== "" && door.field(field, section).value === "";
}

/** All fields of an item, each with the title of its section. */
export function fieldsOf(item: SeededItem): { field: SeededField; section: string | undefined }[] {
  return [
    ...item.fields.map((field) => ({ field, section: undefined })),
    ...item.sections.flatMap(({ title, fields }) => fields.map((field) => ({ field, section: title }))),
  ];
}

function sectionTitles(item: SeededItem): string[] {
  return item.sections.map(({ title }) => title);
}

/** Title of an item's section; a section without a title is none. */
function titleOf(item: Item, sectionId: string | undefined): string | undefined {
  return item.sections.find(({ id }) => id === sectionId)?.title || undefined;
}

function told({ name, size, role }: ItemFile | SeededFile) {
  return { name, size, role };
}

/** Whether `raw` says `text` anywhere. */
export function holds(raw: unknown, text: string): boolean {
  return (JSON.stringify(raw) ?? "").includes(JSON.stringify(text).slice(1, -1));
}

function seconds(time: string | undefined): number {
  return Math.floor(Date.parse(time ?? "") / 1000);
}

function byText(a: object, b: object): number {
  const [one, other] = [a, b].map((object) =>
    JSON.stringify(object, ["title", "name", "section", "value", "size"])
  );
  return one! < other! ? -1 : 1;
}
