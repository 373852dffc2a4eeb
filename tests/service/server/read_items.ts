import { asArray, asObject, asString } from "../wire/json.ts";
import type { Handler } from "./call.ts";
import { binary, refusal, sealed } from "./reply.ts";

/** GET items/overviews: active and archived items alike; the core sifts them. */
export const listItems: Handler = ({ account, vaultId = "" }) => {
  const vault = account.find(vaultId);
  if (!vault) return refusal(404);
  const items = vault.items.map((item) => item.overviewRecord());
  return sealed({ contentVersion: vault.contentVersion, batchComplete: true, deletedItemUuids: [], items });
};

/** GET item. */
export const getItem: Handler = ({ account, vaultId = "", itemId = "" }) => {
  const vault = account.find(vaultId);
  const item = vault?.find(itemId);
  if (!vault || !item) return refusal(404);
  return sealed({ contentVersion: vault.contentVersion, item: item.fullRecord() });
};

/** POST items/batch: what is not there is left out, without a word. */
export const getItems: Handler = ({ account, vaultId = "", body }) => {
  const vault = account.find(vaultId);
  if (!vault) return refusal(404);
  const items = asArray(asObject(body)?.itemUuids)
    .map((id) => vault.find(asString(id))?.fullRecord())
    .filter((record) => record !== undefined);
  return sealed({ contentVersion: vault.contentVersion, items });
};

/** GET file: the ciphertext; its key came with the item. */
export const readFile: Handler = ({ account, vaultId = "", itemId = "", fileId = "" }) => {
  const item = account.find(vaultId)?.find(itemId);
  const ciphertext = item?.storedFile(fileId)?.ciphertext() ?? (item && account.uploads.get(fileId));
  return ciphertext ? binary(ciphertext) : refusal(404);
};
