import { AppError, toAppError } from "../../base/errors.ts";
import { digestOf } from "../../base/hash.ts";
import { isArchiveEntry, type SignedArchive } from "../../archive/chain.ts";
import { Journal } from "../../host/journal.ts";
import { lockJob } from "../../host/lock.ts";
import { JobState } from "../../host/state.ts";
import { type JobContext, stateOf } from "../context.ts";
import { sweep } from "../backup/sweep.ts";
import { deliverTo, spooledArchives } from "../deliver/deliver.ts";
import { type Ended, Ledger } from "../deliver/ledger.ts";
import { type Shipment, spooledShipment } from "../deliver/parts.ts";
import { openDestination, trustedSigners } from "../open.ts";
import { fetchArchive } from "../restore/fetch.ts";
import { type Doubt, type Errand, errandsOf, isSame } from "./errands.ts";
import { type RecordErrand, recordErrandsOf } from "./records.ts";
import { type Survey, survey } from "./survey.ts";

export interface ResendOptions {
  /** A name, `latest` or `all`. */
  archive: string;
  /** Looks and sends nothing. */
  dryRun: boolean;
}

/** What became of one copy that was missing. */
export interface Resent {
  /** Or the record. */
  archive: string;
  /** Bytes. */
  size: number;
  destination: string;
  /** A destination, or this host (undefined). */
  from: string | undefined;
  state: Ended | "failed" | "would be sent";
  error: AppError | undefined;
}

export interface Resending {
  /** How many archives were looked at. */
  archives: number;
  copies: Resent[];
  /** Copies that are not what their host signed; they are left alone, and nothing is taken from them. */
  doubts: Doubt[];
  failures: Survey["failures"];
}

/**
 * Brings to each destination the archives that it lacks, from the spool or from a copy at another destination; when all
 * are meant, the records too. A copy
 * is used only when its signature is trusted and every byte that was fetched is what it signs. Signs nothing, asks
 * 1Password for nothing, and replaces nothing.
 */
export async function resend(context: JobContext, options: ResendOptions): Promise<Resending> {
  if (options.dryRun) return await run(context, undefined, options);
  const folder = stateOf(context);
  const lock = await lockJob(context.world, folder, context.job.name);
  try {
    const journal = await Journal.load(context.world, `${folder}/journal.jsonl`);
    const state = await JobState.load(context.world, folder);
    await sweep(context, journal, state);
    const resending = await run(context, journal, options);
    await journal.compact();
    return resending;
  } finally {
    lock.release();
  }
}

/** Without a journal, only looks. */
async function run(context: JobContext, journal: Journal | undefined, { archive }: ResendOptions) {
  const state = await JobState.load(context.world, stateOf(context));
  const ledger = await Ledger.load(context, state);
  const { places, failures } = await survey(context, await trustedSigners(context));
  tellBlind(context, places.filter(({ archives }) => !archives).map(({ destination }) => destination));
  const spooled = await inSpool(context, state);
  const own = await ownEntries(state, places.flatMap(({ archives }) => [...archives?.values() ?? []]));
  const { errands, doubts } = errandsOf({
    places,
    spooled,
    isOwn: (entry) => {
      const { name } = entry.manifest.archive, mine = own.get(name) ?? spooled.get(name);
      return mine !== undefined && isSame(mine, entry);
    },
    knows: (destination, entry) => ledger.knows(destination, entry),
  }, archive);
  const names = new Set([
    ...spooled.keys(),
    ...places.flatMap(({ archives }) => [...archives?.keys() ?? []]),
  ]);
  const resending: Resending = { archives: names.size, copies: [], doubts, failures };
  if (archive === "all") {
    const records = recordErrandsOf(places, ledger);
    doubts.push(...records.doubts);
    for (const errand of records.errands) {
      resending.copies.push(...await performRecord(context, journal, ledger, errand));
      if (context.signal.aborted) throw toAppError(context.signal.reason, "cancelled");
    }
  }
  for (const errand of errands) {
    resending.copies.push(
      ...journal ? await perform(context, journal, ledger, errand, doubts) : errand.to.map((to) => ({
        ...rowOf(errand, to, errand.spooled ? undefined : errand.from[0]),
        state: "would be sent" as const,
      })),
    );
    if (context.signal.aborted) throw toAppError(context.signal.reason, "cancelled");
  }
  return resending;
}

/** Without a journal, only tells. */
async function performRecord(
  context: JobContext,
  journal: Journal | undefined,
  ledger: Ledger,
  { entry, own, from, to }: RecordErrand,
): Promise<Resent[]> {
  const shipment = spooledShipment(context, entry);
  return await Promise.all(to.map(async (destination): Promise<Resent> => {
    const row = { archive: entry.manifest.record, size: entry.bytes.length, destination, from };
    if (!journal) return { ...row, state: "would be sent", error: undefined };
    const { state, error } = await deliverTo(
      context,
      journal,
      shipment,
      destination,
      own ? ledger : undefined,
    );
    return { ...row, state, error };
  }));
}

