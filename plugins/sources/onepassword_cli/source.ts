import { isAppError } from "../../../src/base/errors.ts";
import type { Item, ItemFile } from "../../../src/model/item.ts";
import type { DoorLimit, Shortfall } from "../../../src/model/shortfall.ts";
import type { Account, Vault } from "../../../src/model/vault.ts";
import type { Allowance, CallEstimate, Source, Wanted } from "../../../src/source/contract.ts";
import { accountOf } from "./account.ts";
import { allowancesOf } from "./allowances.ts";
import type { Bodies } from "./files/bodies.ts";
import { opFailure } from "./op/errors.ts";
import { isArchived } from "./items/item.ts";
import { doorLimits } from "./limits.ts";
import { listItems } from "./items/lists.ts";
import type { Op } from "./op/program.ts";
import { describedVaults } from "./vaults.ts";
import { Walk } from "./items/walk.ts";

/** 1Password through its command-line program. */
export class CliSource implements Source {
  readonly name = "onepassword-cli";
  readonly limits: DoorLimit[];

  constructor(readonly op: Op, readonly bodies: Bodies) {
    this.limits = doorLimits(op.counted);
  }

  account(signal: AbortSignal): Promise<Account | undefined> {
    return accountOf(this.op, signal);
  }

  vaults(signal: AbortSignal): Promise<Vault[]> {
    return describedVaults(this.op, signal);
  }

  items(vault: Vault, signal: AbortSignal, wanted: Wanted = () => true): AsyncGenerator<Item | Shortfall> {
    return new Walk(this.op, vault, signal).items(wanted);
  }

  async open(item: Item, file: ItemFile, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    try {
      return await this.bodies.open(item, file, signal);
    } catch (error) {
      if (!isAppError(error, "not-found", "denied", "unknown")) throw error;
      this.op.throwIfRefused();
      throw await this.#explained(item, error, signal);
    }
  }

  /**
   * Calls that a service account's quota counts: the list of vaults, each vault's details, its list of items (two, as
   * 1Password documents it), the keys that each process fetches anew, and one for each item. A person's are not counted.
   */
  estimate(vaults: Vault[], _signal: AbortSignal): Promise<CallEstimate> {
    if (!this.op.counted) return Promise.resolve({ reads: 0 });
    const items = vaults.reduce((sum, vault) => sum + (vault.activeItemCount ?? 0), 0);
    return Promise.resolve({ reads: 2 + 4 * vaults.length + items });
  }

  allowances(signal: AbortSignal): Promise<Allowance[] | undefined> {
    return allowancesOf(this.op, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.op.close(); // nothing runs between calls
    return Promise.resolve();
  }

  /** Why a file could not be had, once the list has told what has become of its item. */
  async #explained(item: Item, error: Error, signal: AbortSignal): Promise<Error> {
    const now = (await listItems(this.op, item.vaultId, signal)).get(item.id);
    const archived = now && isArchived(now);
    if (!now || (archived && item.state === "active")) {
      return opFailure("not-found", "its item was deleted or archived while the backup was made", {
        cause: error,
      });
    }
    if (archived && isAppError(error, "not-found")) {
      return opFailure(
        "unsupported",
        "op does not give files that are attached to archived items; a 1PUX file (source onepux) has them",
        { cause: error },
      );
    }
    return opFailure("unknown", error.message, { cause: error });
  }
}
