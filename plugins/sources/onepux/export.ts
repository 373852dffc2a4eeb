import { quoted } from "../../../src/base/safe_names.ts";
import { safeId } from "../../../src/model/safe_id.ts";
import type { Account, Vault, VaultKind } from "../../../src/model/vault.ts";
import { EXPORT_AGAIN, sourceError } from "./errors.ts";
import { ATTRIBUTES_LIMIT, DATA_LIMIT, readJson } from "./export_json.ts";
import { isArchived, itemJson } from "./item.ts";
import { idOf, isObject, isTooDeep, type JsonObject, madeId, objectOf, textOf } from "./json.ts";
import type { Zip } from "./zip.ts";

/** A vault with its items as the export lists them; undefined where it has no list. */
export interface ExportedVault {
  vault: Vault;
  items: readonly unknown[] | undefined;
}

/** What is in an export, parsed. */
export interface ExportedData {
  account: Account | undefined;
  vaults: readonly ExportedVault[];
  /** When it was made; undefined where it does not tell. */
  madeAt: Date | undefined;
  /** Names of pictures in `files/`, as accounts and vaults give them. */
  pictures: ReadonlySet<string>;
  /** Parts of unknown meaning beside the accounts. */
  strangeParts: number;
  /** Vaults without an id of their own. */
  withoutId: number;
}

/** The version of 1PUX that is known. */
const VERSION = 3;

/** Reads and checks the two descriptions in an export. */
export async function readExport(zip: Zip, signal: AbortSignal): Promise<ExportedData> {
  const attributes = objectOf(await readJson(zip, "export.attributes", ATTRIBUTES_LIMIT, signal));
  checkVersion(zip, attributes.version);
  const data = objectOf(await readJson(zip, "export.data", DATA_LIMIT, signal));
  const accounts = listIn(zip, data.accounts, "accounts");
  const vaults: ExportedVault[] = [];
  const pictures = new Set<string>();
  let withoutId = 0;
  for (const account of accounts) {
    const { vaults: listed, ...about } = objectOf(account);
    pictures.add(`files/${textOf(objectOf(about.attrs).avatar)}`);
    for (const json of listIn(zip, listed, "an account's vaults")) {
      if (isTooDeep([about, { ...objectOf(json), items: undefined }])) {
        throw sourceError("corrupt", `${quoted(zip.path)} holds a vault that is nested deeper than any is`);
      }
      const attrs = vaultAttributes(zip, json);
      pictures.add(`files/${textOf(attrs.avatar)}`);
      if (idOf(attrs.uuid) === undefined) withoutId++;
      vaults.push(toVault(about, objectOf(json), attrs));
    }
  }
  checkUnique(zip, vaults);
  return {
    account: accountOf(accounts.map((one) => objectOf(objectOf(one).attrs))),
    vaults,
    // Older exports call it `timestamp`.
    madeAt: dateOf(attributes.createdAt ?? attributes.timestamp),
    pictures,
    strangeParts: Object.keys(data).length - 1,
    withoutId,
  };
}

function checkVersion(zip: Zip, version: unknown): void {
  if (version === VERSION) return;
  if (typeof version !== "number") {
    throw sourceError("corrupt", `${quoted(zip.path)} does not tell the version of its format`, {
      hint: EXPORT_AGAIN,
    });
  }
  throw sourceError("unsupported", `${quoted(zip.path)} has version ${version} of the 1PUX format`, {
    hint: version > VERSION
      ? `this vaultferry knows version ${VERSION}: a newer one may know it`
      : "make the export with a current 1Password app",
  });
}

/** A list that is not there must not read as an empty one. */
function listIn(zip: Zip, json: unknown, what: string): unknown[] {
  if (Array.isArray(json)) return json;
  throw sourceError("corrupt", `${quoted(zip.path)} holds no list of ${what}`, { hint: EXPORT_AGAIN });
}

function vaultAttributes(zip: Zip, json: unknown): JsonObject {
  if (isObject(json) && isObject(json.attrs)) return json.attrs;
  throw sourceError("corrupt", `${quoted(zip.path)} holds a vault that does not tell its name or id`, {
    hint: EXPORT_AGAIN,
  });
}

function toVault(account: JsonObject, json: JsonObject, attrs: JsonObject): ExportedVault {
  const { items, ...about } = json;
  const list = Array.isArray(items) ? items : undefined;
  return {
    vault: {
      id: idOf(attrs.uuid) ?? madeId("vault", objectOf(account.attrs).uuid, attrs),
      title: textOf(attrs.name),
      description: textOf(attrs.desc),
      kind: KINDS.get(textOf(attrs.type)) ?? "unknown",
      ...(list ? { activeItemCount: list.filter(isActive).length } : {}),
      // The account is told with each vault, because there may be several and an archive has room for one.
      raw: { account, vault: about },
    },
    items: list,
  };
}

function isActive(raw: unknown): boolean {
  return !(isObject(raw) && isArchived(itemJson(raw)));
}

const KINDS: ReadonlyMap<string, VaultKind> = new Map([
  ["P", "personal"],
  ["E", "everyone"],
  ["U", "created"],
]);

/** Two vaults of one id would be written over each other: 1Password never gives an id twice. */
function checkUnique(zip: Zip, vaults: readonly ExportedVault[]): void {
  const seen = new Set<string>();
  for (const { vault } of vaults) {
    const key = safeId(vault.id).toLowerCase();
    if (seen.has(key)) {
      throw sourceError("corrupt", `${quoted(zip.path)} holds two vaults of the id ${quoted(vault.id)}`, {
        hint: EXPORT_AGAIN,
      });
    }
    seen.add(key);
  }
}

/** The account; several, as 1Password itself never puts into one export, are named together. */
function accountOf(all: readonly JsonObject[]): Account | undefined {
  if (all.length === 0) return undefined;
  const together = (...keys: string[]) => {
    const texts = all.map((attrs) => keys.map((key) => textOf(attrs[key])).find((text) => text !== "") ?? "");
    return [...new Set(texts.filter((text) => text !== ""))].join(", ");
  };
  const id = all.length === 1 ? idOf(all[0]?.uuid) : undefined;
  const [name, url, signedInAs] = [together("accountName", "name"), together("domain"), together("email")];
  return {
    ...(id === undefined ? {} : { id }),
    ...(name === "" ? {} : { name }),
    ...(url === "" ? {} : { url }),
    ...(signedInAs === "" ? {} : { signedInAs }),
  };
}

function dateOf(seconds: unknown): Date | undefined {
  const date = new Date(typeof seconds === "number" ? seconds * 1000 : NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
