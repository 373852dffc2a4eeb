import type { World } from "../base/world.ts";
import type { Emit } from "../model/events.ts";
import type { Registry } from "../config/registry.ts";
import type { JobConfig } from "../config/schema.ts";
import type { FolderKeeper } from "../host/private_folder.ts";

/** What every job needs: its config, its folders, the outside, and somebody to tell. */
export interface JobContext {
  world: World;
  registry: Registry;
  job: JobConfig;
  /** Trusted public keys of other hosts, from the config's `signers:`. */
  signers: readonly string[];
  /** The state folder of this host; the job has a folder of its own below it. */
  state: string;
  /** Where ciphertext waits; the job has a folder of its own below it. */
  spool: string;
  /** `vaultferry/1.2.3` */
  tool: string;
  emit: Emit;
  /** Where sources get their private folders; jobs that open sources set it. */
  folders?: FolderKeeper;
  /** Milliseconds that a run may wait in all for 1Password's quota to renew; not at all where left out. */
  wait?: number;
  signal: AbortSignal;
}

/** The folder in which this job's chain, receipts, journal and lock live. */
export function stateOf(context: JobContext): string {
  return `${context.state}/${context.job.name}`;
}

/** The folder in which this job's ciphertext waits; the same name as a destination uses. */
export function spoolOf(context: JobContext): string {
  return `${context.spool}/${context.job.name}/spool`;
}
