import { type AppError, isAppError, toAppError } from "../../base/errors.ts";
import type { World } from "../../base/world.ts";
import { isArchiveEntry, type SignedManifest } from "../../archive/chain.ts";
import { nameOf } from "../../archive/manifest.ts";
import { quoted } from "../../base/safe_names.ts";
import type { Journal } from "../../host/journal.ts";
import { recordsAside } from "../../host/set_aside.ts";
import { parseArchiveName } from "../../model/archive_name.ts";
import { type JobContext, spoolOf, stateOf } from "../context.ts";
import type { Ended, Ledger } from "./ledger.ts";
import { type Shipment, spooledShipment } from "./parts.ts";
import { send } from "./send.ts";

/** What became of an entry at one destination. */
export interface Delivered {
  destination: string;
  /** `sent` where nobody here can read it back. */
  state: Ended | "failed";
  /** Why it failed. */
  error: AppError | undefined;
}

/**
 * Brings a signed entry, with its archive from the spool where it has one, to every destination that has it not yet, all
 * at once; one that fails stops no other. The spool lets go of an archive when every destination has given it back
 * unharmed or, where the credentials may only create, has confirmed all four files.
 */
export async function deliver(
  context: JobContext,
  ledger: Ledger,
  journal: Journal,
  entry: SignedManifest,
): Promise<Delivered[]> {
  const shipment = spooledShipment(context, entry);
  const names = context.job.destinations.map((one) => one.name);
  const deliveries = await Promise.all(names.map(async (destination): Promise<Delivered> => {
    const known = ledger.knows(destination, entry);
    if (known) return { destination, state: known, error: undefined };
    return await deliverTo(context, journal, shipment, destination, ledger);
  }));
  if (isArchiveEntry(entry) && deliveries.every((one) => one.error === undefined)) {
    await context.world.files.remove(shipment.path);
  }
  if (context.signal.aborted) throw toAppError(context.signal.reason, "cancelled");
  return deliveries;
}

/**
 * Completes what earlier runs could not deliver (a NAS that was down, a crash after signing): archives that wait in the
 * spool, and records; lets go of what is at every destination. A failure is told, returned, and tried again by the next
 * run. Called when the backup of today, the entry `before`, is out of the house.
 */
export async function deliverPending(
  context: JobContext,
  ledger: Ledger,
  journal: Journal,
  before: SignedManifest,
): Promise<Delivered[]> {
  const late = await deliverRecords(context, ledger, journal);
  for (const name of (await spooledArchives(context)).filter((name) => name !== nameOf(before.manifest))) {
    await attempt(context, late, name, async () => {
      const entry = await ledger.state.entryNamed(name);
      if (!entry) tellStray(context, name);
      return entry ? await deliver(context, ledger, journal, entry) : [];
    });
  }
  return late;
}

/**
 * Completes the records that earlier commands could not deliver, those of chains that were set aside too. A failure is
 * told and returned.
 *
 * @param but records that were tried just now, by name
 */
export async function deliverRecords(
  context: JobContext,
  ledger: Ledger,
  journal: Journal,
  but: ReadonlySet<string> = new Set(),
): Promise<Delivered[]> {
  const late: Delivered[] = [];
  const names = context.job.destinations.map(({ name }) => name);
  for (const entry of ledger.state.records) {
    const { record } = entry.manifest;
    if (but.has(record) || names.every((name) => ledger.knows(name, entry))) continue;
    await attempt(context, late, record, () => deliver(context, ledger, journal, entry));
  }
  for (const { records, delivered } of await recordsAside(context.world, stateOf(context))) {
    for (const entry of records) {
      const { record, sequence } = entry.manifest;
      const missing = names.filter((name) => !delivered.has(name, sequence));
      await attempt(context, late, record, () =>
        Promise.all(missing.map(async (name) => {
          const one = await deliverTo(context, journal, spooledShipment(context, entry), name);
          if (!one.error) await delivered.add(name, sequence);
          return one;
        })));
    }
  }
  return late;
}

/** Does one of several things; what fails is told and noted, and stops none of the others. */
async function attempt(
  context: JobContext,
  late: Delivered[],
  what: string,
  act: () => Promise<Delivered[]>,
): Promise<void> {
  try {
    late.push(...(await act()).filter((one) => one.error !== undefined));
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
    late.push({ destination: "", state: "failed", error: known });
  }
}

function tellStray(context: JobContext, archive: string): void {
  context.emit({
    event: "warning",
    job: context.job.name,
    code: "stray",
    message:
      `${archive} lies in the spool and goes nowhere: this host's state does not have its signed manifest`,
    hint: `the state was lost or is older; remove ${
      quoted(`${spoolOf(context)}/${archive}`)
    }, or put the state back that goes with it`,
  });
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

/**
 * Brings an entry to one destination; what it comes to is told, noted in the ledger where one is given (of another
 * host's archives this one keeps none), and returned. Throws nothing.
 */
export async function deliverTo(
  context: JobContext,
  journal: Journal,
  shipment: Shipment,
  destination: string,
  ledger?: Ledger,
): Promise<Delivered> {
  const { entry } = shipment, archive = nameOf(entry.manifest);
  const tell = { event: "destination", job: context.job.name, destination, archive } as const;
  try {
    const state = await send(context, journal, shipment, destination);
    await ledger?.note(destination, entry, state);
    if (state === "read-back") context.emit({ ...tell, state });
    return { destination, state, error: undefined };
  } catch (error) {
    const known = toAppError(error);
    context.emit({
      ...tell,
      state: "failed",
      code: known.code,
      message: known.message,
      ...(known.hint === undefined ? {} : { hint: known.hint }),
    });
    return { destination, state: "failed", error: known };
  }
}
