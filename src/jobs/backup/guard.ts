import { AppError } from "../../base/errors.ts";
import { writeRuns } from "../../host/run_memory.ts";
import type { JobState } from "../../host/state.ts";
import { runOf } from "../../model/archive_name.ts";
import type { Outcome } from "../../model/counts.ts";
import type { Finding, PruningBlock, Run } from "../../model/run.ts";
import type { Account, Vault } from "../../model/vault.ts";
import { noLongerSeen } from "../../policy/coverage.ts";
import { anothersRun, refusedBefore } from "../../policy/guards/account.ts";
import { baselineOf, shownTo } from "../../policy/guards/baseline.ts";
import { pruningBlock } from "../../policy/guards/block.ts";
import { worthKeeping } from "../../policy/guards/memory.ts";
import { findingSentence } from "../../policy/guards/sentences.ts";
import { suspicions } from "../../policy/guards/suspicion.ts";
import { type JobContext, stateOf } from "../context.ts";
import { type Remembered, remembered } from "../remembered.ts";
import type { Exported } from "./export_run.ts";

/** What a run has come to when earlier ones are looked at too. */
export interface Verdict {
  outcome: Outcome;
  /** Told by {@linkcode Guard.tell}. */
  findings: Finding[];
}

/** Compares a run with what this host remembers of earlier ones. Doubt is told and stops deletion, never the backup. */
export class Guard {
  /** This run's name. */
  readonly run: string;
  readonly #context: JobContext;
  readonly #accepted: ReadonlySet<string>;
  readonly #lost: string | undefined;
  #runs: Run[];

  private constructor(
    context: JobContext,
    { runs, lost }: Remembered,
    accepted: ReadonlySet<string>,
    /** The name of this run's archive. */
    readonly archive: string,
    readonly time: Date,
  ) {
    this.run = runOf(archive);
    this.#context = context;
    this.#runs = runs;
    this.#lost = lost;
    this.#accepted = accepted;
  }

  static async load(context: JobContext, state: JobState, archive: string, time: Date): Promise<Guard> {
    return new Guard(context, await remembered(context, state), state.accepted(), archive, time);
  }

  /** Why nothing is to be pruned after this run; undefined where nothing is in doubt. */
  get block(): PruningBlock | undefined {
    return pruningBlock(this.#runs, this.#accepted);
  }

  /**
   * Looks at the vaults before anything is read.
   *
   * @throws `untrusted` when they are another account's; the try is remembered, so that it can be accepted.
   */
  async checkAccount(shown: readonly Vault[], account: Account | undefined): Promise<void> {
    const finding = this.wrongAccount(shown);
    if (!finding) return;
    const before = this.#runs.find(({ run }) => run === finding.run);
    const time = this.time.toISOString();
    const refused: Run = {
      run: finding.run,
      time: before?.time ?? time,
      lastTry: time,
      outcome: "refused",
      items: 0,
      archived: 0,
      files: 0,
      gaps: 0,
      ...(account?.id === undefined ? {} : { account: account.id }),
      vaults: shown.map(({ id }) => ({ id, active: 0, archived: 0, files: 0 })),
    };
    await this.#keep([...this.#runs.filter((run) => run !== before), refused]);
    this.tell([finding]);
    const { message, hint } = findingSentence(this.#context.job.name, finding);
    throw new AppError("untrusted", message, hint === undefined ? {} : { hint });
  }

  /** What {@linkcode checkAccount} finds; remembers nothing. */
  wrongAccount(vaults: readonly Vault[]): Extract<Finding, { finding: "wrong-account" }> | undefined {
    const shown = new Set(vaults.map(({ id }) => id));
    const last = anothersRun(this.#runs, this.#accepted, shown);
    if (!last) return undefined;
    return {
      finding: "wrong-account",
      run: refusedBefore(this.#runs, this.#accepted, shown)?.run ?? this.run,
      last: last.run,
      lastTime: last.time,
      shown: shown.size,
      known: new Set(shownTo(last)).size,
    };
  }

  /** Judges what has been read. */
  judge({ outcome, vaults, excluded, partial }: Exported): Verdict {
    const shown = [...vaults.map(({ id }) => id), ...excluded];
    const baseline = baselineOf(this.#runs, this.#accepted, new Set(shown), this.time);
    const reasons = suspicions({ vaults, excluded, partial }, baseline);
    const findings: Finding[] = [];
    if (reasons.length > 0) findings.push({ finding: "suspicious", run: this.run, reasons });
    const why = this.#lost ??
      (baseline.last && !baseline.detailed
        ? "of earlier backups only the number of items is remembered"
        : undefined);
    if (why !== undefined) findings.push({ finding: "no-baseline", why });
    const told = new Set(reasons.map((one) => "vaultId" in one ? one.vaultId : ""));
    const gone = partial ? [] : noLongerSeen(baseline.detailed?.vaults?.map(({ id }) => id) ?? [], shown);
    const vaultIds = gone.filter((id) => !told.has(id));
    if (vaultIds.length > 0) findings.push({ finding: "no-longer-seen", vaultIds });
    return { outcome: reasons.length > 0 ? "suspicious" : outcome, findings };
  }

  /** Remembers this run, durably: the next one is compared with it. To be called just before it is signed for good. */
  async remember(
    verdict: Verdict,
    { counts, vaults, excluded, expected, account }: Exported,
    { sequence, size }: { sequence: number; size: number },
  ): Promise<void> {
    const { items, archived, files, gaps } = counts;
    const noBaseline = verdict.findings.some(({ finding }) => finding === "no-baseline");
    await this.#keep([...this.#runs, {
      run: this.run,
      time: this.time.toISOString(),
      outcome: verdict.outcome,
      sequence,
      size,
      items,
      archived,
      files,
      gaps,
      ...(account?.id === undefined ? {} : { account: account.id }),
      vaults,
      excluded,
      expected,
      ...(noBaseline ? { noBaseline } : {}),
    }]);
  }

  /** Tells what was found. */
  tell(findings: readonly Finding[]): void {
    const job = this.#context.job.name;
    for (const finding of findings) {
      this.#context.emit({ event: "finding", job, ...findingSentence(job, finding), ...finding });
    }
  }

  async #keep(runs: Run[]): Promise<void> {
    this.#runs = worthKeeping(runs, this.#accepted, this.time);
    await writeRuns(this.#context.world, stateOf(this.#context), this.#runs);
  }
}
