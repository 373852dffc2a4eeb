import { AppError, isAppError } from "../base/errors.ts";
import { quoted } from "../base/safe_names.ts";
import { destinationOptions, type Purpose } from "../config/destination.ts";
import type { Registry } from "../config/registry.ts";
import type { DestinationConfig, SourceConfig } from "../config/schema.ts";
import type { Destination } from "../destination/contract.ts";
import { openWatched } from "../destination/patience.ts";
import type { Source } from "../source/contract.ts";
import { Patience } from "../source/patience.ts";
import { openPatiently } from "../source/patient.ts";
import type { SourceContext, SourcePlugin } from "../source/plugin.ts";
import { resolveSecret } from "../host/secrets.ts";
import { hostSigner, readSigner } from "../custody/signer.ts";
import { trustedKeys } from "../archive/chain.ts";
import type { Signer, SignerKey } from "../archive/signature.ts";
import { JobState } from "../host/state.ts";
import { type JobContext, stateOf } from "./context.ts";

/** Opens the door to 1Password that the job's config names. */
export function openSource(context: JobContext): Promise<Source> {
  return openDoor(context, context.job.source, patienceOf(context));
}

/** Opens a door of the job, which outlasts a used-up quota, the sign-in's too, as long as the run may wait. */
export function openDoor(context: JobContext, source: SourceConfig, patience: Patience): Promise<Source> {
  const { type: _, ...config } = source;
  const plugin = pluginOf(context.registry, source);
  const open = () => plugin.open(config, pluginContext(context), context.signal);
  return openPatiently(open, patience, context.signal);
}

/** What knows how to open a door. */
export function pluginOf(registry: Registry, { type }: SourceConfig): SourcePlugin {
  const plugin = registry.sources.find((one) => one.type === type);
  if (!plugin) throw new AppError("misconfigured", `there is no source of type ${quoted(type)}`);
  return plugin;
}

/** How long this run waits for the quota: one for all of its doors. */
export function patienceOf({ world, job, emit, wait = 0 }: JobContext): Patience {
  return new Patience({ clock: world.clock, total: wait, job: job.name, emit, plan: job.quota?.plan });
}

/**
 * The destinations that are meant, in config order: the one named `from`, or all of the job's.
 *
 * @throws `misconfigured` when the job has none of that name.
 */
export function destinationNames({ job }: JobContext, from: string | undefined): string[] {
  const names = job.destinations.map((one) => one.name);
  if (from === undefined) return names;
  if (names.includes(from)) return [from];
  throw new AppError("misconfigured", `job "${job.name}" has no destination ${quoted(from)}`, {
    hint: `it has: ${names.join(", ")}`,
  });
}

/** What the config says of one of the job's destinations. */
export function destinationConfig({ job }: JobContext, name: string): DestinationConfig {
  const found = job.destinations.find((one) => one.name === name);
  if (!found) throw new AppError("misconfigured", `there is no destination ${quoted(name)}`);
  return found;
}

/** Opens one of the job's destinations, with the settings that the config has for this purpose. */
export async function openDestination(
  context: JobContext,
  name: string,
  purpose: Purpose,
  signal: AbortSignal = context.signal,
): Promise<Destination> {
  const config = destinationConfig(context, name);
  const plugin = context.registry.destinations.find((one) => one.type === config.type);
  if (!plugin) throw new AppError("misconfigured", `there is no destination of type ${quoted(config.type)}`);
  return await openWatched(
    name,
    (until) => plugin.open(name, destinationOptions(config, purpose), pluginContext(context), until),
    context.world.clock,
    signal,
  );
}

/** What plugins get from the house. */
export function pluginContext(context: JobContext): SourceContext {
  const warn = (message: string) =>
    context.emit({ event: "warning", job: context.job.name, code: "plugin", message });
  return {
    world: context.world,
    version: context.tool.replace(/^.*\//, ""),
    warn,
    secret: (reference: Parameters<typeof resolveSecret>[1], signal: AbortSignal) =>
      resolveSecret(context.world, reference, warn, signal),
    privateFolder: () => {
      if (context.folders) return context.folders.make();
      throw new AppError("unsupported", "this command gives a source no folder to write to");
    },
  };
}

/** The key with which this host signs; made on first use. */
export function signerOf(context: JobContext): Promise<Signer> {
  return hostSigner(context.world, context.state);
}

/**
 * The keys whose archives count: this host's own, where it has one, with those that its chain was or is signed with or
 * trusts, and the config's `signers:`.
 */
export async function trustedSigners(context: JobContext): Promise<SignerKey[]> {
  const keys = trustedKeys(context.signers);
  try {
    keys.unshift((await readSigner(context.world, context.state)).key);
  } catch (error) {
    if (!isAppError(error, "not-found")) throw error;
  }
  try {
    const state = await JobState.load(context.world, stateOf(context));
    keys.push(...state.signers(), ...state.trusted());
  } catch (error) {
    // A damaged state keeps nobody from restoring; the next backup tells of it.
    if (!isAppError(error, "corrupt", "unsupported")) throw error;
  }
  return keys;
}
