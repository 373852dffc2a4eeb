import type { DoorLimit, Shortfall, ShortfallReason } from "../../model/shortfall.ts";
import { counted } from "./format.ts";

/** Around the noun, such as `3 [archived] items [listed only]`. */
const AROUND: Record<ShortfallReason, readonly [before: string, after: string]> = {
  "archived-contents": ["archived ", "listed only"],
  "unsupported-field": ["", "with unsupported fields"],
  "unsupported-item": ["", "of an unknown category"],
  "older-contents": ["", "with older contents"],
  "file-too-large": ["", "too large"],
  "file-shorter": ["", "shorter than declared"],
  "file-longer": ["", "longer than declared"],
  "deleted-meanwhile": ["", "deleted"],
  "archived-meanwhile": ["", "archived"],
  "vault-removed-meanwhile": ["", "removed"],
  "vault-not-visible": ["", "not visible"],
  "vault-left-out": ["expected ", "left out by the config"],
  "short-list": ["", "listed in part"],
  "unreadable-vault": ["", "that could not be read"],
  "unreadable-item": ["", "that could not be read"],
  "unreadable-file": ["", "that could not be read"],
  "door-failed": ["", "that could not be read through another source"],
  quota: ["", "left when the quota was used up"],
};

/** `12 archived items listed only`, of shortfalls that have reason and noun in common. */
export function counting(alike: readonly Shortfall[]): string {
  const [first] = alike;
  if (!first) return "";
  const noun = nounOf(first);
  // A later plugin's reason still makes a sentence.
  const [before, after] = AROUND[first.reason] ?? ["", `(${plain(first.reason)})`];
  const ending = noun === "source" ? "that could not be read" : after;
  return `${counted(alike.length, `${before}${noun}`)} ${ending}`;
}

/** What a shortfall is about. */
export function nounOf({ vaultId, itemId, fileId }: Shortfall): "source" | "vault" | "item" | "file" {
  if (fileId !== undefined) return "file";
  if (itemId !== undefined) return "item";
  return vaultId === "" ? "source" : "vault";
}

/** Where the bare word of programs would mislead after "never". */
const NEVER: ReadonlyMap<string, string> = new Map([
  ["cached-copy", "what Connect has not fetched yet"],
  ["unlisted-archive", "archived items that Connect does not list"],
  ["field-kinds", "kinds and parts of some fields"],
  ["address-parts", "parts of addresses"],
  ["password-history-times", "times of earlier passwords"],
  ["point-in-time", "what changed since the export"],
  ["unexported-vaults", "vaults that were not exported"],
  ["item-versions", "earlier versions of items"],
  ["form-details", "favourites and web form details"],
]);

/** `password history (of 12 items)` */
export function never({ reason, items }: DoorLimit): string {
  const what = NEVER.get(reason) ?? plain(reason);
  return items === undefined ? what : `${what} (of ${counted(items, "item")})`;
}

function plain(reason: string): string {
  return reason.replace(/-/g, " ");
}
