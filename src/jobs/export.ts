import { AppError, throwIfCancelled, toAppError } from "../base/errors.ts";
import { utf8 } from "../base/bytes.ts";
import { FORMAT, layout } from "../archive/layout.ts";
import { type Contents, encodeContents } from "../archive/contents.ts";
import { type IndexRow, indexTsv, README } from "../archive/people.ts";
import type { ArchiveWriter } from "../archive/write.ts";
import { type Counts, noCounts, type Outcome } from "../model/counts.ts";
import type { Item } from "../model/item.ts";
import { isShortfall, type Shortfall } from "../model/shortfall.ts";
import type { Account, Vault } from "../model/vault.ts";
import type { Source } from "../source/contract.ts";
import type { JobContext } from "./context.ts";
import { exportFiles } from "./export_files.ts";
import { selectVaults } from "./select_vaults.ts";

/** What an export has put into an archive. */
export interface Exported {
  counts: Counts;
  outcome: Outcome;
}

/** Vaults in a row that cannot be reached before the rest is given up: each costs minutes of retries. */
const GIVE_UP_AFTER = 2;

/**
 * Walks everything that the source shows into `writer`: vaults and items first, files after them, because a
 * quota that ends half-way shall cost files rather than items. What is lacking is recorded, never passed over.
 *
 * @throws what stops the whole run: the sign-in was refused, the quota ended before all items, there is nothing
 * at all to save, the run was cancelled, or the writer failed.
 */
export async function exportVaults(
  source: Source,
  writer: ArchiveWriter,
  context: JobContext,
  time: Date,
): Promise<Exported> {
  const run = new ExportRun(source, writer, context);
  const account = await source.account(context.signal);
  const { chosen, excluded, missing, warnings } = selectVaults(
    await source.vaults(context.signal),
    context.job.vaults,
  );
  for (const message of warnings) {
    context.emit({ event: "warning", job: context.job.name, code: "unknown-vault", message });
  }
  if (chosen.length === 0) {
    throw new AppError("unknown", "1Password shows no vault to back up: nothing was published", {
      hint: "check which vaults the service account may read, and vaults: {include, exclude} in the config",
    });
  }
  await run.begin(account);
  for (const shortfall of missing) run.lacks(shortfall);
  for (const limit of source.limits) context.emit({ event: "door-limit", job: context.job.name, ...limit });
  await run.items(chosen);
  await exportFiles(run);
  return await run.end({
    time: time.toISOString(),
    excludedVaults: excluded.map((vault) => vault.id),
    ...(account ? { account } : {}),
  });
}

/** An item whose files are still to be fetched. */
export interface PendingFiles {
  vault: Vault;
  item: Item;
}

const COUNTED = { limit: "limits", moved: "moved", gap: "gaps" } as const;

/** The state of one walk. */
export class ExportRun {
  readonly counts = noCounts();
  readonly pending: PendingFiles[] = [];
  readonly #rows: IndexRow[] = [];
  readonly #lacking: Shortfall[] = [];
  readonly #paths = new Set<string>();
  #total: number | undefined = 0;

  constructor(readonly source: Source, readonly writer: ArchiveWriter, readonly context: JobContext) {}

  async begin(account: Account | undefined): Promise<void> {
    await this.writer.add(layout.format, json({ format: FORMAT, tool: this.context.tool }));
    await this.writer.add(layout.readme, README);
    if (account) await this.writer.add(layout.account, json(account));
  }

