import type { LiveAccount } from "../account/live_account.ts";
import type { LiveItem } from "../account/live_item.ts";
import type { LiveVault } from "../account/live_vault.ts";
import type { JsonObject } from "../wire/json.ts";
import { renderFiles, renderItem, renderSummary, renderVault } from "./render.ts";

/** What a Connect server holds, in its own JSON. */
export interface View {
  vaults(): VaultView[];
}

export interface VaultView {
  id: string;
  json(): JsonObject;
  /** Items as lists have them. */
  items(): JsonObject[];
  item(id: string): ItemView | undefined;
}

export interface ItemView {
  json(): JsonObject;
  files(): JsonObject[];
  content(fileId: string): Uint8Array<ArrayBuffer> | undefined;
}

/** What becomes of archived items: listed and readable, listed only, or neither. Real servers differ. */
export type Archive = "readable" | "listed" | "hidden";

/** The account as it is at each moment. */
export function liveView(account: LiveAccount, archive: Archive): View {
  return { vaults: () => account.vaults.map((vault) => liveVault(vault, archive)) };
}

function liveVault(vault: LiveVault, archive: Archive): VaultView {
  return {
    id: vault.id,
    json: () => renderVault(vault),
    items: () =>
      vault.items.filter((item) => item.state === "active" || archive !== "hidden")
        .map((item) => renderSummary(vault.id, item)),
    item(id) {
      const item = vault.find(id);
      return item && (item.state === "active" || archive === "readable")
        ? liveItem(vault.id, item)
        : undefined;
    },
  };
}

function liveItem(vaultId: string, item: LiveItem): ItemView {
  return {
    json: () => renderItem(vaultId, item),
    files: () => renderFiles(vaultId, item),
    content: (fileId) => item.storedFile(fileId)?.content(),
  };
}

/** A copy of everything that is there now: what a Connect server keeps of it for the time when 1Password is away. */
export function copyOf(view: View): View {
  const vaults = view.vaults().map((vault): VaultView => {
    const [json, items] = [vault.json(), vault.items()];
    const copies = new Map(
      items.map(({ id }) => [String(id), vault.item(String(id))] as const)
        .flatMap(([id, item]) => item ? [[id, itemCopy(item)] as const] : []),
    );
    return { id: vault.id, json: () => json, items: () => items, item: (id) => copies.get(id) };
  });
  return { vaults: () => vaults };
}

function itemCopy(item: ItemView): ItemView {
  const [json, files] = [item.json(), item.files()];
  const contents = new Map(files.map(({ id }) => [String(id), item.content(String(id))]));
  return { json: () => json, files: () => files, content: (fileId) => contents.get(fileId) };
}
