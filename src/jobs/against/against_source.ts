import { AppError } from "../../base/errors.ts";
import type { Contents } from "../../archive/contents.ts";
import type { SignedArchive } from "../../archive/chain.ts";
import type { Shortfall } from "../../model/shortfall.ts";
import type { Vault } from "../../model/vault.ts";
import {
  type ArchivedPart,
  type Difference,
  differenceOf,
  isSince,
  type Looked,
  type Suspects,
  suspectsOf,
} from "../../policy/against_source.ts";
import { counted } from "../../policy/words.ts";
import type { Source } from "../../source/contract.ts";
import { quotaOf } from "../backup/preflight.ts";
import { selectVaults } from "../backup/select_vaults.ts";
import type { JobContext } from "../context.ts";
import { failedDoors, openDoors } from "../open_doors.ts";
import { DryRunFolders } from "../private_folders.ts";
import { type Archived, archivedByContents, archivedByNumbers, vaultsGone } from "./archived.ts";
import { Asking } from "./ask_source.ts";

/** A vault, or all of them together, in the archive and in the source. */
export interface Compared extends Difference {
  /** Undefined for all vaults together. */
  vaultId: string | undefined;
  /** `missing`: older than the archive and not in it; `gone`: in the archive and not shown any more. */
  vault: "both" | "missing" | "gone";
}

/** An archive held against what 1Password holds now. */
export interface AgainstSource {
  archive: string;
  by: Archived["by"];
  compared: Compared[];
  /** What the source could not give, so that nobody can say whether it is the same. */
  unread: readonly Shortfall[];
}

/** Vaults that are compared together. */
interface Part {
  id: string | undefined;
  vaults: Vault[];
  archived: ArchivedPart | undefined;
  now: Map<Vault, Set<string>>;
}

/**
 * Compares an archive with what the job's source holds now: item by item where it was opened, else by numbers. Lists
 * every vault once and looks only at items that the archive may lack; reads no file, writes nothing.
 *
 * @throws what the source fails with: a source that cannot be read is never one without a difference; `quota` before
 *   more is spent than is left; `untrusted` when it is another account's.
 */
export async function againstSource(
  context: JobContext,
  { manifest }: SignedArchive,
  contents: Contents | undefined,
): Promise<AgainstSource> {
  const archived = contents ? archivedByContents(contents) : await archivedByNumbers(context, manifest);
  context.emit({ event: "phase", job: context.job.name, phase: "sign-in" });
  await using folders = new DryRunFolders(context);
  await using source = await openDoors({ ...context, folders });
  const shown = await source.vaults(context.signal);
  refuseOtherAccount(archived, shown);
  const { chosen, missing, warnings } = selectVaults(shown, context.job.vaults);
  for (const message of [...warnings, ...missing.map(({ detail }) => detail)]) {
    context.emit({ event: "warning", job: context.job.name, code: "unknown-vault", message });
  }
  const moment = Date.parse(manifest.time);
  const asking = new Asking(context, source, moment);
  await announce(context, source, chosen, () => 0, `listing ${counted(chosen.length, "vault")}`);
  const parts = partsOf(archived, chosen);
  for (const part of parts) {
    for (const vault of part.vaults) part.now.set(vault, await asking.list(vault));
  }
  const looked = await lookAtSuspects(context, asking, parts);
  return {
    archive: manifest.archive.name,
    by: archived.by,
    compared: [
      ...parts.map((part) => compare(part, looked.get(part)!, moment)),
      ...vaultsGone(archived, shown).map((id) => gone(id, archived)),
    ],
    unread: [...failedDoors(source), ...asking.unread],
  };
}

/** Two accounts have no vault in common; comparing them would call every item missing. */
function refuseOtherAccount(archived: Archived, shown: readonly Vault[]): void {
  if (shown.length === 0) {
    throw new AppError("unknown", "1Password shows no vault to compare with", {
      hint: "check which vaults the service account may read",
    });
  }
  if (
    archived.shown.length === 0 ||
    vaultsGone({ ...archived, vaults: archived.shown }, shown).length < archived.shown.length
  ) return;
  throw new AppError(
    "untrusted",
    "1Password shows none of the vaults of this archive: it seems to be another account's",
    { hint: "check the job's source: its token may be one of another account" },
  );
}

