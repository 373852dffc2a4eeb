import { deflateRawSync } from "node:zlib";
import { onepux } from "../../plugins/sources/onepux/mod.ts";
import { denoWorld } from "../../src/base/deno_world.ts";
import type {
  Call,
  ConformanceDoor,
  ConformanceHarness,
  FaultKind,
  FaultName,
  FaultOptions,
} from "../../src/source/conformance.ts";
import {
  type SeededAccount,
  seededBody,
  type SeededField,
  type SeededFile,
  type SeededItem,
  type SeededVault,
  UNKNOWN_CATEGORY,
  UNKNOWN_KIND,
} from "../../src/source/conformance/account.ts";
import { Scratch } from "../base/scratch.ts";
import {
  accountOf,
  ATTRIBUTES,
  exportEntries,
  fieldOf,
  type Json,
  MADE_AT,
} from "../onepux/export_writer.ts";
import { writeZip, type WrittenEntry } from "../onepux/zip_writer.ts";
import { type Category, TEMPLATE_OF_CATEGORY } from "../service/wire/categories.ts";
import { lacking, NONSENSE } from "./harness_service.ts";

const NOBODY = "a file on this host refuses nothing, cannot be unreachable and has no quota";
const SLOW = "a file is there at once, or the whole host hangs";
const STILL = "an export does not change while it is read";
const ONE_LIST = "an export's list is all that there is: nothing else counts its items";
const PART = "it is a part of the one JSON text, whose cut is the fault of vaults";

/** An export on disk, written by hand. */
export const onepuxDoor: ConformanceDoor = {
  name: "onepux",
  lacks: {
    ...lacking(["sign-in", "vaults", "list", "items", "file"], ["refused", "unreachable", "quota"], NOBODY),
    ...lacking(["sign-in", "vaults", "list", "items", "file"], ["slow"], SLOW),
    ...lacking(["list"], ["vault-gone"], STILL),
    ...lacking(["items", "file"], ["gone-meanwhile", "archived-meanwhile", "vault-gone"], STILL),
    ...lacking(["list"], ["missing-from-answer", "empty-list"], ONE_LIST),
    ...lacking(["items"], ["missing-from-answer"], ONE_LIST),
    ...lacking(["list", "items"], ["cut"], PART),
    retries: NOBODY,
    revocation: NOBODY,
    "sign-ins counted": "an export asks nobody to let it in",
    "calls counted": "an export costs no calls",
    "fetches known": "an export is read as a whole before its first item",
  },
  archived: "contents",
  vaultKind: (kind) => kind,
  category: (category) => category === UNKNOWN_CATEGORY ? "999" : category,
  field: ({ kind, value, parts }, section) => ({
    kind,
    value,
    section,
    ...(parts ? { details: { type: "Address", content: parts } } : {}),
    ...(kind === UNKNOWN_KIND ? { details: { [UNKNOWN_KIND]: value } } : {}),
  }),
  start: async (account) => new OnepuxHarness(account, await Scratch.make()),
};

class OnepuxHarness implements ConformanceHarness {
  readonly said: string[] = [];
  readonly secrets = [];
  readonly account;
  readonly #data: { accounts: Json[] };
  readonly #files: Map<string, WrittenEntry>;
  /** What is done to the text of `export.data`, and to the whole file. */
  #spoilText = (text: string) => text;
  #spoilFile = (bytes: Uint8Array) => bytes;

