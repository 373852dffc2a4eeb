import type { DoorLimit, Shortfall } from "../../model/shortfall.ts";
import { counted } from "./format.ts";

/** Ids named one by one; the rest is counted, and all of them are in the archive's manifest and in `--json`. */
const NAMED = 10;

const WORDS = { gap: "missing", moved: "moved meanwhile", limit: "not given by this source" } as const;

/** Sums up for people what an archive lacks. */
export class Shortfalls {
  readonly #found: Shortfall[] = [];
  readonly #doorLimits: DoorLimit[] = [];

  add(shortfall: Shortfall): void {
    this.#found.push(shortfall);
  }

  addLimit(limit: DoorLimit): void {
    this.#doorLimits.push(limit);
  }

  /** Lines, most serious first; empty when nothing is lacking. */
  text(): string {
    const lines: string[] = [];
    for (const kind of ["gap", "moved", "limit"] as const) {
      const reasons = Map.groupBy(this.#found.filter((one) => one.shortfall === kind), (one) => one.reason);
      for (const [reason, all] of reasons) {
        lines.push(
          `${WORDS[kind]}: ${counted(all.length, reason.replace(/-/g, " "), reason.replace(/-/g, " "))}`,
        );
        for (const one of all.slice(0, kind === "limit" ? 0 : NAMED)) {
          lines.push(`  ${idOf(one)}: ${one.detail}`);
        }
        if (kind !== "limit" && all.length > NAMED) lines.push(`  and ${all.length - NAMED} more`);
      }
    }
    if (this.#found.length > 0) lines.push('their ids: "--json", or manifest.json inside the archive');
    if (this.#doorLimits.length > 0) {
      lines.push(
        `never given by this source: ${
          this.#doorLimits.map((one) => one.reason.replace(/-/g, " ")).join(", ")
        }`,
      );
    }
    return lines.join("\n");
  }
}

function idOf({ vaultId, itemId, fileId }: Shortfall): string {
  return [`vault ${vaultId}`, itemId && `item ${itemId}`, fileId && `file ${fileId}`].filter(Boolean).join(
    ", ",
  );
}
