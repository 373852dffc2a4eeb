import { AppError } from "../../base/errors.ts";
import type { Account, Vault } from "../../model/vault.ts";
import { compareAccess, type VaultAccess } from "../../policy/access.ts";
import type { Administration, AdministratorOptions, Person } from "../../source/administration.ts";
import { selectVaults } from "../backup/select_vaults.ts";
import type { JobContext } from "../context.ts";
import { pluginContext, pluginOf } from "../open.ts";
import { failedDoors, openDoors } from "../open_doors.ts";
import { DryRunFolders } from "../private_folders.ts";

/** What the backup reaches of what there is. */
export interface Access {
  vaults: VaultAccess[];
  /** Vaults that the config names and that nobody sees, one sentence each. */
  nowhere: string[];
  /** Whose personal vaults only they themselves can back up: everybody but the administrator. */
  others: Person[];
}

/** Signs in as an administrator, by the way that the registry has for it. */
export async function openAdministration(
  context: JobContext,
  options: AdministratorOptions,
): Promise<Administration> {
  const plugin = context.registry.sources.find((one) => one.administer);
  if (!plugin?.administer) {
    throw new AppError("unsupported", "there is no way to sign in as an administrator");
  }
  return await plugin.administer(options, pluginContext(context), context.signal);
}

/** Compares what the job's doors show with what an administrator sees; reads no item and changes nothing. */
export async function compareWithAdministrator(
  context: JobContext,
  options: AdministratorOptions,
): Promise<Access> {
  context.emit({ event: "phase", job: context.job.name, phase: "sign-in" });
  await using administration = await openAdministration(context, options);
  return await accessOf(context, administration);
}

/** The same, with an administrator who is signed in already. */
export async function accessOf(context: JobContext, administration: Administration): Promise<Access> {
  const { signal } = context;
  const administrator = await administration.account(signal);
  const all = await administration.vaults(signal);
  const people = await administration.people(signal);
  await using folders = new DryRunFolders(context);
  await using source = await openDoors({ ...context, folders });
  const seen = await source.vaults(signal);
  refuseOtherAccount(await source.account(signal), administrator, seen, all);
  const everything = [...all, ...seen.filter(({ id }) => !all.some((one) => one.id === id))];
  const { chosen, missing, warnings } = selectVaults(everything, context.job.vaults);
  for (const message of [...warnings, ...failedDoors(source).map(({ detail }) => detail)]) {
    context.emit({ event: "warning", job: context.job.name, code: "unknown-vault", message });
  }
  const vaults = compareAccess({
    ...{ all, seen },
    wants: (vault) => chosen.includes(vault),
    serviceAccount: hasToken(context),
  });
  return {
    vaults,
    nowhere: missing.map(({ vaultId }) =>
      `the vault "${vaultId}" is named in the config, and nobody sees it`
    ),
    others: people.filter(({ active, email }) => active && email !== administrator?.signedInAs),
  };
}

/** Whether the job's main door signs in by a service account's token. */
export function hasToken({ registry, job }: JobContext): boolean {
  const { tokenKey } = pluginOf(registry, job.source);
  return tokenKey !== undefined && job.source[tokenKey] !== undefined;
}

/** Two accounts have no vault in common; comparing them would call every vault missing. */
function refuseOtherAccount(
  backup: Account | undefined,
  administrator: Account | undefined,
  seen: readonly Vault[],
  all: readonly Vault[],
): void {
  const ids = backup?.id !== undefined && administrator?.id !== undefined;
  const other = ids
    ? backup.id !== administrator.id
    : seen.length > 0 && !seen.some(({ id }) => all.some((one) => one.id === id));
  if (!other) return;
  throw new AppError(
    "misconfigured",
    "the backup and the administrator are signed in to different accounts",
    {
      hint: 'say which account op is to use: --account, as "op account list" shows it',
    },
  );
}