function partsOf(archived: Archived, chosen: Vault[]): Part[] {
  if (archived.by === "total") {
    return [{ id: undefined, vaults: chosen, archived: archived.total, now: new Map() }];
  }
  return chosen.map((vault) => ({
    id: vault.id,
    vaults: [vault],
    archived: archived.of(vault),
    now: new Map(),
  }));
}

/** Of each part, how old the items are that the archive may lack. */
async function lookAtSuspects(
  context: JobContext,
  asking: Asking,
  parts: readonly Part[],
): Promise<Map<Part, Looked>> {
  const suspects = new Map<Part, Suspects>(
    parts.map((part) => [part, suspectsOf(part.archived, nowOf(part))]),
  );
  const inVault = (part: Part, vault: Vault) =>
    [...part.now.get(vault)!].filter((one) => suspects.get(part)!.items.has(one)).length;
  const all = parts.flatMap((part) =>
    part.vaults.map((vault) => ({ part, vault, count: inVault(part, vault) }))
  )
    .filter(({ count }) => count > 0);
  const items = all.reduce((sum, { count }) => sum + count, 0);
  if (items > 0) {
    const counts = new Map(all.map(({ vault, count }) => [vault, count]));
    await announce(
      context,
      asking.source,
      all.map(({ vault }) => vault),
      (vault) => counts.get(vault) ?? 0,
      `looking at ${counted(items, "item")} at most, whether the archive should have them`,
    );
  }
  const looked = new Map(parts.map((part): [Part, Looked] => [part, { old: [], since: 0 }]));
  for (const { part, vault } of all) {
    const { enough } = suspects.get(part)!;
    const found = looked.get(part)!;
    if (enough !== undefined && found.since >= enough) continue;
    // Of a vault that the archive lacks, one old item says it all.
    await asking.look(vault, suspects.get(part)!, found, part.archived === undefined);
  }
  return looked;
}

/** Says what is about to be spent of the quota, and refuses when that is surely more than is left. */
async function announce(
  context: JobContext,
  source: Source,
  vaults: readonly Vault[],
  items: (vault: Vault) => number,
  what: string,
): Promise<void> {
  const counted = vaults.map((vault) => ({ ...vault, activeItemCount: items(vault) }));
  const verdict = await quotaOf(source, counted, context);
  const { reads, certainWaitSeconds } = verdict;
  const calls = reads === 0 ? "costs none of the quota" : `about ${reads} calls to 1Password`;
  context.emit({ event: "note", job: context.job.name, message: `${what}: ${calls}` });
  if (certainWaitSeconds * 1000 <= (context.wait ?? 0)) return;
  throw new AppError("quota", `1Password's quota does not last for ${what}: ${calls}`, {
    hint: `try again when it has renewed, in ${Math.ceil(certainWaitSeconds / 60)} min`,
    origin: "source",
  });
}

function nowOf({ now }: Part): Set<string> {
  return new Set([...now.values()].flatMap((items) => [...items]));
}

function compare(part: Part, looked: Looked, moment: number): Compared {
  const difference = differenceOf(part.archived, nowOf(part), looked);
  const [vault] = part.vaults;
  const known = vault?.createdAt !== undefined && !isSince({ createdAt: vault.createdAt }, moment);
  const missing = part.archived === undefined &&
    (looked.old.length > 0 || (difference.now === 0 && known));
  return { vaultId: part.id, vault: missing ? "missing" : "both", ...difference };
}

function gone(vaultId: string, archived: Archived): Compared {
  const part = archived.of({ id: vaultId, title: vaultId });
  return { vaultId, vault: "gone", ...differenceOf(part, new Set(), { old: [], since: 0 }) };
}
