import { z } from "zod";
import { type AppError, isAppError } from "../../../src/base/errors.ts";
import type { Item, ItemFile } from "../../../src/model/item.ts";
import type { Vault } from "../../../src/model/vault.ts";
import type { ConnectClient, Content } from "./client.ts";
import { connectError, understood } from "./errors.ts";
import { isActive, type Overview, overviewJson, toFiles, toItem, toVault } from "./item.ts";

/** An item as Connect lists it. */
export interface Listed {
  overview: Overview;
  /** What Connect said, unchanged. */
  raw: unknown;
}

/** The requests of Connect's API that a backup makes. Lists come whole: the API has no pages. */
export class ConnectApi {
  constructor(readonly client: ConnectClient) {}

  async vaults(signal: AbortSignal): Promise<Vault[]> {
    const answer = await this.client.json(["vaults"], signal).catch((error) => {
      throw isAppError(error, "not-found") ? noConnect(error) : error;
    });
    return understood("a list of vaults", () => z.array(z.unknown()).parse(answer).map(toVault));
  }

  async vault(vaultId: string, signal: AbortSignal): Promise<Vault> {
    const answer = await this.client.json(["vaults", vaultId], signal);
    return understood("a vault", () => toVault(answer));
  }

  async list(vaultId: string, signal: AbortSignal): Promise<Listed[]> {
    const answer = await this.client.json(["vaults", vaultId, "items"], signal);
    return understood(
      "a list of items",
      () => z.array(z.unknown()).parse(answer).map((raw) => ({ overview: overviewJson.parse(raw), raw })),
    );
  }

  async item(vaultId: string, itemId: string, signal: AbortSignal): Promise<Item> {
    const answer = await this.client.json(["vaults", vaultId, "items", itemId], signal);
    return understood("an item", () => toItem(vaultId, itemId, answer));
  }

  async files({ vaultId, id, category }: Item, signal: AbortSignal): Promise<ItemFile[]> {
    const answer = await this.client.json(["vaults", vaultId, "items", id, "files"], signal);
    return understood("a list of files", () => toFiles(category, answer));
  }

  content({ vaultId, id }: Item, file: ItemFile, signal: AbortSignal): Promise<Content> {
    const path = ["vaults", vaultId, "items", id, "files", file.id, "content"];
    return this.client.content(path, file.size, signal);
  }
}

/** How many of these are neither archived nor deleted. */
export function countActive(listed: Iterable<Listed>): number {
  let count = 0;
  for (const { overview } of listed) if (isActive(overview)) count++;
  return count;
}

/** A list of vaults is always there: an address without one is none of Connect's. */
function noConnect(cause: AppError): AppError {
  return connectError("unknown", "there is no list of vaults at Connect's address (HTTP 404)", {
    hint: 'check that "url:" names the Connect server itself',
    cause,
  });
}
