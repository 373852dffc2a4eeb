import type { Item } from "../../../src/model/item.ts";
import type { DoorLimit, Shortfall } from "../../../src/model/shortfall.ts";

/** What the SDK never gives and does not even hint at; visible losses are recorded by id instead. */
const SDK_LIMITS: DoorLimit[] = [
  {
    reason: "passkeys",
    detail: "the SDK does not show passkeys; no other door gives them either",
  },
  {
    reason: "password-history",
    detail: "the SDK does not show earlier passwords; a 1PUX file (source onepux) has them",
    elsewhere: ["onepux"],
  },
  {
    reason: "form-details",
    detail:
      "the SDK does not show favourites, sign-in-with details and saved web-form fields other than user name and " +
      "password; the source onepux does",
    elsewhere: ["onepux"],
  },
];

/** What a service account's token never gives. */
export const TOKEN_LIMITS: DoorLimit[] = [
  {
    reason: "personal-vaults",
    detail:
      "a service account never sees Personal, Private or Employee vaults, nor the Shared vault an account begins " +
      "with; their owners can export them to a 1PUX file (source onepux)",
  },
  ...SDK_LIMITS,
];

/** What the app of one person never gives. */
export const APP_LIMITS: DoorLimit[] = [
  {
    reason: "personal-vaults",
    detail:
      "the 1Password app shows what the person who signed in there may see: Personal, Private or Employee vaults " +
      "of others are not among it; their owners can export them to a 1PUX file (source onepux)",
  },
  ...SDK_LIMITS,
];

/** The largest file that the SDK reads, in bytes as its item declares them (measured: one more is refused unread). */
export const LARGEST_FILE = 50_000_000;

/** The limits that are visible in an item as it was read. */
export function limitsOf(item: Item): Shortfall[] {
  const ids = { vaultId: item.vaultId, itemId: item.id };
  const limits: Shortfall[] = [];
  const unsupported = item.fields.filter((field) => field.kind === "Unsupported").length;
  if (unsupported > 0) {
    limits.push({
      ...ids,
      shortfall: "limit",
      reason: "unsupported-field",
      detail:
        `the SDK gives no value for ${unsupported} field${unsupported === 1 ? "" : "s"} of this item; ` +
        "a 1PUX file (source onepux) has it",
    });
  }
  if (item.category === "Unsupported") {
    limits.push({
      ...ids,
      shortfall: "limit",
      reason: "unsupported-item",
      detail: "the SDK does not know this item's category, so some of it may be lacking",
    });
  }
  return limits;
}

/** The limit for an archived item, which the SDK lists and refuses to read. */
export function archivedLimit(vaultId: string, itemId: string): Shortfall {
  return {
    shortfall: "limit",
    reason: "archived-contents",
    vaultId,
    itemId,
    detail: "the SDK lists archived items but does not read them; a 1PUX file (source onepux) has them",
  };
}
