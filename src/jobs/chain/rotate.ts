import { AppError, isAppError } from "../../base/errors.ts";
import type { SignerKey } from "../../archive/signature.ts";
import { adoptNextSigner, hostSigner, makeNextSigner } from "../../custody/signer.ts";
import { lockJob } from "../../host/lock.ts";
import { type JobContext, stateOf } from "../context.ts";
import { appendRecord } from "./append_record.ts";
import { type OpenChain, openChain } from "./open_chain.ts";
import { tellAlarms } from "./tell_alarms.ts";
import type { Lock } from "../../base/world.ts";

/** What `keys rotate` has come to. */
export interface Rotated {
  old: SignerKey;
  next: SignerKey;
  /** Jobs whose chain names the new key; their next backup brings the record to the destinations. */
  jobs: string[];
}

/**
 * Makes a new signing key for this host: each chain gets a record, signed by the old key, that names the new one, and
 * goes on under that. Killed half-way, some chains name the new key and some do not: each goes on with the key that it
 * expects (both are there), and the next rotation finishes this one.
 *
 * @param contexts one for each job of this state folder.
 * @throws before anything is done: `locked`, when a run of any of them is at work; `untrusted`, when a chain cannot go
 * on: whoever is to trust it needs the key that signed it.
 */
export async function rotate(contexts: readonly JobContext[]): Promise<Rotated> {
  const [first] = contexts;
  if (!first) throw new AppError("misconfigured", "there is no job in this state");
  const { world, state: folder } = first;
  const locks: Lock[] = [];
  try {
    for (const context of contexts) locks.push(await lockJob(world, stateOf(context), context.job.name));
    const old = await hostSigner(world, folder);
    const begun = await jobsInState(first);
    const jobs: { context: JobContext; chain: OpenChain }[] = [];
    for (const context of contexts.filter(({ job }) => begun.includes(job.name))) {
      const chain = await openChain(context, { setsAside: false });
      tellAlarms(context, chain.alarms);
      if (chain.state.head) jobs.push({ context, chain });
    }
    const next = await makeNextSigner(world, folder);
    for (const { context, chain: { state, signer, beside } } of jobs) {
      if (state.nextSigner === next.key.fingerprint) continue;
      await appendRecord(context, state, signer, { kind: "keys-rotate", newSigner: next.key.text }, beside);
    }
    await adoptNextSigner(world, folder);
    return { old: old.key, next: next.key, jobs: jobs.map(({ context }) => context.job.name) };
  } finally {
    for (const lock of locks) lock.release();
  }
}

/** The jobs that have a chain in the state folder, whether or not this config knows them: one key signs them all. */
export async function jobsInState(context: JobContext): Promise<string[]> {
  const { files } = context.world;
  const jobs: string[] = [];
  for (const name of await files.names(context.state)) {
    try {
      if ((await files.names(`${context.state}/${name}/chain`)).length > 0) jobs.push(name);
    } catch (error) {
      if (
        !isAppError(error, "not-found") && (await files.stat(`${context.state}/${name}`)).kind === "directory"
      ) {
        throw error;
      }
    }
  }
  return jobs;
}
