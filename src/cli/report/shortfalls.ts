import { printable } from "../../base/safe_names.ts";
import type { DoorLimit, Shortfall } from "../../model/shortfall.ts";
import { counting, never, nounOf } from "./words.ts";

/** Gaps named one by one; the rest is counted, and all of them are in the archive's manifest and in `--json`. */
const NAMED = 10;

/**
 * Sums up for people what an archive lacks: gaps by id, because somebody has to see to them; the rest, which is the
 * same every night, in a line for each kind.
 */
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
    let unnamed = false;
    for (const alike of this.#alike("gap")) {
      lines.push(`missing: ${counting(alike)}`);
      lines.push(...alike.slice(0, NAMED).map((one) => `  ${named(one)}`));
      if (alike.length <= NAMED) continue;
      lines.push(`  and ${alike.length - NAMED} more`);
      unnamed = true;
    }
    for (const [kind, label] of [["moved", "moved meanwhile"], ["limit", "limits"]] as const) {
      const sums = this.#alike(kind).map(counting).join(", ");
      if (sums === "") continue;
      lines.push(`${label}: ${sums}`);
      unnamed = true;
    }
    if (unnamed) lines.push('all ids: "--json", or manifest.json inside the archive');
    return [...lines, ...this.#never()].join("\n");
  }

  /** Shortfalls of a kind, those together that a sentence can sum up. */
  #alike(kind: Shortfall["shortfall"]): Shortfall[][] {
    const found = this.#found.filter(({ shortfall }) => shortfall === kind);
    return [...Map.groupBy(found, (one) => `${one.reason} ${nounOf(one)}`).values()];
  }

  /** A line for each door, without what has been said of one before it. */
  #never(): string[] {
    const said = new Set<string>();
    const lines: string[] = [];
    for (const [door, all] of Map.groupBy(this.#doorLimits, ({ door }) => door ?? "this source")) {
      const news = all.filter(({ reason }) => !said.has(reason));
      if (news.length === 0) continue;
      for (const { reason } of news) said.add(reason);
      const parts = [...Map.groupBy(news, ({ elsewhere = [] }) => elsewhere.join(" or "))]
        .sort(([one], [other]) => Number(one !== "") - Number(other !== ""))
        .map(([other, some]) =>
          `${other === "" ? "" : `but through ${other}: `}${some.map(never).join(", ")}`
        );
      lines.push(`never through ${door}: ${parts.join("; ")}`);
    }
    return lines;
  }
}

/** `vault v, item i: why`; a source that could not be read says itself which it is. */
function named({ vaultId, itemId, fileId, detail }: Shortfall): string {
  const ids = [vaultId && `vault ${vaultId}`, itemId && `item ${itemId}`, fileId && `file ${fileId}`];
  return printable([ids.filter(Boolean).join(", "), detail].filter((part) => part !== "").join(": "));
}