  constructor(seed: SeededAccount, readonly scratch: Scratch) {
    this.#data = { accounts: [accountOf(...seed.vaults.map(vaultOf))] };
    const { attrs } = this.#data.accounts[0];
    const { uuid: id, accountName: name, domain: url, email: signedInAs } = attrs;
    this.account = { id, name, url, signedInAs };
    this.#files = new Map(
      seed.vaults.flatMap(({ items }) =>
        items.flatMap((item) =>
          item.files.map((file): [string, WrittenEntry] => [`${item.id}/${file.name}`, {
            name: `files/${fileId(item, file)}__${file.name}`,
            content: seededBody(file),
          }])
        )
      ),
    );
  }

  async open(signal: AbortSignal) {
    const data = this.#spoilText(JSON.stringify(this.#data));
    const entries = exportEntries({ attributes: ATTRIBUTES, data, entries: [...this.#files.values()] });
    const path = await this.scratch.write("sample.1pux", this.#spoilFile(writeZip(entries)));
    const world = denoWorld();
    const now = () => new Date((MADE_AT + 24 * 3600) * 1000);
    return await onepux.open({ path }, {
      world: { ...world, clock: { ...world.clock, now } },
      version: "0.0.0",
      secret: () => Promise.reject(new Error("an export has no secret")),
      warn: (message) => void this.said.push(message),
      privateFolder: () => Promise.reject(new Error("an export needs no folder")),
    }, signal);
  }

  fault(name: FaultName, { vaultId, itemId }: FaultOptions) {
    const [call, kind] = name.split(" ") as [Call, FaultKind];
    const vault = this.#data.accounts[0].vaults.find(({ attrs }: Json) => attrs.uuid === vaultId);
    const at = vault?.items.findIndex(({ uuid }: Json) => uuid === itemId);
    switch (call) {
      case "sign-in":
        this.#spoilFile = (bytes) =>
          kind === "cut" ? bytes.subarray(0, bytes.length / 2) : utf8(kind === "blank" ? "" : NONSENSE);
        break;
      case "vaults":
        this.#spoilText = (text) =>
          kind === "cut" ? text.slice(0, text.length / 2) : kind === "blank" ? "{}" : NONSENSE;
        break;
      case "list":
        vault.items = kind === "blank" ? null : NONSENSE;
        break;
      case "items":
        vault.items[at] = kind === "blank" ? null : NONSENSE;
        break;
      case "file":
        this.#spoilFileOf(itemId!, kind);
    }
    // It is there from the beginning to the end.
    return { strikes: () => 1 };
  }

  counted() {
    return { signIns: 0, calls: 0, fetched: [] };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.scratch[Symbol.asyncDispose]();
  }

  #spoilFileOf(itemId: string, kind: FaultKind): void {
    const [key, entry] = [...this.#files].find(([key]) => key.startsWith(`${itemId}/`))!;
    const content = entry.content as Uint8Array;
    if (kind === "missing-from-answer") this.#files.delete(key);
    else if (kind === "blank") this.#files.set(key, { ...entry, content: "" });
    else if (kind === "wrong-size") this.#files.set(key, { ...entry, content: content.subarray(1) });
    else if (kind === "garbage") {
      this.#files.set(key, { ...entry, data: deflateRawSync(content.toReversed()) });
    } else {
      const packed = deflateRawSync(content);
      this.#files.set(key, { ...entry, data: packed.subarray(0, packed.length / 2) });
    }
  }
}

const TYPES: Record<string, string> = { personal: "P", everyone: "E", created: "U" };

function vaultOf({ id, title, description, kind, items }: SeededVault): Json {
  return {
    attrs: { uuid: id, name: title, desc: description, avatar: "", type: TYPES[kind] },
    items: items.map(itemOf),
  };
}

function itemOf(item: SeededItem): Json {
  const document = item.files.find(({ role }) => role === "document");
  const attached = item.files.filter(({ role }) => role === "attachment");
  const inSection = (title?: string) =>
    attached.filter(({ section }) => section === title).map((file) => attachmentOf(item, file));
  const loose = inSection();
  const password = item.fields.find(({ title }) => title === "password")?.value;
  return {
    uuid: item.id,
    favIndex: item.favourite ? 1 : 0,
    createdAt: Date.parse(item.createdAt) / 1000,
    updatedAt: Date.parse(item.updatedAt) / 1000,
    state: item.state,
    categoryUuid: item.category === UNKNOWN_CATEGORY
      ? "999"
      : TEMPLATE_OF_CATEGORY[item.category as Category],
    details: {
      loginFields: item.category === "Login" ? item.fields.map(loginFieldOf) : [],
      notesPlain: item.notes,
      ...(item.category === "Password" ? { password } : {}),
      sections: [
        ...item.sections.map(({ id, title, fields }) => ({
          title,
          name: id,
          fields: [...fields.map(sectionFieldOf), ...inSection(title)],
        })),
        ...(loose.length > 0 ? [{ title: "", name: "add more", fields: loose }] : []),
      ],
      passwordHistory: item.passwordHistory.map(({ value, time }) => ({
        value,
        time: Date.parse(time) / 1000,
      })),
      ...(document ? { documentAttributes: attributesOf(item, document) } : {}),
    },
    overview: {
      subtitle: "",
      title: item.title,
      url: item.urls[0]?.url ?? "",
      urls: item.urls,
      tags: item.tags,
      ...(item.extra === undefined ? {} : { somethingNew: { of: item.extra } }),
    },
  };
}

function loginFieldOf({ title, kind, value }: SeededField): Json {
  return { value, id: "", name: title, fieldType: kind === "Concealed" ? "P" : "T", designation: title };
}

/** What 1Password calls a kind of field in its exports, where that is not the SDK's word with a small letter. */
const KINDS: Record<string, string> = { Text: "string", Email: "email" };

function sectionFieldOf({ id, title, kind, value, parts }: SeededField): Json {
  const word = KINDS[kind] ?? kind[0]!.toLowerCase() + kind.slice(1);
  return fieldOf(title, id, { [word]: parts ?? contentOf(kind, value) });
}

function contentOf(kind: string, value: string): Json {
  switch (kind) {
    case "Date":
      return Date.parse(`${value}T12:01:00Z`) / 1000;
    case "MonthYear":
      return Number(value.slice(3) + value.slice(0, 2));
    case "Email":
      return { email_address: value, provider: null };
    case "SshKey":
      return {
        privateKey: value,
        metadata: { privateKey: value, publicKey: "", fingerprint: "", keyType: "" },
      };
    default:
      return value;
  }
}

function attachmentOf(item: SeededItem, file: SeededFile): Json {
  return fieldOf(file.name, fileId(item, file), { file: attributesOf(item, file) });
}

function attributesOf(item: SeededItem, file: SeededFile): Json {
  return { fileName: file.name, documentId: fileId(item, file), decryptedSize: file.size };
}

function fileId(item: SeededItem, file: SeededFile): string {
  return `${item.id.replace(/a+$/, "")}file${item.files.indexOf(file)}`;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
