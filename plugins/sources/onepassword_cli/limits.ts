import type { Item } from "../../../src/model/item.ts";
import type { DoorLimit, Shortfall } from "../../../src/model/shortfall.ts";

/** What `op` never gives and does not even hint at. */
const ALWAYS: readonly DoorLimit[] = [
  {
    reason: "passkeys",
    detail: "op does not show passkeys; no other door gives them either",
  },
  {
    reason: "item-versions",
    detail: "op does not show earlier versions of items, only their earlier passwords",
  },
  {
    reason: "password-history-times",
    detail: "op does not tell when earlier passwords were replaced; a 1PUX file (source onepux) does",
    elsewhere: ["onepux"],
  },
  {
    reason: "form-details",
    detail:
      "op does not show where addresses are filled in, sign-in-with details and saved web-form fields other " +
      "than user name and password; a 1PUX file (source onepux) does",
    elsewhere: ["onepux"],
  },
  {
    reason: "address-parts",
    detail: "op gives a postal address as one line, without its parts; the SDK and 1PUX files give the parts",
    elsewhere: ["onepux"], // the SDK only of active items
  },
];

/** Whom nobody else can back up. */
const TO_A_PERSON: DoorLimit = {
  reason: "personal-vaults",
  detail:
    "op shows the personal vault of the person who signed in, and never those of others; their owners can " +
    "export them to a 1PUX file (source onepux)",
};

const TO_A_SERVICE_ACCOUNT: DoorLimit = {
  reason: "personal-vaults",
  detail:
    "a service account never sees Personal, Private or Employee vaults, nor the Shared vault an account " +
    "begins with; signed in through the 1Password app op shows one's own",
};

/** What this door is known never to give. */
export function doorLimits(serviceAccount: boolean): DoorLimit[] {
  return [serviceAccount ? TO_A_SERVICE_ACCOUNT : TO_A_PERSON, ...ALWAYS];
}

/** The limits that are visible in an item as it was read. */
export function limitsOf(item: Item): Shortfall[] {
  const empty = item.fields.filter((field) => field.kind === "Unsupported" && field.value === "").length;
  if (empty === 0) return [];
  return [{
    shortfall: "limit",
    reason: "unsupported-field",
    vaultId: item.vaultId,
    itemId: item.id,
    detail: `op gives no value for ${empty} field${empty === 1 ? "" : "s"} of this item; ` +
      "a 1PUX file (source onepux) has it",
  }];
}
