import { AppError, isAppError } from "../base/errors.ts";
import { quoted } from "../base/safe_names.ts";
import type { Destination } from "../destination/contract.ts";
import type { Source } from "../source/contract.ts";
import { resolveSecret } from "../host/secrets.ts";
import { hostSigner, readSigner } from "../custody/signer.ts";
import { trustedKeys } from "../archive/chain.ts";
import type { Signer, SignerKey } from "../archive/signature.ts";
import type { JobContext } from "./context.ts";

/** Opens the door to 1Password that the job's config names. */
export function openSource(context: JobContext): Promise<Source> {
  const { type, ...config } = context.job.source;
  const plugin = context.registry.sources.find((one) => one.type === type);
  if (!plugin) throw new AppError("misconfigured", `there is no source of type ${quoted(type)}`);
  return plugin.open(config, pluginContext(context), context.signal);
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

/** Opens one of the job's destinations. */
export function openDestination(context: JobContext, name: string): Promise<Destination> {
  const found = context.job.destinations.find((one) => one.name === name);
  if (!found) throw new AppError("misconfigured", `there is no destination ${quoted(name)}`);
  const { type, name: _, retention: __, ...config } = found;
  const plugin = context.registry.destinations.find((one) => one.type === type);
  if (!plugin) throw new AppError("misconfigured", `there is no destination of type ${quoted(type)}`);
  return plugin.open(name, config, pluginContext(context), context.signal);
}

function pluginContext(context: JobContext) {
  const warn = (message: string) =>
    context.emit({ event: "warning", job: context.job.name, code: "plugin", message });
  return {
    world: context.world,
    version: context.tool.replace(/^.*\//, ""),
    warn,
    secret: (reference: Parameters<typeof resolveSecret>[1], signal: AbortSignal) =>
      resolveSecret(context.world, reference, warn, signal),
  };
}

/** The key with which this host signs; made on first use. */
export function signerOf(context: JobContext): Promise<Signer> {
  return hostSigner(context.world, context.state);
}

/** The keys whose archives count: this host's own, where it has one, and the config's `signers:`. */
export async function trustedSigners(context: JobContext): Promise<SignerKey[]> {
  const keys = trustedKeys(context.signers);
  try {
    keys.unshift((await readSigner(context.world, context.state)).key);
  } catch (error) {
    if (!isAppError(error, "not-found")) throw error;
  }
  return keys;
}
