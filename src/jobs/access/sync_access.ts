import { isDeepStrictEqual } from "node:util";
import { AppError, isAppError, toAppError } from "../../base/errors.ts";
import type { Secret } from "../../base/secret.ts";
import { lockJob } from "../../host/lock.ts";
import { readTokenRecord, tokenFingerprint, writeTokenRecord } from "../../host/token_record.ts";
import type { JobConfig } from "../../config/schema.ts";
import type { Vault } from "../../model/vault.ts";
import type { VaultAccess } from "../../policy/access.ts";
import type {
  Administration,
  AdministratorOptions,
  WantedServiceAccount,
} from "../../source/administration.ts";
import { type JobContext, stateOf } from "../context.ts";
import { pluginContext, pluginOf } from "../open.ts";
import { DryRunFolders } from "../private_folders.ts";
import { type Access, accessOf, hasToken, openAdministration } from "./compare.ts";
import { findTokenFile, keepPrevious, previousOf, replaceToken, type TokenFile } from "./token_file.ts";

export interface SyncOptions extends AdministratorOptions {
  /** The file that holds the token, where the config does not refer to it by `file:`. */
  tokenFile?: string | undefined;
  /** Days after which the new token ends; never where undefined. */
  days: number | undefined;
  /** Also where no vault is missing: the old token is about to end. */
  renew: boolean;
  dryRun: boolean;
  /** The config's other jobs, which may sign in by the same token. */
  others: readonly JobConfig[];
}

/** What is to be done, and whether it was. */
export interface Synced {
  access: Access;
  /** The service account that is needed; undefined where the one in use sees all that it should. */
  wanted: WantedServiceAccount | undefined;
  /** The program's arguments that make it, for people. */
  command: string[];
  /** The file that the token is in. */
  file: string;
  /** Set when the token was replaced. */
  replaced: { previous: string; expiresAt: string | undefined; formerName: string | undefined } | undefined;
}

/**
 * Gives a backup access to every vault that it should see. A service account's vaults are fixed when it is made, so a
 * new one is made, and only when its token has shown that it sees them all does it take the place of the old one. After
 * a failure at any step the old token is where it was, and works.
 */
export async function syncAccess(context: JobContext, options: SyncOptions): Promise<Synced> {
  const path = tokenPath(context, options.tokenFile);
  refuseSharedToken(context, options.others);
  // Two at once would make two service accounts; a backup has read its token already and is not disturbed.
  const lock = options.dryRun ? undefined : await lockJob(context.world, stateOf(context), context.job.name);
  try {
    const file = await findTokenFile(context.world, path);
    context.emit({ event: "phase", job: context.job.name, phase: "sign-in" });
    await using administration = await openAdministration(context, options);
    const access = await accessOf(context, administration);
    const plan: Synced = { access, wanted: undefined, command: [], file: file.path, replaced: undefined };
    const needed = access.vaults.filter(({ reach }) => reach === "missing" || reach === "covered");
    if (!options.renew && !needed.some(({ reach }) => reach === "missing")) return plan;
    refuseUnlessGrantable(needed);
    plan.wanted = {
      name: nameFor(context),
      vaults: needed.map(({ vault }) => vault.id),
      days: options.days,
    };
    plan.command = administration.commandFor(plan.wanted);
    if (!options.dryRun) {
      plan.replaced = await replace(
        context,
        administration,
        plan.wanted,
        needed.map((one) => one.vault),
        file,
      );
    }
    return plan;
  } finally {
    lock?.release();
  }
}

/** Nobody can give access to what they do not see; a new service account without it would be a loss. */
function refuseUnlessGrantable(needed: readonly VaultAccess[]): void {
  const unseen = needed.filter(({ grantable }) => !grantable).map(({ vault }) => `"${vault.id}"`);
  if (unseen.length === 0) return;
  throw new AppError(
    "misconfigured",
    `the administrator does not see what the backup sees already: ${unseen.join(", ")}`,
    { hint: "sign op in as an owner or administrator who can manage these vaults" },
  );
}

/** Told apart by the second: a person is to remove the right one in 1Password's web interface, and nothing else lists them. */
function nameFor({ job, world }: JobContext): string {
  return `vaultferry ${job.name} ${world.clock.now().toISOString().slice(0, 19).replace("T", " ")}`;
}

/** A token made for the vaults of one job takes those of the others away. */
function refuseSharedToken({ job, registry }: JobContext, others: readonly JobConfig[]): void {
  const { tokenKey } = pluginOf(registry, job.source);
  const sharing = others.filter(({ source }) => isDeepStrictEqual(source[tokenKey!], job.source[tokenKey!]))
    .map(({ name }) => `"${name}"`);
  if (sharing.length === 0) return;
  throw new AppError("misconfigured", `the job ${sharing.join(", ")} signs in by the same token`, {
    hint: "a service account is made for the vaults of one job: give each job a token of its own",
  });
}

