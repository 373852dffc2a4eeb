import type { AccountDescription, VaultDescription } from "../description.ts";
import { Credentials } from "../wire/credentials.ts";
import type { Bytes } from "../wire/encryption.ts";
import { countingNames, derivedId } from "../wire/ids.ts";
import type { JsonObject } from "../wire/json.ts";
import { LiveVault } from "./live_vault.ts";

/** How the service refuses a revoked token. */
export type RefusalStatus = 401 | 403;

/** The account as the service holds it now. Tests change it while the core is signed in. */
export class LiveAccount {
  readonly name: string;
  /** The service account whose token the service accepts. */
  readonly credentials: Credentials;
  /** Ciphertexts that the core uploaded, by file id. */
  readonly uploads: Map<string, Bytes> = new Map();
  readonly #seed: string;
  readonly #vaults = new Map<string, LiveVault>();
  readonly #nth = countingNames();
  #revoked: RefusalStatus | undefined;
  #generation = 0;

  private constructor(name: string, seed: string, credentials: Credentials) {
    this.name = name;
    this.#seed = seed;
    this.credentials = credentials;
  }

  /** The account as described, with all its vaults. */
  static async create(description: AccountDescription): Promise<LiveAccount> {
    const seed = description.seed ?? description.name;
    const account = new LiveAccount(description.name, seed, await Credentials.create(seed));
    for (const vault of description.vaults) await account.addVault(vault);
    return account;
  }

  /** The vaults, in the order in which they came. */
  get vaults(): LiveVault[] {
    return [...this.#vaults.values()];
  }

  /** The vault with this id, or else the first with this title. Throws when there is none. */
  vault(titleOrId: string): LiveVault {
    const found = this.find(titleOrId) ?? this.vaults.find(({ title }) => title === titleOrId);
    if (!found) {
      throw new Error(`account ${JSON.stringify(this.name)} has no vault ${JSON.stringify(titleOrId)}`);
    }
    return found;
  }

  /** The vault with this id, if the account has it. */
  find(id: string): LiveVault | undefined {
    return this.#vaults.get(id);
  }

  /** Adds a vault that the token can see. */
  async addVault(description: VaultDescription): Promise<LiveVault> {
    const { title } = description;
    const id = description.id ?? derivedId(this.#seed, "vault", title, this.#nth(title));
    const vault = await LiveVault.described(id, this.credentials, description);
    this.#vaults.set(id, vault);
    return vault;
  }

  /** Adds a vault as the core sent it. */
  async writeVault(body: JsonObject): Promise<LiveVault> {
    const vault = await LiveVault.written(this.credentials, body);
    this.#vaults.set(vault.id, vault);
    return vault;
  }

  /** Takes a vault away, as when it is deleted or the token loses its access: the service then knows nothing of it. */
  removeVault(titleOrId: string): void {
    this.#vaults.delete(this.vault(titleOrId).id);
  }

  /**
   * Ends every session and refuses every further sign-in.
   * @param status what a sign-in is answered; a request in an ended session always gets 401
   */
  revokeToken(status: RefusalStatus = 401): void {
    this.#revoked = status;
    this.endSessions();
  }

  /** Lets the token sign in again. */
  restoreToken(): void {
    this.#revoked = undefined;
  }

  /** Ends every session: the core signs in anew with its next request. */
  endSessions(): void {
    this.#generation++;
  }

  /** How sign-ins are refused, or `undefined` while the token is good. */
  get revoked(): RefusalStatus | undefined {
    return this.#revoked;
  }

  /** Changes whenever the sessions that exist end. */
  get generation(): number {
    return this.#generation;
  }

  /** The account as the service states it. */
  record(): JsonObject {
    const { credentials } = this;
    const createdAt = "2024-01-01T00:00:00Z";
    return {
      uuid: credentials.accountId,
      name: this.name,
      type: "B",
      state: "A",
      avatar: "",
      domain: "service",
      createdAt,
      attrVersion: 1,
      baseAvatarURL: "https://avatars.invalid/",
      baseAttachmentURL: "https://attachments.invalid/",
      me: {
        uuid: credentials.userId,
        attrVersion: 1,
        name: "service account",
        email: credentials.email,
        type: "A",
        state: "A",
        avatar: "",
        createdAt,
        updatedAt: createdAt,
        preferences: 0,
      },
    };
  }
}