async function perform(
  context: JobContext,
  journal: Journal,
  ledger: Ledger,
  errand: Errand,
  doubts: Doubt[],
): Promise<Resent[]> {
  const found = await obtain(context, errand, doubts);
  if (!found) {
    const error = new AppError("corrupt", "no copy of it is what its host signed", { origin: "destination" });
    return errand.to.map((to) => ({ ...rowOf(errand, to, undefined), state: "failed", error }));
  }
  await using _ = found;
  const { shipment, from } = found;
  const copies = await Promise.all(errand.to.map(async (to): Promise<Resent> => {
    const { state, error } = await deliverTo(context, journal, shipment, to, errand.own ? ledger : undefined);
    return { ...rowOf(errand, to, from), state, error };
  }));
  const done = context.job.destinations.every(({ name }) => ledger.knows(name, errand.entry));
  if (errand.spooled && errand.own && done) {
    await context.world.files.remove(spooledShipment(context, errand.entry).path);
  }
  return copies;
}

interface Obtained extends AsyncDisposable {
  shipment: Shipment;
  /** Undefined: the spool. */
  from: string | undefined;
}

/** The ciphertext on this host, compared with what was signed: from the spool, else from the first copy that verifies. */
async function obtain(context: JobContext, errand: Errand, doubts: Doubt[]): Promise<Obtained | undefined> {
  const { entry } = errand, { name } = entry.manifest.archive;
  if (errand.spooled) {
    const shipment = spooledShipment(context, entry);
    const error = await damageOf(context, entry, shipment);
    if (!error) return { shipment, from: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
    doubts.push({ archive: name, destination: "", error });
  }
  for (const from of errand.from) {
    try {
      const destination = await openDestination(context, from, "read");
      await using _ = destination;
      context.emit({ event: "phase", job: context.job.name, phase: "fetch", destination: from });
      const fetched = await fetchArchive(context, destination, entry);
      const dispose = () => fetched[Symbol.asyncDispose]();
      return { shipment: { entry, path: fetched.path }, from, [Symbol.asyncDispose]: dispose };
    } catch (error) {
      const known = toAppError(error);
      if (context.signal.aborted) throw known;
      doubts.push({ archive: name, destination: from, error: known });
    }
  }
  return undefined;
}

async function damageOf(
  { world }: JobContext,
  entry: SignedArchive,
  { path }: Shipment,
): Promise<AppError | undefined> {
  const { size, sha256 } = entry.manifest.archive;
  try {
    const found = await digestOf(await world.files.stream(path));
    if (found.size === size && found.sha256 === sha256) return undefined;
    return new AppError("corrupt", "the copy in the spool is damaged");
  } catch (error) {
    return toAppError(error);
  }
}

/** What this host has signed of what lies in its spool, by name. */
async function inSpool(context: JobContext, state: JobState): Promise<Map<string, SignedArchive>> {
  const found = new Map<string, SignedArchive>();
  for (const name of await spooledArchives(context)) {
    const entry = await state.entryNamed(name);
    if (entry && isArchiveEntry(entry)) found.set(name, entry);
  }
  return found;
}

/** This host's own words about archives that destinations show, by name. */
async function ownEntries(
  state: JobState,
  shown: readonly { entry: SignedArchive | undefined }[],
): Promise<Map<string, SignedArchive>> {
  const own = new Map<string, SignedArchive>();
  const sequences = new Set(state.sequences);
  for (const { entry } of shown) {
    if (!entry || entry.manifest.chain !== state.head?.chain || own.has(entry.manifest.archive.name)) {
      continue;
    }
    if (!sequences.has(entry.manifest.sequence)) continue;
    const mine = await state.entry(entry.manifest.sequence);
    if (isArchiveEntry(mine)) own.set(mine.manifest.archive.name, mine);
  }
  return own;
}

function tellBlind(context: JobContext, names: readonly string[]): void {
  for (const name of names) {
    context.emit({
      event: "warning",
      job: context.job.name,
      code: "not-looked-at",
      message:
        `"${name}" cannot be looked at: its credentials may only create; it gets what this host has and never sent there`,
      hint: 'give it "read:" credentials to have everything completed that is missing there',
    });
  }
}

function rowOf({ entry }: Errand, destination: string, from: string | undefined) {
  const { name, size } = entry.manifest.archive;
  return { archive: name, size, destination, from, error: undefined };
}