  /** All vaults with their items. */
  async items(vaults: readonly Vault[]): Promise<void> {
    for (const { activeItemCount } of vaults) {
      this.#total = this.#total === undefined || activeItemCount === undefined
        ? undefined
        : this.#total + activeItemCount;
    }
    let unreachable = 0;
    let failure: AppError | undefined;
    for (const vault of vaults) {
      throwIfCancelled(this.context.signal);
      await this.writer.add(layout.vault(vault.id), json(vault));
      this.counts.vaults++;
      if (unreachable >= GIVE_UP_AFTER && failure) {
        this.#unreadable(vault, failure);
        continue;
      }
      try {
        await this.#vault(vault);
        unreachable = 0;
      } catch (error) {
        failure = this.#whatVaultMayLack(error);
        unreachable = failure.code === "transient" ? unreachable + 1 : 0;
        this.#unreadable(vault, failure);
      }
    }
    if (this.counts.items + this.counts.archived === 0) {
      throw failure ??
        new AppError("unknown", "1Password shows no item in any vault: nothing was published", {
          hint: "check that the service account may read the items of its vaults",
        });
    }
  }

  lacks(shortfall: Shortfall): void {
    this.#lacking.push(shortfall);
    this.counts[COUNTED[shortfall.shortfall]]++;
    this.context.emit({ event: "shortfall", job: this.context.job.name, ...shortfall });
  }

  row(row: IndexRow): void {
    this.#rows.push(row);
  }

  /** Claims a path; false when something else (an id that differs in case only) has it already. */
  claim(path: string): boolean {
    const key = path.toLowerCase();
    if (this.#paths.has(key)) return false;
    this.#paths.add(key);
    return true;
  }

  async end(about: Pick<Contents, "time" | "excludedVaults" | "account">): Promise<Exported> {
    await this.writer.add(layout.index, indexTsv(this.#rows));
    this.counts.bytes = this.writer.entries.reduce((sum, entry) => sum + entry.size, 0);
    const of = (kind: Shortfall["shortfall"]) => this.#lacking.filter((one) => one.shortfall === kind);
    const contents: Contents = {
      format: FORMAT,
      job: this.context.job.name,
      ...about,
      tool: this.context.tool,
      source: this.source.name,
      entries: [...this.writer.entries],
      counts: this.counts,
      doorLimits: this.source.limits,
      limits: of("limit"),
      moved: of("moved"),
      gaps: of("gap"),
    };
    await this.writer.add(layout.manifest, encodeContents(contents));
    return { counts: this.counts, outcome: this.counts.gaps > 0 ? "incomplete" : "complete" };
  }

  async #vault(vault: Vault): Promise<void> {
    for await (const found of this.source.items(vault, this.context.signal)) {
      if (isShortfall(found)) this.lacks(found);
      else await this.#item(vault, found);
    }
  }

  async #item(vault: Vault, item: Item): Promise<void> {
    const path = layout.item(vault.id, item.id);
    if (!this.claim(path)) {
      return this.lacks({
        shortfall: "gap",
        reason: "unreadable-item",
        vaultId: vault.id,
        itemId: item.id,
        detail: "the source gave this id twice; only the first was kept",
      });
    }
    await this.writer.add(path, json(item));
    if (item.state === "archived") this.counts.archived++;
    else this.counts.items++;
    this.row({
      vault: vault.title,
      title: item.title,
      username: item.fields.find((field) => field.id === "username")?.value ?? "",
      state: item.contents === "overview" ? `${item.state}, listed only` : item.state,
      fileName: "",
      path,
    });
    if (item.files.length > 0) this.pending.push({ vault, item });
    this.context.emit({
      event: "progress",
      job: this.context.job.name,
      phase: "items",
      done: this.counts.items,
      ...(this.#total === undefined ? {} : { total: this.#total }),
    });
  }

  /** An error of one vault that leaves the rest of the run sensible; others are thrown on. */
  #whatVaultMayLack(error: unknown): AppError {
    const known = toAppError(error);
    if (this.context.signal.aborted || known.code === "cancelled") throw known;
    if (known.code === "quota" || known.origin !== "source") throw known;
    return known;
  }

  #unreadable(vault: Vault, error: AppError): void {
    this.lacks({
      shortfall: "gap",
      reason: "unreadable-vault",
      vaultId: vault.id,
      detail: `the vault could not be read to its end: ${error.message}`,
    });
  }
}

function json(value: unknown): Uint8Array {
  return utf8(JSON.stringify(value, undefined, 1) + "\n");
}
