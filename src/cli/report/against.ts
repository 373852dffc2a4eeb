import type { AgainstSource, Compared } from "../../jobs/against/against_source.ts";
import { EXIT } from "../exit_code.ts";
import { counted, number, table } from "./format.ts";

/** Ids of items that are shown to people at most, of each kind; programs get all. */
const SHOWN = 20;

const HOW: Record<AgainstSource["by"], string> = {
  items: "item by item",
  vaults: "by the number of items in each vault",
  total: "by the number of items in all vaults, for this host remembers no more of it",
};

/** What people read: a row for each vault, ids and numbers only. */
export function againstText(against: AgainstSource): string {
  const rows = against.compared.map((one) => [
    one.vaultId ?? "all vaults",
    ...[one.archived, one.now, one.missing, one.since, one.named, one.removed].map(number),
    wordOf(one),
  ]);
  const head = ["vault", "archived", "now", "missing", "newer", "named", "removed", "result"];
  return [
    `compared with 1Password, ${HOW[against.by]}: ${against.archive}`,
    table(head, rows, [1, 2, 3, 4, 5, 6]).trimEnd(),
    ...itemLines("missing in the archive", against.compared.flatMap((one) => one.missingItems)),
    ...itemLines("removed or moved since", against.compared.flatMap((one) => one.removedItems)),
    againstSentence(against),
  ].join("\n") + "\n";
}

function wordOf({ vault, missing, named, removed }: Compared): string {
  if (vault === "missing") return "THE VAULT IS MISSING";
  if (vault === "gone") return "not shown any more";
  if (missing > 0) return "DIFFERENT";
  if (named > 0) return "what its gaps name is missing";
  return removed > 0 ? "removed or moved since" : "same";
}

function itemLines(what: string, paths: readonly string[]): string[] {
  const more = paths.length - SHOWN;
  return [
    ...paths.slice(0, SHOWN).map((path) => `${what}: ${idsOf(path).join("/")}`),
    ...(more > 0 ? [`${what}: ${number(more)} more`] : []),
  ];
}

function againstSentence({ by, compared, unread }: AgainstSource): string {
  const missing = compared.reduce((sum, one) => sum + one.missing, 0);
  const vaults = compared.filter(({ vault }) => vault === "missing").length;
  const found = [
    ...(missing > 0
      ? [
        `missing in the archive and older than it: ${by === "items" ? "" : "at least "}${
          counted(missing, "item")
        }`,
      ]
      : []),
    ...(vaults > 0 ? [`it lacks ${counted(vaults, "vault")}`] : []),
    ...(unread.length > 0
      ? [`${counted(unread.length, "part")} of 1Password could not be read and so not compared`]
      : []),
  ];
  return found.length === 0 ? "nothing is missing in the archive" : found.join("; ");
}

/** 3 where something is missing in the archive, and where not everything could be compared. */
export function againstExit({ compared, unread }: AgainstSource): number {
  const different = compared.some(({ vault, missing }) => vault === "missing" || missing > 0);
  return different || unread.length > 0 ? EXIT.gaps : EXIT.ok;
}

/** Ids and numbers; no title. */
export function againstForPrograms({ archive, by, compared, unread }: AgainstSource) {
  return {
    archive,
    by,
    vaults: compared.map(({ vaultId, vault, missingItems, removedItems, ...counts }) => ({
      ...(vaultId === undefined ? {} : { id: vaultId, vault }),
      ...counts,
      ...(by === "items"
        ? { missingItems: missingItems.map(itemOf), removedItems: removedItems.map(itemOf) }
        : {}),
    })),
    unread: unread.map(({ reason, vaultId, itemId }) => ({
      reason,
      vaultId,
      ...(itemId === undefined ? {} : { itemId }),
    })),
  };
}

function itemOf(path: string): string {
  return idsOf(path)[1]!;
}

/** The vault's id and the item's, of `vaults/<id>/items/<id>.json`. */
function idsOf(path: string): [string, string] {
  const [, vault = "", , file = ""] = path.split("/");
  return [vault, file.replace(/\.json$/, "")];
}
