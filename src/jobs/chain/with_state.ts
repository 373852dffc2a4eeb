import type { SignedRecord } from "../../archive/chain.ts";
import { Journal } from "../../host/journal.ts";
import { lockJob } from "../../host/lock.ts";
import { deliver, type Delivered } from "../deliver/deliver.ts";
import { Ledger } from "../deliver/ledger.ts";
import { type JobContext, stateOf } from "../context.ts";
import { appendRecord, type RecordContent } from "./append_record.ts";
import { type OpenChain, openChain } from "./open_chain.ts";

/** A job's chain with the lock held, for what signs records. */
export interface Held extends OpenChain {
  /** Signs a record and brings it to every destination; one that fails gets it from the next run. */
  record(content: RecordContent): Promise<Recorded>;
}

/** A record, and where it is by now. */
export interface Recorded {
  entry: SignedRecord;
  /** By destination, in config order. */
  deliveries: Delivered[];
}

/** Does something with a job's chain while no other run can; throws `locked` when one is at work. */
export async function withState<T>(context: JobContext, action: (held: Held) => Promise<T>): Promise<T> {
  const folder = stateOf(context);
  const lock = await lockJob(context.world, folder, context.job.name);
  try {
    const journal = await Journal.load(context.world, `${folder}/journal.jsonl`);
    const chain = await openChain(context);
    return await action(holding(context, chain, journal, await Ledger.load(context, chain.state)));
  } finally {
    lock.release();
  }
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
