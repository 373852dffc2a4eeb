import { isAppError } from "../base/errors.ts";
import { exists } from "../base/durable_file.ts";
import { hex } from "../base/bytes.ts";
import type { World } from "../base/world.ts";
import { placeOf, type SignedManifest, type SignedRecord } from "../archive/chain.ts";
import { isArchive, nameOf, type Place } from "../archive/manifest.ts";
import { indexEntries, readEntry, sequencesIn } from "./entries.ts";
import { Receipts } from "./receipts.ts";

/**
 * A chain that cannot go on (its key is gone, its newest entries are lost or damaged) is not thrown away: it is set
 * aside, and a new one begins.
 *
 *     <state>/<job>/set-aside/<8 hex>/chain/…    as it was
 *     <state>/<job>/set-aside/<8 hex>/receipts.json, sent.json
 *     <state>/<job>/set-aside/<8 hex>/delivered.json     which of its records are where, since then too
 */

/**
 * Sets the chain in `folder` aside; the job's lock must be held. The chain goes before its receipts: after a crash in
 * between there are receipts without a chain, which no run can go on with either.
 */
export async function setAside(world: World, folder: string): Promise<void> {
  const { files } = world;
  const aside = `${folder}/set-aside/${hex(world.random(4))}`;
  await files.makeFolder(aside, 0o700);
  for (const name of ["chain", "receipts.json", "sent.json"]) {
    if (!await exists(files, `${folder}/${name}`)) continue;
    await files.rename(`${folder}/${name}`, `${aside}/${name}`);
    await files.syncFolder(aside);
    await files.syncFolder(folder);
  }
}

/** Where the chains stood that were set aside, as far as that can be read. */
export async function setAsidePlaces(world: World, folder: string): Promise<Place[]> {
  const places: Place[] = [];
  for (const chain of await chainsAside(world, folder)) places.push(...await standing(world, chain));
  return places;
}

/** The signed entry of an archive in a chain that was set aside: it may still wait in the spool. */
export async function setAsideEntry(
  world: World,
  folder: string,
  archive: string,
): Promise<SignedManifest | undefined> {
  for (const chain of await chainsAside(world, folder)) {
    for (const sequence of (await sequencesIn(world, chain)).reverse()) {
      const entry = await readable(world, chain, sequence);
      if (entry && isArchive(entry.manifest) && nameOf(entry.manifest) === archive) return entry;
    }
  }
  return undefined;
}

/**
 * The fingerprints of the recipients that were accepted last in a chain that was set aside. Nobody but this host writes
 * there, so the key that signed it, which may be what is lost, is not asked for.
 */
export async function setAsideRecipients(
  world: World,
  folder: string,
): Promise<readonly string[] | undefined> {
  let newest: { time: string; recipients: readonly string[] } | undefined;
  for (const chain of await chainsAside(world, folder)) {
    for (const sequence of (await sequencesIn(world, chain)).reverse()) {
      const manifest = (await readable(world, chain, sequence))?.manifest;
      if (!manifest || !("recipients" in manifest)) continue;
      const { time, recipients } = manifest;
      if (!newest || Date.parse(newest.time) < Date.parse(time)) newest = { time, recipients };
      break;
    }
  }
  return newest?.recipients;
}

/** The records of a chain that was set aside, and where they are by now. */
export interface RecordsAside {
  records: SignedRecord[];
  /** By the numbers of that chain: what was given back before it was set aside, and what was delivered since. */
  delivered: Receipts;
}

/** What chains that were set aside have to say beside archives: which keys follow, who was accepted, what was removed. */
export async function recordsAside(world: World, folder: string): Promise<RecordsAside[]> {
  const all: RecordsAside[] = [];
  for (const chain of await chainsAside(world, folder)) {
    const index = await indexEntries(world, chain, await sequencesIn(world, chain));
    const records = index.flatMap(({ record }) => record ?? []);
    if (records.length === 0) continue;
    const file = (name: string) => chain.replace(/chain$/, name);
    const delivered = await readableReceipts(world, file("delivered.json"));
    await delivered.merge((await readableReceipts(world, file("receipts.json"))).ranges());
    all.push({ records, delivered });
  }
  return all;
}

/** Of damaged ones nothing is known: what they named is sent again, and found to be there. */
async function readableReceipts(world: World, path: string): Promise<Receipts> {
  try {
    return await Receipts.load(world, path);
  } catch (error) {
    if (!isAppError(error, "corrupt")) throw error;
    return Receipts.of(world, path, {});
  }
}

async function chainsAside(world: World, folder: string): Promise<string[]> {
  const root = `${folder}/set-aside`;
  if (!await exists(world.files, root)) return [];
  return (await world.files.names(root)).map((aside) => `${root}/${aside}/chain`);
}

async function standing(world: World, chain: string): Promise<Place[]> {
  for (const sequence of (await sequencesIn(world, chain)).reverse()) {
    const entry = await readable(world, chain, sequence);
    if (entry) return [placeOf(entry)];
  }
  return [];
}

async function readable(world: World, chain: string, sequence: number): Promise<SignedManifest | undefined> {
  try {
    return await readEntry(world, chain, sequence);
  } catch (error) {
    if (!isAppError(error, "corrupt", "unsupported")) throw error;
    return undefined;
  }
}
