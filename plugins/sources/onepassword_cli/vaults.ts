import { utf8 } from "../../../src/base/bytes.ts";
import { isAppError, throwIfCancelled } from "../../../src/base/errors.ts";
import type { Vault, VaultKind } from "../../../src/model/vault.ts";
import { countOf, type JsonObject, listOf, objectOf, parse, textOf, timeOf } from "./op/json.ts";
import { splitObjects } from "./op/objects.ts";
import type { Op } from "./op/program.ts";

/** A vault as `op` lists it: without its kind and description. */
export type ListedVault = JsonObject & { id: string };

/** Every vault that this account shows, in one call. */
export async function listVaults(op: Op, signal: AbortSignal): Promise<ListedVault[]> {
  return listOf(await op.json(["vault", "list"], signal), "vaults");
}

/** Active items as 1Password counts them; undefined where `op` does not say, as for a vault without any. */
export function activeItems(vault: JsonObject): number | undefined {
  // The Connect API, whose words these are, calls it the number of active items; the archive is not in it.
  return countOf(vault.items);
}

/**
 * Every vault with its kind and description, which only `op vault get` tells: one process for all of them, and one
 * call to 1Password for each.
 */
export async function describedVaults(op: Op, signal: AbortSignal): Promise<Vault[]> {
  const listed = await listVaults(op, signal);
  const described = listed.length === 0
    ? new Map<string, JsonObject>()
    : await op.patiently(signal, () => detailsOf(op, listed, signal));
  const vaults: Vault[] = [];
  for (const vault of listed) {
    vaults.push(toVault(vault, described.get(vault.id) ?? await singleDetails(op, vault, signal)));
  }
  return vaults;
}

/** What `op vault get` tells of these vaults, by id; of some nothing, when it ended early because of another. */
async function detailsOf(
  op: Op,
  vaults: readonly ListedVault[],
  signal: AbortSignal,
): Promise<Map<string, JsonObject>> {
  const found = new Map<string, JsonObject>();
  const stdin = utf8(JSON.stringify(vaults.map(({ id }) => ({ id }))));
  try {
    await using call = op.start(["vault", "get", "-", "--format", "json"], signal, { stdin });
    for await (const bytes of splitObjects(call.stdout)) {
      const vault = objectOf(parse(bytes));
      found.set(textOf(vault.id), vault);
    }
    const failure = op.judge(await call.ended);
    if (failure && (failure.final || isAppError(failure.error, "quota", "transient"))) throw failure.error;
  } catch (caught) {
    const error = op.translated(caught);
    throwIfCancelled(signal);
    // Whatever else was wrong with it, the vaults that it did not tell of are asked for one by one.
    if (!isAppError(error, "corrupt", "unknown")) throw error;
  }
  return found;
}

/** A vault that is gone meanwhile is still listed: reading its items will tell. */
async function singleDetails(op: Op, vault: ListedVault, signal: AbortSignal): Promise<JsonObject> {
  try {
    return objectOf(await op.json(["vault", "get", vault.id], signal));
  } catch (error) {
    if (isAppError(error, "not-found")) return {};
    throw error;
  }
}

function toVault(listed: ListedVault, described: JsonObject): Vault {
  const json: JsonObject = { ...listed, ...described, id: listed.id };
  const count = activeItems(json);
  const createdAt = timeOf(json.created_at);
  const updatedAt = timeOf(json.updated_at);
  return {
    id: listed.id,
    title: textOf(json.name),
    description: textOf(json.description),
    kind: KINDS.get(textOf(json.type)) ?? "unknown",
    ...(count === undefined ? {} : { activeItemCount: count }),
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(updatedAt === undefined ? {} : { updatedAt }),
    raw: json,
  };
}

const KINDS: ReadonlyMap<string, VaultKind> = new Map([
  ["PERSONAL", "personal"],
  ["EVERYONE", "everyone"],
  ["USER_CREATED", "created"],
  ["TRANSFER", "transfer"],
]);
