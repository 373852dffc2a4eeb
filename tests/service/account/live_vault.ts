import { randomBytes } from "node:crypto";
import type { ItemDescription, VaultDescription, VaultKind } from "../description.ts";
import { type Envelope, isEnvelope, seal, unseal } from "../wire/encryption.ts";
import { countingNames, derivedId } from "../wire/ids.ts";
import { asArray, asObject, asString, type Json, type JsonObject } from "../wire/json.ts";
import type { Credentials, VaultKey } from "../wire/credentials.ts";
import { DEFAULT_CREATED_AT, DEFAULT_UPDATED_AT, type ItemHome, LiveItem } from "./live_item.ts";

/** The `type` of a vault on the wire. Any other letter the SDK calls "unsupported". */
const LETTER_OF_KIND: Record<VaultKind, string> = {
  personal: "P",
  everyone: "E",
  shared: "U",
  transfer: "T",
  unknown: "X",
};

/** All that a vault's permissions can allow, without managing it: what a service account with read and write has. */
const READ_AND_WRITE = 15_730_674;

/** One vault as the service holds it now. */
export class LiveVault implements ItemHome {
  readonly id: string;
  readonly key: VaultKey;
  readonly userId: string;
  /** Rises by one with every change of the items. */
  contentVersion = 1;
  /** Rises by one with every change of title or description. */
  attributeVersion = 1;
  #title: string;
  #description: string;
  readonly #letter: string;
  readonly #createdAt: string;
  readonly #updatedAt: string;
  readonly #items = new Map<string, LiveItem>();
  readonly #nth = countingNames();
  #access: JsonObject[];

  private constructor(id: string, userId: string, key: VaultKey, access: JsonObject[], vault: StoredVault) {
    this.id = id;
    this.userId = userId;
    this.key = key;
    this.#title = vault.title;
    this.#description = vault.description ?? "";
    this.#letter = vault.letter;
    this.#createdAt = vault.createdAt ?? DEFAULT_CREATED_AT;
    this.#updatedAt = vault.updatedAt ?? DEFAULT_UPDATED_AT;
    this.#access = access;
  }

  /** A vault as described, with its items. */
  static async described(id: string, credentials: Credentials, vault: VaultDescription): Promise<LiveVault> {
    const { userId, keysetId } = credentials;
    const key = { id: derivedId(id, "key"), bytes: new Uint8Array(randomBytes(32)) };
    const access: JsonObject = {
      vaultUuid: id,
      accessorType: "user",
      accessorUuid: userId,
      accessVersion: 1,
      acl: READ_AND_WRITE,
      leaseTimeout: 0,
      vaultKeySN: 1,
      encryptedBy: keysetId,
      encVaultKey: await credentials.wrapVaultKey(key),
    };
    const letter = LETTER_OF_KIND[vault.kind ?? "shared"];
    const live = new LiveVault(id, userId, key, [access], { ...vault, letter });
    for (const item of vault.items ?? []) live.add(item);
    live.contentVersion = 1;
    return live;
  }

  /** A vault that the core has just made; `body` is what it sent. */
  static async written(credentials: Credentials, body: JsonObject): Promise<LiveVault> {
    const accesses = asArray(body.access).map((access) => asObject(access) ?? {});
    const own = accesses.find((access) => access.accessorUuid === credentials.userId);
    if (!own) throw new Error("the new vault gives its maker no access");
    const key = await credentials.unwrapVaultKey(asObject(own.encVaultKey) ?? {});
    // The vault's maker first: `record` hands the first access out as its own.
    const access = [own, ...accesses.filter((other) => other !== own)].map((one) => ({
      accessVersion: 1,
      ...one,
    }));
    const letter = asString(body.type);
    const live = new LiveVault(asString(body.uuid), credentials.userId, key, access, { title: "", letter });
    live.#readAttributes(body.encAttrs);
    return live;
  }

  get title(): string {
    return this.#title;
  }

  get description(): string {
    return this.#description;
  }

  /** Gives the vault another title, as its owner would. The id stays. */
  rename(title: string): void {
    this.#title = title;
    this.attributeVersion++;
  }

  /** The items, active and archived, in the order in which they came. */
  get items(): LiveItem[] {
    return [...this.#items.values()];
  }

  /** What the service states about the vault: the archive does not count. */
  get activeItemCount(): number {
    let count = 0;
    for (const item of this.#items.values()) if (item.state === "active") count++;
    return count;
  }

  /** The item with this id, or else the first with this title. Throws when there is none. */
  item(titleOrId: string): LiveItem {
    const found = this.find(titleOrId) ?? this.items.find(({ title }) => title === titleOrId);
    if (!found) {
      throw new Error(`vault ${JSON.stringify(this.title)} has no item ${JSON.stringify(titleOrId)}`);
    }
    return found;
  }

  /** The item with this id, if the vault has it. */
  find(id: string): LiveItem | undefined {
    return this.#items.get(id);
  }

  /** Adds an item as somebody else's app would: it is there for the next list. */
  add(description: ItemDescription): LiveItem {
    const { title } = description;
    const id = description.id ?? derivedId(this.id, "item", title, this.#nth(title));
    const item = LiveItem.described(id, this, description);
    this.#items.set(id, item);
    this.changed();
    return item;
  }

  /** Adds or changes an item as the core sent it. */
  write(id: string, record: JsonObject): LiveItem {
    const old = this.#items.get(id);
    if (old) {
      old.overwrite(record);
      return old;
    }
    const item = LiveItem.written(id, this, record);
    this.#items.set(id, item);
    return item;
  }

  /** Takes note of a change that did not come from the core. */
  changed(): void {
    this.contentVersion++;
  }

  /** Drops a deleted item. */
  forget(itemId: string): void {
    this.#items.delete(itemId);
  }

  /** Takes over title and description as the core sent them. */
  writeAttributes(encAttrs: Json | undefined): void {
    this.#readAttributes(encAttrs);
    this.attributeVersion++;
  }

  /** The vault as the service states it. */
  record(): JsonObject {
    const { id: uuid, contentVersion, attributeVersion } = this;
    return {
      uuid,
      type: this.#letter,
      createdAt: this.#createdAt,
      updatedAt: this.#updatedAt,
      attrVersion: attributeVersion,
      contentVersion,
      attributeVersion,
      encAttrs: this.#attributes(),
      activeItemCount: this.activeItemCount,
      access: this.#access,
      accessorsVersion: 1,
      clientAccess: READ_AND_WRITE,
      // One object, not a list: the core reads the vault's key from here.
      combinedAccess: this.#access[0],
    };
  }

  #attributes(): Envelope & JsonObject {
    const { id: uuid, title: name, description: desc } = this;
    return seal(this.key.bytes, this.key.id, { uuid, type: this.#letter, name, desc, avatar: "", color: "" });
  }

  #readAttributes(encAttrs: Json | undefined): void {
    if (!isEnvelope(encAttrs)) throw new Error("the vault's attributes are not encrypted");
    const attributes = asObject(unseal(this.key.bytes, encAttrs)) ?? {};
    this.#title = asString(attributes.name);
    this.#description = asString(attributes.desc);
  }
}

interface StoredVault {
  title: string;
  description?: string;
  letter: string;
  createdAt?: string;
  updatedAt?: string;
}
