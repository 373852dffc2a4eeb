import { AppError, toAppError } from "../../base/errors.ts";
import { hex } from "../../base/bytes.ts";
import { type Draft, nextEntry, type SignedArchive } from "../../archive/chain.ts";
import { FORMAT } from "../../archive/layout.ts";
import type { ArchiveManifest } from "../../archive/manifest.ts";
import { spool, type Spooled } from "../../archive/spool.ts";
import { ArchiveWriter } from "../../archive/write.ts";
import { readRecipients } from "../../custody/recipient_files.ts";
import type { Recipient } from "../../custody/recipients.ts";
import { Journal } from "../../host/journal.ts";
import { lockJob } from "../../host/lock.ts";
import { formatArchiveName } from "../../model/archive_name.ts";
import type { Outcome } from "../../model/counts.ts";
import type { PruningBlock } from "../../model/run.ts";
import { warnOfExpiry } from "../access/expiry.ts";
import { type JobContext, spoolOf, stateOf } from "../context.ts";
import { besideOf } from "../chain/append_record.ts";
import { type OpenChain, openChain } from "../chain/open_chain.ts";
import { alarmOfRecipients, chooseRecipients, refuseNobody, tellRecipients } from "../chain/recipients.ts";
import { tellAlarms } from "../chain/tell_alarms.ts";
import { holding } from "../chain/with_state.ts";
import { exportVaults } from "./export.ts";
import { Guard, type Verdict } from "./guard.ts";
import type { Exported } from "./export_run.ts";
import { openDoors } from "../open_doors.ts";
import { deliver, type Delivered, deliverPending } from "../deliver/deliver.ts";
import { Ledger } from "../deliver/ledger.ts";
import { rehearse } from "../deliver/rehearse.ts";
import { foldersOf, sweepFolders } from "../private_folders.ts";
import type { Pruned } from "../prune/prune.ts";
import { pruneAfter } from "../prune/prune_after.ts";
import { capSpool } from "./spool_cap.ts";
import { sweep } from "./sweep.ts";

/** What a backup has come to. */
export interface BackupResult {
  archive: string;
  outcome: Outcome;
  /** Why nothing is to be pruned after it; undefined where nothing is in doubt. */
  block: PruningBlock | undefined;
  /** By destination, in config order. */
  deliveries: Delivered[];
  /** Earlier archives that are still not everywhere. */
  late: Delivered[];
  /** By destination that has rules; empty where pruning was not wanted. */
  pruned: Pruned[];
  /** What is not as it should be although the backup was published; where there is any, nothing may be removed. */
  alarms: AppError[];
}

/**
 * One backup: export → spool → sign → every destination → read back → prune.
 *
 * The order is the promise: the archive is whole in the spool before it is signed; the signed manifest is this
 * host's head, durably, before any of it leaves; a destination counts only when it gave everything back.
 *
 * `alarms` is filled with what {@linkcode BackupResult.alarms} says, for a run that throws too.
 */
export async function backup(
  context: JobContext,
  { prune = true, alarms = [] }: { prune?: boolean; alarms?: AppError[] } = {},
): Promise<BackupResult> {
  const { world, job } = context;
  // What can be wrong with the config is found before anything is done.
  await readRecipients(world, job.recipients);
  const folder = stateOf(context);
  const lock = await lockJob(world, folder, job.name);
  try {
    const journal = await Journal.load(world, `${folder}/journal.jsonl`);
    await sweepFolders(context, journal);
    const chain = await openChain(context);
    const { state, signer } = chain;
    alarms.push(...chain.alarms);
    tellAlarms(context, chain.alarms);
    const chosen = await chooseRecipients(context, state);
    refuseNobody(context, chosen);
    const recipients = chosen.sealed;
    const left = alarmOfRecipients(context, chosen);
    alarms.push(...left);
    tellAlarms(context, left);
    tellRecipients(context, chosen);
    await sweep(context, journal, state);
    const ledger = await Ledger.load(context, state);
    await rehearse(context);
    await warnOfExpiry(context);
    const time = new Date(Math.floor(world.clock.now().getTime() / 1000) * 1000);
    const archive = formatArchiveName({
      job: job.name,
      time,
      nonce: hex(world.random(4)),
      compression: job.compression,
    });
    await journal.begin({ what: "spool", name: archive });
    const guard = await Guard.load(context, state, archive, time);
    const { exported, spooled } = await exportToSpool(context, journal, guard, recipients);
    const verdict = guard.judge(exported);
    const entry = await nextEntry<ArchiveManifest>(
      state.head,
      state.newChainId(),
      manifestOf(context, { guard, verdict, recipients, exported, spooled, chain }),
      signer,
    );
    await guard.remember(verdict, exported, { sequence: entry.manifest.sequence, size: spooled.size });
    await state.commit(entry);
    await journal.end({ what: "spool", name: archive });
    emitSealed(context, entry);
    guard.tell(verdict.findings);
    const deliveries = await deliver(context, ledger, journal, entry);
    const late = await deliverPending(context, ledger, journal, entry);
    await capSpool(context, ledger);
    const ended = { archive, block: guard.block, alarms, deliveries };
    const pruned = prune ? await pruneAfter(context, holding(context, chain, journal, ledger), ended) : [];
    await journal.compact();
    return { ...ended, outcome: verdict.outcome, late, pruned };
  } finally {
    lock.release();
  }
}

async function exportToSpool(
  context: JobContext,
  journal: Journal,
  guard: Guard,
  recipients: Recipient[],
) {
  const { world, job, emit } = context;
  emit({ event: "phase", job: job.name, phase: "sign-in" });
  await using folders = foldersOf(context, journal);
  const source = await openDoors({ ...context, folders });
  await using _ = source;
  let spooled: Spooled | undefined;
  const writer = new ArchiveWriter({
    time: guard.time,
    compression: job.compression,
    recipients: recipients.map((recipient) => recipient.key),
    thread: source.snapshot, // a file on this computer; whatever comes over a network is slower than encryption
    sink: async (ciphertext, sha256) => {
      spooled = await spool(world.files, spoolOf(context), guard.archive, ciphertext, { sha256 });
    },
  });
  try {
    const exported = await exportVaults(source, writer, context, guard);
    emit({ event: "phase", job: job.name, phase: "seal" });
    await writer.finish();
    if (!spooled) throw new AppError("unknown", "the spool ended without an archive");
    return { exported, spooled };
  } catch (error) {
    await writer.abort(error);
    throw toAppError(error);
  }
}

function manifestOf(
  context: JobContext,
  run: {
    guard: Guard;
    verdict: Verdict;
    recipients: Recipient[];
    exported: Exported;
    spooled: Spooled;
    chain: OpenChain;
  },
): Draft<ArchiveManifest> {
  return {
    format: FORMAT,
    kind: "archive",
    tool: context.tool,
    job: context.job.name,
    time: run.guard.time.toISOString(),
    archive: { name: run.guard.archive, size: run.spooled.size, sha256: run.spooled.sha256 },
    recipients: run.recipients.map((recipient) => recipient.fingerprint),
    outcome: run.verdict.outcome,
    counts: run.exported.counts,
    receipts: run.chain.state.receipts(),
    ...besideOf(run.chain.beside),
  };
}

function emitSealed(context: JobContext, { manifest }: SignedArchive): void {
  context.emit({
    event: "sealed",
    job: context.job.name,
    archive: manifest.archive.name,
    sequence: manifest.sequence,
    size: manifest.archive.size,
    sha256: manifest.archive.sha256,
    outcome: manifest.outcome,
    counts: manifest.counts,
    recipients: manifest.recipients,
  });
}
