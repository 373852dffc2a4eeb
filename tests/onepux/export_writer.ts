import type { WrittenEntry } from "./zip_writer.ts";
import { writeZip, type ZipLies } from "./zip_writer.ts";

// deno-lint-ignore no-explicit-any -- tests write JSON of any shape, right and wrong
export type Json = any;

/** Noon of 1 August 2026, when the exports of these tests are made unless they say otherwise. */
export const MADE_AT = Date.UTC(2026, 7, 1, 12) / 1000;

/** What goes into an export. */
export interface WrittenExport {
  /** `export.attributes`; a text is written as it is, null is left out. */
  attributes?: Json;
  /** `export.data`, likewise. */
  data?: Json;
  /** Entries below `files/`, by their name there. */
  files?: Record<string, string | Uint8Array>;
  /** Entries of their own. */
  entries?: WrittenEntry[];
}

export const ATTRIBUTES = { version: 3, description: "1Password Unencrypted Export", createdAt: MADE_AT };

/** The entries of a 1PUX file, in the order in which 1Password writes them. */
export function exportEntries({ attributes = ATTRIBUTES, data, files = {}, entries = [] }: WrittenExport) {
  const json = (name: string, value: Json): WrittenEntry[] =>
    value === null ? [] : [{ name, content: typeof value === "string" ? value : JSON.stringify(value) }];
  return [
    ...json("export.attributes", attributes),
    ...json("export.data", data),
    ...Object.entries(files).map(([name, content]) => ({ name: `files/${name}`, content, stored: true })),
    ...entries,
  ];
}

export function writeExport(given: WrittenExport, lies: ZipLies = {}): Uint8Array<ArrayBuffer> {
  return writeZip(exportEntries(given), lies);
}

let ids = 0;

/** 26 letters and digits, as 1Password's ids are. */
export function newId(): string {
  return (++ids).toString(36).padStart(26, "a");
}

/** One account with one vault of these items. */
export function accountWith(...items: Json[]): Json {
  return { accounts: [accountOf(vaultOf("Vault", ...items))] };
}

export function accountOf(...vaults: Json[]): Json {
  return {
    attrs: {
      accountName: "Sample",
      name: "Sample Person",
      avatar: "",
      email: "sample.person@example.invalid",
      uuid: "SAMPLEACCOUNT2SAMPLEACCOUN",
      domain: "https://sample.1password.example/",
    },
    vaults,
  };
}

export function vaultOf(name: string, ...items: Json[]): Json {
  return { attrs: { uuid: newId(), desc: "", avatar: "", name, type: "U" }, items };
}

/** An item in the documented shape; `details` and `overview` are joined, everything else replaced. */
export function itemOf(title: string, changes: Json = {}): Json {
  const { details, overview, ...others } = changes;
  return {
    uuid: newId(),
    favIndex: 0,
    createdAt: 1_600_000_000,
    updatedAt: 1_700_000_000,
    state: "active",
    categoryUuid: "001",
    details: { loginFields: [], notesPlain: "", sections: [], passwordHistory: [], ...details },
    overview: { subtitle: "", title, url: "", urls: [], tags: [], ...overview },
    ...others,
  };
}

/** A section's field with everything that 1Password's own importer asks for. */
export function fieldOf(title: string, id: string, value: Json): Json {
  return {
    title,
    id,
    value,
    indexAtSource: 0,
    guarded: false,
    multiline: false,
    dontGenerate: false,
    inputTraits: { keyboard: "default", correction: "default", capitalization: "default" },
  };
}

export function loginOf(title: string, username: string, password: string, changes: Json = {}): Json {
  return itemOf(title, {
    ...changes,
    details: {
      loginFields: [
        { value: username, id: "", name: "username", fieldType: "T", designation: "username" },
        { value: password, id: "", name: "password", fieldType: "P", designation: "password" },
      ],
      ...changes.details,
    },
  });
}

/** A document whose content lies in `files/<id>__<name>`. */
export function documentOf(title: string, documentId: string, fileName: string, decryptedSize: number): Json {
  return itemOf(title, {
    categoryUuid: "006",
    details: { documentAttributes: { fileName, documentId, decryptedSize } },
  });
}
