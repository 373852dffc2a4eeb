import { AppError, isAppError, toAppError } from "../../base/errors.ts";
import { collect, streamOf, utf8 } from "../../base/bytes.ts";
import { digestOf, sha256Hex } from "../../base/hash.ts";
import { retry } from "../../base/retry.ts";
import type { World } from "../../base/world.ts";
import { isArchiveEntry, type SignedManifest } from "../../archive/chain.ts";
import { nameOf } from "../../archive/manifest.ts";
import { HOW_TO_OPEN } from "../../archive/people.ts";
import type { Destination, Resendable } from "../../destination/contract.ts";
import type { Journal } from "../../host/journal.ts";
import type { JobState } from "../../host/state.ts";
import { archiveParts, parseArchiveName, recordParts } from "../../model/archive_name.ts";
import { type JobContext, spoolOf } from "../context.ts";
import { openDestination } from "../open.ts";

/** What became of an archive at one destination. */
export interface Delivered {
  destination: string;
  /** Undefined when the archive was sent and came back unharmed. */
  error: AppError | undefined;
}

/** The name of the recipe that lies beside the archives of a job. */
export const RECIPE = "HOW-TO-OPEN.txt";

/**
 * Brings a signed entry, with its archive from the spool where it has one, to every destination that still waits for
 * it, all at once; one that fails stops no other. The spool lets go of an archive that nobody waits for any more.
 */
export async function deliver(
  context: JobContext,
  state: JobState,
  journal: Journal,
  entry: SignedManifest,
): Promise<Delivered[]> {
  const names = context.job.destinations.map((one) => one.name);
  const deliveries = await Promise.all(names.map(async (destination): Promise<Delivered> => {
    if (!waitsFor(state, destination, entry)) return { destination, error: undefined };
    return { destination, error: await deliverTo(context, state, journal, entry, destination) };
  }));
  if (isArchiveEntry(entry) && deliveries.every((one) => one.error === undefined)) {
    await context.world.files.remove(`${spoolOf(context)}/${entry.manifest.archive.name}`);
  }
  if (context.signal.aborted) throw toAppError(context.signal.reason, "cancelled");
  return deliveries;
}

/** Whether this destination has still to be sent the entry. */
export function waitsFor(state: JobState, destination: string, entry: SignedManifest): boolean {
  return !state.hasGivenBack(destination, entry);
}

/**
 * Completes what earlier runs could not deliver (a NAS that was down, a crash after signing): archives that wait in the
 * spool, and records; lets go of what is at every destination. A failure is told, returned, and tried again by the next
 * run. Called when the backup of today, the entry `before`, is out of the house.
 */
export async function deliverPending(
  context: JobContext,
  state: JobState,
  journal: Journal,
  before: SignedManifest,
): Promise<Delivered[]> {
  const late: Delivered[] = [];
  const { spooled, records } = await pending(context, state, before);
  const attempt = async (what: string, find: () => Promise<SignedManifest | undefined>) => {
    try {
      const entry = await find();
      if (entry) late.push(...await deliver(context, state, journal, entry));
    } catch (error) {
      const known = toAppError(error);
      if (context.signal.aborted) throw known;
      context.emit({
        event: "warning",
        job: context.job.name,
        code: known.code,
        message: `${what} could not be delivered late: ${known.message}`,
        ...(known.hint === undefined ? {} : { hint: known.hint }),
      });
      late.push({ destination: "", error: known });
    }
  };
  for (const record of records) await attempt(record.manifest.record, () => Promise.resolve(record));
  for (const name of spooled) await attempt(name, () => state.entryNamed(name));
  return late.filter((one) => one.error !== undefined);
}

/** What some destination waits for, but for the entry `before`: archives that are spooled, and records; oldest first. */
async function pending(context: JobContext, state: JobState, before: SignedManifest) {
  const waits = (entry: SignedManifest) =>
    context.job.destinations.some(({ name }) => waitsFor(state, name, entry));
  return {
    spooled: (await spooledArchives(context)).filter((name) => name !== nameOf(before.manifest)),
    records: state.records.filter(waits),
  };
}

/** The archives that wait in the spool, oldest first. */
export async function spooledArchives(context: JobContext): Promise<string[]> {
  const names = await namesIn(context.world.files, spoolOf(context));
  return names.filter((name) => parseArchiveName(name) !== undefined).sort();
}

async function namesIn(files: World["files"], folder: string): Promise<string[]> {
  try {
    return await files.names(folder);
  } catch (error) {
    if (isAppError(error, "not-found")) return []; // nothing has been spooled yet
    throw error;
  }
}

