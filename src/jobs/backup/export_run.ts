import { utf8 } from "../../base/bytes.ts";
import { type Contents, encodeContents } from "../../archive/contents.ts";
import { FORMAT, layout } from "../../archive/layout.ts";
import { type IndexRow, indexTsv, README } from "../../archive/people.ts";
import type { ArchiveWriter } from "../../archive/write.ts";
import { type Counts, type DoorShare, noCounts, type Outcome } from "../../model/counts.ts";
import type { Item } from "../../model/item.ts";
import type { ExpectedVaults, VaultTally } from "../../model/run.ts";
import type { DoorLimit, Shortfall } from "../../model/shortfall.ts";
import type { Account, Vault } from "../../model/vault.ts";
import { CombinedSource } from "../../source/combined/source.ts";
import type { Source } from "../../source/contract.ts";
import type { JobContext } from "../context.ts";
import { Tally } from "./tally.ts";

/** What an export has put into an archive. */
export interface Exported {
  counts: Counts;
  /** By its gaps alone. */
  outcome: Outcome;
  vaults: VaultTally[];
  /** Ids of vaults that are left out on purpose. */
  excluded: string[];
  expected: ExpectedVaults;
  account: Account | undefined;
  /** Whether a whole source could not be read. */
  partial: boolean;
}

/** An item whose files are still to be fetched. */
export interface PendingFiles {
  vault: Vault;
  item: Item;
}

const COUNTED = { limit: "limits", moved: "moved", gap: "gaps" } as const;

/** What one walk through a source has written, counted and found lacking so far. */
export class ExportRun {
  readonly counts = noCounts();
  readonly tally = new Tally();
  readonly pending: PendingFiles[] = [];
  /** The source, where it is several doors. */
  readonly doors: CombinedSource | undefined;
  readonly #rows: IndexRow[] = [];
  readonly #lacking: Shortfall[] = [];
  readonly #paths = new Set<string>();
  /** Which of several doors gave an entry, by path. */
  readonly #givenBy = new Map<string, string>();
  readonly #shares = new Map<string, DoorShare>();

  constructor(readonly source: Source, readonly writer: ArchiveWriter, readonly context: JobContext) {
    this.doors = source instanceof CombinedSource ? source : undefined;
    for (const name of this.doors?.doorNames ?? []) {
      this.#shares.set(name, { name, vaults: 0, items: 0, files: 0 });
    }
  }

  async begin(account: Account | undefined): Promise<void> {
    await this.writer.add(layout.format, json({ format: FORMAT, tool: this.context.tool }));
    await this.writer.add(layout.readme, README);
    if (account) await this.writer.add(layout.account, json(account));
  }

  /** False when the source gave this id before (or one that differs in case only): the second is a gap. */
  async addVault(vault: Vault): Promise<boolean> {
    const path = layout.vault(vault.id);
    if (!this.claim(path)) {
      this.lacks({
        shortfall: "gap",
        reason: "unreadable-vault",
        vaultId: vault.id,
        detail: "the source gave this id twice; only the first was kept",
      });
      return false;
    }
    await this.writer.add(path, json(vault));
    this.counts.vaults++;
    this.tally.vault(vault.id);
    this.#given(path, this.doors?.doorOfVault(vault.id), "vaults");
    return true;
  }

  async addItem(vault: Vault, item: Item): Promise<void> {
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
    this.tally.item(vault.id, item.state);
    this.#given(path, this.doors?.doorOfItem(item), "items");
    this.#rows.push({
      vault: vault.title,
      title: item.title,
      username: item.fields.find((field) => field.id === "username")?.value ?? "",
      state: item.contents === "overview" ? `${item.state}, listed only` : item.state,
      fileName: "",
      path,
    });
    if (item.files.length > 0) this.pending.push({ vault, item });
  }

  /** Notes a file that was written at `path`. */
  fileAdded({ vault, item }: PendingFiles, fileName: string, path: string): void {
    this.counts.files++;
    this.tally.file(vault.id);
    const file = item.files.find(({ id }) => layout.file(vault.id, item.id, id) === path);
    this.#given(path, this.doors?.doorOfItem(item, file?.id), "files");
    this.#rows.push({
      vault: vault.title,
      title: item.title,
      username: "",
      state: item.state,
      fileName,
      path,
    });
  }

  lacks(shortfall: Shortfall): void {
    this.#lacking.push(shortfall);
    this.tally.lacks(shortfall);
    this.counts[COUNTED[shortfall.shortfall]]++;
    this.context.emit({ event: "shortfall", job: this.context.job.name, ...shortfall });
  }

  /** Claims a path; false when something else (an id that differs in case only) has it already. */
  claim(path: string): boolean {
    const key = path.toLowerCase();
    if (this.#paths.has(key)) return false;
    this.#paths.add(key);
    return true;
  }

  /** Notes which door gave an entry, where there are several. */
  #given(path: string, door: string | undefined, what: "vaults" | "items" | "files"): void {
    if (door === undefined) return;
    this.#givenBy.set(path, door);
    const share = this.#shares.get(door);
    if (share) share[what]++;
  }

  /** What the doors never give: known for certain only when all items have been read. */
  #doorLimits(): DoorLimit[] {
    return this.source.limits.map((limit) => ({ door: this.source.name, ...limit }));
  }

  #tellDoors(): void {
    const job = this.context.job.name;
    for (const limit of this.#doorLimits()) this.context.emit({ event: "door-limit", job, ...limit });
    if (this.doors) this.context.emit({ event: "doors", job, doors: [...this.#shares.values()] });
  }

  /** Writes the index and the inner manifest, which are last. */
  async end(
    about: Pick<Contents, "time" | "excludedVaults" | "account">,
  ): Promise<Omit<Exported, "expected">> {
    this.#tellDoors();
    await this.writer.add(layout.index, indexTsv(this.#rows));
    this.counts.bytes = this.writer.entries.reduce((sum, entry) => sum + entry.size, 0);
    const of = (kind: Shortfall["shortfall"]) => this.#lacking.filter((one) => one.shortfall === kind);
    const contents: Contents = {
      format: FORMAT,
      job: this.context.job.name,
      ...about,
      tool: this.context.tool,
      source: this.source.name,
      ...(this.doors ? { doors: [...this.#shares.values()] } : {}),
      entries: this.writer.entries.map((entry) => {
        const door = this.#givenBy.get(entry.path);
        return door === undefined ? entry : { ...entry, door };
      }),
      counts: this.counts,
      doorLimits: this.#doorLimits(),
      limits: of("limit"),
      moved: of("moved"),
      gaps: of("gap"),
    };
    await this.writer.add(layout.manifest, encodeContents(contents));
    return {
      counts: this.counts,
      outcome: this.counts.gaps > 0 ? "incomplete" : "complete",
      vaults: this.tally.vaults,
      excluded: about.excludedVaults,
      account: about.account,
      partial: this.tally.partial,
    };
  }
}

function json(value: unknown): Uint8Array {
  return utf8(JSON.stringify(value, undefined, 1) + "\n");
}
