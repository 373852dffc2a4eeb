import type { ItemDescription, ItemState } from "../description.ts";
import { type Category, categoryOfTemplate, TEMPLATE_OF_CATEGORY } from "../wire/categories.ts";
import type { VaultKey } from "../wire/credentials.ts";
import { isEnvelope, seal, unseal } from "../wire/encryption.ts";
import { StoredFile } from "../wire/files.ts";
import { countingNames, derivedId } from "../wire/ids.ts";
import { type ItemContent, type ItemFile, wireDetails, wireOverview } from "../wire/items.ts";
import { asArray, asObject, asString, type JsonObject } from "../wire/json.ts";

/** When described items were made and last changed, unless their description says otherwise. */
export const DEFAULT_CREATED_AT = "2024-01-01T00:00:00Z";
export const DEFAULT_UPDATED_AT = "2024-01-02T00:00:00Z";

const TRASHED = { active: "N", archived: "Y", deleted: "D" } as const;

/** What an item needs of its vault. */
export interface ItemHome {
  readonly key: VaultKey;
  /** The service account, who is named as the last to change an item. */
  readonly userId: string;
  /** The item with this title; throws when there is none. */
  item(title: string): { id: string };
  /** Takes note of a change that did not come from the core. */
  changed(): void;
  /** Drops a deleted item. */
  forget(itemId: string): void;
}

/**
 * One item as the service holds it now. It comes from a description or from the core; what a description gives is built
 * and encrypted when first asked for, so that an account of 20,000 items starts at once.
 */
export class LiveItem {
  readonly id: string;
  readonly #vault: ItemHome;
  #record: JsonObject;
  #state: ItemState | "deleted" = "active";
  #described: ItemDescription | undefined;
  #content: Partial<ItemContent> = {};
  #files: ItemFile[] | undefined;

  private constructor(id: string, vault: ItemHome, record: JsonObject) {
    this.id = id;
    this.#vault = vault;
    this.#record = record;
  }

  /** An item as described. */
  static described(id: string, vault: ItemHome, item: ItemDescription): LiveItem {
    const live = new LiveItem(id, vault, {
      uuid: id,
      templateUuid: TEMPLATE_OF_CATEGORY[item.category ?? "Login"],
      createdAt: item.createdAt ?? DEFAULT_CREATED_AT,
      updatedAt: item.updatedAt ?? DEFAULT_UPDATED_AT,
      changerUuid: vault.userId,
      itemVersion: item.version ?? 1,
      encryptedBy: vault.key.id,
      packageUuid: "",
      faveIndex: item.favourite ? 1 : 0,
    });
    live.#described = item;
    live.#state = item.state ?? "active";
    return live;
  }

  /** An item that the core has just made; `record` is what it sent. */
  static written(id: string, vault: ItemHome, record: JsonObject): LiveItem {
    const live = new LiveItem(id, vault, {
      changerUuid: vault.userId,
      packageUuid: "",
      faveIndex: 0,
    });
    live.overwrite(record);
    return live;
  }

  get title(): string {
    return this.#described?.title ?? asString(this.overview().title);
  }

