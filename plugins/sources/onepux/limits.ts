import type { DoorLimit } from "../../../src/model/shortfall.ts";

/** What an export never holds, or what of it finds no place in an archive. */
export const DOOR_LIMITS: DoorLimit[] = [
  {
    reason: "point-in-time",
    detail: "a 1PUX export shows one moment: what changed since somebody made it is not in it",
  },
  {
    reason: "unexported-vaults",
    detail:
      "a 1PUX export holds the vaults that the person who made it may export, and does not name the others",
  },
  {
    reason: "passkeys",
    detail: "a 1PUX export does not hold passkeys; no other door gives them either",
  },
  {
    reason: "item-versions",
    detail: "a 1PUX export does not hold earlier versions of items, only their earlier passwords",
  },
  {
    reason: "permissions",
    detail: "a 1PUX export does not tell who may use which vault",
  },
  {
    reason: "pictures",
    detail: "pictures of people and vaults that lie in a 1PUX export are not saved",
  },
];
