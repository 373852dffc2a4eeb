import { isAppError } from "../../../src/base/errors.ts";
import type { Item, ItemFile } from "../../../src/model/item.ts";
import type { Shortfall } from "../../../src/model/shortfall.ts";
import type { Account, Vault } from "../../../src/model/vault.ts";
import type { CallEstimate, Source, Wanted } from "../../../src/source/contract.ts";
import type { ConnectApi } from "./api.ts";
import type { Content } from "./client.ts";
import { connectError } from "./errors.ts";
import { steadyBody } from "./file_body.ts";
import { isActive } from "./item.ts";
import { DOOR_LIMITS } from "./limits.ts";
import type { TokenClaims } from "./token.ts";
import { ItemWalk } from "./walk.ts";
import { listNow, wholeList } from "./whole_list.ts";

/** 1Password through a Connect server, which answers from its own copy of the vaults. */
export class ConnectSource implements Source {
  readonly name = "onepassword-connect";
  readonly limits = DOOR_LIMITS;
  #compared = false;

  /** @param claims what the token says of itself */
  constructor(
    readonly api: ConnectApi,
    readonly claims: TokenClaims,
    readonly warn: (message: string) => void,
  ) {}

  /** Connect does not tell the account; the token names it. */
  account(_signal: AbortSignal): Promise<Account | undefined> {
    const { accountId: id } = this.claims;
    return Promise.resolve(id === undefined ? undefined : { id });
  }

  async vaults(signal: AbortSignal): Promise<Vault[]> {
    const vaults = await this.api.vaults(signal);
    this.#compare(vaults);
    return vaults;
  }

  async *items(
    vault: Vault,
    signal: AbortSignal,
    wanted: Wanted = () => true,
  ): AsyncGenerator<Item | Shortfall> {
    const { items, shortfall } = await wholeList(this.api, vault, signal);
    if (shortfall) yield shortfall;
    yield* new ItemWalk(this.api, vault.id, signal).read(items.filter(({ overview }) => wanted(overview.id)));
  }

  async open(item: Item, file: ItemFile, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const ask = () => this.#content(item, file, signal);
    return steadyBody(await ask(), ask, file.size);
  }

  /** Connect's answers count against no quota. */
  estimate(_vaults: Vault[], _signal: AbortSignal): Promise<CallEstimate> {
    return Promise.resolve({ reads: 0 });
  }

  /** Ends what is under way; nothing more is asked. */
  [Symbol.asyncDispose](): Promise<void> {
    this.api.client.close();
    return Promise.resolve();
  }

  /** A file's content; `not-found` only when its item is gone or archived meanwhile, confirmed by listing again. */
  async #content(item: Item, file: ItemFile, signal: AbortSignal): Promise<Content> {
    try {
      return await this.api.content(item, file, signal);
    } catch (error) {
      if (!isAppError(error, "not-found", "denied")) throw error;
      const { items, whole } = await listNow(this.api, item.vaultId, signal);
      const listed = items.find(({ overview }) => overview.id === item.id);
      const archived = listed !== undefined && item.state === "active" && !isActive(listed.overview);
      if (archived || (!listed && whole)) {
        throw connectError("not-found", "its item was deleted or archived while the backup was made", {
          cause: error,
        });
      }
      const message = error.code === "denied"
        ? error.message
        : "the Connect server lists its item and does not have the file";
      throw connectError("unknown", message, { cause: error });
    }
  }

  /** Says once which vaults the token was made for and the server does not show: it may not have synced them yet. */
  #compare(vaults: readonly Vault[]): void {
    if (this.#compared) return;
    this.#compared = true;
    const shown = new Set(vaults.map(({ id }) => id));
    const unseen = this.claims.vaultIds.filter((id) => !shown.has(id));
    if (unseen.length === 0) return;
    this.warn(
      `the Connect token was made for vaults that the server does not show: ${unseen.join(", ")} ` +
        "(deleted, taken from the server, or not synced yet?)",
    );
  }
}
