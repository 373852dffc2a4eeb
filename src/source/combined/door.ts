import { type AppError, isAppError } from "../../base/errors.ts";
import type { Account, Vault } from "../../model/vault.ts";
import type { Source } from "../contract.ts";

/** Calls in a row that reach nobody before a door is given up: each costs minutes of retries. */
const GIVE_UP_AFTER = 2;

/** One of the several doors of a job, and what has come of asking it so far. */
export class Door {
  /** What it shows, by id. */
  vaults: ReadonlyMap<string, Vault> = new Map();
  /** Why it is not asked any more. */
  givenUp: AppError | undefined;
  /** Why it is not asked for files any more. */
  spent: AppError | undefined;
  /** Items with contents that the archive has from it. */
  full = 0;
  /** How many of these a snapshot has as well, of the same moment and with nothing more in them. */
  confirmed = 0;
  #unreachable = 0;

  /** @param main whose failures end the run as if it were the only one */
  constructor(
    readonly name: string,
    readonly source: Source,
    readonly main: boolean,
    readonly account: Account | undefined,
  ) {}

  /** Whether it shows 1Password as it is, rather than as it was when somebody made a file. */
  get live(): boolean {
    return this.source.snapshot !== true;
  }

  answered(): void {
    this.#unreachable = 0;
  }

  /** Takes note of a failure; beside the main door, one whose quota or sign-in is at stake is not asked again. */
  failed(error: AppError): void {
    this.#unreachable = error.code === "transient" ? this.#unreachable + 1 : 0;
    const hopeless = !this.main && isAppError(error, "denied", "quota");
    if (hopeless || this.#unreachable >= GIVE_UP_AFTER) this.givenUp = error;
  }
}

/** What went wrong, for a report; an error that nobody translated may hold anything, so its text stays out. */
export function reasonOf(error: unknown): string {
  if (isAppError(error)) return error.message;
  return `an unexpected ${error instanceof Error ? error.name : "error"}`;
}
