import { AppError } from "../../base/errors.ts";
import type { Account } from "../../model/vault.ts";
import type { Door } from "./door.ts";

/**
 * Throws `misconfigured` when two doors are known to lead to different accounts: both in one archive would be a
 * mistake that nobody sees before a restore.
 */
export function checkOneAccount(main: Door, other: Door): void {
  const [ours, theirs] = [main.account?.id, other.account?.id];
  if (ours === undefined || theirs === undefined || ours.toLowerCase() === theirs.toLowerCase()) return;
  throw new AppError(
    "misconfigured",
    `the sources "${main.name}" and "${other.name}" belong to different accounts`,
    { hint: "a job backs up one account: make a job of its own for the other" },
  );
}

/** Whether a door may lead to another account: nothing that both tell is the same. */
export function seemsAnothers(door: Door, main: Door): boolean {
  if (door.account?.id !== undefined && main.account?.id !== undefined) return false; // compared already
  if (door.vaults.size === 0 || [...door.vaults.keys()].some((id) => main.vaults.has(id))) return false;
  const theirs = hostOf(door.account);
  return theirs === undefined || theirs !== hostOf(main.account);
}

function hostOf(account: Account | undefined): string | undefined {
  if (!account?.url) return undefined;
  return URL.canParse(account.url) ? new URL(account.url).host : account.url;
}
