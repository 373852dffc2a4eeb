import {
  type SeededAccount,
  seededBody,
  type SeededField,
  type SeededFile,
  type SeededItem,
  UNKNOWN_CATEGORY,
  UNKNOWN_KIND,
} from "../../src/source/conformance/account.ts";
import type { Call, FaultKind, Need } from "../../src/source/conformance.ts";
import type {
  AccountDescription,
  Category,
  FieldDescription,
  FileDescription,
  ItemDescription,
  TextKind,
  VaultKind,
} from "../service/mod.ts";

/** The seeded account in the words of the local 1Password service. */
export function serviceAccount({ name, vaults }: SeededAccount): AccountDescription {
  return {
    name,
    vaults: vaults.map(({ id, title, description, kind, items }) => ({
      id,
      title,
      description,
      kind: (kind === "created" ? "shared" : kind) as VaultKind,
      items: items.map(itemOf),
    })),
  };
}

function itemOf(seed: SeededItem): ItemDescription {
  const { id, title, state, tags, urls, favourite, passwordHistory, createdAt, updatedAt } = seed;
  const document = seed.files.find(({ role }) => role === "document");
  const [username, password] = ["username", "password"].map((title) =>
    seed.fields.find((field) => field.title === title)?.value
  );
  return {
    id,
    title,
    category: (seed.category === UNKNOWN_CATEGORY ? "Unsupported" : seed.category) as Category,
    state,
    ...(tags.length > 0 ? { tags } : {}),
    ...(urls.length > 0 ? { urls } : {}),
    ...(seed.notes === "" ? {} : { notes: seed.notes }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    sections: seed.sections.map(({ id, title, fields }) => ({ id, title, fields: fields.map(fieldOf) })),
    files: seed.files.filter(({ role }) => role === "attachment").map(fileOf),
    ...(document ? { document: fileOf(document) } : {}),
    favourite,
    passwordHistory,
    createdAt,
    updatedAt,
  };
}

function fieldOf({ id, title, kind, value, parts }: SeededField): FieldDescription {
  if (parts) return { id, title, kind: "Address", value: parts };
  if (kind === UNKNOWN_KIND) return { id, title, kind: "Unsupported", value, wireKind: kind };
  return { id, title, kind: kind as TextKind, value };
}

function fileOf({ name, size, section }: SeededFile): FileDescription {
  return { name, content: seededBody({ name, size }), ...(section === undefined ? {} : { section }) };
}

/** What a captive portal or a proxy answers in the service's place. */
export const NONSENSE = "<html>Please accept the terms of this network</html>";

/** The faults of these calls that a harness cannot bring about, all for one reason. */
export function lacking(calls: Call[], kinds: FaultKind[], reason: string): Partial<Record<Need, string>> {
  return Object.fromEntries(calls.flatMap((call) => kinds.map((kind) => [`${call} ${kind}`, reason])));
}
