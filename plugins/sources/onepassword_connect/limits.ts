import type { Item } from "../../../src/model/item.ts";
import type { DoorLimit, Shortfall } from "../../../src/model/shortfall.ts";
import { isNamedKind, UNNAMED_CATEGORY } from "./words.ts";

/** What Connect never gives and does not even hint at; visible losses are recorded by id instead. */
export const DOOR_LIMITS: DoorLimit[] = [
  {
    reason: "personal-vaults",
    detail:
      "a Connect server never sees Personal, Private or Employee vaults, and of the others only those that it and " +
      "its token were given; the owners of the first can export them to a 1PUX file (source onepux)",
  },
  {
    reason: "cached-copy",
    detail:
      "Connect answers from its own copy of the vaults, which may be behind 1Password when the two cannot reach " +
      "each other",
  },
  {
    reason: "unlisted-archive",
    detail: "archived items are saved where the Connect server lists them, which not every version does",
  },
  {
    reason: "passkeys",
    detail: "Connect does not show passkeys; no other door gives them either",
  },
  {
    reason: "password-history",
    detail: "Connect does not show earlier passwords; a 1PUX file (source onepux) has them",
    elsewhere: ["onepux"],
  },
  {
    reason: "form-details",
    detail:
      "Connect does not show sign-in-with details, where 1Password fills a website in, and saved web-form fields " +
      "other than user name and password; the source onepux does",
    elsewhere: ["onepux"],
  },
  {
    reason: "field-kinds",
    detail:
      "Connect has eight types of fields: a phone number, a reference, a card's type and number, a gender or an SSH " +
      "key may come as plain text, an address as one line, a key without its public half, fingerprint and type, an " +
      "email address without its provider; the source onepux has them whole",
    elsewhere: ["onepux"],
  },
];

/** The limits that are visible in an item as it was read. */
export function limitsOf(item: Item): Shortfall[] {
  const ids = { vaultId: item.vaultId, itemId: item.id };
  const limits: Shortfall[] = [];
  const unsupported = item.fields.filter(({ kind, value }) => value === "" && !isNamedKind(kind)).length;
  if (unsupported > 0) {
    limits.push({
      ...ids,
      shortfall: "limit",
      reason: "unsupported-field",
      detail:
        `the Connect server gives no value for ${unsupported} field${
          unsupported === 1 ? "" : "s"
        } of this item ` +
        "whose type is unknown here; a 1PUX file (source onepux) has it",
    });
  }
  if (item.category === UNNAMED_CATEGORY) {
    limits.push({
      ...ids,
      shortfall: "limit",
      reason: "unsupported-item",
      detail: "the Connect server does not name this item's category, so some of it may be lacking",
    });
  }
  return limits;
}

/** The limit for an archived item that the server lists and does not let anybody read. */
export function archivedLimit(vaultId: string, itemId: string): Shortfall {
  return {
    shortfall: "limit",
    reason: "archived-contents",
    vaultId,
    itemId,
    detail:
      "this Connect server lists archived items but does not give them; a 1PUX file (source onepux) has them",
  };
}
