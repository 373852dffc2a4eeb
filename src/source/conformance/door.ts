/** What the suite has to know of a door, and what its harness has to offer, before it can be tried. */
import type { Account, VaultKind } from "../../model/vault.ts";
import type { Source } from "../contract.ts";
import type { SeededAccount, SeededField } from "./account.ts";

/** What a source does at 1Password; one may take several requests, or none where a door has all at hand. */
export const CALLS = ["sign-in", "vaults", "list", "items", "file"] as const;
export type Call = typeof CALLS[number];

/**
 * What goes wrong with a call, each time it is made, unless `times` says how often:
 *
 * - `refused`: 1Password does not let this token in, or does not let it have that
 * - `unreachable`: no network, or a service that is down
 * - `quota`: the allowance is used up
 * - `garbage`: something that is no answer of 1Password, such as a captive portal's page; of a file: other bytes
 * - `blank`: success, and nothing in it
 * - `cut`: half an answer, and the connection ends
 * - `slow`: no answer while the case lasts
 * - `gone-meanwhile`, `archived-meanwhile`, `vault-gone`: what the call is about is deleted, archived or removed with
 *   its vault just before it is answered
 * - `missing-from-answer`: the item is left out of an answer that is otherwise right
 * - `wrong-size`: the body has one byte less than the item declares
 * - `empty-list`: no item at all, though the vault counts some
 */
export type FaultKind =
  | "refused"
  | "unreachable"
  | "quota"
  | "garbage"
  | "blank"
  | "cut"
  | "slow"
  | "gone-meanwhile"
  | "archived-meanwhile"
  | "vault-gone"
  | "missing-from-answer"
  | "wrong-size"
  | "empty-list";

export type FaultName = `${Call} ${FaultKind}`;

/** What not every door, or not every harness, can do; cases that need it are left out where it is lacking. */
export type Ability =
  /** Vaults tell how many active items they have. */
  | "counts"
  /** Vaults tell their description. */
  | "descriptions"
  | "favourites"
  | "password history"
  /** Earlier passwords tell when they were replaced. */
  | "password history times"
  /** What the door says can hold a property that nobody knows yet. */
  | "extra keys"
  /** A call that failed once because 1Password could not be reached is made again. */
  | "retries"
  /** A token that was good can be refused later. */
  | "revocation"
  /** The harness counts attempts to sign in. */
  | "sign-ins counted"
  /** The harness counts calls against the quota, and `estimate` is about them. */
  | "calls counted"
  /** The harness knows which items were fetched. */
  | "fetches known";

export type Need = FaultName | Ability;

/** A field as a door gives it. */
export interface GivenField {
  kind: string;
  value: string;
  /** Title of its section; undefined where it is in none. */
  section: string | undefined;
  /** Compared where it is given. */
  details?: unknown;
}

/** A door to try. */
export interface ConformanceDoor {
  /** The plugin's type. */
  readonly name: string;
  /** What tells this door from others of the same plugin. */
  readonly variant?: string;
  /** What it or its harness cannot do, each with the reason: nothing is left out without one. */
  readonly lacks: Partial<Record<Need, string>>;
  /** What it gives of archived items: everything, what a list says of them, or not even that they are there. */
  readonly archived: "contents" | "overview" | "hidden";
  /** What it says of a vault's kind. */
  vaultKind(kind: VaultKind): VaultKind;
  /** Its word for a category. */
  category(category: string): string;
  /** What it gives of a field that lies in the section of that title. */
  field(field: SeededField, section: string | undefined): GivenField;
  /** A fresh 1Password, or file, with this account in it. */
  start(account: SeededAccount): Promise<ConformanceHarness>;
}

/** Where and how often a fault strikes. */
export interface FaultOptions {
  vaultId?: string;
  /** For the faults of items and files. */
  itemId?: string;
  /** Until the case ends when left out. */
  times?: number;
}

export interface Fault {
  /** How often it has struck. */
  strikes(): number;
}

/** One account behind one door, for one case. */
export interface ConformanceHarness extends AsyncDisposable {
  /** Opens the door as the plugin does. */
  open(signal: AbortSignal): Promise<Source>;
  /** What `account` must tell. */
  readonly account: Account | undefined;
  /** What must not be seen anywhere, beside the account's own secrets: tokens, passwords. */
  readonly secrets: readonly string[];
  /** What the plugin said to people so far. */
  readonly said: readonly string[];
  /** From now on something is wrong. Throws for what the door's `lacks` lists. */
  fault(name: FaultName, options: FaultOptions): Fault | Promise<Fault>;
  /** What was asked since the start; anything where the door lacks the count. */
  counted(): { signIns: number; calls: number; fetched: readonly string[] };
}

/** The reasons why a case cannot be tried at this door; none where it can. */
export function reasonsAgainst(door: ConformanceDoor, needs: readonly Need[]): string[] {
  return needs.flatMap((need) => need in door.lacks ? [`${need}: ${door.lacks[need]}`] : []);
}