/** Returns what went wrong, having told it; throws nothing. */
async function deliverTo(
  context: JobContext,
  state: JobState,
  journal: Journal,
  entry: SignedManifest,
  name: string,
): Promise<AppError | undefined> {
  const archive = nameOf(entry.manifest);
  const tell = { event: "destination", job: context.job.name, destination: name, archive } as const;
  try {
    const destination = await openDestination(context, name);
    await using _ = destination;
    const parts = partsOf(context, entry);
    context.emit({ event: "phase", job: context.job.name, phase: "send", destination: name });
    await putRecipe(context, destination);
    for (const [key, body] of parts) await put(context, journal, destination, key, body);
    context.emit({ ...tell, state: "sent" });
    context.emit({ event: "phase", job: context.job.name, phase: "read-back", destination: name });
    for (const [key, body] of parts) await readBack(context, destination, key, body);
    // Receipts are of this chain; an archive of one that was set aside simply leaves the spool.
    if (entry.manifest.chain === state.head?.chain) await state.addReceipt(name, entry.manifest.sequence);
    context.emit({ ...tell, state: "read-back" });
    return undefined;
  } catch (error) {
    const known = toAppError(error);
    context.emit({
      ...tell,
      state: "failed",
      code: known.code,
      message: known.message,
      ...(known.hint === undefined ? {} : { hint: known.hint }),
    });
    return known;
  }
}

/** The files of an entry in the order of their upload: the signature, last, is the commit. */
function partsOf(context: JobContext, entry: SignedManifest): [key: string, body: Resendable][] {
  const key = (part: string) => `${context.job.name}/${part}`;
  const [bytes, signature] = [resendable(entry.bytes), resendable(utf8(entry.signature))];
  if (!isArchiveEntry(entry)) {
    const parts = recordParts(nameOf(entry.manifest));
    return [[key(parts.record), bytes], [key(parts.signature), signature]];
  }
  const { name, size, sha256 } = entry.manifest.archive;
  const parts = archiveParts(name);
  return [
    [key(parts.archive), { size, sha256, open: () => fileStream(context, `${spoolOf(context)}/${name}`) }],
    [key(parts.checksum), resendable(utf8(checksumLine(sha256, name)))],
    [key(parts.manifest), bytes],
    [key(parts.signature), signature],
  ];
}

/** What `sha256sum -c` reads. */
export function checksumLine(sha256: string, name: string): string {
  return `${sha256}  ${name}\n`;
}

async function putRecipe(context: JobContext, destination: Destination): Promise<void> {
  try {
    await retry(
      () => destination.put(`${context.job.name}/${RECIPE}`, resendable(HOW_TO_OPEN), context.signal),
      { clock: context.world.clock, signal: context.signal },
    );
  } catch (error) {
    // An older or a newer version wrote its own wording; either opens every archive of this format.
    if (!isAppError(error, "already-exists")) throw error;
  }
}

async function put(
  context: JobContext,
  journal: Journal,
  destination: Destination,
  key: string,
  body: Resendable,
): Promise<void> {
  const undertaking = { what: "put", destination: destination.name, key } as const;
  await journal.begin(undertaking);
  const stored = await retry(() => destination.put(key, body, context.signal), {
    clock: context.world.clock,
    signal: context.signal,
  });
  if (stored.size !== body.size) {
    throw new AppError("corrupt", `"${destination.name}" kept ${stored.size} of ${body.size} bytes`);
  }
  await journal.end(undertaking);
}

/** A backup is one that was read again: every byte comes back and is compared. */
async function readBack(
  context: JobContext,
  destination: Destination,
  key: string,
  body: Resendable,
): Promise<void> {
  const found = await retry(
    async () => await digestOf(await destination.get(key, undefined, context.signal)),
    { clock: context.world.clock, signal: context.signal },
  );
  if (found.size !== body.size || found.sha256 !== body.sha256) {
    throw new AppError("corrupt", `"${destination.name}" does not give back what was sent: ${key}`, {
      hint: "the disk or the service damages data; the other copies and the spool are not affected",
    });
  }
}

function resendable(bytes: Uint8Array): Resendable {
  return { size: bytes.length, sha256: sha256Hex(bytes), open: () => streamOf(bytes) };
}

/** A file as a stream that opens when it is first read. */
function fileStream(context: JobContext, path: string): ReadableStream<Uint8Array> {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      reader ??= (await context.world.files.stream(path)).getReader();
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader?.cancel(reason),
  }, { highWaterMark: 0 });
}

/** All of a small object at a destination. */
export async function readSmall(
  destination: Destination,
  key: string,
  limit: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  return await collect(await destination.get(key, undefined, signal), limit, key);
}
