import { randomBytes } from "node:crypto";
import type { LiveAccount } from "../account/live_account.ts";
import { referencedFiles } from "../account/live_item.ts";
import type { LiveVault } from "../account/live_vault.ts";
import { symmetricJwk } from "../wire/encryption.ts";
import { randomId } from "../wire/ids.ts";
import { asArray, asObject, asString, type JsonObject } from "../wire/json.ts";
import type { Handler } from "./call.ts";
import { plain, refusal, sealed } from "./reply.ts";

/**
 * Why an item of a PATCH was not taken, in the numbers that the core understands: 1 session expired, 100 bad body,
 * 101 no permission, 103 internal error, 104 conflict, 105 file not found, 106 too big; the rest is "unknown".
 */
const BAD_BODY = 100;
const CONFLICT = 104;
const FILE_NOT_FOUND = 105;

/** PATCH items: creates, changes, archives and deletes, all at once or none when the vault has moved on. */
export const writeItems: Handler = ({ account, vaultId = "", contentVersion, body }) => {
  const vault = account.find(vaultId);
  if (!vault) return refusal(404);
  if (!Array.isArray(body)) return refusal(400);
  if (Number(contentVersion) !== vault.contentVersion) return refusal(409);

  const updatedItems: JsonObject = {};
  const failedItems: JsonObject = {};
  for (const entry of body) {
    const record = asObject(entry) ?? {};
    const id = asString(record.uuid);
    const failure = failureOf(record, account, vault);
    if (failure) failedItems[id] = failure;
    else updatedItems[id] = vault.write(id, record).version;
  }
  if (Object.keys(updatedItems).length) vault.contentVersion++;
  return sealed({ contentVersion: vault.contentVersion, updatedItems, failedItems });
};

function failureOf(record: JsonObject, account: LiveAccount, vault: LiveVault): number | undefined {
  const id = asString(record.uuid);
  if (!/^[a-z2-7]{26}$/.test(id)) return BAD_BODY;
  const old = vault.find(id);
  if (Number(record.itemVersion) !== (old?.version ?? 0)) return CONFLICT;
  const known = (fileId: string) => account.uploads.has(fileId) || old?.storedFile(fileId) !== undefined;
  return referencedFiles(record).every(known) ? undefined : FILE_NOT_FOUND;
}

/** POST file: takes ciphertext and names it; the item that refers to it comes with a later request. */
export const uploadFile: Handler = ({ account, raw }) => {
  const fileId = randomId();
  account.uploads.set(fileId, raw);
  return sealed({ fileId, signingKey: { ...symmetricJwk(fileId, randomBytes(32)), key_ops: ["sign"] } });
};

/** POST vault. */
export const createVault: Handler = async ({ account, body }) => {
  if (!asArray(asObject(body)?.access).length) return refusal(400);
  await account.writeVault(asObject(body) ?? {});
  return plain({ success: 1 });
};

/** PUT vault/attrs: title and description. */
export const updateVault: Handler = ({ account, vaultId = "", body }) => {
  const vault = account.find(vaultId);
  if (!vault) return refusal(404);
  vault.writeAttributes(asObject(body)?.encAttrs);
  return plain({ success: 1 });
};

/** DELETE vault. */
export const deleteVault: Handler = ({ account, vaultId = "" }) => {
  if (!account.find(vaultId)) return refusal(404);
  account.removeVault(vaultId);
  return plain({ success: 1 });
};
