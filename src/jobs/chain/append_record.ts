import { hex } from "../../base/bytes.ts";
import { type Draft, nextEntry, type SignedRecord } from "../../archive/chain.ts";
import { FORMAT } from "../../archive/layout.ts";
import type { Place, RecordManifest } from "../../archive/manifest.ts";
import type { Signer } from "../../archive/signature.ts";
import type { JobState } from "../../host/state.ts";
import { formatRecordName } from "../../model/archive_name.ts";
import type { JobContext } from "../context.ts";

/** What a record says of itself: its kind, and what belongs to that kind. */
export type RecordContent<M extends RecordManifest = RecordManifest> = M extends RecordManifest
  ? Omit<Draft<M>, "format" | "tool" | "job" | "time" | "record" | "receipts" | "beside">
  : never;

/**
 * Signs an entry without an archive and makes it this host's head, durably, before anything is done because of it; the
 * job's lock must be held. It is delivered with `deliver`, or by the next run.
 */
export async function appendRecord(
  context: JobContext,
  state: JobState,
  signer: Signer,
  content: RecordContent,
  beside: readonly Place[] = [],
): Promise<SignedRecord> {
  const { world, job, tool } = context;
  const time = new Date(Math.floor(world.clock.now().getTime() / 1000) * 1000);
  const draft = {
    format: FORMAT,
    tool,
    job: job.name,
    time: time.toISOString(),
    record: formatRecordName({ job: job.name, time, nonce: hex(world.random(4)) }),
    ...content,
    receipts: state.receipts(),
    ...besideOf(beside),
  } as Draft<RecordManifest>;
  const entry = await nextEntry<RecordManifest>(state.head, state.newChainId(), draft, signer);
  await state.commit(entry);
  return entry;
}

/** Says it only where there is something to tell. */
export function besideOf(beside: readonly Place[]): { beside?: Place[] } {
  return beside.length === 0 ? {} : { beside: [...beside] };
}
