import { quoted } from "../../base/safe_names.ts";
import type { Against, Finding, PruningBlock, Suspicion, VaultLoss } from "../../model/run.ts";
import { counted, moment, number } from "../words.ts";

/** A finding or a block for people: one sentence, and what to do. */
export interface Sentence {
  message: string;
  hint?: string;
}

/** Vaults named one by one; the rest is counted. */
const NAMED = 10;

/** What people read of a finding about a run of `job`. */
export function findingSentence(job: string, finding: Finding): Sentence {
  switch (finding.finding) {
    case "suspicious":
      return {
        message: `suspicious: ${suspicionText(finding.reasons)}`,
        hint: `nothing is pruned until this is cleared up; if it is meant to be so: ${
          acceptance(job, finding.run)
        }`,
      };
    case "wrong-account":
      return {
        message: `this is another account: no vault of the last complete backup is shown (${finding.last}, ${
          moment(finding.lastTime)
        }); nothing was published`,
        hint: `check the token in the config; if the account has changed on purpose: ${
          acceptance(job, finding.run)
        }`,
      };
    case "no-baseline":
      return {
        message:
          `${finding.why}: what earlier backups saw is not known, so a loss cannot be noticed this time`,
        hint: "the archive is published and nothing is pruned; the next backup is compared with this one",
      };
    case "no-longer-seen":
      return {
        message: `not shown any more, and empty in the last complete backup: ${
          vaultsText(finding.vaultIds.map(quoted))
        }`,
      };
  }
}

/** Why nothing is pruned, without a beginning: `suspicious: acme_… has lost items or vaults`. */
export function blockSentence(job: string, { reason, run, gaps }: PruningBlock): Sentence {
  switch (reason) {
    case "incomplete":
      return { message: `${run} is incomplete: ${counted(gaps, "gap")}` };
    case "suspicious":
      return {
        message: `${run} is suspicious: items or vaults are gone`,
        hint: `if they are meant to be gone: ${acceptance(job, run)}`,
      };
    case "wrong-account":
      return {
        message: `the source shows another account, and nothing is published`,
        hint: `check the token in the config; if the account has changed on purpose: ${acceptance(job, run)}`,
      };
    case "no-baseline":
      return { message: `what backups before ${run} saw is not known; the next one is compared with it` };
  }
}

/** The command by which a person says that a run is as it should be. */
function acceptance(job: string, run: string): string {
  return `vaultferry accept ${job} ${run}`;
}

function suspicionText(reasons: readonly Suspicion[]): string {
  const fewer = reasons.filter((one) => one.reason === "fewer-items").map(({ before, now, ...one }) =>
    `${number(before - now)} of ${counted(before, "item")} are gone ${since(one)}`
  );
  const gone = reasons.filter((one) => one.reason === "vault-gone");
  const emptied = reasons.filter((one) => one.reason === "vault-emptied");
  return [...fewer, ...vaultsSentence(gone, "not shown any more"), ...vaultsSentence(emptied, "emptied")]
    .join("; ");
}

function vaultsSentence(losses: readonly VaultLoss[], what: string): string[] {
  const [first] = losses;
  if (!first) return [];
  const each = losses.map(({ vaultId, before }) => `${quoted(vaultId)} with ${counted(before, "item")}`);
  return [`${what} ${since(first)}: ${vaultsText(each)}`];
}

function since({ baseline, baselineTime }: Against): string {
  return `since ${baseline} (${moment(baselineTime)})`;
}

/** `the vault "x" with 3 items`, `12 vaults: "a", …, and 2 more` */
function vaultsText(each: readonly string[]): string {
  if (each.length === 1) return `the vault ${each[0]}`;
  const named = each.slice(0, NAMED).join(", ");
  const more = each.length > NAMED ? `, and ${each.length - NAMED} more` : "";
  return `${counted(each.length, "vault")}: ${named}${more}`;
}