  get category(): Category {
    return categoryOfTemplate(asString(this.#record.templateUuid));
  }

  get state(): ItemState | "deleted" {
    return this.#state;
  }

  /** Rises by one with every change. */
  get version(): number {
    return Number(this.#record.itemVersion);
  }

  /** The overview in plain JSON, as the core would decrypt it. */
  overview(): JsonObject {
    this.#content.overview ??= this.#described ? wireOverview(this.#described) : this.#decrypt("encOverview");
    return this.#content.overview;
  }

  /** The details in plain JSON, as the core would decrypt them. */
  details(): JsonObject {
    this.#content.details ??= this.#described
      ? wireDetails(this.id, this.#described, this.#itemFiles(), (title) => this.#vault.item(title).id)
      : this.#decrypt("encDetails");
    return this.#content.details;
  }

  /** Puts the item into the archive. */
  archive(): void {
    this.#moveTo("archived");
  }

  /** Takes the item out of the vault. */
  delete(): void {
    this.#moveTo("deleted");
    this.#vault.forget(this.id);
  }

  /** The description's file of that name (or id). Throws when there is none; files that the core uploaded are not here. */
  file(nameOrId: string): StoredFile {
    const found = this.storedFile(nameOrId) ??
      this.#itemFiles().find(({ file }) => file.name === nameOrId)?.file;
    if (!found) throw new Error(`item ${JSON.stringify(this.title)} has no file ${JSON.stringify(nameOrId)}`);
    return found;
  }

  /** The description's file of that id, if there is one. */
  storedFile(id: string): StoredFile | undefined {
    return this.#itemFiles().find(({ file }) => file.id === id)?.file;
  }

  /**
   * Makes one of the described files come out with another size than the item declares.
   * @param size in bytes, of what a reader gets from now on
   */
  serveFile(nameOrId: string, size: number): void {
    if (!this.#described) {
      throw new Error("the core has rewritten this item: its details are no longer the service's");
    }
    this.file(nameOrId).serve(size);
    // The details hold the hash of the ciphertext.
    delete this.#content.details;
    delete this.#record.encDetails;
  }

  /** The record in a list of overviews. */
  overviewRecord(): JsonObject {
    this.#record.encOverview ??= this.#encrypt(this.overview());
    return {
      ...this.#record,
      trashed: TRASHED[this.#state],
      encDetails: undefined,
      fileReferences: undefined,
    };
  }

  /** The record of the item itself. */
  fullRecord(): JsonObject {
    this.#record.encDetails ??= this.#encrypt(this.details());
    const fileReferences = this.#record.fileReferences ??
      this.#itemFiles().map(({ file }) => file.reference());
    return { ...this.overviewRecord(), encDetails: this.#record.encDetails, fileReferences };
  }

  /** Takes over a record that the core sent: the service never sees more of it than the core's ciphertext. */
  overwrite(record: JsonObject): void {
    // Built now, because the files of a described item outlive its description.
    this.#itemFiles();
    this.#described = undefined;
    this.#content = {};
    this.#record = { ...this.#record, ...record, itemVersion: Number(record.itemVersion) + 1 };
    const trashed = asString(record.trashed);
    this.#state = trashed === "D" ? "deleted" : trashed === "Y" ? "archived" : "active";
    if (this.#state === "deleted") this.#vault.forget(this.id);
  }

  #moveTo(state: ItemState | "deleted"): void {
    this.#state = state;
    // One second later than before: a changed time, and yet the same one in every run.
    const updatedAt = new Date(Date.parse(asString(this.#record.updatedAt)) + 1000);
    this.#record.updatedAt = updatedAt.toISOString().replace(".000Z", "Z");
    this.#record.itemVersion = this.version + 1;
    this.#vault.changed();
  }

  #itemFiles(): ItemFile[] {
    this.#files ??= this.#describedFiles();
    return this.#files;
  }

  #describedFiles(): ItemFile[] {
    const { document, files = [] } = this.#described ?? {};
    const nth = countingNames();
    return [...document ? [document] : [], ...files].map((file) => ({
      file: new StoredFile(derivedId(this.id, "file", file.name, nth(file.name)), file),
      section: file.section,
    }));
  }

  #encrypt(content: JsonObject): JsonObject {
    return seal(this.#vault.key.bytes, this.#vault.key.id, content);
  }

  #decrypt(part: "encOverview" | "encDetails"): JsonObject {
    const envelope = this.#record[part];
    return isEnvelope(envelope) ? asObject(unseal(this.#vault.key.bytes, envelope)) ?? {} : {};
  }
}

/** The files that a record claims to hold, by id. */
export function referencedFiles(record: JsonObject): string[] {
  return asArray(record.fileReferences).map((reference) => asString(asObject(reference)?.fileId));
}
