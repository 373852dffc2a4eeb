import { AppError } from "../../base/errors.ts";
import type { SignedRecord } from "../../archive/chain.ts";
import { Journal } from "../../host/journal.ts";
import { lockJob } from "../../host/lock.ts";
import { deliver, type Delivered, deliverRecords } from "../deliver/deliver.ts";
import { Ledger } from "../deliver/ledger.ts";
import { type JobContext, stateOf } from "../context.ts";
import { appendRecord, type RecordContent } from "./append_record.ts";
import { lookAtChain, type OpenChain, openChain, type SeenChain } from "./open_chain.ts";

/** A job's chain with the lock held, for what signs records. */
export interface Held extends SeenChain {
  /** Signs a record and brings it to every destination; one that fails gets it from the next run. */
  record(content: RecordContent): Promise<Recorded>;
}

/** A record, and where it is by now. */
export interface Recorded {
  entry: SignedRecord;
  /** By destination, in config order. */
  deliveries: Delivered[];
}

/**
 * Does something with a job's chain while no other run can, then brings records to where earlier commands could not;
 * throws `locked` when one is at work.
 */
export async function withState<T>(context: JobContext, action: (held: Held) => Promise<T>): Promise<T> {
  const folder = stateOf(context);
  const lock = await lockJob(context.world, folder, context.job.name);
  try {
    const journal = await Journal.load(context.world, `${folder}/journal.jsonl`);
    const chain = await openChain(context);
    const ledger = await Ledger.load(context, chain.state);
    const held = holding(context, chain, journal, ledger);
    const tried = new Set<string>();
    const result = await action({
      ...held,
      async record(content) {
        const recorded = await held.record(content);
        tried.add(recorded.entry.manifest.record);
        return recorded;
      },
    });
    // A host that makes no backups has no other run to complete its records.
    await deliverRecords(context, ledger, journal, tried);
    return result;
  } finally {
    lock.release();
  }
}

/**
 * Looks at a job's chain for a command that changes nothing on this host. No lock is taken: a run that is at work may be
 * seen half-way.
 */
export async function lookState<T>(context: JobContext, action: (held: Held) => Promise<T>): Promise<T> {
  const seen = await lookAtChain(context);
  const record = () => Promise.reject(new AppError("unknown", "a command that only looks signs nothing"));
  return await action({ ...seen, record });
}

/** What signs records in a chain whose lock is held. */
export function holding(context: JobContext, chain: OpenChain, journal: Journal, ledger: Ledger): Held {
  const { state, signer, beside } = chain;
  return {
    ...chain,
    async record(content) {
      const entry = await appendRecord(context, state, signer, content, beside);
      return { entry, deliveries: await deliver(context, ledger, journal, entry) };
    },
  };
}
