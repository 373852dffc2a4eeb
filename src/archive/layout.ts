import { AppError } from "../base/errors.ts";
import { isReserved, quoted } from "../base/safe_names.ts";
import { safeId } from "../model/safe_id.ts";

/** The version of everything in FORMAT.md; a reader refuses what it does not know. */
export const FORMAT = "vaultferry/1";

/** Paths inside an archive. Ids only: no title or file name of a person ever becomes part of a path. */
export const layout = {
  format: "format.json",
  readme: "README.txt",
  account: "account.json",
  index: "index.tsv",
  manifest: "manifest.json",
  vault: (vaultId: string) => `vaults/${safeId(vaultId)}/vault.json`,
  item: (vaultId: string, itemId: string) => `vaults/${safeId(vaultId)}/items/${safeId(itemId)}.json`,
  file: (vaultId: string, itemId: string, fileId: string) =>
    `vaults/${safeId(vaultId)}/files/${safeId(itemId)}/${safeId(fileId)}`,
} as const;

const ID = "[A-Za-z0-9]{1,64}";
const ALLOWED = new RegExp(
  `^(format\\.json|README\\.txt|account\\.json|index\\.tsv|manifest\\.json` +
    `|vaults/${ID}/(vault\\.json|items/${ID}\\.json|files/${ID}/${ID}))$`,
);

/**
 * Throws `corrupt` unless `path` is one that this format can hold: an archive that says otherwise was not made
 * by us, and its paths (`../`, `C:`, `CON`, a newline) must never reach a file system.
 */
export function checkPath(path: string): void {
  if (!ALLOWED.test(path)) {
    throw new AppError("corrupt", `the archive holds a path that it must not: ${quoted(path)}`);
  }
  if (path.split("/").some(isReserved)) {
    throw new AppError("corrupt", `the archive holds a name that Windows reserves: ${quoted(path)}`);
  }
}