function tokenPath(context: JobContext, given: string | undefined): string {
  const { job, registry } = context;
  if (!hasToken(context)) {
    throw new AppError("misconfigured", `the source of job "${job.name}" does not sign in by a token`, {
      hint: "sync-access is for service accounts; whoever signs in as a person sees what that person sees",
    });
  }
  if (given !== undefined) return given;
  const reference = job.source[pluginOf(registry, job.source).tokenKey!];
  const path = typeof reference === "string" ? /^file:(.+)$/s.exec(reference)?.[1] : undefined;
  if (path !== undefined) return path;
  // Also of a command or a variable: whatever is behind them, it is not for this program to write.
  throw new AppError("misconfigured", "the config does not say in which file the token is", {
    hint: "name it: --token-file PATH (with a systemd credential, the file that LoadCredential= reads)",
  });
}

async function replace(
  context: JobContext,
  administration: Administration,
  wanted: WantedServiceAccount,
  vaults: readonly Vault[],
  file: TokenFile,
): Promise<NonNullable<Synced["replaced"]>> {
  const { world, job, signal } = context;
  const former = await formerName(context);
  const now = world.clock.now();
  // What can keep the file from being replaced is met before there is a service account that nobody needs.
  await keepPrevious(world, file);
  const token = await administration.createServiceAccount(wanted, signal);
  try {
    await mustSee(context, token, vaults);
    await replaceToken(world, file, token);
  } catch (error) {
    const known = toAppError(error);
    throw new AppError(known.code, `the old token stays in use: ${known.message}`, {
      cause: known,
      hint: `delete the service account "${wanted.name}" in 1Password's web interface, and try again` +
        (known.hint === undefined ? "" : `; ${known.hint}`),
      ...(known.origin === undefined ? {} : { origin: known.origin }),
    });
  }
  const expiresAt = wanted.days === undefined
    ? undefined
    : new Date(now.getTime() + wanted.days * 86_400_000).toISOString();
  try {
    await writeTokenRecord(world, stateOf(context), {
      name: wanted.name,
      createdAt: now.toISOString(),
      ...(expiresAt === undefined ? {} : { expiresAt }),
      sha256: tokenFingerprint(token),
    });
  } catch (error) {
    // The new token works and is in its place: not to be warned of its end is the lesser evil.
    const message = `when the new token ends could not be noted: ${toAppError(error).message}`;
    context.emit({ event: "warning", job: job.name, code: "token", message });
  }
  return { previous: previousOf(file), expiresAt, formerName: former };
}

/** The name of the service account in use, where this program made it. */
async function formerName(context: JobContext): Promise<string | undefined> {
  // A damaged record only costs the name.
  return (await readTokenRecord(context.world, stateOf(context)).catch(() => undefined))?.name;
}

/** Tries in all, and milliseconds between them: a new service account may take a moment to be known everywhere. */
const TRIES = 3;
const PAUSE = 5000;

/**
 * Returns when `token`, in the job's own door, shows every one of `vaults`.
 *
 * @throws `denied` when it does not
 */
async function mustSee(context: JobContext, token: Secret, vaults: readonly Vault[]): Promise<void> {
  const { world, signal } = context;
  for (let left = TRIES - 1;; left--) {
    const unseen = await unseenBy(context, token, vaults).catch((error) => {
      if (isAppError(error, "denied", "transient") && left > 0) return vaults;
      throw error;
    });
    if (unseen.length === 0) return;
    if (left <= 0) {
      const ids = unseen.map(({ id }) => `"${id}"`).join(", ");
      throw new AppError("denied", `the new service account does not see every vault: ${ids}`, {
        origin: "source",
      });
    }
    await world.clock.sleep(PAUSE, signal);
  }
}

async function unseenBy(context: JobContext, token: Secret, vaults: readonly Vault[]): Promise<Vault[]> {
  const { job, registry, signal } = context;
  const { type: _, ...config } = job.source;
  const plugin = pluginOf(registry, job.source);
  await using folders = new DryRunFolders(context);
  const usual = pluginContext({ ...context, folders });
  const secret: typeof usual.secret = (reference, until) =>
    isDeepStrictEqual(reference, config[plugin.tokenKey!])
      ? Promise.resolve(token)
      : usual.secret(reference, until);
  await using source = await plugin.open(config, { ...usual, secret }, signal);
  const seen = new Set((await source.vaults(signal)).map(({ id }) => id));
  return vaults.filter(({ id }) => !seen.has(id));
}
