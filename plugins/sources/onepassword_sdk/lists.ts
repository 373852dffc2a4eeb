import { z } from "zod";
import { AppError } from "../../../src/base/errors.ts";
import type { Vault } from "../../../src/model/vault.ts";
import type { Core } from "./core.ts";
import { type Overview, overviewJson, toVault } from "./item.ts";

/** An item as the SDK lists it. */
export interface Listed {
  overview: Overview;
  /** What the SDK said, unchanged. */
  raw: unknown;
}

/** Every vault that the token shows. */
export async function listVaults(core: Core, signal: AbortSignal): Promise<Vault[]> {
  const answer = await core.call("VaultsList", {}, signal);
  return understood(() => z.array(z.unknown()).parse(answer).map(toVault));
}

/** Every item of a vault, active and archived, in one call. */
export async function listItems(core: Core, vaultId: string, signal: AbortSignal): Promise<Listed[]> {
  const filters = [{ type: "ByState", content: { active: true, archived: true } }];
  const answer = await core.call("ItemsList", { vault_id: vaultId, filters }, signal);
  return understood(() =>
    z.array(z.unknown()).parse(answer).map((raw) => ({ overview: overviewJson.parse(raw), raw }))
  );
}

/** A list that is not understood is not a list: it must not become an empty or a shorter one. */
function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new AppError("unknown", "1Password's SDK answered with a list of an unknown shape", {
      hint: "a newer vaultferry may know it; nothing was changed",
      origin: "source",
      cause,
    });
  }
}
