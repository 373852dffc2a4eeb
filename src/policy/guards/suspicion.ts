import type { Run, Suspicion, VaultTally } from "../../model/run.ts";
import type { Baseline } from "./baseline.ts";

/** A drop is suspicious when it is both, so that neither a tidied small account nor a busy large one is. */
const FEWEST = 10;
const PERCENT = 20;

/** What a run has seen, as far as it is compared. */
export interface Seen {
  vaults: readonly VaultTally[];
  /** Ids of vaults that are shown and left out on purpose. */
  excluded: readonly string[];
  /** Whether a whole source could not be read, so that a vault which is not shown need not be gone. */
  partial: boolean;
}

/**
 * What is gone since the baseline: a fifth of all items and ten at least, against the last good run and against the
 * most that there was within 30 days; and every vault that held items and is not shown any more or holds none.
 * Archived items count as gone. What a gap names is there, though it could not be read; what the config leaves out is
 * gone on purpose.
 */
export function suspicions(seen: Seen, baseline: Baseline): Suspicion[] {
  const saved = new Set(seen.vaults.map(({ id }) => id));
  const aside = new Set([
    ...seen.excluded,
    ...seen.vaults.filter(({ unread }) => unread).map(({ id }) => id),
    // Left out on purpose the last time; now it may be gone altogether.
    ...(baseline.detailed?.excluded ?? []).filter((id) => !saved.has(id)),
  ]);
  if (seen.partial) addUnseen(aside, seen, baseline);
  return [...fewerItems(seen, baseline, aside), ...vaultsGone(seen, baseline, aside)];
}

/** A source that could not be read may be the only one that shows these. */
function addUnseen(aside: Set<string>, seen: Seen, { recent, detailed }: Baseline): void {
  const shown = new Set(seen.vaults.map(({ id }) => id));
  for (const { vaults = [] } of detailed ? [...recent, detailed] : recent) {
    for (const { id } of vaults) if (!shown.has(id)) aside.add(id);
  }
}

function fewerItems(seen: Seen, { last, recent }: Baseline, aside: ReadonlySet<string>): Suspicion[] {
  if (!last) return [];
  const compared = (run: Run) => {
    // A vault that is included since then must not make up for what another has lost.
    const out = aside.union(new Set(run.excluded));
    return {
      ...named(run),
      before: run.vaults ? total(run.vaults, out) : run.items,
      now: total(seen.vaults, out),
    };
  };
  const all = [last, ...recent].map(compared);
  const [first] = all;
  const worst = all.reduce((worst, one) => one.before - one.now > worst.before - worst.now ? one : worst);
  const drop = [first!, worst].find(isDrop);
  return drop ? [{ reason: "fewer-items", ...drop }] : [];
}

function isDrop({ before, now }: { before: number; now: number }): boolean {
  const gone = before - now;
  return gone >= FEWEST && gone * 100 >= before * PERCENT;
}

function vaultsGone(seen: Seen, { detailed }: Baseline, aside: ReadonlySet<string>): Suspicion[] {
  const now = new Map(seen.vaults.map((vault) => [vault.id, vault]));
  return (detailed?.vaults ?? []).flatMap((vault): Suspicion[] => {
    if (aside.has(vault.id)) return [];
    const found = now.get(vault.id);
    const about = { ...named(detailed!), vaultId: vault.id };
    const before = itemsOf(vault);
    if (found) {
      if (before === 0 || itemsOf(found) > 0) return [];
      return [{ reason: "vault-emptied", ...about, before }];
    }
    if (before + vault.archived === 0) return [];
    return [{ reason: "vault-gone", ...about, before: before || vault.archived }];
  });
}

/** Active items that are there, whether they could be read or not. */
function itemsOf({ active, lacking = 0 }: VaultTally): number {
  return active + lacking;
}

function total(vaults: readonly VaultTally[], aside: ReadonlySet<string>): number {
  return vaults.reduce((sum, vault) => aside.has(vault.id) ? sum : sum + itemsOf(vault), 0);
}

function named({ run, time }: Run) {
  return { baseline: run, baselineTime: time };
}
